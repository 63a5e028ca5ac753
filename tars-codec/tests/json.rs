//! JSON of values that need no IDL, and JSON that somebody made to do harm.

#![cfg(feature = "json")]

use std::collections::BTreeMap;

use proptest::prelude::*;
use tars_codec::{
    Bytes, Decode, Encode, ErrorKind, Field, Input, Limits, Reader, Struct, Typed, Writer, encode,
    json,
    json::{JsonReader, JsonWriter},
    write,
};

/// A struct that contains itself, in the shape that tars2rs generates.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Node {
    id: i32,
    name: String,
    children: Vec<Self>,
    by_node: BTreeMap<Self, i8>,
    next: Option<Box<Self>>,
}

impl Struct for Node {
    const NAME: &'static str = "Test.Node";
    const FIELDS: &'static [Field] = &[
        Field::required::<i32>(0, "id"),
        Field::optional::<String>(1, "name"),
        Field::optional::<Vec<Self>>(2, "children"),
        Field::optional::<BTreeMap<Self, i8>>(3, "byNode"),
        Field::optional::<Self>(4, "next"),
    ];

    fn encode_fields(&self, w: &mut Writer<'_>) {
        w.put(0, &self.id);
        if !self.name.is_empty() {
            w.put(1, &self.name);
        }
        if !self.children.is_empty() {
            w.put(2, &self.children);
        }
        if !self.by_node.is_empty() {
            w.put(3, &self.by_node);
        }
        if let Some(next) = &self.next {
            w.put(4, &**next);
        }
    }

    fn decode_fields(r: &mut Reader<'_>) -> Self {
        Self {
            id: r.required(0),
            name: r.optional(1),
            children: r.optional(2),
            by_node: r.optional(3),
            next: r.option(4).map(Box::new),
        }
    }
}

fn node(id: i32) -> Node {
    Node {
        id,
        ..Node::default()
    }
}

fn written<T: Encode + Typed + ?Sized>(value: &T) -> String {
    json::to_string(value).unwrap()
}

