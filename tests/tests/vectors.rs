//! Generated code against bytes that TarsCpp wrote: `fixtures/wire/vectors.json`.
//!
//! Each `struct` item is built from its JSON value and encoded, and its bytes are decoded: both must give what
//! TarsCpp has, but for the items of [`differences`], where docs/DESIGN.md says why not.

use std::{collections::BTreeMap, fmt::Debug, fs};

use bytes::Bytes;
use example_server::servant::php_test::php_server::obj::classes::testtafserviceservant as php;
use serde_json::Value;
use tars_codec::{
    ErrorKind, Fields, Input, RequestPacket, ResponsePacket, Struct, decode, decode_bytes, encode,
};
use tars_tests::servant::tests::all_types_server::obj::classes::all_types as all;

/// Items whose bytes are not TarsCpp's, with the bytes that this project writes. wire.md, section 1.
fn differences() -> BTreeMap<&'static str, &'static str> {
    BTreeMap::from([
        // TarsCpp always writes an optional bool and enum; here they are left out when equal to the default.
        ("optional_defaults_default", ""),
        ("optional_defaults_some", "302b760461626364"),
        ("optional_double_nan", "657ff8000000000000"),
        ("optional_plain_default", "ca0c0b"),
        // TarsCpp also takes -0.0 and 1e-7 for the default 0.0 and loses them; here floats are compared by bits.
        (
            "optional_plain_tiny_double",
            "5480000000653e7ad7f29abcaf48ca0c0b",
        ),
    ])
}

/// Items whose decoded value is not TarsCpp's: its reader, its writer's losses.
const LOSSY: &[&str] = &["optional_plain_tiny_double"];

#[test]
fn every_struct_is_written_and_read_as_by_tars_cpp() {
    let mut seen = 0;
    let differences = differences();
    for item in items("struct") {
        let name = text(&item, "name");
        let ours = differences
            .get(name)
            .copied()
            .unwrap_or_else(|| text(&item, "hex"));
        by_name(text(&item, "struct"), Check { item: &item, ours });
        seen += 1;
    }
    assert_eq!(seen, 105);
}

/// No item has such a struct. TarsCpp writes each of its fields whatever the value, and reads none without it.
#[test]
fn a_default_makes_no_require_field_optional() {
    let value = all::RequireDefaults::default();
    let bytes = "002a16036162632001354002000000000000";
    assert_eq!(hex(&encode(&value).unwrap()), bytes);
    assert_eq!(decode(&unhex(bytes)), Ok(value));

    for (length, missing) in [(0, "i"), (4, "s"), (14, "b"), (18, "d")] {
        let error = decode::<all::RequireDefaults>(&unhex(&bytes[..length])).unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::Missing);
        assert_eq!(error.field(), Some(("AllTypes.RequireDefaults", missing)));
    }
}

/// What to do with an item, whatever its type.
struct Check<'a> {
    item: &'a Value,
    ours: &'a str,
}

impl Check<'_> {
    fn run<T: Struct + FromJson + PartialEq + Debug>(&self) {
        let name = text(self.item, "name");
        let value = T::from_json(&with_exact_bits(self.item));
        let bytes = encode(&value).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(hex(&bytes), self.ours, "{name}: encoding");

        let cpp =
            decode::<T>(&unhex(text(self.item, "hex"))).unwrap_or_else(|e| panic!("{name}: {e}"));
        if !LOSSY.contains(&name) {
            assert_same(name, &cpp, &value);
        }
        let own = decode::<T>(&bytes).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_same(name, &own, &value);
    }
}

/// Equal, NaN included: by what they encode to.
fn assert_same<T: Struct + PartialEq + Debug>(name: &str, left: &T, right: &T) {
    assert!(
        left == right || encode(left) == encode(right),
        "{name}: {left:?} is not {right:?}"
    );
}

