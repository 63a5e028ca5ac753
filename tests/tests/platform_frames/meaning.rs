//! What bytes mean by the description of a function: values by the names of parameters, fields by tag, defaults
//! filled in, maps in the order of their keys.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::{Map, Value, json};
use tars_codec::{
    DefaultValue, Fields, Function, Input, RequestPacket, ResponsePacket, TupReader, Type,
    Value as Tars, decode_bytes,
};

use crate::peer::Wire;

/// Values by the names of parameters; the return value has the name "".
#[derive(Debug, PartialEq)]
pub(crate) struct Meaning(BTreeMap<&'static str, Value>);

impl Meaning {
    /// The arguments of a request.
    pub(crate) fn arguments(function: &Function, packet: &RequestPacket) -> Self {
        let wire = Wire::of(packet.version);
        Self::of(function, false, &Body::new(wire, &packet.body))
    }

    /// The return value and out parameters of an answer.
    pub(crate) fn answer(function: &Function, wire: Wire, packet: &Bytes) -> Self {
        let body = match wire {
            Wire::Tars => decode_bytes::<ResponsePacket>(packet).unwrap().body,
            Wire::Tup => decode_bytes::<RequestPacket>(packet).unwrap().body,
        };
        Self::of(function, true, &Body::new(wire, &body))
    }

    /// What the recording says, by tag or by name.
    pub(crate) fn decoded(function: &Function, values: &Value, answer: bool) -> Self {
        Self::of(function, answer, &Body::Decoded(values))
    }

    /// The return value.
    pub(crate) fn result(&self) -> Value {
        self.0.get("").cloned().unwrap_or_default()
    }

    /// The same with all numbers made equal, also those within texts: what two programs that do the same thing at
    /// different times have in common.
    pub(crate) fn skeleton(&self) -> Value {
        let values = self.0.iter();
        values
            .map(|(name, value)| ((*name).to_owned(), skeleton(value)))
            .collect::<Map<_, _>>()
            .into()
    }

    fn of(function: &Function, answer: bool, body: &Body<'_>) -> Self {
        let params = (1..).zip(function.params).filter(|(_, p)| p.out == answer);
        let params = params.map(|(tag, param)| (tag, param.name, param.ty));
        let result = function.result.filter(|_| answer).map(|ty| (0, "", ty));
        let values = result.into_iter().chain(params);
        let values = values.filter_map(|(tag, name, ty)| {
            let value = body.value(tag, name)?;
            Some((name, canonical(ty, &value)))
        });
        Self(values.collect())
    }
}

enum Body<'a> {
    Tars(Fields),
    Tup(TupReader),
    Decoded(&'a Value),
}

impl Body<'_> {
    fn new(wire: Wire, body: &Bytes) -> Self {
        match wire {
            Wire::Tars => Self::Tars(Fields::decode(&Input::shared(body)).unwrap()),
            Wire::Tup => Self::Tup(TupReader::new(body).unwrap()),
        }
    }

    fn value(&self, tag: u8, name: &str) -> Option<Value> {
        match self {
            Self::Tars(fields) => find(fields, tag).map(by_tag),
            Self::Tup(body) => {
                let fields = Fields::decode(&Input::shared(body.tars(name)?)).unwrap();
                find(&fields, 0).map(by_tag)
            }
            Self::Decoded(values) => match values.get(tag.to_string()) {
                Some(value) => Some(value.clone()),
                None => Some(values.get(name)?.get("0").expect("a value").clone()),
            },
        }
    }
}

fn find(fields: &Fields, tag: u8) -> Option<&Tars> {
    let found = fields.0.iter().find(|(t, _)| *t == tag);
    found.map(|(_, value)| value)
}

/// A value without its type, in the form of the recordings.
fn by_tag(value: &Tars) -> Value {
    match value {
        Tars::Int(number) => json!(number),
        Tars::String(text) => json!(std::str::from_utf8(text).unwrap()),
        Tars::List(items) => items.iter().map(by_tag).collect(),
        Tars::Map(entries) => entries
            .iter()
            .map(|(key, value)| json!([by_tag(key), by_tag(value)]))
            .collect(),
        Tars::Struct(fields) => {
            let fields = fields.0.iter();
            let fields = fields.map(|(tag, value)| (tag.to_string(), by_tag(value)));
            Value::Object(fields.collect())
        }
        other => panic!("the platform has no such value: {other:?}"),
    }
}

/// The same value in one form only.
fn canonical(ty: &Type, value: &Value) -> Value {
    match ty {
        Type::Vector(item) => {
            let items = value.as_array().expect("a list").iter();
            items.map(|value| canonical(item, value)).collect()
        }
        Type::Map(key, item) => {
            let entries = value.as_array().expect("a map").iter();
            let entries =
                entries.map(|entry| json!([canonical(key, &entry[0]), canonical(item, &entry[1])]));
            let mut entries: Vec<Value> = entries.collect();
            entries.sort_by_key(Value::to_string);
            entries.into()
        }
        Type::Struct(of) => {
            let mut fields = Map::new();
            for field in of().fields {
                let value = match (value.get(field.tag.to_string()), field.default) {
                    (Some(value), _) => canonical(field.ty, value),
                    (None, Some(default)) => default_of(field.ty, default),
                    (None, None) => panic!("{} is missing: {value}", field.name),
                };
                fields.insert(field.tag.to_string(), value);
            }
            fields.into()
        }
        Type::String => value.as_str().expect("a string").into(),
        _ => value.as_i64().expect("a number").into(),
    }
}

fn default_of(ty: &Type, default: DefaultValue) -> Value {
    match (default, ty) {
        (DefaultValue::Zero, Type::String) => json!(""),
        (DefaultValue::Zero, Type::Vector(_)) => json!([]),
        (DefaultValue::Zero, _) => json!(0),
        (DefaultValue::True, _) => json!(1),
        (DefaultValue::Int(number), _) => json!(number),
        (DefaultValue::String(text), _) => json!(text),
        other => panic!("the platform has no such default: {other:?}"),
    }
}

/// The return code of an answer.
pub(crate) fn answer_code(wire: Wire, packet: &Bytes) -> i32 {
    match wire {
        Wire::Tars => decode_bytes::<ResponsePacket>(packet).unwrap().ret,
        Wire::Tup => {
            let packet: RequestPacket = decode_bytes(packet).unwrap();
            let code = packet.status.get("STATUS_RESULT_CODE");
            code.map_or(0, |code| code.parse().unwrap())
        }
    }
}

/// The request in a frame.
pub(crate) fn packet_of(frame: &[u8]) -> RequestPacket {
    let (len, packet) = frame.split_first_chunk().expect("a frame");
    assert_eq!(u32::from_be_bytes(*len) as usize, frame.len());
    decode_bytes(&Bytes::copy_from_slice(packet)).unwrap()
}

fn skeleton(value: &Value) -> Value {
    match value {
        Value::Number(_) => 0.into(),
        Value::String(text) => {
            let mut digits = text.split(|c: char| c.is_ascii_digit());
            let mut skeleton = digits.next().unwrap_or_default().to_owned();
            for part in digits {
                if !skeleton.ends_with('9') || !part.is_empty() {
                    skeleton.push_str(if skeleton.ends_with('9') { "" } else { "9" });
                    skeleton.push_str(part);
                }
            }
            skeleton.into()
        }
        Value::Array(items) => items.iter().map(skeleton).collect(),
        Value::Object(fields) => {
            let fields = fields.iter();
            fields
                .map(|(name, value)| (name.clone(), skeleton(value)))
                .collect::<Map<_, _>>()
                .into()
        }
        other => other.clone(),
    }
}
