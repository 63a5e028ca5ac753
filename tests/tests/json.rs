//! JSON of generated structs: against what TarsCpp read and wrote (`fixtures/wire/vectors.json`), and back again.

use std::{collections::BTreeMap, fmt::Debug, fs};

use example_server::servant::php_test::php_server::obj::classes::testtafserviceservant as php;
use fastrand::Rng;
use serde_json::Value as Json;
use tars_codec::{Field, Fields, Struct, Type, Typed, Value, decode, encode, json, write};
use tars_tests::servant::tests::all_types_server::obj::classes::all_types as all;

/// What is to be checked for a struct.
struct Checks {
    name: &'static str,
    vector: fn(&Json),
    round_trip: fn(&mut Rng),
}

impl Checks {
    fn of<T: Struct + PartialEq + Debug>() -> Self {
        Self {
            name: T::NAME,
            vector: check_vector::<T>,
            round_trip: check_round_trip::<T>,
        }
    }
}

fn structs() -> [Checks; 37] {
    [
        Checks::of::<all::OneBool>(),
        Checks::of::<all::OneByte>(),
        Checks::of::<all::OneShort>(),
        Checks::of::<all::OneInt>(),
        Checks::of::<all::OneLong>(),
        Checks::of::<all::OneFloat>(),
        Checks::of::<all::OneDouble>(),
        Checks::of::<all::OneString>(),
        Checks::of::<all::OneUByte>(),
        Checks::of::<all::OneUShort>(),
        Checks::of::<all::OneUInt>(),
        Checks::of::<all::OneEnum>(),
        Checks::of::<all::OneBytes>(),
        Checks::of::<all::OneInts>(),
        Checks::of::<all::OneStrs>(),
        Checks::of::<all::OneMap>(),
        Checks::of::<all::Basic>(),
        Checks::of::<all::RequireDefaults>(),
        Checks::of::<all::OptionalDefaults>(),
        Checks::of::<all::OptionalPlain>(),
        Checks::of::<all::Inner>(),
        Checks::of::<all::Key2>(),
        Checks::of::<all::Containers>(),
        Checks::of::<all::StructKeyMap>(),
        Checks::of::<all::BigTags>(),
        Checks::of::<all::InnerOld>(),
        Checks::of::<all::InnerNew>(),
        Checks::of::<all::OuterOld>(),
        Checks::of::<all::OuterNew>(),
        Checks::of::<all::Level3>(),
        Checks::of::<all::Level2>(),
        Checks::of::<all::Level1>(),
        Checks::of::<all::FixedArrays>(),
        Checks::of::<php::SimpleStruct>(),
        Checks::of::<php::OutStruct>(),
        Checks::of::<php::ComplicatedStruct>(),
        Checks::of::<php::LotofTags>(),
    ]
}

/// Each value is read from `value` and written as `decoded`, and as what TarsCpp's own JSON writer says, where it
/// was recorded (`cpp_json_value`). What differs:
///
/// * NaN and infinities: `null` here as from TarsCpp, names in `decoded`;
/// * floats: exact here, six digits after the point from TarsCpp, so that it loses 1e-45;
/// * members of structs that are keys: their order is not TarsCpp's.
#[test]
fn the_values_of_tars_cpp_are_read_and_written() {
    let mut seen = 0;
    for item in items() {
        if item["kind"] != "struct" {
            continue;
        }
        let name = text(&item, "struct");
        let checks = structs().into_iter().find(|checks| checks.name == name);
        let checks = checks.unwrap_or_else(|| panic!("no Rust type for {name}"));
        (checks.vector)(&item);
        seen += 1;
    }
    assert_eq!(seen, 105);
}

