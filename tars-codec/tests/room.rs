//! What is written is the same whatever room the buffer has, and stays within it: texts of every short length, with
//! numbers and records behind them. (Under AddressSanitizer and valgrind, a byte outside of it fails these tests.)

use tars_codec::{Field, InlineStr, Reader, Struct, WireType, Writer, encode_into, write};

/// `count`, `name`, then the widest numbers.
struct Named<S> {
    count: i32,
    name: S,
    total: i64,
    ratio: f64,
}

impl<S: tars_codec::Encode + tars_codec::Decode + tars_codec::Typed + Default> Struct for Named<S> {
    const NAME: &'static str = "Room.Named";
    const FIELDS: &'static [Field] = &[
        Field::required::<i32>(0, "count"),
        Field::required::<S>(1, "name"),
        Field::required::<i64>(2, "total"),
        Field::required::<f64>(15, "ratio"),
    ];

    fn encode_fields(&self, w: &mut Writer<'_>) {
        w.put(0, &self.count);
        w.put(1, &self.name);
        w.put(2, &self.total);
        w.put(15, &self.ratio);
    }

    fn decode_fields(r: &mut Reader<'_>) -> Self {
        Self {
            count: r.required(0),
            name: r.required(1),
            total: r.required(2),
            ratio: r.required(15),
        }
    }
}

/// By the table of wire types, without the codec.
fn by_hand(name: &str) -> Vec<u8> {
    let head = |tag: u8, ty: WireType| tag << 4 | ty as u8;
    let mut bytes = vec![head(0, WireType::Int2), 0xff, 0x7f]; // -129
    match u8::try_from(name.len()) {
        Ok(len) => bytes.extend([head(1, WireType::String1), len]),
        Err(_) => {
            bytes.push(head(1, WireType::String4));
            bytes.extend(u32::try_from(name.len()).unwrap().to_be_bytes());
        }
    }
    bytes.extend(name.as_bytes());
    bytes.push(head(2, WireType::Int8));
    bytes.extend(i64::MIN.to_be_bytes());
    bytes.extend([head(15, WireType::Double), 15]);
    bytes.extend(1.5_f64.to_be_bytes());
    bytes
}

fn named<S>(name: S) -> Named<S> {
    Named {
        count: -129,
        name,
        total: i64::MIN,
        ratio: 1.5,
    }
}

fn lengths() -> impl Iterator<Item = usize> {
    (0..=40).chain(253..=258)
}

#[test]
fn texts_of_every_length_fit_in_every_room() {
    for len in lengths() {
        let name: String = ('a'..='z').cycle().take(len).collect();
        let expected = by_hand(&name);
        let (string, inline) = (named(name.clone()), named(InlineStr::from(&*name)));
        for room in 0..=expected.len() + 48 {
            let buf = || {
                let mut buf = Vec::with_capacity(3 + room);
                buf.extend(b"abc");
                buf
            };
            let check = |buf: Vec<u8>| {
                assert_eq!(buf[..3], *b"abc", "{len} {room}");
                assert_eq!(buf[3..], expected, "{len} {room}");
            };
            let mut of_string = buf();
            encode_into(&string, &mut of_string).unwrap();
            check(of_string);
            let mut of_inline = buf();
            encode_into(&inline, &mut of_inline).unwrap();
            check(of_inline);
        }
    }
}

#[test]
fn lists_of_them_do_too() {
    for len in lengths() {
        let name: String = ('a'..='z').cycle().take(len).collect();
        let records = [
            vec![0x0a],
            by_hand(&name),
            vec![0x0b, 0x0a],
            by_hand(&name),
            vec![0x0b],
        ];
        let expected = [vec![0x39, 0x00, 2], records.concat()].concat();
        let list = [named(name.clone()), named(name.clone())];
        let inline = [
            named(InlineStr::from(&*name)),
            named(InlineStr::from(&*name)),
        ];
        for room in 0..=expected.len() + 48 {
            let mut buf = Vec::with_capacity(room);
            write(&mut buf, |w| w.put(3, &list[..])).unwrap();
            assert_eq!(buf, expected, "{len} {room}");
            let mut buf = Vec::with_capacity(room);
            write(&mut buf, |w| w.put(3, &inline[..])).unwrap();
            assert_eq!(buf, expected, "{len} {room}");
        }
    }
}
