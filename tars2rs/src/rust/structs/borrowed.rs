//! `FooRef<'a>`: a struct whose text, bytes, lists and maps are borrowed from what was received (`borrowed = true`).
//!
//! Strings are `&str`, bytes a `Cow`, lists `ListRef`s and maps `MapRef`s, whatever the owned struct has; what borrows
//! nothing is as in the owned struct, and so are keys that are neither text nor bytes.

use askama::Template;

use crate::config::{StringType, Types};
use crate::model::{Type, Value};

use super::super::derives::derive;
use super::super::names::UNKNOWN_FIELDS;
use super::super::styles::Named;
use super::super::types::{Maximum, byte_string, is_default};
use super::super::{layout, text};
use super::wire::{Fallback, Inner};
use super::{FieldLines, Member, Parts, default, definition};

#[derive(Template)]
#[template(path = "struct_ref.rs.j2", escape = "none")]
struct RefImpl<'a> {
    name: &'a str,
    owned: &'a str,
    from: &'a str,
    decoded: &'a str,
    into_owned: &'a str,
}

impl Parts<'_> {
    /// All items of the borrowed form, if there is one.
    pub(super) fn borrowed(&self) -> Vec<String> {
        let Some(name) = self.spelling.names.borrowed(self.id) else {
            return Vec::new();
        };
        let mut items = vec![self.ref_definition(name)];
        if !self.derives.default {
            items.push(self.ref_default(name));
        }
        let decoded = self.members.iter().map(|member| self.ref_decoded(member));
        let decoded: Vec<String> = decoded.collect();
        items.push(text(&RefImpl {
            name,
            owned: self.name,
            from: self.spelling.prelude.from(),
            decoded: &layout::literal(8, "Self", &decoded, ""),
            into_owned: &layout::literal(8, self.name, &self.ref_into_owned(), ""),
        }));
        items
    }

    fn ref_definition(&self, name: &str) -> String {
        let lines = |member: &Member<'_>| {
            let field = member.field;
            let ordered = self.is_key && !member.is_bare_float();
            let ty = self.ref_ty(&field.ty, member.types, ordered, false);
            let ty = self.optional(member, ty);
            let fallback = format!("Tag {}.", field.tag);
            FieldLines::new(&field.doc, &fallback, &[], member.name, &ty)
        };
        let fields: Vec<FieldLines> = self.members.iter().map(lines).collect();
        let doc = format!(
            "/// [`{}`] whose text, bytes, lists and maps are borrowed from what was received.\n",
            self.name
        );
        let own = ["Debug", "Clone", "Default", "PartialEq"];
        let own = own
            .into_iter()
            .filter(|name| self.derives.default || *name != "Default");
        definition(
            &doc,
            &derive(own, &[], &[]),
            &format!("{name}<'a>"),
            &fields,
        )
    }

    /// The type of a value: `ordered` as for the owned one. An element of a list or map goes over the wire as it is.
    fn ref_ty(&self, ty: &Type, types: Types, ordered: bool, is_element: bool) -> String {
        let names = self.spelling.names;
        match ty {
            Type::String { .. } if types.string != StringType::Bytes => "&'a str".to_owned(),
            Type::String { .. } if is_element => "codec::ByteStr<&'a [u8]>".to_owned(),
            Type::String { .. } => "&'a [u8]".to_owned(),
            Type::Bytes { .. } => "codec::Cow<'a, [u8]>".to_owned(),
            Type::Vector { item, .. } => format!(
                "codec::ListRef<'a, {}>",
                self.ref_ty(item, types, ordered, true)
            ),
            Type::Map { key, value } => {
                let key = match **key {
                    Type::String { .. } | Type::Bytes { .. } => self.ref_ty(key, types, true, true),
                    _ => self.spelling.nested(None, key, types, true),
                };
                format!(
                    "codec::MapRef<'a, {key}, {}>",
                    self.ref_ty(value, types, ordered, true)
                )
            }
            Type::Struct(id) => match names.borrowed(*id) {
                Some(_) if *id == self.id => "Self".to_owned(),
                Some(name) => {
                    let path = self.spelling.path(Named::Struct(*id));
                    let owned = names.of(Named::Struct(*id));
                    format!("{}{name}<'a>", path.strip_suffix(owned).unwrap_or_default())
                }
                None => self.spelling.owned(ty, types),
            },
            _ => self.spelling.owned_in(None, ty, types, ordered),
        }
    }

    /// How a member is read.
    fn ref_decoded(&self, member: &Member<'_>) -> String {
        let ty = &member.field.ty;
        let as_bytes =
            matches!(ty, Type::String { .. }) && member.types.string == StringType::Bytes;
        let (wire, inner) = match (ty, Maximum::of(ty)) {
            (Type::String { .. }, None) if as_bytes => ("codec::ByteStr<_>", Inner::Field),
            (Type::String { .. }, Some(_)) if as_bytes => {
                ("_", Inner::Function("codec::char_bytes"))
            }
            (Type::String { .. }, Some(_)) => ("_", Inner::Function("codec::chars")),
            (_, None) => ("", Inner::Itself),
            (_, Some(_)) => ("_", Inner::Field),
        };
        let default = self.ref_default_value(member).map(Fallback::Value);
        self.read(member, "_ref", wire, inner, default)
    }

    /// The default of a member, if it has one of its own.
    fn ref_default_value(&self, member: &Member<'_>) -> Option<String> {
        let ty = &member.field.ty;
        let default = member.field.default.as_ref();
        let value = default.filter(|value| !is_default(self.model, value, ty))?;
        Some(match (value, ty) {
            (Value::String(bytes), Type::String { .. })
                if member.types.string == StringType::Bytes =>
            {
                format!("&{}[..]", byte_string(bytes))
            }
            (Value::String(bytes), Type::Bytes { .. }) => {
                format!("codec::Cow::Borrowed({})", byte_string(bytes))
            }
            _ => self.spelling.value(value, ty),
        })
    }

    fn ref_default(&self, name: &str) -> String {
        let prelude = &self.spelling.prelude;
        let value = |member: &Member<'_>| {
            let value = match self.ref_default_value(member) {
                _ if member.option => prelude.none().to_owned(),
                Some(value) => value,
                None => format!("{}::default()", prelude.default()),
            };
            format!("{}: {value}", member.name)
        };
        let fields: Vec<String> = self.members.iter().map(value).collect();
        default::implementation(prelude, &format!("{name}<'_>"), &fields)
    }

    fn ref_into_owned(&self) -> Vec<String> {
        let boxed = self.spelling.prelude.boxed();
        let value = |member: &Member<'_>| {
            let name = member.name;
            match member.field.closes_cycle {
                true => format!(
                    "{name}: self.{name}.map(|value| {boxed}::new(codec::into_owned(*value)))"
                ),
                false => format!("{name}: codec::into_owned(self.{name})"),
            }
        };
        let mut fields: Vec<String> = self.members.iter().map(value).collect();
        if self.keeps_unknown {
            fields.push(format!("{UNKNOWN_FIELDS}: codec::UnknownFields::new()"));
        }
        fields
    }
}