fn check_vector<T: Struct + PartialEq + Debug>(item: &Json) {
    let name = text(item, "name");
    let value: T = decode(&unhex(text(item, "hex"))).unwrap();
    let written = json::to_string(&value).unwrap_or_else(|e| panic!("{name}: {e}"));
    let written: Json = serde_json::from_str(&written).unwrap_or_else(|e| panic!("{name}: {e}"));

    let expected = &item["decoded"];
    assert!(
        same(&written, expected),
        "{name}: {written} is not {expected}"
    );
    if let Some(cpp) = item.get("cpp_json_value") {
        let (ours, cpp) = (&written["v"], &cpp["v"]);
        let close = match (ours.as_f64(), cpp.as_f64()) {
            (Some(ours), Some(cpp)) => (ours - cpp).abs() <= 1e-6 * cpp.abs().max(1.0),
            _ => ours.is_null() && cpp.is_null(),
        };
        assert!(close, "{name}: {ours} is not {cpp}");
    }

    let read = json::from_str::<T>(&item["value"].to_string());
    let read = read.unwrap_or_else(|e| panic!("{name}: {e}"));
    let exact = read == value || encode(&read) == encode(&value);
    // TarsCpp loses a double close to the default on its wire, not in its JSON.
    assert!(
        exact || name == "optional_plain_tiny_double",
        "{name}: {read:?}"
    );
}

/// Whether two texts mean the same; the keys of maps that are structs by what they hold.
fn same(left: &Json, right: &Json) -> bool {
    match (left, right) {
        (Json::Number(l), Json::Number(r)) => l == r || as_float(l) == as_float(r),
        (Json::Array(l), Json::Array(r)) => {
            l.len() == r.len() && l.iter().zip(r).all(|(l, r)| same(l, r))
        }
        (Json::Object(l), Json::Object(r)) => {
            l.len() == r.len()
                && l.iter().all(|(key, value)| {
                    let equal_key = |(k, _): &(&String, &Json)| *k == key || same_key(k, key);
                    r.iter()
                        .find(equal_key)
                        .is_some_and(|(_, r)| same(value, r))
                })
        }
        (Json::Null, Json::String(float)) => {
            matches!(float.as_str(), "NaN" | "Infinity" | "-Infinity")
        }
        _ => left == right,
    }
}

/// TarsCpp's floats are written as doubles; that no digit is lost is for `every_value_comes_back` to say.
fn as_float(number: &serde_json::Number) -> Option<f32> {
    number.as_f64().map(|number| number as f32)
}

fn same_key(left: &str, right: &str) -> bool {
    let parse = |key: &str| {
        serde_json::from_str::<Json>(key)
            .ok()
            .filter(Json::is_object)
    };
    match (parse(left), parse(right)) {
        (Some(left), Some(right)) => same(&left, &right),
        _ => false,
    }
}

/// Random values of every struct, to JSON and back. Left out is what JSON cannot carry: infinities, and which NaN.
#[test]
fn every_value_comes_back() {
    let mut rng = Rng::with_seed(7);
    for checks in structs() {
        for _ in 0..200 {
            (checks.round_trip)(&mut rng);
        }
    }
}

fn check_round_trip<T: Struct + Debug>(rng: &mut Rng) {
    let mut bytes = Vec::new();
    write(&mut bytes, |w| random_fields(rng, T::FIELDS).encode(w)).unwrap();
    let value: T = decode(&bytes).unwrap_or_else(|e| panic!("{}: {e}", T::NAME));
    let text = json::to_string(&value).unwrap();
    let back: T = json::from_str(&text).unwrap_or_else(|e| panic!("{text}: {e}"));
    assert_eq!(encode(&back), encode(&value), "{text}");
}

fn random_fields(rng: &mut Rng, fields: &[Field]) -> Fields {
    let mut all = Vec::new();
    for field in fields {
        if field.default.is_none() || rng.bool() {
            all.push((field.tag, random(rng, field.ty)));
        }
    }
    Fields(all)
}

/// A value of a type; containers have at most three elements, which every fixed array holds.
fn random(rng: &mut Rng, ty: &Type) -> Value {
    // Of every magnitude.
    let integer = |rng: &mut Rng, bits: u32| rng.i64(..) >> rng.u32(64 - bits..64);
    match ty {
        Type::Bool => Value::Int(rng.bool().into()),
        Type::Byte => Value::Int(integer(rng, 8)),
        Type::Short => Value::Int(integer(rng, 16)),
        Type::Int => Value::Int(integer(rng, 32)),
        Type::Long => Value::Int(integer(rng, 64)),
        Type::UByte => Value::Int(rng.u8(..).into()),
        Type::UShort => Value::Int(rng.u16(..).into()),
        Type::UInt => Value::Int(rng.u32(..).into()),
        Type::Float => {
            let value = f32::from_bits(rng.u32(..));
            Value::Float(if value.is_finite() { value } else { -0.0 })
        }
        Type::Double => {
            let value = f64::from_bits(rng.u64(..));
            Value::Double(if value.is_finite() { value } else { f64::NAN })
        }
        Type::String => {
            let chars = rng.usize(..4);
            let text: String = (0..chars).map(|_| random_char(rng)).collect();
            Value::String(text.into())
        }
        Type::Bytes => {
            let bytes: Vec<u8> = (0..rng.usize(..4)).map(|_| rng.u8(..)).collect();
            Value::Bytes(bytes.into())
        }
        Type::Vector(item) => Value::List((0..rng.usize(..4)).map(|_| random(rng, item)).collect()),
        Type::Map(key, value) => {
            let entry = |_| (random(rng, key), random(rng, value));
            Value::Map((0..3).map(entry).collect())
        }
        Type::Struct(of) => Value::Struct(random_fields(rng, of().fields)),
        other => panic!("no values of {other}"),
    }
}

