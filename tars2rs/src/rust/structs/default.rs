//! `Default` with the defaults of the IDL.

use askama::Template;

use crate::model::{Field, Type, Value};

use super::super::types::is_default;
use super::super::{layout, text};
use super::Parts;

#[derive(Template)]
#[template(path = "struct_default.rs.j2", escape = "none")]
struct DefaultImpl<'a> {
    trait_name: &'a str,
    name: &'a str,
    literal: &'a str,
}

impl Parts<'_> {
    pub(super) fn default(&self) -> String {
        let value = |(field, name): (&Field, &str)| {
            let value = match &field.default {
                None if matches!(field.ty, Type::Bool) => "false".to_owned(),
                None => self.zero(&field.ty),
                Some(value) => self.owned_value(value, &field.ty),
            };
            format!("{name}: {value}")
        };
        let fields: Vec<String> = self.members().map(value).collect();
        let literal = layout::literal(8, "Self", &fields, "");
        let trait_name = self.spelling.prelude.default();
        text(&DefaultImpl {
            trait_name,
            name: self.name,
            literal: &literal,
        })
    }

    /// What `Default` gives, spelled as a person would.
    fn zero(&self, ty: &Type) -> String {
        match ty {
            Type::Float | Type::Double => "0.0".to_owned(),
            Type::String { .. } => format!("{}::new()", self.spelling.prelude.string()),
            Type::Vector { .. } => format!("{}::new()", self.spelling.prelude.vec()),
            Type::Map { .. } => format!("{}::new()", self.spelling.prelude.map()),
            Type::Bytes { .. } => "codec::Bytes::new()".to_owned(),
            Type::Struct(_) | Type::Enum(_) => {
                format!("{}::default()", self.spelling.prelude.default())
            }
            _ => "0".to_owned(),
        }
    }

    pub(super) fn owned_value(&self, value: &Value, ty: &Type) -> String {
        match ty {
            _ if is_default(self.model, value, ty) && !matches!(ty, Type::Bool) => match ty {
                Type::Enum(_) => self.spelling.value(value, ty),
                _ => self.zero(ty),
            },
            Type::String { .. } => format!(
                "{}::from({})",
                self.spelling.prelude.string(),
                self.spelling.value(value, ty)
            ),
            _ => self.spelling.value(value, ty),
        }
    }
}
