//! What is written is read back, whatever the value; and field order, repetition and unknown fields do not matter.

use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;
use proptest::{collection, prelude::*};
use tars_codec::{
    ByteStr, CharArray, Decode, Encode, Fields, InlineStr, Input, IntoOwned, Limits, MapRef,
    RequestPacket, Struct, Value, VecMap, decode, encode, write,
};

fn written<T: Encode + ?Sized>(tag: u8, value: &T) -> Vec<u8> {
    let mut buf = Vec::new();
    write(&mut buf, |w| w.put(tag, value)).unwrap();
    buf
}

fn round_trip<T: Encode + Decode>(tag: u8, value: &T) -> T {
    let buf = written(tag, value);
    let input = Input::new(&buf);
    let mut r = input.reader();
    let back = r.next_if(tag).unwrap().unwrap();
    assert!(r.is_empty());
    let input = Input::new(&buf);
    let mut skipped = input.reader();
    let head = skipped.next_field().unwrap().unwrap();
    skipped.skip(head).unwrap();
    assert!(
        skipped.is_empty(),
        "skipping takes the same bytes as reading"
    );
    back
}

proptest! {
    #[test]
    fn integers(tag: u8, a: i8, b: i16, c: i32, d: i64, e: u8, f: u16, g: u32, h: bool) {
        prop_assert_eq!(round_trip(tag, &a), a);
        prop_assert_eq!(round_trip(tag, &b), b);
        prop_assert_eq!(round_trip(tag, &c), c);
        prop_assert_eq!(round_trip(tag, &d), d);
        prop_assert_eq!(round_trip(tag, &e), e);
        prop_assert_eq!(round_trip(tag, &f), f);
        prop_assert_eq!(round_trip(tag, &g), g);
        prop_assert_eq!(round_trip(tag, &h), h);
        // The width on the wire depends on the value alone.
        prop_assert_eq!(written(tag, &a), written(tag, &i64::from(a)));
        prop_assert_eq!(written(tag, &g), written(tag, &i64::from(g)));
    }

    #[test]
    fn floats_keep_every_bit(tag: u8, a: u32, b: u64) {
        prop_assert_eq!(round_trip(tag, &f32::from_bits(a)).to_bits(), a);
        prop_assert_eq!(round_trip(tag, &f64::from_bits(b)).to_bits(), b);
    }

    #[test]
    fn containers(
        tag: u8,
        s in ".{0,300}",
        v in collection::vec(any::<i64>(), 0..300),
        m in collection::btree_map(".{0,5}", collection::vec(any::<i16>(), 0..4), 0..20),
        raw in collection::vec(any::<u8>(), 0..300),
    ) {
        prop_assert_eq!(&round_trip(tag, &s), &s);
        prop_assert_eq!(&round_trip(tag, &CharArray(s.clone())).0, &s);
        prop_assert_eq!(&round_trip(tag, &v), &v);
        prop_assert_eq!(&round_trip(tag, &m), &m);
        let hash: HashMap<_, _> = m.clone().into_iter().collect();
        prop_assert_eq!(&round_trip(tag, &hash), &hash);
        prop_assert_eq!(&round_trip(tag, &raw), &raw); // vector<unsigned byte>
        let raw = Bytes::from(raw);
        prop_assert_eq!(&round_trip(tag, &raw), &raw); // vector<byte>
    }

    /// The fields of a packet in any order, some twice, with unknown ones in between: the first of each counts.
    #[test]
    fn field_order_does_not_matter(
        packet in packets(),
        order in Just((0..10).collect::<Vec<usize>>()).prop_shuffle(),
        repeats in collection::vec(0..10_usize, 0..5),
        unknown in collection::vec((11_u8.., any::<i64>()), 0..5),
    ) {
        let fields = [
            written(1, &packet.version), written(2, &packet.packet_type), written(3, &packet.message_type),
            written(4, &packet.request_id), written(5, &packet.servant), written(6, &packet.func),
            written(7, &packet.body), written(8, &packet.timeout), written(9, &packet.context), written(10, &packet.status),
        ];
        let in_order = fields.concat();
        prop_assert_eq!(&encode(&packet).unwrap(), &in_order);

        let mut bytes = Vec::new();
        for (i, &field) in order.iter().enumerate() {
            bytes.extend(&fields[field]);
            if let Some((tag, value)) = unknown.get(i) {
                bytes.extend(written(*tag, value));
            }
        }
        for &field in &repeats {
            let other = encode(&RequestPacket { version: 99, ..RequestPacket::default() }).unwrap();
            bytes.extend(&fields[field]);
            bytes.extend(&other);
        }
        prop_assert_eq!(decode::<RequestPacket>(&bytes).unwrap(), packet);
    }

    /// Decoding arbitrary bytes never panics, and what decodes encodes to something that decodes alike.
    #[test]
    fn arbitrary_bytes(bytes in collection::vec(any::<u8>(), 0..200)) {
        if let Ok(packet) = decode::<RequestPacket>(&bytes) {
            prop_assert_eq!(decode::<RequestPacket>(&encode(&packet).unwrap()).unwrap(), packet);
        }
        let input = Input::new(&bytes);
        let mut r = input.reader();
        while let Ok(Some(head)) = r.next_field() {
            if r.skip(head).is_err() {
                break;
            }
        }
        prop_assert!(r.offset() <= bytes.len());
    }

    /// A nested body has the length that its bytes need, whichever width that is.
    #[test]
    fn nested_bodies(len in prop_oneof![Just(0_usize), 1..130_usize, 32_000..33_000_usize, 65_000..70_000_usize]) {
        let body = Bytes::from(vec![7; len]);
        let packet = RequestPacket { body: body.clone(), ..RequestPacket::default() };
        let mut buf = Vec::new();
        write(&mut buf, |w| packet.encode_fields(w)).unwrap();
        let plain = written(7, &body);
        prop_assert!(buf.windows(plain.len()).any(|w| w == plain));
        prop_assert_eq!(decode::<RequestPacket>(&buf).unwrap(), packet);
    }
}

