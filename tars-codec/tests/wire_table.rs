//! The points of wire.md, section 1: a test for each row of its table, in that order, of what the last column says.
//!
//! Comments name the tests elsewhere that show more of a row. What is written hangs on generated code, too, which
//! tests/tests/vectors.rs holds against the bytes of TarsCpp.

use std::{borrow::Cow, collections::BTreeMap, fmt::Debug, sync::Arc};

use tars_codec::{
    AtMost, AtMostRef, ByteStr, Bytes, CharArray, CharBytes, Decode, DecodeRef, Encode, Error,
    ErrorKind, Field, Fields, Input, Limits, Reader, RequestPacket, Result, Struct, Typed, VecMap,
    Writer, decode, encode, write,
};

/// `struct Must { 0 require T v; };` in the shape that tars2rs generates.
#[derive(Debug, Clone, Default, PartialEq)]
struct Must<T>(T);

impl<T: Encode + Decode + Typed + Default> Struct for Must<T> {
    const NAME: &'static str = "Test.Must";
    const FIELDS: &'static [Field] = &[Field::required::<T>(0, "v")];

    fn encode_fields(&self, w: &mut Writer<'_>) {
        w.put(0, &self.0);
    }

    fn decode_fields(r: &mut Reader<'_>) -> Self {
        Self(r.required(0))
    }
}

/// `struct May { 1 optional T v; };`
#[derive(Debug, Clone, Default, PartialEq)]
struct May<T>(T);

impl<T: Encode + Decode + Typed + Default> Struct for May<T> {
    const NAME: &'static str = "Test.May";
    const FIELDS: &'static [Field] = &[Field::optional::<T>(1, "v")];

    fn encode_fields(&self, w: &mut Writer<'_>) {
        w.optional(1, &self.0);
    }

    fn decode_fields(r: &mut Reader<'_>) -> Self {
        Self(r.optional(1))
    }
}

/// `struct Node { 0 optional Node next; };`
#[derive(Debug)]
struct Node(Option<Box<Self>>);

impl Struct for Node {
    const NAME: &'static str = "Test.Node";
    const FIELDS: &'static [Field] = &[Field::optional::<Self>(0, "next")];

    fn encode_fields(&self, w: &mut Writer<'_>) {
        if let Some(next) = &self.0 {
            w.put(0, &**next);
        }
    }

    fn decode_fields(r: &mut Reader<'_>) -> Self {
        Self(r.option(0).map(Box::new))
    }
}

#[track_caller]
fn must<T: Encode + Decode + Typed + Default>(value: T, bytes: &[u8]) {
    assert_eq!(encode(&Must(value)).unwrap(), bytes);
}

/// The same for an optional field, which is read back from these bytes as well.
#[track_caller]
fn may<T>(value: T, bytes: &[u8])
where
    T: Encode + Decode + Typed + Default + PartialEq + Debug,
{
    let value = May(value);
    assert_eq!(encode(&value).unwrap(), bytes);
    assert_eq!(decode::<May<T>>(bytes).unwrap(), value);
}

fn kind(error: Error) -> ErrorKind {
    error.kind().clone()
}

/// What is wrong with a value of tag 0; the same in the form that borrows.
#[track_caller]
fn fault<'a, T, R>(bytes: &'a [u8], limits: Limits) -> Option<ErrorKind>
where
    T: Decode + Default,
    R: DecodeRef<'a> + Default,
{
    let owned = Input::new(bytes).with_limits(limits);
    let mut r = owned.reader();
    r.required::<T>(0);
    let owned = r.check().err().map(kind);
    let borrowed = Input::new(bytes).with_limits(limits);
    let mut r = borrowed.cursor();
    r.required_ref::<R>(0);
    let borrowed = r.check().err().map(kind);
    assert_eq!(borrowed, owned);
    owned
}

