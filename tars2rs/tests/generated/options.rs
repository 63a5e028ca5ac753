//! What code does that was generated with options. `options.rs` beside `generated` runs this in the crate that it
//! generates.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use tars_rpc::codec::{self, Bytes};

macro_rules! cases {
    ($($name:ident $module:ident;)*) => {$(
        use generated::$module::app::my_server::obj::classes::opt as $name;
    )*};
}

cases! {
    plain cplain;
    option coption;
    bytes_str cbytes_str;
    arc_str carc_str;
    inline_str cinline_str;
    vec cvec;
    hash_map chash_map;
    index_map cindex_map;
    vec_map cvec_map;
    unknown cunknown;
    serde cserde;
    everything ceverything;
    borrowed cborrowed;
    everything_borrowed ceverything_borrowed;
    everything_inline ceverything_inline;
    by_path cby_path;
}

fn round_trip<T: codec::Struct + PartialEq + std::fmt::Debug>(value: &T) -> Vec<u8> {
    let bytes = codec::encode(value).unwrap();
    assert_eq!(codec::decode::<T>(&bytes).unwrap(), *value);
    bytes
}

fn all() -> plain::All {
    plain::All {
        name: "n".into(),
        title: "t".into(),
        code: "c".into(),
        brief: "s".into(),
        data: Bytes::from_static(b"\x01\xff"),
        head: Bytes::from_static(b"h"),
        words: vec!["a".into(), "b".into()],
        parts: vec![Bytes::from_static(b"p")],
        blobs: BTreeMap::from([("k".into(), Bytes::from_static(b"v"))]),
        deep: BTreeMap::from([(1, BTreeMap::from([("x".into(), "y".into())]))]),
        ratio: 2.5,
        color: plain::Color::RED,
        next: Some(Box::new(plain::All::default())),
        yes: false,
        few: vec![1, 2, 3],
        far: 8,
    }
}

/// All forms of a struct have one form on the wire.
#[test]
fn the_wire_stays() {
    let bytes = round_trip(&all());
    macro_rules! same {
        ($($module:ident)*) => {$(
            let value: $module::All = codec::decode(&bytes).unwrap();
            assert_eq!(round_trip(&value), bytes, stringify!($module));
        )*};
    }
    same! { option bytes_str arc_str inline_str vec hash_map index_map vec_map unknown serde everything by_path borrowed everything_borrowed everything_inline }
}

/// What is borrowed is the same, and becomes the same, whatever the types of the owned form.
#[test]
fn borrowed_forms() {
    let bytes = codec::encode(&all()).unwrap();
    let look: borrowed::AllRef<'_> = codec::decode_ref(&bytes).unwrap();
    let inside = |text: &[u8]| bytes.as_ptr_range().contains(&text.as_ptr());
    assert!(inside(look.name.as_bytes()) && inside(look.title.as_bytes()) && inside(&look.data));
    let word = look.words.iter().next().unwrap();
    assert!(inside(word.as_bytes()) && inside(look.deep.get(&1).unwrap().get("x").unwrap().as_bytes()));
    assert_eq!((look.code, look.brief, &*look.head, look.few.len()), ("c", "s", &b"h"[..], 3));
    assert_eq!((look.color, look.far), (borrowed::Color::RED, 8));
    assert!(look.next.is_some());
    let owned = borrowed::All::from(look.clone());
    assert_eq!(round_trip(&owned), bytes);
    assert_eq!(owned, codec::decode(&bytes).unwrap());

    let other: everything_borrowed::AllRef<'_> = codec::decode_ref(&bytes).unwrap();
    assert_eq!((other.name, other.title, other.code), (&b"n"[..], Some(&b"t"[..]), Some(&b"c"[..])));
    assert_eq!(round_trip(&everything_borrowed::All::from(other)), bytes);
    let inline: everything_inline::AllRef<'_> = codec::decode_ref(&bytes).unwrap();
    assert_eq!(round_trip(&everything_inline::All::from(inline)), bytes);

    let none = codec::encode(&plain::All::default()).unwrap();
    let look: borrowed::AllRef<'_> = codec::decode_ref(&none).unwrap();
    assert_eq!((look.title, look.code, look.yes, look.far), ("none", "abc", true, 7));
    assert_eq!(look, borrowed::AllRef::default());
    assert_eq!(borrowed::All::from(look), borrowed::All::default());
    let cut = codec::decode_ref::<borrowed::AllRef<'_>>(&bytes[..9]).err();
    assert_eq!(cut.map(|e| e.offset()), codec::decode::<plain::All>(&bytes[..9]).err().map(|e| e.offset()));
}