fn by_name(name: &str, check: Check<'_>) {
    match name {
        "AllTypes.OneBool" => check.run::<all::OneBool>(),
        "AllTypes.OneByte" => check.run::<all::OneByte>(),
        "AllTypes.OneShort" => check.run::<all::OneShort>(),
        "AllTypes.OneInt" => check.run::<all::OneInt>(),
        "AllTypes.OneLong" => check.run::<all::OneLong>(),
        "AllTypes.OneFloat" => check.run::<all::OneFloat>(),
        "AllTypes.OneDouble" => check.run::<all::OneDouble>(),
        "AllTypes.OneString" => check.run::<all::OneString>(),
        "AllTypes.OneUByte" => check.run::<all::OneUByte>(),
        "AllTypes.OneUShort" => check.run::<all::OneUShort>(),
        "AllTypes.OneUInt" => check.run::<all::OneUInt>(),
        "AllTypes.OneEnum" => check.run::<all::OneEnum>(),
        "AllTypes.OneBytes" => check.run::<all::OneBytes>(),
        "AllTypes.OneInts" => check.run::<all::OneInts>(),
        "AllTypes.OneStrs" => check.run::<all::OneStrs>(),
        "AllTypes.OneMap" => check.run::<all::OneMap>(),
        "AllTypes.Basic" => check.run::<all::Basic>(),
        "AllTypes.OptionalDefaults" => check.run::<all::OptionalDefaults>(),
        "AllTypes.OptionalPlain" => check.run::<all::OptionalPlain>(),
        "AllTypes.Inner" => check.run::<all::Inner>(),
        "AllTypes.Containers" => check.run::<all::Containers>(),
        "AllTypes.StructKeyMap" => check.run::<all::StructKeyMap>(),
        "AllTypes.BigTags" => check.run::<all::BigTags>(),
        "AllTypes.FixedArrays" => check.run::<all::FixedArrays>(),
        "AllTypes.OuterNew" => check.run::<all::OuterNew>(),
        "testtafserviceservant.SimpleStruct" => check.run::<php::SimpleStruct>(),
        "testtafserviceservant.OutStruct" => check.run::<php::OutStruct>(),
        "testtafserviceservant.ComplicatedStruct" => check.run::<php::ComplicatedStruct>(),
        "testtafserviceservant.LotofTags" => check.run::<php::LotofTags>(),
        other => panic!("no Rust type for {other}"),
    }
}

#[test]
fn old_and_new_versions_of_a_struct_read_each_other() {
    for item in items("skew") {
        let bytes = unhex(text(&item, "hex"));
        let read_as = item
            .get("read_as_value")
            .expect("a skew item has read_as_value");
        match text(&item, "read_as_struct") {
            "AllTypes.OuterOld" => {
                assert_eq!(
                    decode::<all::OuterOld>(&bytes).unwrap(),
                    FromJson::from_json(read_as)
                );
            }
            "AllTypes.OuterNew" => {
                assert_eq!(
                    decode::<all::OuterNew>(&bytes).unwrap(),
                    FromJson::from_json(read_as)
                );
            }
            other => panic!("no Rust type for {other}"),
        }
    }
}

/// The C++ reader's verdict on hand-made bytes, but for the three points where wire.md, section 1, differs.
#[test]
fn hand_made_bytes_are_judged_as_documented() {
    let mut seen = 0;
    for item in items("decode") {
        seen += 1;
        let name = text(&item, "name");
        let bytes = unhex(text(&item, "hex"));
        let result = match text(&item, "struct") {
            "AllTypes.OneBool" => verdict::<all::OneBool>(&bytes, &item),
            "AllTypes.OneByte" => verdict::<all::OneByte>(&bytes, &item),
            "AllTypes.OneInt" => verdict::<all::OneInt>(&bytes, &item),
            "AllTypes.OneDouble" => verdict::<all::OneDouble>(&bytes, &item),
            "AllTypes.OneString" => verdict::<all::OneString>(&bytes, &item),
            "AllTypes.OneBytes" => verdict::<all::OneBytes>(&bytes, &item),
            "AllTypes.OneInts" => verdict::<all::OneInts>(&bytes, &item),
            "AllTypes.Inner" => verdict::<all::Inner>(&bytes, &item),
            other => panic!("no Rust type for {other}"),
        };
        let expected = match name {
            // TarsCpp stops silently at an unknown wire type; here it is an error.
            "dec_unknown_type" => false,
            _ => item
                .get("ok")
                .and_then(Value::as_bool)
                .expect("a decode item has ok"),
        };
        assert_eq!(result.is_ok(), expected, "{name}: {result:?}");
        if name == "dec_unknown_type" {
            assert_eq!(result, Err(ErrorKind::UnknownWireType(14)));
        }
    }
    assert_eq!(seen, 14);
}

fn verdict<T: Struct + FromJson + PartialEq + Debug>(
    bytes: &[u8],
    item: &Value,
) -> Result<(), ErrorKind> {
    let value = decode::<T>(bytes).map_err(|e| e.kind().clone())?;
    if let Some(decoded) = item.get("decoded") {
        assert_eq!(value, T::from_json(decoded), "{}", text(item, "name"));
    }
    Ok(())
}