/// An integer: by itself, before other bytes, and in lists, for each is read in another way.
#[track_caller]
fn integer<T>(bytes: &[u8]) -> Result<T, ErrorKind>
where
    T: Encode + Decode + Typed + Default + PartialEq + Debug,
{
    let alone = decode::<Must<T>>(bytes).map(|v| v.0).map_err(kind);
    let more = [bytes, &[0xf3, 99, 1, 2, 3, 4, 5, 6, 7, 8]].concat();
    let followed = decode::<Must<T>>(&more).map(|v| v.0).map_err(kind);
    assert_eq!(followed, alone);
    for zeros in [0, 16] {
        let others = vec![0x0c; zeros.into()];
        let list = [&[0x09, 0x00, 1 + zeros], bytes, &others].concat();
        let items = decode::<Must<Vec<T>>>(&list).map_err(kind);
        let first = items.map(|mut items| items.0.swap_remove(0));
        assert_eq!(first, alone, "with {zeros} others");
    }
    alone
}

/// With a default in the IDL: `a_default_makes_no_require_field_optional` in vectors.rs.
#[test]
fn require_field() {
    must(false, &[0x0c]);
    must(0_i8, &[0x0c]);
    must(0_i64, &[0x0c]);
    must(0_u32, &[0x0c]);
    must(0.0_f32, &[0x04, 0, 0, 0, 0]);
    must(0.0_f64, &[0x05, 0, 0, 0, 0, 0, 0, 0, 0]);
    must(String::new(), &[0x06, 0]);
    must(Bytes::new(), &[0x0d, 0x00, 0x0c]);
    must(Vec::<i32>::new(), &[0x09, 0x0c]);
    must(BTreeMap::<i32, i32>::new(), &[0x08, 0x0c]);
    must(Must(0), &[0x0a, 0x0c, 0x0b]);
}

/// With a default in the IDL: `optional_defaults_*` of vectors.json. The option that always writes what is set:
/// `an_option_knows_whether_it_was_sent` in tars2rs/tests/generated/options.rs.
#[test]
fn optional_scalar_or_string_equal_to_its_default() {
    may(0_i8, &[]);
    may(0_i16, &[]);
    may(0_i32, &[]);
    may(0_i64, &[]);
    may(0_u8, &[]);
    may(0_u16, &[]);
    may(0_u32, &[]);
    may(0.0_f32, &[]);
    may(0.0_f64, &[]);
    may(String::new(), &[]);
    may(Arc::<str>::from(""), &[]);
    may(-1_i64, &[0x10, 0xff]);
    may(200_u8, &[0x11, 0x00, 0xc8]);
    may(1.0_f32, &[0x14, 0x3f, 0x80, 0, 0]);
    may("a".to_owned(), &[0x16, 1, b'a']);
    may(Arc::<str>::from("a"), &[0x16, 1, b'a']);
}

/// An enum is an `int` of generated code: `optional_plain_default` of vectors.json.
#[test]
fn optional_bool_enum_struct() {
    may(false, &[]);
    may(true, &[0x10, 1]);
    may(May(false), &[0x1a, 0x0b]);
    // As TarsCpp writes it.
    assert_eq!(decode::<May<bool>>(&[0x1c]).unwrap(), May(false));
}

#[test]
fn optional_empty_vector_or_map() {
    may(Bytes::new(), &[]);
    may(Vec::<i32>::new(), &[]);
    may(BTreeMap::<i32, i32>::new(), &[]);
    may(VecMap::<i32, i32>::new(), &[]);
    may(Bytes::from_static(&[7]), &[0x1d, 0x00, 0x00, 1, 7]);
    may(vec![0], &[0x19, 0x00, 1, 0x0c]);
    may(BTreeMap::from([(0, 0)]), &[0x18, 0x00, 1, 0x0c, 0x1c]);
    may(VecMap::from([(0, 0)]), &[0x18, 0x00, 1, 0x0c, 0x1c]);
}