#[test]
fn types_are_as_chosen() {
    let bytes = codec::encode(&all()).unwrap();
    let b: bytes_str::All = codec::decode(&bytes).unwrap();
    let (_, _): (&Bytes, &Vec<codec::ByteStr>) = (&b.title, &b.words);
    assert_eq!((&b.title[..], &b.code[..]), (&b"t"[..], &b"c"[..]));
    let a: arc_str::All = codec::decode(&bytes).unwrap();
    let _: (&Arc<str>, &Vec<Arc<str>>) = (&a.code, &a.words);
    let i: inline_str::All = codec::decode(&bytes).unwrap();
    let _: (&codec::InlineStr, &Vec<codec::InlineStr>) = (&i.code, &i.words);
    let m: vec_map::All = codec::decode(&bytes).unwrap();
    let _: &codec::VecMap<i32, codec::VecMap<String, String>> = &m.deep;
    let v: vec::All = codec::decode(&bytes).unwrap();
    let _: (&Vec<u8>, &BTreeMap<String, codec::ByteVec>) = (&v.data, &v.blobs);
    assert_eq!(v.data, [1, 255]);
    let h: hash_map::All = codec::decode(&bytes).unwrap();
    let _: &HashMap<i32, HashMap<String, String>> = &h.deep;
    let i: index_map::All = codec::decode(&bytes).unwrap();
    let _: &codec::IndexMap<i32, codec::IndexMap<String, String>> = &i.deep;
    let p: by_path::All = codec::decode(&bytes).unwrap();
    let _: (&Option<Arc<str>>, &String) = (&p.title, &p.name);
}

#[test]
fn defaults_of_every_form() {
    let none = plain::All::default();
    assert_eq!((none.title.as_str(), none.code.as_str(), none.far), ("none", "abc", 7));
    assert_eq!(&bytes_str::All::default().title[..], b"none");
    assert_eq!(&*arc_str::All::default().code, "abc");
    assert_eq!(&*inline_str::All::default().title, "none");
    assert_eq!(option::All::default().title, None);
    let bytes = round_trip(&none);
    macro_rules! as_short {
        ($($module:ident)*) => {$(
            assert_eq!(round_trip(&$module::All::default()), bytes, stringify!($module));
        )*};
    }
    as_short! { option bytes_str arc_str inline_str vec hash_map index_map vec_map unknown serde everything }
}

#[test]
fn an_option_knows_whether_it_was_sent() {
    let unset = option::All::default();
    let set = option::All { far: Some(7), color: Some(option::Color::GREEN), ..unset.clone() };
    assert!(round_trip(&set).len() > round_trip(&unset).len());
    let long = option::All { few: Some(vec![1; 4]), ..option::All::default() };
    assert!(codec::encode(&long).is_err());
    let wire = codec::encode(&option::All { few: Some(vec![1; 3]), ..option::All::default() }).unwrap();
    assert!(codec::decode::<option::All>(&wire).is_ok());
    let long = everything::All { code: Some(Bytes::from_static(b"123456789")), ..everything::All::default() };
    assert!(codec::encode(&long).is_err());
}

#[test]
fn an_option_can_be_read_with_its_default() {
    let unset = option::All::default();
    assert_eq!((unset.title(), unset.code(), unset.data()), ("none", "abc", &b""[..]));
    assert_eq!((unset.ratio(), unset.yes(), unset.far()), (0.5, true, 7));
    assert_eq!(unset.color(), option::Color::GREEN);
    assert_eq!(option::Small::default().b(), 0);
    let set = option::All { title: Some("t".into()), far: Some(0), ..unset };
    assert_eq!((set.title(), set.far()), ("t", 0));
    let bytes = everything::All::default();
    assert_eq!((bytes.title(), bytes.data()), (&b"none"[..], &b""[..]));
    let shared = by_path::All { title: Some(Arc::from("t")), ..by_path::All::default() };
    assert_eq!(shared.title(), "t");
}