/// Whole packets of version 1, and TUP packets at the level of the packet.
#[test]
fn frames_are_read_and_written_as_by_tars_cpp() {
    let mut seen = 0;
    for item in items("frame") {
        seen += 1;
        let name = text(&item, "name");
        let frame = unhex(text(&item, "hex"));
        let (length, packet) = frame
            .split_first_chunk()
            .expect("a frame begins with its length");
        assert_eq!(u32::from_be_bytes(*length) as usize, frame.len(), "{name}");
        let mut out = Vec::new();
        match text(&item, "struct") {
            "tars.RequestPacket" => {
                let request: RequestPacket =
                    decode(packet).unwrap_or_else(|e| panic!("{name}: {e}"));
                request
                    .head()
                    .write_frame(&mut out, |w| w.append(&request.body))
                    .unwrap();
                assert_eq!(request.func, text(&item, "func"), "{name}");
            }
            "tars.ResponsePacket" => {
                let response: ResponsePacket =
                    decode(packet).unwrap_or_else(|e| panic!("{name}: {e}"));
                response
                    .head()
                    .write_frame(&mut out, |w| w.append(&response.body))
                    .unwrap();
            }
            other => panic!("no packet {other}"),
        }
        assert_eq!(hex(&out), text(&item, "hex"), "{name}");
    }
    assert_eq!(seen, 16);
}

/// Frames of TarsCpp and TarsPHP, cut at every byte and with every bit flipped: each is a packet or an error that lies
/// within it, the same from shared bytes.
#[test]
fn real_frames_may_be_damaged_anywhere() {
    let mut frames: Vec<Vec<u8>> = items("frame")
        .iter()
        .map(|item| unhex(text(item, "hex")))
        .collect();
    let php = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/wire/php-frames.json");
    let php: Vec<Value> = serde_json::from_str(&fs::read_to_string(php).expect(php)).expect(php);
    for call in &php {
        let hex = ["request_hex", "response_hex"].map(|key| call.get(key).and_then(Value::as_str));
        frames.extend(hex.into_iter().flatten().map(unhex));
    }
    frames.retain(|frame| frame.len() > 4); // some calls have no answer
    assert!(frames.len() > 30);
    for frame in &frames {
        let packet = &frame[4..];
        for len in 0..packet.len() {
            judge(&packet[..len]);
        }
        let mut damaged = packet.to_vec();
        for bit in 0..8 * packet.len() {
            damaged[bit / 8] ^= 1 << (bit % 8);
            judge(&damaged);
            damaged[bit / 8] ^= 1 << (bit % 8);
        }
    }
}

fn judge(bytes: &[u8]) {
    let shared = Bytes::copy_from_slice(bytes);
    let request = decode::<RequestPacket>(bytes);
    if let Err(error) = &request {
        assert!(error.offset() <= bytes.len(), "{error}");
    }
    assert_eq!(request, decode_bytes(&shared));
    assert_eq!(decode::<ResponsePacket>(bytes), decode_bytes(&shared));
    if let Ok(fields) = Fields::decode(&Input::new(bytes)) {
        assert!(!fields.to_string().is_empty() || fields.0.is_empty());
    }
}

fn items(kind: &str) -> Vec<Value> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/wire/vectors.json");
    let all: Vec<Value> = serde_json::from_str(&fs::read_to_string(path).expect(path)).expect(path);
    all.into_iter()
        .filter(|item| text(item, "kind") == kind)
        .collect()
}

fn text<'a>(item: &'a Value, key: &str) -> &'a str {
    item.get(key)
        .and_then(Value::as_str)
        .unwrap_or_else(|| panic!("no {key} in {item}"))
}

/// The value of an item; a float that JSON cannot tell comes from its bits.
fn with_exact_bits(item: &Value) -> Value {
    let mut value = item.get("value").cloned().expect("an item has a value");
    if let Some(bits) = item.pointer("/exact/v_bits").and_then(Value::as_str) {
        value["v"] = Value::String(format!("bits:{bits}"));
    }
    value
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let digit = |b: u8| char::from(b).to_digit(16).expect("a hex digit") as u8;
    text.as_bytes()
        .chunks(2)
        .map(|pair| digit(pair[0]) << 4 | digit(pair[1]))
        .collect()
}

/// A value from the JSON of `vectors.json`.
trait FromJson: Sized {
    fn from_json(json: &Value) -> Self;
}

macro_rules! integers {
    ($($ty:ty),*) => {$(
        impl FromJson for $ty {
            fn from_json(json: &Value) -> Self {
                let value = json.as_i64().or_else(|| json.as_str()?.parse().ok());
                Self::try_from(value.unwrap_or_else(|| panic!("no integer: {json}"))).expect("in range")
            }
        }
    )*};
}
integers!(i8, i16, i32, i64, u8, u16, u32);

