//! Encoding and decoding.

use askama::Template;

use crate::model::{Field, Type, Value};

use super::super::types::{Maximum, Spelling, byte_string, is_default};
use super::super::{layout, text};
use super::Parts;

#[derive(Template)]
#[template(path = "struct_wire.rs.j2", escape = "none")]
struct WireImpl<'a> {
    spelling: &'a Spelling<'a>,
    name: &'a str,
    wire_name: &'a str,
    field_list: &'a str,
    writer: &'a str,
    encode: &'a [String],
    locals: &'a [String],
    arms: &'a [Arm<'a>],
    checks: &'a [String],
    literal: &'a str,
}

struct Arm<'a> {
    tag: u8,
    local: &'a str,
}

impl Parts<'_> {
    pub(super) fn wire(&self) -> String {
        let of = self.of;
        let wire_name = format!("{}.{}", self.model[of.module].name, of.name);
        let wire_name = layout::assign(4, "const NAME: &'static str", &format!("\"{wire_name}\";"));
        let entry = |f: &Field| format!("codec::Field::new({}, \"{}\")", f.tag, f.name);
        let entries: Vec<String> = of.fields.iter().map(entry).collect();
        let field_list = layout::array(4, "const FIELDS: &'static [codec::Field]", &entries);
        let encode: Vec<String> = self
            .members()
            .flat_map(|(field, name)| self.encode(field, name))
            .collect();
        let locals: Vec<String> = self.locals().collect();
        let arms = of
            .fields
            .iter()
            .zip(&self.locals)
            .map(|(field, local)| Arm {
                tag: field.tag,
                local,
            });
        let arms: Vec<Arm<'_>> = arms.collect();
        let checks: Vec<String> = self
            .members()
            .zip(&self.locals)
            .flat_map(|((f, _), local)| self.check(f, local))
            .collect();
        let literals = self
            .members()
            .zip(&self.locals)
            .map(|((f, name), local)| self.decoded(f, name, local));
        let head = format!("{}(Self", self.spelling.prelude.ok());
        let literal = layout::literal(8, &head, &literals.collect::<Vec<_>>(), ")");
        text(&WireImpl {
            spelling: self.spelling,
            name: self.name,
            wire_name: &wire_name,
            field_list: &field_list,
            writer: if of.fields.is_empty() { "_w" } else { "w" },
            encode: &encode,
            locals: &locals,
            arms: &arms,
            checks: &checks,
            literal: &literal,
        })
    }

    fn encode(&self, field: &Field, name: &str) -> Vec<String> {
        let tag = field.tag.to_string();
        if field.closes_cycle {
            let some = self.spelling.prelude.some();
            return vec![
                format!("        if let {some}(value) = &self.{name} {{"),
                layout::call(12, "w.put", &[tag, "&**value".to_owned()], ";"),
                "        }".to_owned(),
            ];
        }
        let value = match is_char_array(&field.ty) {
            true => format!("&codec::CharArray(&self.{name})"),
            false => format!("&self.{name}"),
        };
        let put = |indent| layout::call(indent, "w.put", &[tag.clone(), value.clone()], ";");
        let check = |indent| {
            let Maximum { what, max } = Maximum::of(&field.ty)?;
            let args = [
                format!("\"{what}\""),
                format!("self.{name}.len()"),
                max.to_string(),
            ];
            Some(layout::call(indent, "w.check_max", &args, ";"))
        };
        match self.differs_from_default(field, name) {
            Some(condition) => {
                let mut lines = vec![format!("        if {condition} {{")];
                lines.extend(check(12));
                lines.push(put(12));
                lines.push("        }".to_owned());
                lines
            }
            None => check(8).into_iter().chain([put(8)]).collect(),
        }
    }

    /// An optional member is not sent while it has its default. `None`: it is always sent.
    fn differs_from_default(&self, field: &Field, name: &str) -> Option<String> {
        if field.required {
            return None;
        }
        let default = field
            .default
            .as_ref()
            .filter(|value| !is_default(self.model, value, &field.ty));
        let value = default.map(|value| self.spelling.value(value, &field.ty));
        Some(match (&field.ty, value) {
            (Type::Struct(_), _) => return None,
            (Type::Bool, None) => format!("self.{name}"),
            (Type::Bool, Some(_)) => format!("!self.{name}"),
            (Type::Float, value) => format!("self.{name}.to_bits() != {}", bits(value, "f32")),
            (Type::Double, value) => format!("self.{name}.to_bits() != {}", bits(value, "f64")),
            (
                Type::String { .. } | Type::Vector { .. } | Type::Map { .. } | Type::Bytes { .. },
                None,
            ) => {
                format!("!self.{name}.is_empty()")
            }
            (Type::Bytes { .. }, Some(_)) => match &field.default {
                Some(Value::String(bytes)) => format!("self.{name} != {}[..]", byte_string(bytes)),
                _ => return None,
            },
            (Type::Enum(id), None) => match self.model[*id].items.is_empty() {
                true => format!("self.{name}.0 != 0"),
                false => format!("self.{name} != {}", self.spelling.enumerator(*id, 0)),
            },
            (_, Some(value)) => format!("self.{name} != {value}"),
            (_, None) => format!("self.{name} != 0"),
        })
    }

    /// Tells the compiler each type, so that it need not search for it; unless that is too long for a line.
    fn locals(&self) -> impl Iterator<Item = String> {
        self.of
            .fields
            .iter()
            .zip(&self.locals)
            .map(|(field, local)| {
                let head = format!("let mut {local}");
                let ty = match is_char_array(&field.ty) {
                    true => format!("codec::CharArray<{}>", self.spelling.prelude.string()),
                    false => self.ty(field),
                };
                let value = format!("r.next_if::<{ty}>({})?;", field.tag);
                let line = layout::assign(8, &head, &value);
                if line.lines().any(|line| line.len() > 100) {
                    return layout::assign(8, &head, &format!("r.next_if({})?;", field.tag));
                }
                line
            })
    }

    /// Binds the value of a member that has a maximum, and checks it.
    fn check(&self, field: &Field, local: &str) -> Vec<String> {
        let Some(Maximum { what, max }) = Maximum::of(&field.ty) else {
            return Vec::new();
        };
        let value = format!("{};", self.taken(field, local));
        let args = [
            field.tag.to_string(),
            format!("\"{what}\""),
            format!("{local}.len()"),
            max.to_string(),
        ];
        vec![
            layout::assign(8, &format!("let {local}"), &value),
            layout::call(8, "r.check_max", &args, "?;"),
        ]
    }

    fn decoded(&self, field: &Field, name: &str, local: &str) -> String {
        match Maximum::of(&field.ty) {
            Some(_) if name == local => name.to_owned(),
            Some(_) => format!("{name}: {local}"),
            None => format!("{name}: {}", self.taken(field, local)),
        }
    }

    fn taken(&self, field: &Field, local: &str) -> String {
        if field.closes_cycle {
            return format!("{local}.map({}::new)", self.spelling.prelude.boxed());
        }
        let inner = if is_char_array(&field.ty) { ".0" } else { "" };
        if field.required {
            return format!("r.require({local}, {})?{inner}", field.tag);
        }
        match &field.default {
            Some(value) if !is_default(self.model, value, &field.ty) => {
                let value = self.owned_value(value, &field.ty);
                match field.ty {
                    Type::String { max: Some(_) } => {
                        format!("{local}.map_or_else(|| {value}, |text| text.0)")
                    }
                    Type::String { .. } | Type::Bytes { .. } => {
                        format!("{local}.unwrap_or_else(|| {value})")
                    }
                    _ => format!("{local}.unwrap_or({value})"),
                }
            }
            _ => format!("{local}.unwrap_or_default(){inner}"),
        }
    }
}

/// `string:N`, which has a form of its own on the wire.
fn is_char_array(ty: &Type) -> bool {
    matches!(ty, Type::String { max: Some(_) })
}

/// The bits of a float literal.
fn bits(value: Option<String>, ty: &str) -> String {
    match value.as_deref().unwrap_or("0.0") {
        // A constant such as `f32::NAN`.
        path if path.starts_with('f') => format!("{path}.to_bits()"),
        negative if negative.starts_with('-') => format!("({negative}_{ty}).to_bits()"),
        literal => format!("{literal}_{ty}.to_bits()"),
    }
}