#[test]
fn unknown_fields_are_sent_on() {
    // What a newer peer sends for `Small { a, b }`: fields between and behind those that are known here.
    let bytes = [0x00, 1, 0x20, 9, 0x46, 1, b'x', 0xf0, 200, 3];
    let small: unknown::Small = codec::decode(&bytes).unwrap();
    assert_eq!((small.a, small.b), (1, 0));
    assert_eq!(small.unknown_fields.fields().unwrap().0.len(), 3);
    assert_eq!(round_trip(&small), bytes);
    // A field that is set later goes to its place.
    assert_eq!(codec::encode(&unknown::Small { b: 5, ..small.clone() }).unwrap()[..6], [0x00, 1, 0x10, 5, 0x20, 9]);
    let by_path: by_path::Small = codec::decode(&bytes).unwrap();
    assert_eq!(round_trip(&by_path), bytes);
    assert!(round_trip(&plain::Small { a: 1, b: 0 }).len() < bytes.len());
    assert!(HashSet::from([small.clone()]).contains(&small));
}

#[test]
fn map_keys_keep_an_order() {
    fn is_key<T: Ord + std::hash::Hash>() {}
    is_key::<plain::Key>();
    is_key::<option::Key>();
    is_key::<hash_map::Key>();
    is_key::<everything::Key>();
    let key = everything::Key { d: Some(codec::OrderedF64(f64::NAN)), ..everything::Key::default() };
    round_trip(&everything::Keyed { m: HashMap::from([(key, Bytes::new().into())]), ..Default::default() });
}

