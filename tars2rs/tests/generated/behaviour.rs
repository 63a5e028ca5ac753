//! What generated types do. `compile.rs` runs this in the crate that it generates.

use std::collections::BTreeMap;

use tars_rpc::codec;

fn round_trip<T: codec::Struct + PartialEq + std::fmt::Debug>(value: &T) -> Vec<u8> {
    let bytes = codec::encode(value).unwrap();
    assert_eq!(codec::decode::<T>(&bytes).unwrap(), *value);
    bytes
}

#[test]
fn defaults_are_not_sent_and_come_back() {
    use generated::c133_optional_struct_nested_defaults::app::my_server::obj::classes::p::{S, T};
    let t = T::default();
    assert_eq!((t.a, t.b.as_str()), (5, "x"));
    assert!(round_trip(&t).is_empty());
    assert!(!round_trip(&T { a: 0, b: String::new() }).is_empty());
    round_trip(&S { v: vec![t.clone(), T { a: -1, ..t }], ..S::default() });
}

#[test]
fn floats_differ_from_their_default_by_bits() {
    use generated::c091_float_struct::app::my_server::obj::classes::p::S;
    let s = S::default();
    assert_eq!((s.a, s.b, s.e, s.f), (1.5, -2.5e10, 1.0, 0.5));
    assert!(s.j.is_sign_negative());
    let sent = round_trip(&S { j: 0.0, ..s.clone() }).len();
    assert!(sent > round_trip(&s).len());
}

#[test]
fn enums_keep_unknown_numbers() {
    use generated::c055_enum_default_forms::app::my_server::obj::classes::p::{E, S};
    let s = S::default();
    assert_eq!((s.a, s.b, s.c, s.d, s.e, s.f, s.g), (E::A, E::B, E::B, E::B, E::A, E::C, 5));
    let unknown = S { a: E(77), ..s };
    round_trip(&unknown);
    assert_eq!((unknown.a.name(), unknown.a.to_string(), format!("{:?}", E::C)), (None, "77".into(), "C".into()));
    assert_eq!(["B", "5", "77"].map(|text| text.parse()), [Ok(E::B), Ok(E::B), Ok(E(77))]);
    assert!("D".parse::<E>().is_err());
}

#[test]
fn structs_with_floats_are_map_keys() {
    use generated::c088_map_key_struct_float::app::my_server::obj::classes::p::{K, S};
    let keys = [f32::NAN, -0.0, 0.0, 1.0].map(|f| K { f, d: 0.0 });
    let m: BTreeMap<K, i32> = keys.into_iter().zip(0..).collect();
    assert_eq!(m.len(), 4);
    assert_eq!(m.get(&K { f: f32::NAN, d: 0.0 }), Some(&0));
    round_trip(&S { m, ..S::default() });
}

#[test]
fn key_members_compare_first() {
    use generated::ckey_order::app::my_server::obj::classes::m::Pair;
    let [low, high] = [(9, 1), (1, 2)].map(|(a, b)| Pair { a, b });
    assert!(low < high, "by b, then by a");
    assert!(Pair { a: 1, b: 1 } < low);
}

#[test]
fn maxima_hold_both_ways() {
    use generated::c119_fixed_arrays_colon::app::my_server::obj::classes::p::S;
    let at = |a: usize, b: usize| S { a: "x".repeat(a), b: vec![1; b] };
    round_trip(&at(16, 4));
    assert!(codec::encode(&at(17, 0)).is_err());
    assert!(codec::encode(&at(0, 5)).is_err());

    // `string:16 a` of 17 bytes, an empty list.
    let mut bytes = vec![0x06, 17];
    bytes.extend([b'x'; 17]);
    bytes.extend([0x19, 0x0c]);
    let error = codec::decode::<S>(&bytes).unwrap_err().to_string();
    assert!(error.contains('a'), "{error}");
}

#[test]
fn cycles_are_boxed() {
    use generated::c044_recursive_optional::app::my_server::obj::classes::p::Node;
    let leaf = Node { a: 1, next: None };
    round_trip(&Node { a: 2, next: Some(Box::new(leaf)) });
}

/// What C++ puts into the status for a `routekey`, and the bit that goes with it.
#[tokio::test]
async fn a_routekey_is_sent_along() {
    use generated::c110_routekey::app::my_server::obj::{I, IServant, IServer, i::FReply};
    use tars_rpc::{Communicator, Result, server::{Context, Server}};

    struct Keys;

    fn key(cx: &Context) -> &str {
        assert_eq!(cx.message_type(), 2);
        cx.status().get("STATUS_GRID_KEY").unwrap()
    }

    impl I for Keys {
        async fn f(&self, cx: &Context, uid: String, b: i32) -> Result<FReply> {
            assert_eq!(key(cx), uid);
            Ok(FReply { result: b, c: 0 })
        }

        async fn g(&self, cx: &Context, a: i32, k: i64) -> Result<i32> {
            assert_eq!(key(cx), k.to_string());
            Ok(a)
        }
    }

    let server = Server::builder()
        .bind(([127, 0, 0, 1], 0).into())
        .servant("A.B.c", IServer::new(Keys))
        .listen()
        .await
        .unwrap();
    let port = server.local_addrs()[0].port();
    let serving = tokio::spawn(server.serve(std::future::pending()));
    let address = format!("A.B.c@tcp -h 127.0.0.1 -p {port}");
    let client = IServant::new(Communicator::new().string_to_proxy(&address).unwrap());
    assert_eq!(client.f("ted", 3).await.unwrap().result, 3);
    assert_eq!(client.g(4, -5).await.unwrap(), 4);
    serving.abort();
}