macro_rules! floats {
    ($($ty:ty, $bits:ty);*) => {$(
        impl FromJson for $ty {
            fn from_json(json: &Value) -> Self {
                match json.as_str() {
                    Some("NaN") => Self::NAN,
                    Some(text) => {
                        let bits = text.strip_prefix("bits:").unwrap_or_else(|| panic!("no float: {json}"));
                        Self::from_bits(<$bits>::from_str_radix(bits, 16).expect("hex bits"))
                    }
                    None => json.as_f64().unwrap_or_else(|| panic!("no float: {json}")) as Self,
                }
            }
        }
    )*};
}
floats!(f32, u32; f64, u64);

impl FromJson for bool {
    fn from_json(json: &Value) -> Self {
        json.as_bool().unwrap_or_else(|| panic!("no bool: {json}"))
    }
}

impl FromJson for String {
    fn from_json(json: &Value) -> Self {
        json.as_str()
            .unwrap_or_else(|| panic!("no string: {json}"))
            .to_owned()
    }
}

impl FromJson for Bytes {
    fn from_json(json: &Value) -> Self {
        Vec::<i8>::from_json(json)
            .into_iter()
            .map(|b| b as u8)
            .collect()
    }
}

impl<T: FromJson> FromJson for Vec<T> {
    fn from_json(json: &Value) -> Self {
        json.as_array()
            .unwrap_or_else(|| panic!("no list: {json}"))
            .iter()
            .map(T::from_json)
            .collect()
    }
}

/// Keys are JSON strings; those that stand for structs hold JSON themselves.
impl<K: FromJson + Ord, V: FromJson> FromJson for BTreeMap<K, V> {
    fn from_json(json: &Value) -> Self {
        let key = |text: &String| match text.starts_with('{') {
            true => K::from_json(&serde_json::from_str(text).expect("a struct as key")),
            false => K::from_json(&Value::String(text.clone())),
        };
        let entries = json.as_object().unwrap_or_else(|| panic!("no map: {json}"));
        entries
            .iter()
            .map(|(k, v)| (key(k), V::from_json(v)))
            .collect()
    }
}

impl FromJson for all::Color {
    fn from_json(json: &Value) -> Self {
        Self(i32::from_json(json))
    }
}

macro_rules! structs {
    ($($ty:path { $($field:ident $(= $json:literal)?),* })*) => {$(
        impl FromJson for $ty {
            fn from_json(json: &Value) -> Self {
                Self {$(
                    $field: FromJson::from_json(&json[json_name!($field $($json)?)]),
                )*}
            }
        }
    )*};
}

macro_rules! json_name {
    ($field:ident) => {
        stringify!($field)
    };
    ($field:ident $json:literal) => {
        $json
    };
}

structs! {
    all::OneBool { v }
    all::OneByte { v }
    all::OneShort { v }
    all::OneInt { v }
    all::OneLong { v }
    all::OneFloat { v }
    all::OneDouble { v }
    all::OneString { v }
    all::OneUByte { v }
    all::OneUShort { v }
    all::OneUInt { v }
    all::OneEnum { v }
    all::OneBytes { v }
    all::OneInts { v }
    all::OneStrs { v }
    all::OneMap { v }
    all::Basic { b, c, s, i, l, f, d, str, ub, us, ui, e }
    all::OptionalDefaults { b, c, s, i, l, f, d, str, ub, us, ui, e }
    all::OptionalPlain { b, c, s, i, l, f, d, str, ub, us, ui, e, inner, bytes, ints, m }
    all::Inner { id, name }
    all::Key2 { a, b, extra }
    all::Containers {
        bytes, shorts, ints, longs, floats, doubles, strs, inners, vvi, vvb, mss, mis, mli, msv, msm, vm, vub, vus,
        vui, colors, msb, mbb
    }
    all::StructKeyMap { m }
    all::BigTags { a, b, c, d, inner, bytes, m, z }
    all::FixedArrays { ai, ab, fs, vs }
    all::InnerOld { id, s }
    all::InnerNew {
        id, added_list = "addedList", added_map = "addedMap", added_struct = "addedStruct", s,
        added_tail = "addedTail", added_big_tag = "addedBigTag"
    }
    all::OuterOld { inner, list, tail }
    all::OuterNew {
        inner, list, added, added_f = "addedF", added_bytes = "addedBytes", tail, added_end = "addedEnd"
    }
    php::SimpleStruct { id, count, page }
    php::OutStruct { id, count, page, str }
    php::ComplicatedStruct { ss, rs, mss, str }
    php::LotofTags { id, count, page, str, ss, rs, mss }
}