fn packets() -> impl Strategy<Value = RequestPacket> {
    let text = ".{0,20}";
    let attributes = || collection::btree_map(".{0,8}", ".{0,8}", 0..4);
    let numbers = (
        any::<i16>(),
        any::<i8>(),
        any::<i32>(),
        any::<i32>(),
        any::<i32>(),
    );
    (
        numbers,
        text,
        text,
        collection::vec(any::<u8>(), 0..300),
        attributes(),
        attributes(),
    )
        .prop_map(
            |(
                (version, packet_type, message_type, request_id, timeout),
                servant,
                func,
                body,
                context,
                status,
            )| {
                RequestPacket {
                    version,
                    packet_type,
                    message_type,
                    request_id,
                    servant,
                    func,
                    body: body.into(),
                    timeout,
                    context,
                    status,
                }
            },
        )
}

#[test]
fn the_first_of_equal_map_keys_counts() {
    let bytes = [0x08, 0x00, 2, 0x00, 1, 0x10, 10, 0x00, 1, 0x10, 20];
    let map: BTreeMap<i32, i32> = Input::new(&bytes).reader().next_if(0).unwrap().unwrap();
    assert_eq!(map, BTreeMap::from([(1, 10)]));
}

proptest! {
    /// A few entries and many are read in different ways, and those in order in another one than those in disorder.
    #[test]
    fn maps_take_entries_in_any_order(
        mut entries in collection::vec(("[ab]{0,9}|[a-z\u{0}é]{0,20}", any::<i32>()), 0..12),
        in_order in any::<bool>(),
    ) {
        if in_order {
            entries.sort();
        }
        let mut wire = Vec::new();
        write(&mut wire, |w| {
            w.put(0, &i32::try_from(entries.len()).unwrap());
            for (key, value) in &entries {
                w.put(0, key);
                w.put(1, value);
            }
        }).unwrap();
        wire.insert(0, 0x08); // the head of a map
        let mut expected = BTreeMap::new();
        for (key, value) in entries {
            expected.entry(key).or_insert(value);
        }
        let input = Input::new(&wire);
        prop_assert_eq!(&input.reader().required::<BTreeMap<String, i32>>(0), &expected);
        let sorted: VecMap<String, i32> = input.reader().required(0);
        prop_assert!(sorted.iter().eq(&expected));
        let inline: VecMap<InlineStr, i32> = input.reader().required(0);
        prop_assert!(inline.into_iter().eq(expected.iter().map(|(key, value)| (key.as_str().into(), *value))));
        let borrowed: MapRef<'_, &str, i32> = input.cursor().required_ref(0);
        let owned: BTreeMap<String, i32> = borrowed.into_owned();
        prop_assert_eq!(&owned, &expected);
        prop_assert!(input.reader().check().is_ok());
    }
}