/// With a default in the IDL: `floats_differ_from_their_default_by_bits` in tars2rs/tests/generated/behaviour.rs.
#[test]
fn optional_float_or_double_near_the_default() {
    may(1e-7_f32, &[0x14, 0x33, 0xd6, 0xbf, 0x95]);
    let tiny = [0x15, 0x3e, 0x7a, 0xd7, 0xf2, 0x9a, 0xbc, 0xaf, 0x48];
    may(1e-7_f64, &tiny);
    may(-0.0_f32, &[0x14, 0x80, 0, 0, 0]);
    may(-0.0_f64, &[0x15, 0x80, 0, 0, 0, 0, 0, 0, 0]);
    // The two zeros are equal, but not the same.
    let read = decode::<May<f32>>(&[0x14, 0x80, 0, 0, 0]).unwrap();
    assert!(read.0.is_sign_negative());
    let read = decode::<May<f64>>(&[0x15, 0x80, 0, 0, 0, 0, 0, 0, 0]).unwrap();
    assert!(read.0.is_sign_negative());
    assert!(decode::<May<f64>>(&[]).unwrap().0.is_sign_positive());
}

/// -2 in one byte, in two, in four, and in eight.
const MINUS_TWO: [&[u8]; 4] = [
    &[0x00, 0xfe],
    &[0x01, 0xff, 0xfe],
    &[0x02, 0xff, 0xff, 0xff, 0xfe],
    &[0x03, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe],
];

#[test]
fn narrower_integer_than_declared_or_float_for_double() {
    for bytes in &MINUS_TWO[..1] {
        assert_eq!(integer::<i16>(bytes), Ok(-2));
    }
    for bytes in &MINUS_TWO[..2] {
        assert_eq!(integer::<i32>(bytes), Ok(-2));
    }
    for bytes in &MINUS_TWO[..3] {
        assert_eq!(integer::<i64>(bytes), Ok(-2));
    }
    // Unsigned ones are declared as the next wider signed one.
    assert_eq!(integer::<u8>(&[0x00, 0x7f]), Ok(127));
    assert_eq!(integer::<u16>(&[0x01, 0x7f, 0xff]), Ok(32_767));
    assert_eq!(
        integer::<u32>(&[0x02, 0x7f, 0xff, 0xff, 0xff]),
        Ok(2_147_483_647)
    );
    let zero = [0x0c];
    assert_eq!(integer::<i8>(&zero), Ok(0));
    assert_eq!(integer::<i16>(&zero), Ok(0));
    assert_eq!(integer::<i32>(&zero), Ok(0));
    assert_eq!(integer::<i64>(&zero), Ok(0));
    assert_eq!(integer::<u32>(&zero), Ok(0));

    let float = [0x04, 0xbf, 0xc0, 0, 0];
    assert_eq!(decode::<Must<f64>>(&float).unwrap(), Must(-1.5));
    assert_eq!(decode::<Must<f64>>(&zero).unwrap(), Must(0.0));
    assert_eq!(decode::<Must<f32>>(&zero).unwrap(), Must(0.0));
}