fn random_char(rng: &mut Rng) -> char {
    match rng.u8(..4) {
        0 => rng.char('\0'..='\u{1f}'),
        1 => *rng.choice(&['"', '\\', '/', '\u{7f}']).unwrap(),
        // One or two bytes, so that `string:8` holds three of them.
        _ => rng.char('\0'..'\u{7ff}'),
    }
}

#[test]
fn optional_fields_have_their_defaults_in_json() {
    let value = all::OptionalDefaults::default();
    assert!(encode(&value).unwrap().is_empty());
    assert_eq!(
        json::to_string(&value).unwrap(),
        r#"{"b":true,"c":-7,"s":300,"i":42,"l":4294967296,"f":1.5,"d":2.25,"str":"abc","ub":200,"us":60000,"ui":4000000000,"e":5}"#
    );
    assert_eq!(
        json::from_str::<all::OptionalDefaults>("{}").unwrap(),
        value
    );
    let nulls = r#"{"b":null,"c":null,"l":null,"str":null,"e":null}"#;
    assert_eq!(
        json::from_str::<all::OptionalDefaults>(nulls).unwrap(),
        value
    );
    assert_eq!(
        json::from_str::<all::OptionalPlain>("{}").unwrap(),
        all::OptionalPlain::default()
    );
}

#[test]
fn missing_members_are_named_by_their_path() {
    let text = r#"{"l2":{"l3":{"s":""},"v3":[]},"m2":{"a/b":{"l3":{"s":""},"v3":[{"s":""},{}]}}}"#;
    let error = json::from_str::<all::Level1>(text).unwrap_err();
    assert_eq!(
        error.to_string(),
        "/m2/a~1b/v3/1/s: required, but missing, at byte 73"
    );
}

/// The decoder has the last word on what descriptions do not say.
#[test]
fn fixed_arrays_keep_their_length() {
    let text = r#"{"ai":[1,2,3,4,5],"ab":[],"fs":"","vs":[]}"#;
    let error = json::from_str::<all::FixedArrays>(text).unwrap_err();
    assert!(
        error.to_string().contains("AllTypes.FixedArrays.ai"),
        "{error}"
    );
}

/// The descriptions name the types of the IDL.
#[test]
fn descriptions_are_complete() {
    let types: BTreeMap<&str, String> = all::Containers::FIELDS
        .iter()
        .map(|field| (field.name, field.ty.to_string()))
        .collect();
    assert_eq!(types["msm"], "map<string, map<int, AllTypes.Inner>>");
    assert_eq!(types["vvb"], "vector<vector<byte>>");
    assert_eq!(types["vub"], "vector<unsigned byte>");
    assert_eq!(types["colors"], "vector<int>");
    assert_eq!(all::Level1::TYPE.to_string(), "AllTypes.Level1");
}

fn items() -> Vec<Json> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/wire/vectors.json");
    serde_json::from_str(&fs::read_to_string(path).expect(path)).expect(path)
}

fn text<'a>(item: &'a Json, key: &str) -> &'a str {
    item[key]
        .as_str()
        .unwrap_or_else(|| panic!("no {key} in {item}"))
}

fn unhex(text: &str) -> Vec<u8> {
    let digit = |b: u8| char::from(b).to_digit(16).expect("a hex digit") as u8;
    text.as_bytes()
        .chunks(2)
        .map(|pair| digit(pair[0]) << 4 | digit(pair[1]))
        .collect()
}
