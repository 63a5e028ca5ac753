//! How Rust spells the types and values of the IDL.

use crate::model::{EnumId, Model, StructId, Type, Value};

use super::prelude::Prelude;

/// How one file names types.
#[derive(Debug)]
pub(super) struct Spelling<'a> {
    /// The model.
    pub(super) model: &'a Model,
    /// Names of the standard library in this file.
    pub(super) prelude: Prelude,
    /// The path to each struct.
    pub(super) structs: Vec<String>,
    /// The path to each enum.
    pub(super) enums: Vec<String>,
    /// The names of the enumerators of each enum.
    pub(super) enumerators: &'a [Vec<String>],
}

impl Spelling<'_> {
    /// The type of a value that is owned.
    ///
    /// `ordered` when it is part of a map key: then floats in containers need a wrapper with a total order.
    pub(super) fn owned(&self, ty: &Type, ordered: bool) -> String {
        self.owned_in(None, ty, ordered)
    }

    /// The same in the definition and the implementations of the struct `this`.
    pub(super) fn owned_in(&self, this: Option<StructId>, ty: &Type, ordered: bool) -> String {
        match ty {
            Type::Struct(id) if this == Some(*id) => "Self".to_owned(),
            Type::Float if ordered => "codec::OrderedF32".to_owned(),
            Type::Double if ordered => "codec::OrderedF64".to_owned(),
            Type::Bool => "bool".to_owned(),
            Type::Byte => "i8".to_owned(),
            Type::Short => "i16".to_owned(),
            Type::Int => "i32".to_owned(),
            Type::Long => "i64".to_owned(),
            Type::UByte => "u8".to_owned(),
            Type::UShort => "u16".to_owned(),
            Type::UInt => "u32".to_owned(),
            Type::Float => "f32".to_owned(),
            Type::Double => "f64".to_owned(),
            Type::String { .. } => self.prelude.string().to_owned(),
            Type::Bytes { .. } => "codec::Bytes".to_owned(),
            Type::Vector { item, .. } => {
                format!(
                    "{}<{}>",
                    self.prelude.vec(),
                    self.owned_in(this, item, ordered)
                )
            }
            Type::Map { key, value } => {
                format!(
                    "{}<{}, {}>",
                    self.prelude.map(),
                    self.owned_in(this, key, true),
                    self.owned_in(this, value, ordered)
                )
            }
            Type::Struct(id) => self.structs[id.0 as usize].clone(),
            Type::Enum(id) => self.enums[id.0 as usize].clone(),
        }
    }

    /// The type of a parameter that is only read.
    pub(super) fn borrowed(&self, ty: &Type) -> String {
        match ty {
            Type::String { .. } => "&str".to_owned(),
            Type::Vector { item, .. } => format!("&[{}]", self.owned(item, false)),
            Type::Bytes { .. } | Type::Map { .. } | Type::Struct(_) => {
                format!("&{}", self.owned(ty, false))
            }
            _ => self.owned(ty, false),
        }
    }

    /// A value as an expression of its type.
    pub(super) fn value(&self, value: &Value, ty: &Type) -> String {
        match (value, ty) {
            (Value::Bool(value), _) => value.to_string(),
            (Value::Int(value), Type::Enum(id)) => {
                format!("{}({value})", self.enums[id.0 as usize])
            }
            (Value::Int(value), Type::Float | Type::Double) => format!("{value}.0"),
            (Value::Int(value), _) => integer(*value, ty),
            (Value::Float(value), _) => float(*value, ty),
            (Value::String(bytes), Type::Bytes { .. }) => {
                format!("codec::Bytes::from_static({})", byte_string(bytes))
            }
            (Value::String(bytes), _) => format!("{:?}", String::from_utf8_lossy(bytes)),
            (Value::Enumerator { of, index }, _) => self.enumerator(*of, *index),
        }
    }

    /// The path to an enumerator.
    pub(super) fn enumerator(&self, of: EnumId, index: usize) -> String {
        let of = of.0 as usize;
        format!("{}::{}", self.enums[of], self.enumerators[of][index])
    }
}

/// `i64::MIN` and the like read better than their digits.
fn integer(value: i64, ty: &Type) -> String {
    let (name, min, max) = match ty {
        Type::Short => ("i16", i64::from(i16::MIN), i64::from(i16::MAX)),
        Type::Int => ("i32", i64::from(i32::MIN), i64::from(i32::MAX)),
        Type::Long => ("i64", i64::MIN, i64::MAX),
        _ => return value.to_string(),
    };
    if value == min {
        format!("{name}::MIN")
    } else if value == max {
        format!("{name}::MAX")
    } else {
        value.to_string()
    }
}

fn float(value: f64, ty: &Type) -> String {
    let (name, digits) = match ty {
        Type::Float => ("f32", format!("{:?}", value as f32)),
        _ => ("f64", format!("{value:?}")),
    };
    if value.is_nan() {
        format!("{name}::NAN")
    } else if value.is_infinite() {
        format!("{name}::{}INFINITY", if value < 0.0 { "NEG_" } else { "" })
    } else {
        digits
    }
}

/// A byte string literal.
pub(super) fn byte_string(bytes: &[u8]) -> String {
    format!("b\"{}\"", bytes.escape_ascii())
}

/// Whether a value is what `Default` gives for its type.
pub(super) fn is_default(model: &Model, value: &Value, ty: &Type) -> bool {
    match value {
        Value::Bool(value) => !value,
        Value::Int(value) => match ty {
            Type::Enum(id) => *value == default_enum_value(model, *id),
            _ => *value == 0,
        },
        Value::Float(value) => value.to_bits() == 0,
        Value::String(bytes) => bytes.is_empty(),
        Value::Enumerator { of, index } => {
            model[*of]
                .items
                .get(*index)
                .map(|item| i64::from(item.value))
                == Some(default_enum_value(model, *of))
        }
    }
}

/// The default of an enum is its first enumerator, as in C++.
pub(super) fn default_enum_value(model: &Model, id: EnumId) -> i64 {
    model[id]
        .items
        .first()
        .map_or(0, |item| i64::from(item.value))
}

/// The most elements or bytes that a value may have. Only the outermost type can say so.
pub(super) struct Maximum {
    /// What is counted, for messages.
    pub(super) what: &'static str,
    /// The number.
    pub(super) max: u32,
}

impl Maximum {
    /// `None` if there is none.
    pub(super) fn of(ty: &Type) -> Option<Self> {
        let (what, max) = match ty {
            Type::String { max } => ("string", *max),
            Type::Bytes { max } => ("byte vector", *max),
            Type::Vector { max, .. } => ("list", *max),
            _ => return None,
        };
        max.map(|max| Self { what, max })
    }
}

/// Calls `visit` with each struct that a type mentions; true for one that is a map key or in one.
pub(super) fn structs_in(ty: &Type, in_key: bool, visit: &mut impl FnMut(StructId, bool)) {
    match ty {
        Type::Struct(id) => visit(*id, in_key),
        Type::Vector { item, .. } => structs_in(item, in_key, visit),
        Type::Map { key, value } => {
            structs_in(key, true, visit);
            structs_in(value, in_key, visit);
        }
        _ => {}
    }
}