#[test]
fn wider_integer_that_fits_the_declared_type() {
    for bytes in &MINUS_TWO[1..] {
        assert_eq!(integer::<i8>(bytes), Ok(-2));
    }
    for bytes in &MINUS_TWO[2..] {
        assert_eq!(integer::<i16>(bytes), Ok(-2));
    }
    for bytes in &MINUS_TWO[3..] {
        assert_eq!(integer::<i32>(bytes), Ok(-2));
    }

    let no = |value, ty| ErrorKind::IntegerRange { value, ty };
    assert_eq!(integer::<i8>(&[0x01, 0x00, 0x7f]), Ok(127));
    assert_eq!(integer::<i8>(&[0x01, 0x00, 0x80]), Err(no(128, "i8")));
    assert_eq!(integer::<i8>(&[0x01, 0xff, 0x80]), Ok(-128));
    assert_eq!(integer::<i8>(&[0x01, 0xff, 0x7f]), Err(no(-129, "i8")));

    assert_eq!(integer::<i16>(&[0x02, 0, 0, 0x7f, 0xff]), Ok(32_767));
    let above = integer::<i16>(&[0x02, 0, 0, 0x80, 0]);
    assert_eq!(above, Err(no(32_768, "i16")));
    assert_eq!(integer::<i16>(&[0x02, 0xff, 0xff, 0x80, 0]), Ok(-32_768));
    let below = integer::<i16>(&[0x02, 0xff, 0xff, 0x7f, 0xff]);
    assert_eq!(below, Err(no(-32_769, "i16")));

    let most = integer::<i32>(&[0x03, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff]);
    assert_eq!(most, Ok(i32::MAX));
    let above = integer::<i32>(&[0x03, 0, 0, 0, 0, 0x80, 0, 0, 0]);
    assert_eq!(above, Err(no(2_147_483_648, "i32")));
    let least = integer::<i32>(&[0x03, 0xff, 0xff, 0xff, 0xff, 0x80, 0, 0, 0]);
    assert_eq!(least, Ok(i32::MIN));
    let below = integer::<i32>(&[0x03, 0xff, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff]);
    assert_eq!(below, Err(no(-2_147_483_649, "i32")));

    // The signed form of an unsigned integer has room for more than it may be.
    assert_eq!(integer::<u8>(&[0x02, 0, 0, 0, 0xff]), Ok(255));
    assert_eq!(integer::<u8>(&[0x01, 0x01, 0x00]), Err(no(256, "u8")));
    assert_eq!(integer::<u8>(&[0x00, 0xff]), Err(no(-1, "u8")));
    let most = integer::<u16>(&[0x03, 0, 0, 0, 0, 0, 0, 0xff, 0xff]);
    assert_eq!(most, Ok(65_535));
    assert_eq!(integer::<u16>(&[0x02, 0, 1, 0, 0]), Err(no(65_536, "u16")));
    assert_eq!(integer::<u16>(&[0x00, 0xff]), Err(no(-1, "u16")));
    let most = integer::<u32>(&[0x03, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]);
    assert_eq!(most, Ok(u32::MAX));
    let above = integer::<u32>(&[0x03, 0, 0, 0, 1, 0, 0, 0, 0]);
    assert_eq!(above, Err(no(4_294_967_296, "u32")));
    assert_eq!(integer::<u32>(&[0x00, 0xff]), Err(no(-1, "u32")));
}

/// The options that make a string bytes: tars2rs/tests/generated/options.rs.
#[test]
fn string_that_is_not_utf8() {
    let gbk = [0x06, 2, 0xc4, 0xe3];
    let fixed = [0x0d, 0x00, 0x00, 2, 0xc4, 0xe3];
    let limits = Limits::DEFAULT;
    let fault_of_str = fault::<String, &str>(&gbk, limits);
    assert_eq!(fault_of_str, Some(ErrorKind::InvalidUtf8));
    let fault_of_array = fault::<CharArray<String>, CharArray<&str>>(&fixed, limits);
    assert_eq!(fault_of_array, Some(ErrorKind::InvalidUtf8));
    assert_eq!(fault::<ByteStr, ByteStr<&[u8]>>(&gbk, limits), None);
    assert_eq!(fault::<CharBytes, CharBytes<&[u8]>>(&fixed, limits), None);

    let error = decode::<Must<String>>(&gbk).unwrap_err();
    assert_eq!(error.field(), Some(("Test.Must", "v")));
    assert_eq!(error.offset(), 2);
    let error = decode::<Must<Arc<str>>>(&gbk).unwrap_err();
    assert_eq!(error.field(), Some(("Test.Must", "v")));
    let list = [&[0x09, 0x00, 1], &gbk[..]].concat();
    let error = decode::<Must<Vec<String>>>(&list).unwrap_err();
    assert_eq!(error.field(), Some(("Test.Must", "v")));
    assert_eq!(error.offset(), 5);
}