fn read<T: Decode + Typed>(text: &str) -> T {
    json::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn fault<T: Decode + Typed>(text: &str) -> String {
    match json::from_str::<T>(text) {
        Ok(_) => panic!("{text} is read"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn what_each_type_is() {
    assert_eq!(written(&true), "true");
    assert_eq!(written(&-128_i8), "-128");
    assert_eq!(written(&i64::MIN), "-9223372036854775808");
    assert_eq!(written(&u32::MAX), "4294967295");
    assert_eq!(written(&0.1_f32), "0.1");
    assert_eq!(written(&f64::MAX), "1.7976931348623157e308");
    assert_eq!(written(&f64::NEG_INFINITY), "null");
    assert_eq!(
        written("a\"\\/\n\u{1}\u{2028}😀"),
        "\"a\\\"\\\\/\\n\\u0001\u{2028}😀\""
    );
    assert_eq!(
        written(&Bytes::from_static(&[0, 127, 128, 255])),
        "[0,127,-128,-1]"
    );
    assert_eq!(written(&vec![Bytes::new()]), "[[]]");
    assert_eq!(
        written(&BTreeMap::from([(false, 1_u8), (true, 2)])),
        r#"{"false":1,"true":2}"#
    );
    assert_eq!(
        written(&node(7)),
        r#"{"id":7,"name":"","children":[],"byNode":{}}"#
    );
    let keyed = Node {
        by_node: BTreeMap::from([(node(1), 2)]),
        ..node(0)
    };
    assert_eq!(
        written(&keyed),
        r#"{"id":0,"byNode":{"{\"id\":1,\"name\":\"\",\"children\":[],\"byNode\":{}}":2},"name":"","children":[]}"#
    );
    assert_eq!(read::<Node>(&written(&keyed)), keyed);
}

#[test]
fn what_else_is_read() {
    assert!(read::<bool>("2") && !read::<bool>("0") && read::<bool>("\"true\""));
    assert_eq!(read::<i64>("\"-9223372036854775808\""), i64::MIN);
    assert_eq!(read::<i32>(" 1e3 "), 1000);
    assert_eq!(read::<i8>("-0.0"), 0);
    assert!(read::<f32>("null").is_nan() && read::<f64>("\"NaN\"").is_nan());
    assert_eq!(read::<f64>("7"), 7.0);
    assert_eq!(read::<f64>("18446744073709551615"), u64::MAX as f64);
    assert_eq!(read::<f32>("\"1.5\""), 1.5);
    assert_eq!(read::<String>(r#""\u0041\ud83d\ude00""#), "A😀");
    assert_eq!(read::<Vec<i32>>("null"), Vec::<i32>::new());
    assert_eq!(read::<Bytes>("null"), Bytes::new());
    assert_eq!(read::<String>("null"), "");
    assert_eq!(
        read::<BTreeMap<i8, i8>>(r#"{"1":2,"1":3}"#),
        BTreeMap::from([(1, 2)])
    );
    // In any order, unknown members ignored however deep they are.
    let deep = "[".repeat(10_000) + &"]".repeat(10_000);
    let text = format!(r#"{{"x":{deep},"name":"n","children":null,"id":"5"}}"#);
    let expected = Node {
        name: "n".to_owned(),
        ..node(5)
    };
    assert_eq!(read::<Node>(&text), expected);
    // What serde_json gives for 5 when its feature `arbitrary_precision` is on.
    assert_eq!(read::<i32>(r#"{"$serde_json::private::Number":"5"}"#), 5);
}

#[test]
fn faults_say_what_and_where() {
    let list = "[{\"id\":1},\n {\"children\":[{\"id\":2},{\"name\":\"x\"}]}]";
    assert_eq!(
        fault::<Vec<Node>>(list),
        "/1/children/1/id: required, but missing, at byte 45"
    );
    for (text, expected) in [
        ("", "EOF while parsing a value, at byte 0"),
        ("{} x", "/id: required, but missing, at byte 1"),
        ("{\"id\":1} x", "trailing characters, at byte 9"),
        (
            "[]",
            "invalid type: sequence, expected Test.Node, at byte 1",
        ),
        (
            "{\"id\":{}}",
            "/id: invalid type: map, expected int (-2147483648 to 2147483647), at byte 7",
        ),
        ("{\"id\":1,\"id\":2}", "/id: given twice, at byte 11"),
        (
            "{\"id\":null,\"next\":null",
            "EOF while parsing an object, at byte 21",
        ),
        (
            "{\"id\":1,\"byNode\":{\"x/~\":1}}",
            "/byNode/x~1~0: expected value, at byte 22",
        ),
    ] {
        assert_eq!(fault::<Node>(text), expected, "{text}");
    }
    assert_eq!(
        fault::<Bytes>("[1,2,128]"),
        "/2: invalid value: integer `128`, expected i8, at byte 7"
    );
    let long = format!("\"{}\"", "x".repeat(10_000));
    assert!(fault::<i32>(&long).len() < 300);
    assert!(fault::<BTreeMap<i32, i32>>(&format!("{{{long}:1}}")).len() < 600);
}

#[test]
fn numbers_out_of_range_are_errors() {
    for text in [
        "128",
        "-129",
        "1e3",
        "1.5",
        "\"128\"",
        "9223372036854775808",
        "1e400",
        "-",
        "01",
        "0x1",
    ] {
        json::from_str::<i8>(text).unwrap_err();
    }
    for text in ["-1", "256"] {
        json::from_str::<u8>(text).unwrap_err();
    }
    for text in [
        "9223372036854775808",
        "9.3e18",
        "-9.3e18",
        "\"9223372036854775808\"",
    ] {
        json::from_str::<i64>(text).unwrap_err();
    }
    for text in ["1e39", "1e400", "\"1e39\"", "\"1e400\""] {
        json::from_str::<f32>(text).unwrap_err();
    }
    let digits = "9".repeat(100_000);
    json::from_str::<i64>(&digits).unwrap_err();
    json::from_str::<f64>(&digits).unwrap_err();
    assert_eq!(read::<f64>(&format!("0.{digits}")), 1.0);
}

#[test]
fn nesting_is_bounded() {
    let nested = |depth: usize| {
        format!(
            "{}{}{}",
            r#"{"id":1,"next":"#.repeat(depth - 1),
            r#"{"id":1}"#,
            "}".repeat(depth - 1)
        )
    };
    read::<Node>(&nested(63));
    read::<Node>(&nested(64));
    let error = fault::<Node>(&nested(65));
    assert!(
        error.contains("/next/next: nested deeper than 64"),
        "{error}"
    );
    json::from_str::<Node>(&nested(1_000_000)).unwrap_err();

    // Keys within keys: each level doubles the quotes of those inside of it.
    let mut key = node(0);
    for id in 0..12 {
        key = Node {
            by_node: BTreeMap::from([(key, 1)]),
            ..node(id)
        };
    }
    let bytes = {
        let mut tars = Vec::new();
        write(&mut tars, |w| w.put(0, &key)).unwrap();
        tars
    };
    let of_memory = |memory| {
        let limits = Limits::default().with_memory(memory);
        json::from_tars(&Input::new(&bytes).with_limits(limits), Node::TYPE)
    };
    let len = of_memory(1 << 20).unwrap().len();
    assert!(len > 20 * bytes.len());
    assert!(of_memory(len).is_ok());
    let error = of_memory(len / 2).unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::OutOfBudget { .. }),
        "{error}"
    );
}

/// Two bytes on the wire, a hundred in JSON.
#[test]
fn defaults_do_not_amplify_without_bound() {
    let mut tars = Vec::new();
    write(&mut tars, |w| w.put(0, &vec![node(0); 100_000])).unwrap();
    let limits = Limits::default().with_memory(1 << 20);
    let input = Input::new(&tars).with_limits(limits);
    let error = json::from_tars(&input, <Vec<Node>>::TYPE).unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::OutOfBudget { .. }),
        "{error}"
    );
}

#[test]
fn texts_cut_at_every_byte() {
    let text = r#"{"id":-12,"name":"a\ud83d\ude00\n","children":[{"id":1e2}],"byNode":{"{\"id\":3}":4},"next":null}"#;
    read::<Node>(text);
    for cut in 0..text.len() {
        if let Some(part) = text.get(..cut) {
            json::from_str::<Node>(part).unwrap_err();
        }
    }
}

#[test]
fn strings_have_to_be_unicode() {
    for text in [
        r#""\ud800""#,
        r#""\udc00""#,
        r#""\ud800\u0041""#,
        r#""\ud800\ud800""#,
        "\"\n\"",
        r#""\x""#,
    ] {
        json::from_str::<String>(text).unwrap_err();
    }
    for bytes in [&b"\"\xff\""[..], b"\"\xed\xa0\x80\"", b"\xef\xbb\xbf1"] {
        json::to_tars(bytes, String::TYPE, &Limits::DEFAULT).unwrap_err();
    }
}

#[test]
fn objects_of_named_values() {
    let body = Bytes::from_static(b" {\"a\": [1, 2.5], \"\": {\"id\": 1}, \"b\": nul} ");
    let error = JsonReader::new(&body).unwrap_err();
    assert_eq!(error.to_string(), "expected ident, at byte 40");

    let body = Bytes::from_static(b" {\"a\": [1, 2.5], \"\": {\"id\": 1}, \"b\": null} ");
    let values = JsonReader::new(&body).unwrap();
    assert!(!values.is_empty());
    assert_eq!(values.get::<Vec<f32>>("a").unwrap(), Some(vec![1.0, 2.5]));
    assert_eq!(values.get::<Node>("").unwrap(), Some(node(1)));
    assert_eq!(values.get::<i32>("c").unwrap(), None);
    let error = values.get::<Vec<i32>>("a").unwrap_err();
    assert_eq!(
        error.to_string(),
        "/1: invalid value: floating point `2.5`, expected int (-2147483648 to 2147483647), at byte 13"
    );
    assert_eq!(&body[error.offset()..=error.offset()], b"5");

    assert!(JsonReader::new(&Bytes::new()).unwrap().is_empty());
    for body in [
        "[]",
        "1",
        "{",
        "{} {}",
        "{\"a\":1,\"a\":2}",
        "{\"a\":\"\\ud8\"}",
    ] {
        JsonReader::new(&body.into()).unwrap_err();
    }
    assert_eq!(JsonWriter::new().finish(), "{}");
}

/// Of all floats, the ones whose shortest digits are another float when they go through a double.
#[test]
fn floats_survive_peers_that_read_doubles() {
    for value in [
        f32::from_bits(0x15ae_43fd),
        -f32::from_bits(0x15ae_43fd),
        f32::MIN_POSITIVE,
        1e-45,
        0.1,
    ] {
        let text = written(&value);
        assert_eq!(text.parse::<f64>().unwrap() as f32, value, "{text}");
        assert_eq!(read::<f32>(&text), value, "{text}");
    }
}

fn nodes() -> impl Strategy<Value = Node> {
    let leaf = (any::<i32>(), any::<String>()).prop_map(|(id, name)| Node { name, ..node(id) });
    leaf.prop_recursive(4, 32, 4, |inner| {
        let children = prop::collection::vec(inner.clone(), 0..4);
        let by_node = prop::collection::btree_map(inner.clone(), any::<i8>(), 0..3);
        let next = prop::option::of(inner.prop_map(Box::new));
        (any::<i32>(), children, by_node, next).prop_map(|(id, children, by_node, next)| Node {
            id,
            name: String::new(),
            children,
            by_node,
            next,
        })
    })
}

proptest! {
    #[test]
    fn structs_come_back(value in nodes()) {
        let back: Node = read(&written(&value));
        prop_assert_eq!(encode(&back), encode(&value));
    }

    #[test]
    fn numbers_come_back(a: i64, b: f64, c: f32, d: u32) {
        prop_assert_eq!(read::<i64>(&written(&a)), a);
        prop_assert_eq!(read::<u32>(&written(&d)), d);
        if b.is_finite() {
            prop_assert_eq!(read::<f64>(&written(&b)).to_bits(), b.to_bits());
        }
        if c.is_finite() {
            prop_assert_eq!(read::<f32>(&written(&c)).to_bits(), c.to_bits());
        }
    }

    /// Whatever the text, it is a value or an error.
    #[test]
    fn any_text_is_judged(text in r#"[\[\]{}",:0-9a-z\\. e+-]{0,40}"#) {
        let _ = json::from_str::<Node>(&text);
        let _ = json::from_str::<BTreeMap<Node, Vec<f32>>>(&text);
        let _ = JsonReader::new(&text.into());
    }

    /// Whatever the bytes, they have a text or are an error.
    #[test]
    fn any_bytes_are_judged(bytes: Vec<u8>) {
        let input = Input::new(&bytes);
        if let Ok(text) = json::from_tars(&input, Node::TYPE) {
            read::<Node>(&text);
        }
    }
}
