//! How Rust spells the types and values of the IDL.

use std::collections::HashMap;

use crate::config::{BytesType, MapType, StringType, Types};
use crate::model::{EnumId, Model, ModuleId, StructId, Type, Value};

use super::names::Names;
use super::prelude::Prelude;
use super::styles::{Named, Styles};

/// How one file names types.
#[derive(Debug)]
pub(super) struct Spelling<'a> {
    /// The model.
    pub(super) model: &'a Model,
    /// The names of everything.
    pub(super) names: &'a Names,
    /// The options.
    pub(super) styles: &'a Styles<'a>,
    /// Names of the standard library in this file.
    pub(super) prelude: Prelude,
    /// Where the file is.
    pub(super) place: Place,
}

/// Where a file is, which says how it reaches the types of the IDL.
#[derive(Debug)]
pub(super) enum Place {
    /// The types of this module.
    Classes(ModuleId),
    /// A file of an interface, which spells types like this.
    Interface(HashMap<Named, String>),
}

impl Spelling<'_> {
    /// The path to a struct or enum.
    pub(super) fn path(&self, of: Named) -> String {
        let name = self.names.of(of);
        if let Some(path) = self.styles.extern_path(of, name) {
            return path;
        }
        match &self.place {
            Place::Classes(here) => {
                let module = match of {
                    Named::Struct(id) => self.model[id].module,
                    Named::Enum(id) => self.model[id].module,
                };
                if module == *here {
                    name.to_owned()
                } else {
                    format!("super::{}::{name}", self.names.modules[module.0 as usize])
                }
            }
            Place::Interface(paths) => paths.get(&of).cloned().unwrap_or_default(),
        }
    }

    /// The type of a value that is owned.
    pub(super) fn owned(&self, ty: &Type, types: Types) -> String {
        self.owned_in(None, ty, types, false)
    }

    /// The same in the definition and the implementations of the struct `this`.
    ///
    /// `ordered` when it is part of a map key: then floats in containers need a wrapper with a total order, and maps
    /// must be sorted.
    pub(super) fn owned_in(
        &self,
        this: Option<StructId>,
        ty: &Type,
        types: Types,
        ordered: bool,
    ) -> String {
        match ty {
            Type::String { .. } => match types.string {
                StringType::String => self.prelude.string().to_owned(),
                StringType::Bytes => "codec::Bytes".to_owned(),
                StringType::Shared => format!("{}<str>", self.prelude.arc()),
                StringType::Inline => "codec::InlineStr".to_owned(),
            },
            Type::Bytes { .. } => match types.bytes {
                BytesType::Bytes => "codec::Bytes".to_owned(),
                BytesType::Vec => format!("{}<u8>", self.prelude.vec()),
            },
            Type::Vector { item, .. } => format!(
                "{}<{}>",
                self.prelude.vec(),
                self.nested(this, item, types, ordered)
            ),
            Type::Map { key, value } => format!(
                "{}<{}, {}>",
                self.map(types, ordered),
                self.nested(this, key, types, true),
                self.nested(this, value, types, ordered)
            ),
            Type::Struct(id) if this == Some(*id) => "Self".to_owned(),
            Type::Struct(id) => self.path(Named::Struct(*id)),
            Type::Enum(id) => self.path(Named::Enum(*id)),
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
        }
    }

    /// The type of an element of a vector or map, which goes over the wire as it is.
    pub(super) fn nested(
        &self,
        this: Option<StructId>,
        ty: &Type,
        types: Types,
        ordered: bool,
    ) -> String {
        match Wrapper::of_element(ty, types) {
            Some(wrapper) => wrapper.path().to_owned(),
            None => self.owned_in(this, ty, types, ordered),
        }
    }

    /// The type that a value of its own has on the wire.
    pub(super) fn on_wire(&self, ty: &Type, types: Types, owned: String) -> String {
        match Wrapper::of(ty, types) {
            Some(Wrapper::CharArray) => format!("codec::CharArray<{owned}>"),
            Some(wrapper) => wrapper.path().to_owned(),
            None => owned,
        }
    }

    /// The map type.
    pub(super) fn map(&self, types: Types, ordered: bool) -> &'static str {
        match types.map {
            _ if ordered => self.prelude.map(),
            MapType::BTreeMap => self.prelude.map(),
            MapType::HashMap => self.prelude.hash_map(),
            MapType::IndexMap => "codec::IndexMap",
            MapType::VecMap => "codec::VecMap",
        }
    }

    /// The type of a parameter that is only read.
    pub(super) fn borrowed(&self, ty: &Type, types: Types) -> String {
        match ty {
            Type::String { .. } if types.string == StringType::Bytes => "&[u8]".to_owned(),
            Type::String { .. } => "&str".to_owned(),
            Type::Bytes { .. } if types.bytes == BytesType::Vec => "&[u8]".to_owned(),
            Type::Vector { item, .. } => format!("&[{}]", self.nested(None, item, types, false)),
            Type::Bytes { .. } | Type::Map { .. } | Type::Struct(_) => {
                format!("&{}", self.owned(ty, types))
            }
            _ => self.owned(ty, types),
        }
    }

    /// A value as an expression of its type; that of a string is a literal.
    pub(super) fn value(&self, value: &Value, ty: &Type) -> String {
        match (value, ty) {
            (Value::Bool(value), _) => value.to_string(),
            (Value::Int(value), Type::Enum(id)) => {
                format!("{}({value})", self.path(Named::Enum(*id)))
            }
            (Value::Int(value), Type::Float | Type::Double) => format!("{value}.0"),
            (Value::Int(value), _) => integer(*value, ty),
            (Value::Float(value), _) => float(*value, ty),
            (Value::String(bytes), Type::Bytes { .. }) => byte_string(bytes),
            (Value::String(bytes), _) => format!("{:?}", String::from_utf8_lossy(bytes)),
            (Value::Enumerator { of, index }, _) => self.enumerator(*of, *index),
        }
    }

    /// The path to an enumerator.
    pub(super) fn enumerator(&self, of: EnumId, index: usize) -> String {
        let path = self.path(Named::Enum(of));
        format!("{path}::{}", self.names.enumerators[of.0 as usize][index])
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

/// Whether values of a type have a small, fixed size.
pub(super) fn is_scalar(ty: &Type) -> bool {
    !matches!(
        ty,
        Type::String { .. }
            | Type::Bytes { .. }
            | Type::Vector { .. }
            | Type::Map { .. }
            | Type::Struct(_)
    )
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

/// What goes around a value on its way over the wire, where its Rust type would be written as something else.
///
/// A member, parameter or return value has the plain type and is wrapped on the way; in a vector or map the elements
/// have the type of the wrapper.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrapper {
    /// `string:N`
    CharArray,
    /// `string:N` as bytes.
    CharBytes,
    /// A string as bytes.
    ByteStr,
    /// Bytes as a `Vec<u8>`, which would be a `vector<unsigned byte>`.
    ByteVec,
}

impl Wrapper {
    /// For a member, parameter or return value.
    pub(super) fn of(ty: &Type, types: Types) -> Option<Self> {
        match ty {
            Type::String { max: Some(_) } if types.string == StringType::Bytes => {
                Some(Self::CharBytes)
            }
            Type::String { max: Some(_) } => Some(Self::CharArray),
            _ => Self::of_element(ty, types),
        }
    }

    fn of_element(ty: &Type, types: Types) -> Option<Self> {
        match ty {
            Type::String { .. } if types.string == StringType::Bytes => Some(Self::ByteStr),
            Type::Bytes { .. } if types.bytes == BytesType::Vec => Some(Self::ByteVec),
            _ => None,
        }
    }

    /// How generated code names it.
    pub(super) fn path(self) -> &'static str {
        match self {
            Self::CharArray => "codec::CharArray",
            Self::CharBytes => "codec::CharBytes",
            Self::ByteStr => "codec::ByteStr",
            Self::ByteVec => "codec::ByteVec",
        }
    }
}