/// With fields that nest: `old_and_new_versions_of_a_struct_read_each_other` in vectors.rs.
#[test]
fn unknown_tag() {
    let values: [(u8, &[u8]); 13] = [
        (0, &[1]),
        (1, &[1, 2]),
        (2, &[1, 2, 3, 4]),
        (3, &[1, 2, 3, 4, 5, 6, 7, 8]),
        (4, &[1, 2, 3, 4]),
        (5, &[1, 2, 3, 4, 5, 6, 7, 8]),
        (6, &[2, b'a', 0xff]),
        (7, &[0, 0, 0, 2, b'a', 0xff]),
        (8, &[0x00, 1, 0x00, 1, 0x16, 1, b'a']),
        (9, &[0x00, 2, 0x0c, 0x06, 1, b'a']),
        (10, &[0x10, 1, 0x2a, 0x0b, 0x0b]),
        (12, &[]),
        (13, &[0x00, 0x00, 2, 1, 2]),
    ];
    let known = [0x10, 5];
    for (ty, value) in values {
        let before = [&[ty], value, &known].concat();
        assert_eq!(decode::<May<i32>>(&before).unwrap(), May(5), "type {ty}");
        let behind = [&known[..], &[0x20 | ty], value].concat();
        assert_eq!(decode::<May<i32>>(&behind).unwrap(), May(5), "type {ty}");
        let far_behind = [&known[..], &[0xf0 | ty, 200], value].concat();
        assert_eq!(
            decode::<May<i32>>(&far_behind).unwrap(),
            May(5),
            "type {ty}"
        );
        let alone = [&[0xf0 | ty, 200], value].concat();
        assert_eq!(decode::<May<i32>>(&alone).unwrap(), May(0), "type {ty}");
    }
}

/// At every level: disorder.rs. For values that borrow: `fields_in_any_order_and_unknown_ones` in borrowed.rs.
#[test]
fn fields_out_of_tag_order() {
    let bytes = [
        0x80, 9, 0x66, 1, b'f', 0x56, 1, b's', 0x40, 7, 0x20, 1, 0x10, 3,
    ];
    let packet: RequestPacket = decode(&bytes).unwrap();
    assert_eq!((packet.version, packet.packet_type), (3, 1));
    assert_eq!((packet.request_id, packet.timeout), (7, 9));
    assert_eq!((&*packet.servant, &*packet.func), ("s", "f"));
    // An optional field behind one that is unknown.
    assert_eq!(decode(&[0x20, 7, 0x10, 5]), Ok(May(5)));
    assert_eq!(decode(&[0xf0, 99, 7, 0x10, 5]), Ok(May(5)));
    let list = [0x09, 0x00, 1, 0x0a, 0x20, 7, 0x10, 5, 0x0b];
    assert_eq!(decode(&list), Ok(Must(vec![May(5)])));
}

#[test]
fn unknown_wire_type_or_missing_struct_end() {
    #[track_caller]
    fn unknown<T: Struct + Debug>(bytes: &[u8], ty: u8, offset: usize) {
        let error = decode::<T>(bytes).unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::UnknownWireType(ty));
        assert_eq!(error.offset(), offset);
    }
    for ty in [14, 15] {
        unknown::<Must<i32>>(&[ty, 1], ty, 0);
        unknown::<May<i32>>(&[0x10 | ty, 1], ty, 0);
        unknown::<May<i32>>(&[ty, 0x10, 1], ty, 0);
        unknown::<Must<i32>>(&[0x00, 1, 0x10 | ty], ty, 2);
        unknown::<Must<i32>>(&[0x00, 1, 0xf0 | ty, 99], ty, 2);
        unknown::<Must<i32>>(&[0x00, 1, 0x1a, 0x00, 1, 0x10 | ty, 0x0b], ty, 5);
        unknown::<Must<May<i32>>>(&[0x0a, 0x20 | ty, 0x0b], ty, 1);
        unknown::<Must<Vec<i32>>>(&[0x09, 0x00, 1, ty], ty, 3);
        unknown::<Must<BTreeMap<i32, i32>>>(&[0x08, 0x00, 1, 0x0c, 0x10 | ty], ty, 4);
    }

    #[track_caller]
    fn endless<T: Struct + Debug>(bytes: &[u8]) {
        let error = decode::<T>(bytes).unwrap_err();
        let end = ErrorKind::UnexpectedEnd { needed: 1, left: 0 };
        assert_eq!(error.kind(), &end);
        assert_eq!(error.offset(), bytes.len());
    }
    endless::<Must<Must<i32>>>(&[0x0a, 0x00, 1]);
    endless::<Must<May<i32>>>(&[0x0a]);
    endless::<Must<i32>>(&[0x00, 1, 0x1a, 0x00, 1]);
    endless::<Must<Vec<May<i32>>>>(&[0x09, 0x00, 1, 0x0a, 0x10, 1]);
}