#[test]
fn byte_vectors_share_the_memory_of_the_frame() {
    let frame = Bytes::from(written(0, &Bytes::from(vec![1; 5000])));
    let input = Input::shared(&frame).with_limits(Limits::DEFAULT.with_memory(0));
    let mut r = input.reader();
    let bytes: Bytes = r.next_if(0).unwrap().unwrap();
    assert_eq!(bytes.as_ptr(), frame[frame.len() - 5000..].as_ptr());
}

/// A string moves without a copy in every type that can share or borrow.
#[test]
fn long_strings_share_the_memory_of_the_frame() {
    for len in [4 << 10, 100_000] {
        let frame = Bytes::from(written(0, &"x".repeat(len)));
        let text = frame[frame.len() - len..].as_ptr();
        let input = Input::shared(&frame).with_limits(Limits::DEFAULT.with_memory(0));
        let bytes: ByteStr = input.reader().next_if(0).unwrap().unwrap();
        assert_eq!(bytes.as_ptr(), text);
        let mut r = input.cursor();
        let borrowed: &str = r.required_ref(0);
        r.check().unwrap();
        assert_eq!(borrowed.as_ptr(), text);
    }
}

#[test]
fn a_failed_writer_takes_its_bytes_back() {
    let mut buf = vec![1, 2, 3];
    let failed = write(&mut buf, |w| {
        w.put(0, "text");
        w.check_max("list", 5, 4);
    });
    assert_eq!(
        failed.unwrap_err().to_string(),
        "a list of length 5, at most 4 possible here, at byte 6"
    );
    assert_eq!(buf, [1, 2, 3]);
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<i64>().prop_map(Value::Int),
        any::<f32>().prop_map(Value::Float),
        any::<f64>().prop_map(Value::Double),
        collection::vec(any::<u8>(), 0..300).prop_map(|b| Value::String(b.into())),
        collection::vec(any::<u8>(), 0..300).prop_map(|b| Value::Bytes(b.into())),
    ];
    leaf.prop_recursive(5, 60, 6, |inner| {
        prop_oneof![
            collection::vec(inner.clone(), 0..6).prop_map(Value::List),
            collection::vec((inner.clone(), inner.clone()), 0..6).prop_map(Value::Map),
            collection::vec((any::<u8>(), inner), 0..6).prop_map(|f| Value::Struct(Fields(f))),
        ]
    })
}

proptest! {
    #[test]
    fn any_tree_is_read_back_and_skipped(tag: u8, value in values()) {
        let back = round_trip(tag, &value);
        prop_assert_eq!(written(tag, &back), written(tag, &value));
        prop_assert!(!value.to_string().is_empty());
    }

    /// Cut anywhere, a tree is an error, never a panic.
    #[test]
    fn a_tree_cut_anywhere_is_an_error(value in values(), cut: prop::sample::Index) {
        let bytes = written(0, &value);
        let cut = &bytes[..cut.index(bytes.len())];
        let fields = Fields::decode(&Input::new(cut));
        prop_assert_eq!(fields.is_ok(), cut.is_empty());
    }
}
