//! `Default` with the defaults of the IDL.

use askama::Template;

use crate::config::{BytesType, StringType};
use crate::model::{Type, Value};

use super::super::names::UNKNOWN_FIELDS;
use super::super::prelude::Prelude;
use super::super::types::{byte_string, is_default};
use super::super::{layout, text};
use super::{Member, Parts};

#[derive(Template)]
#[template(path = "struct_default.rs.j2", escape = "none")]
struct DefaultImpl<'a> {
    trait_name: &'a str,
    name: &'a str,
    literal: &'a str,
}

/// `impl Default for Name` with these `field: value`s.
pub(super) fn implementation(prelude: &Prelude, name: &str, fields: &[String]) -> String {
    text(&DefaultImpl {
        trait_name: prelude.default(),
        name,
        literal: &layout::literal(8, "Self", fields, ""),
    })
}

impl Parts<'_> {
    pub(super) fn default(&self) -> String {
        let value = |member: &Member<'_>| {
            let value = match &member.field.default {
                _ if member.option => self.spelling.prelude.none().to_owned(),
                None if matches!(member.field.ty, Type::Bool) => "false".to_owned(),
                None => self.zero(member),
                Some(value) => self.owned_value(value, member),
            };
            format!("{}: {value}", member.name)
        };
        let mut fields: Vec<String> = self.members.iter().map(value).collect();
        if self.keeps_unknown {
            fields.push(format!("{UNKNOWN_FIELDS}: codec::UnknownFields::new()"));
        }
        implementation(&self.spelling.prelude, self.name, &fields)
    }

    /// What `Default` gives, spelled as a person would.
    fn zero(&self, member: &Member<'_>) -> String {
        let prelude = &self.spelling.prelude;
        match &member.field.ty {
            Type::Float | Type::Double => "0.0".to_owned(),
            Type::String { .. } => match member.types.string {
                StringType::String => format!("{}::new()", prelude.string()),
                StringType::Bytes => "codec::Bytes::new()".to_owned(),
                StringType::Shared => format!("{}::default()", prelude.arc()),
                StringType::Inline => "codec::InlineStr::new()".to_owned(),
            },
            Type::Bytes { .. } => match member.types.bytes {
                BytesType::Bytes => "codec::Bytes::new()".to_owned(),
                BytesType::Vec => format!("{}::new()", prelude.vec()),
            },
            Type::Vector { .. } => format!("{}::new()", prelude.vec()),
            Type::Map { .. } => {
                format!("{}::new()", self.spelling.map(member.types, self.is_key))
            }
            Type::Struct(_) | Type::Enum(_) => format!("{}::default()", prelude.default()),
            _ => "0".to_owned(),
        }
    }

    /// A default of the IDL as an expression of the type of its member.
    pub(super) fn owned_value(&self, value: &Value, member: &Member<'_>) -> String {
        let ty = &member.field.ty;
        let literal = self.spelling.value(value, ty);
        let prelude = &self.spelling.prelude;
        match (value, ty) {
            (_, Type::Bool | Type::Enum(_)) => literal,
            _ if is_default(self.model, value, ty) => self.zero(member),
            (Value::String(bytes), Type::String { .. }) => match member.types.string {
                StringType::String => format!("{}::from({literal})", prelude.string()),
                StringType::Bytes => format!("codec::Bytes::from_static({})", byte_string(bytes)),
                StringType::Shared => format!("{}::from({literal})", prelude.arc()),
                StringType::Inline => format!("codec::InlineStr::from_static({literal})"),
            },
            (_, Type::Bytes { .. }) => match member.types.bytes {
                BytesType::Bytes => format!("codec::Bytes::from_static({literal})"),
                BytesType::Vec => format!("{literal}.to_vec()"),
            },
            _ => literal,
        }
    }
}