/// Inside of unknown fields: `a_hundred_thousand_nested_structs_are_too_deep` and its like in hostile.rs.
#[test]
fn nesting() {
    let nested = |levels: usize| [vec![0x0a; levels], vec![0x0b; levels]].concat();
    let too_deep = ErrorKind::TooDeep { max: 64 };
    for levels in [63, 64] {
        decode::<Node>(&nested(levels)).unwrap();
        Fields::decode(&Input::new(&nested(levels))).unwrap();
    }
    for bytes in [nested(65), nested(100_000), vec![0x0a; 100_000]] {
        assert_eq!(decode::<Node>(&bytes).map_err(kind).unwrap_err(), too_deep);
        let tree = Fields::decode(&Input::new(&bytes));
        assert_eq!(tree.map_err(kind), Err(too_deep.clone()));
    }
}

#[test]
fn list_or_map_count() {
    /// Bytes that hold three of the smallest elements, whatever count stands before them.
    fn three<T: Decode + Default + for<'a> DecodeRef<'a>>(
        what: &'static str,
        element: &[u8],
        size: usize,
    ) {
        let head = if what == "list" { 0x09 } else { 0x08 };
        let elements = element.repeat(3);
        let read = |count: &[u8], memory| {
            let bytes = [&[head], count, &elements].concat();
            fault::<T, T>(&bytes, Limits::DEFAULT.with_memory(memory))
        };
        let too_long = |len| Some(ErrorKind::TooLong { what, len, max: 3 });
        let enough = usize::MAX;
        assert_eq!(read(&[0x00, 2], enough), None);
        assert_eq!(read(&[0x00, 3], enough), None);
        assert_eq!(read(&[0x00, 4], enough), too_long(4));
        assert_eq!(
            read(&[0x02, 0x05, 0xf5, 0xe1, 0x00], enough),
            too_long(100_000_000)
        );

        let needed = 3 * size;
        let short = ErrorKind::OutOfBudget {
            needed,
            left: needed - 1,
        };
        assert_eq!(read(&[0x00, 3], needed - 1), Some(short));
        assert_eq!(read(&[0x00, 3], needed), None);
        assert_eq!(read(&[0x00, 3], needed + 1), None);
    }
    // A struct without fields takes two bytes, and a key with it one more.
    three::<Vec<May<i64>>>("list", &[0x0a, 0x0b], size_of::<May<i64>>());
    let entry = size_of::<(i32, May<i64>)>();
    three::<VecMap<i32, May<i64>>>("map", &[0x0c, 0x1a, 0x0b], entry);
    three::<Vec<i32>>("list", &[0x0c], size_of::<i32>());
}