#[test]
fn serde_gives_the_json_of_tars() {
    let bytes = codec::encode(&all()).unwrap();
    let value: serde::All = codec::decode(&bytes).unwrap();
    let json = serde_json::to_string(&value).unwrap();
    assert_eq!(json, codec::json::to_string(&value).unwrap());
    assert!(json.contains(r#""data":[1,-1]"#) && json.contains(r#""color":1"#), "{json}");
    assert!(json.contains(r#""deep":{"1":{"x":"y"}}"#), "{json}");
    assert_eq!(serde_json::from_str::<serde::All>(&json).unwrap(), value);
    assert_eq!(serde_json::from_value::<serde::All>(serde_json::to_value(&value).unwrap()).unwrap(), value);

    let least = r#"{"name":"n","brief":"s","head":[],"unheard_of":1}"#;
    let least: serde::All = serde_json::from_str(least).unwrap();
    assert_eq!((least.title.as_str(), least.far), ("none", 7));
    assert!(serde_json::from_str::<serde::All>(r#"{"name":"n"}"#).is_err());
    assert_eq!(serde_json::to_string(&serde::Color(77)).unwrap(), "77");
}

#[test]
fn functions_are_known_as_data() {
    use generated::cplain::app::my_server::obj::service::FUNCTIONS;
    let shape = |function: &codec::Function| {
        let params = function.params.iter().map(|p| format!("{}{} {}", if p.out { "out " } else { "" }, p.ty, p.name));
        let result = function.result.map_or_else(|| "void".to_owned(), ToString::to_string);
        format!("{result} {}({})", function.name, params.collect::<Vec<_>>().join(", "))
    };
    assert_eq!(
        FUNCTIONS.iter().map(shape).collect::<Vec<_>>(),
        [
            "string bounded(string a, vector<short> b, vector<byte> c, out vector<int> o, out string p)",
            "vector<short> list(vector<short> v)",
            "string echo(string s, vector<byte> raw, map<string, Opt.All> all, vector<string> words)",
            "vector<byte> bytes(vector<byte> raw, out string s, out map<int, string> m)",
        ]
    );
}

mod service {
    use generated::ceverything::app::my_server::obj::service::{BoundedReply, BytesReply};
    use generated::ceverything::app::my_server::obj::{
        Service, ServiceServant, ServiceServer, classes::opt::All,
    };
    use tars_rpc::{Communicator, Result, codec::{Bytes, ByteStr}, server::{Context, Server}};

    struct Echo;

    impl Service for Echo {
        async fn bounded(&self, _cx: &Context, a: Bytes, b: Vec<i16>, c: Vec<u8>) -> Result<BoundedReply> {
            let o = b.iter().map(|&n| i32::from(n)).collect();
            Ok(BoundedReply { result: a, o, p: c.into() })
        }

        async fn list(&self, _cx: &Context, v: Vec<i16>) -> Result<Vec<i16>> {
            // One more than may come back, if there are as many as may be sent.
            Ok([&v[..], &[0]].concat())
        }

        async fn echo(
            &self,
            _cx: &Context,
            s: Bytes,
            _raw: Vec<u8>,
            _all: std::collections::HashMap<ByteStr, All>,
            _words: Vec<ByteStr>,
        ) -> Result<Bytes> {
            Ok(s)
        }

        async fn bytes(&self, _cx: &Context, raw: Vec<u8>) -> Result<BytesReply> {
            Ok(BytesReply { s: raw.clone().into(), result: raw, ..BytesReply::default() })
        }
    }

    #[tokio::test]
    async fn maxima_and_wrappers_over_a_connection() {
        let server = Server::builder()
            .bind(([127, 0, 0, 1], 0).into())
            .servant("A.B.c", ServiceServer::new(Echo))
            .listen()
            .await
            .unwrap();
        let port = server.local_addrs()[0].port();
        let serving = tokio::spawn(server.serve(std::future::pending()));
        let address = format!("A.B.c@tcp -h 127.0.0.1 -p {port}");
        let client = ServiceServant::new(Communicator::new().string_to_proxy(&address).unwrap());

        let reply = client.bounded(b"12345678", &[1, 2], b"abcd").await.unwrap();
        assert_eq!((&reply.result[..], &reply.o[..], &reply.p[..]), (&b"12345678"[..], &[1, 2][..], &b"abcd"[..]));
        let too_long = [
            client.bounded(b"123456789", &[], b"").await.map(drop),
            client.bounded(b"", &[1; 4], b"").await.map(drop),
            client.bounded(b"", &[], b"abcde").await.map(drop),
        ];
        for error in too_long.map(Result::unwrap_err) {
            assert!(matches!(error, tars_rpc::Error::Encode { .. }), "{error}");
        }
        // `out vector<int>:2 o`, and the list that comes back: refused by the server.
        assert!(client.bounded(b"", &[1; 3], b"").await.is_err());
        assert_eq!(client.list(&[1, 2]).await.unwrap(), [1, 2, 0]);
        assert!(client.list(&[1; 3]).await.is_err());

        // No UTF-8, and a byte vector as a `Vec`.
        assert_eq!(client.echo(b"\xc4\xe3", b"", &Default::default(), &[]).await.unwrap(), &b"\xc4\xe3"[..]);
        let reply = client.bytes(&[0, 255]).await.unwrap();
        assert_eq!((&reply.result[..], &reply.s[..]), (&[0, 255][..], &[0, 255][..]));
        serving.abort();
    }
}

mod defaults_that_are_not_utf8 {
    use generated::cgbk::app::my_server::obj::classes::gbk::{Old, OldRef};
    use tars_rpc::codec;

    #[test]
    fn are_bytes() {
        let old = Old::default();
        assert_eq!(&old.name[..], b"\xd6\xd0\xce\xc4");
        assert_eq!(old.title, "text");
        assert_eq!(codec::encode(&old).unwrap(), b"");
        assert_eq!(codec::decode::<Old>(b"").unwrap(), old);
        assert_eq!(codec::decode_ref::<OldRef<'_>>(b"").unwrap().name, b"\xd6\xd0\xce\xc4");
        // JSON is text.
        let error = serde_json::to_string(&old).unwrap_err().to_string();
        assert!(error.contains("Gbk.Old") && error.contains("UTF-8"), "{error}");
        let new = Old { name: "x".into(), ..Old::default() };
        assert_eq!(serde_json::to_string(&new).unwrap(), r#"{"name":"x","title":"text"}"#);
    }
}