/// As declared in an IDL: `fixed_arrays` of vectors.json, `maxima_hold_both_ways` in
/// tars2rs/tests/generated/behaviour.rs.
#[test]
fn fixed_arrays() {
    /// One, two and three elements, of which two are allowed, as the wire has them.
    #[track_caller]
    fn at_most_two<'a, T, R>(what: &'static str, wire: [&'a [u8]; 3])
    where
        T: Decode + Encode + Default,
        R: Default,
        AtMost<T, 2>: Decode,
        AtMost<R, 2>: DecodeRef<'a>,
        for<'v> AtMostRef<'v, T, 2>: Encode,
    {
        for (bytes, len) in wire.into_iter().zip(1..) {
            let too_long = (len > 2).then_some(ErrorKind::TooLong { what, len, max: 2 });
            let read = fault::<AtMost<T, 2>, AtMost<R, 2>>(bytes, Limits::DEFAULT);
            assert_eq!(read, too_long);

            let value: T = Input::new(bytes).reader().required(0);
            let mut written = Vec::new();
            let result = write(&mut written, |w| w.put(0, &AtMostRef::<T, 2>(&value)));
            assert_eq!(result.map_err(kind).err(), too_long);
            assert_eq!(written, if len > 2 { &[] } else { bytes });
        }
    }
    let list: [&[u8]; 3] = [
        &[0x09, 0x00, 1, 0x00, 5],
        &[0x09, 0x00, 2, 0x00, 5, 0x0c],
        &[0x09, 0x00, 3, 0x00, 5, 0x0c, 0x00, 7],
    ];
    at_most_two::<Vec<i32>, Vec<i32>>("list", list);
    let simple_list: [&[u8]; 3] = [
        &[0x0d, 0x00, 0x00, 1, b'a'],
        &[0x0d, 0x00, 0x00, 2, b'a', b'b'],
        &[0x0d, 0x00, 0x00, 3, b'a', b'b', b'c'],
    ];
    at_most_two::<Bytes, Cow<'_, [u8]>>("byte vector", simple_list);
    at_most_two::<CharArray<String>, CharArray<&str>>("string", simple_list);
}

/// For values that borrow: `fields_in_any_order_and_unknown_ones` in borrowed.rs.
#[test]
fn the_same_tag_twice() {
    assert_eq!(decode(&[0x00, 1, 0x00, 2]), Ok(Must(1)));
    assert_eq!(decode(&[0x10, 1, 0x10, 2, 0x1c]), Ok(May(1)));
    assert_eq!(decode(&[0x10, 1, 0x20, 7, 0xf0, 1, 2]), Ok(May(1)));
    assert_eq!(decode(&[0x20, 7, 0x10, 1, 0x10, 2]), Ok(May(1)));
    let other_type = [0x10, 1, 0x16, 1, b'a'];
    assert_eq!(decode(&other_type), Ok(May(1)));
    let nested = [0x0a, 0x10, 1, 0x10, 2, 0x0b];
    assert_eq!(decode(&nested), Ok(Must(May(1))));
}

/// For values that borrow: `errors_are_those_of_the_owned_form` in borrowed.rs.
#[test]
fn missing_require_field() {
    for bytes in [&[][..], &[0x10, 5]] {
        let error = decode::<Must<i32>>(bytes).unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::Missing);
        assert_eq!(error.field(), Some(("Test.Must", "v")));
    }
    let error = decode::<Must<Must<i32>>>(&[0x0a, 0x0b]).unwrap_err();
    let text = "Test.Must.v (tag 0): Test.Must.v (tag 0): required, but missing, at byte 1";
    assert_eq!(error.to_string(), text);
    let error = decode::<RequestPacket>(&[0x10, 1, 0x40, 7, 0x66, 1, b'f']).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Missing);
    assert_eq!(error.field(), Some(("tars.RequestPacket", "sServantName")));
}

#[test]
fn bool_other_than_0_or_1() {
    assert_eq!(integer::<bool>(&[0x00, 2]), Ok(true));
    assert_eq!(integer::<bool>(&[0x00, 0xff]), Ok(true));
    // The lowest byte of these is 0.
    assert_eq!(integer::<bool>(&[0x01, 1, 0]), Ok(true));
    assert_eq!(integer::<bool>(&[0x02, 1, 0, 0, 0]), Ok(true));
    assert_eq!(integer::<bool>(&[0x03, 1, 0, 0, 0, 0, 0, 0, 0]), Ok(true));
    assert_eq!(integer::<bool>(&[0x00, 0]), Ok(false));
    assert_eq!(integer::<bool>(&[0x0c]), Ok(false));
}
