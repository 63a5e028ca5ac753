//! Encoding and decoding.

use askama::Template;

use crate::config::{BytesType, StringType};
use crate::model::{Type, Value};

use super::super::names::UNKNOWN_FIELDS;
use super::super::types::{
    Maximum, Wrapper, byte_string, default_enum_value, is_default, is_scalar,
};
use super::super::{layout, text};
use super::{Member, Parts};

#[derive(Template)]
#[template(path = "struct_wire.rs.j2", escape = "none")]
struct WireImpl<'a> {
    name: &'a str,
    wire_name: &'a str,
    field_list: &'a str,
    few_scalars: bool,
    inline: &'a str,
    writer: &'a str,
    encode: &'a [String],
    reader: &'a str,
    literal: &'a str,
}

impl Parts<'_> {
    pub(super) fn wire(&self) -> String {
        let of = self.of;
        let wire_name = format!("{}.{}", self.model[of.module].name, of.name);
        let wire_name = layout::assign(4, "const NAME: &'static str", &format!("\"{wire_name}\";"));
        let entries: Vec<String> = self.members.iter().map(|m| self.description(m)).collect();
        let mut field_list = layout::array(4, "const FIELDS: &'static [codec::Field]", &entries);
        if layout::breaks_inside(&entries) {
            // rustfmt would break inside of the brackets of the type.
            field_list = format!("    {}\n{field_list}", layout::SKIP);
        }
        let encode = self.encode_all();
        let mut values: Vec<String> = self.members.iter().map(|m| self.decoded(m)).collect();
        if self.keeps_unknown {
            let value = format!("{UNKNOWN_FIELDS}: r.unknown_fields(Self::FIELDS)");
            values.insert(0, value); // before the reader has moved
        }
        let literal = layout::literal(8, "Self", &values, "");
        text(&WireImpl {
            name: self.name,
            wire_name: &wire_name,
            field_list: &field_list,
            few_scalars: self.is_small() && self.members.iter().all(|m| m.field.tag < 15),
            inline: if self.is_small() {
                "    #[inline(always)]\n"
            } else {
                ""
            },
            writer: if encode.is_empty() { "_w" } else { "w" },
            encode: &encode,
            reader: if values.is_empty() { "_r" } else { "r" },
            literal: &literal,
        })
    }

    /// Whether a list of such structs should have their decoder in its loop: it is a few scalars.
    fn is_small(&self) -> bool {
        let is_scalar = |member: &Member<'_>| is_scalar(&member.field.ty);
        !self.keeps_unknown && self.members.len() <= 8 && self.members.iter().all(is_scalar)
    }

    /// The entry of a field in `FIELDS`.
    fn description(&self, member: &Member<'_>) -> String {
        let field = member.field;
        let default = if field.required {
            None
        } else {
            self.default_value(member)
        };
        let constructor = match &default {
            _ if field.required => "required",
            None => "optional",
            Some(_) => "with_default",
        };
        let head = format!("codec::Field::{constructor}::<{}>", self.wire_ty(member));
        let mut args = vec![field.tag.to_string(), format!("\"{}\"", field.name)];
        args.extend(default.map(|value| format!("codec::DefaultValue::{value}")));
        layout::item_call(8, &head, &args)
    }

    /// What an optional field is when it is not sent. `None`: zero or empty.
    fn default_value(&self, member: &Member<'_>) -> Option<String> {
        let field = member.field;
        let long = |value| self.spelling.value(&Value::Int(value), &Type::Long);
        let int = |value| format!("Int({})", long(value));
        let default = field.default.as_ref();
        if let Type::Enum(id) = field.ty {
            // The default of an enum need not be 0.
            let value = default_enum_value(self.model, id);
            let value = default.map_or(Some(value), |default| self.integer(default))?;
            return (value != 0).then(|| int(value));
        }
        let value = default.filter(|value| !is_default(self.model, value, &field.ty))?;
        Some(match (value, &field.ty) {
            (Value::Bool(_), _) => "True".to_owned(),
            (Value::String(bytes), _) if str::from_utf8(bytes).is_err() => {
                format!("Bytes({})", byte_string(bytes))
            }
            (Value::String(_), _) => format!("String({})", self.spelling.value(value, &field.ty)),
            (Value::Float(float), Type::Float) if float.is_finite() => {
                format!("Float({})", self.spelling.value(value, &Type::Float))
            }
            (_, Type::Float | Type::Double) => {
                format!("Float({})", self.spelling.value(value, &Type::Double))
            }
            _ => int(self.integer(value)?),
        })
    }

    fn integer(&self, value: &Value) -> Option<i64> {
        match *value {
            Value::Int(value) => Some(value),
            Value::Enumerator { of, index } => {
                let item = self.model[of].items.get(index)?;
                Some(item.value.into())
            }
            _ => None,
        }
    }

    /// The type of a member on the wire.
    fn wire_ty(&self, member: &Member<'_>) -> String {
        let owned = self.ty(member);
        self.spelling.on_wire(&member.field.ty, member.types, owned)
    }

    /// All members by ascending tag, and between them what the struct does not know: a reader in C++ finds a field
    /// only where the tags ascend.
    fn encode_all(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let mut next = 0_u16;
        let mut unknown = |lines: &mut Vec<String>, below: u16, after: u16| {
            if self.keeps_unknown && next < below {
                let last = below - 1;
                lines.push(format!(
                    "        self.{UNKNOWN_FIELDS}.encode(w, {next}..={last});"
                ));
            }
            next = after;
        };
        for member in &self.members {
            let tag = u16::from(member.field.tag);
            unknown(&mut lines, tag, tag + 1);
            lines.extend(self.encode(member));
        }
        unknown(&mut lines, 256, 256);
        lines
    }

    fn encode(&self, member: &Member<'_>) -> Vec<String> {
        let Member { field, name, .. } = member;
        if member.option {
            let some = self.spelling.prelude.some();
            let mut lines = vec![format!("        if let {some}(value) = &self.{name} {{")];
            if field.closes_cycle {
                let args = [field.tag.to_string(), "&**value".to_owned()];
                lines.push(layout::call(12, "w.put", &args, ";"));
            } else {
                lines.extend(put(12, member, "value", "value"));
            }
            lines.push("        }".to_owned());
            return lines;
        }
        let (place, value) = (format!("self.{name}"), format!("&self.{name}"));
        if self.is_left_out_by_type(member) {
            let args = [field.tag.to_string(), value];
            return vec![layout::call(8, "w.optional", &args, ";")];
        }
        match self.differs_from_default(member) {
            Some(condition) => {
                let mut lines = vec![format!("        if {condition} {{")];
                lines.extend(put(12, member, &place, &value));
                lines.push("        }".to_owned());
                lines
            }
            None => put(8, member, &place, &value),
        }
    }

    /// Whether what its Rust type [has as default](Member::has_plain_default) is all that decides about sending it.
    fn is_left_out_by_type(&self, member: &Member<'_>) -> bool {
        let ty = &member.field.ty;
        !member.field.required
            && member.has_plain_default(self.model)
            && !matches!(ty, Type::Struct(_))
            && Maximum::of(ty).is_none()
            && Wrapper::of(ty, member.types).is_none()
    }

    /// An optional member is not sent while it has its default. `None`: it is always sent.
    fn differs_from_default(&self, member: &Member<'_>) -> Option<String> {
        let Member { field, name, .. } = member;
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
            (Type::Bytes { .. }, Some(bytes)) => match member.types.bytes {
                BytesType::Bytes => format!("self.{name} != {bytes}[..]"),
                BytesType::Vec => format!("self.{name} != {bytes}"),
            },
            (Type::String { .. }, Some(text)) => match (member.types.string, default) {
                (StringType::Bytes, Some(Value::String(bytes))) => {
                    format!("self.{name} != {}[..]", byte_string(bytes))
                }
                (StringType::Shared | StringType::Inline, _) => format!("*self.{name} != *{text}"),
                _ => format!("self.{name} != {text}"),
            },
            (Type::Enum(id), None) => match self.model[*id].items.is_empty() {
                true => format!("self.{name}.0 != 0"),
                false => format!("self.{name} != {}", self.spelling.enumerator(*id, 0)),
            },
            (_, Some(value)) => format!("self.{name} != {value}"),
            (_, None) => format!("self.{name} != 0"),
        })
    }

    /// How a member is read.
    fn decoded(&self, member: &Member<'_>) -> String {
        let field = member.field;
        let maximum = Maximum::of(&field.ty);
        // What stands around the value on the wire, and what takes it out again.
        let (wire, inner) = match (Wrapper::of(&field.ty, member.types), &maximum) {
            (None, None) => ("", Inner::Itself),
            (None, Some(_)) => ("_", Inner::Field),
            (Some(wrapper), None) => (wrapper.path(), Inner::Field),
            // Not `.0.0`, which the styles of rustfmt space in different ways.
            (Some(Wrapper::CharArray), Some(_)) => ("_", Inner::Function("codec::chars")),
            (Some(Wrapper::CharBytes), Some(_)) => ("_", Inner::Function("codec::char_bytes")),
            (Some(_), Some(_)) => ("_", Inner::Function("codec::byte_vec")),
        };
        let default = match &field.default {
            Some(value) if !is_default(self.model, value, &field.ty) => {
                let text = self.owned_value(value, member);
                Some(match is_scalar(&field.ty) {
                    true => Fallback::Value(text),
                    false => Fallback::Made(text),
                })
            }
            _ => None,
        };
        self.read(member, "", wire, inner, default)
    }

    /// The call of a method with this suffix that reads a member as the type `wire`, which stands around it on the
    /// wire, and takes it out.
    pub(super) fn read(
        &self,
        member: &Member<'_>,
        suffix: &str,
        wire: &str,
        inner: Inner,
        default: Option<Fallback>,
    ) -> String {
        let Member { field, name, .. } = member;
        let tag = field.tag;
        let wire = match Maximum::of(&field.ty) {
            Some(Maximum { max, .. }) => format!("codec::AtMost<{wire}, {max}>"),
            None => wire.to_owned(),
        };
        let call_of = |method: &str| match wire.as_str() {
            "" => format!(".{method}{suffix}({tag})"),
            wire => format!(".{method}{suffix}::<{wire}>({tag})"),
        };
        let of_type = |method: &str| format!("r{}", call_of(method));
        if member.option {
            let map = match inner {
                _ if field.closes_cycle => format!(".map({}::new)", self.spelling.prelude.boxed()),
                Inner::Itself => String::new(),
                inner => {
                    let read = call_of("option");
                    let head = format!("{name}: ");
                    let args = [inner.function()];
                    return layout::second_call(MEMBER, &head, ("r", &read), ".map", &args);
                }
            };
            return format!("{name}: {}{map}", of_type("option"));
        }
        if field.required {
            return format!("{name}: {}", inner.of(&of_type("required")));
        }
        let Some(default) = default else {
            return format!("{name}: {}", inner.of(&of_type("optional")));
        };
        if let Inner::Itself = inner {
            let head = format!("{name}: r.optional{suffix}_or");
            return match default {
                Fallback::Value(value) => {
                    layout::item_call(MEMBER, &head, &[tag.to_string(), value])
                }
                Fallback::Made(value) => layout::call_with_closure(
                    MEMBER,
                    &format!("{head}_else"),
                    &[tag.to_string(), format!("|| {value}")],
                ),
            };
        }
        let read = call_of("option");
        let (Fallback::Value(default) | Fallback::Made(default)) = default;
        let args = [format!("|| {default}"), inner.function()];
        layout::second_call(
            MEMBER,
            &format!("{name}: "),
            ("r", &read),
            ".map_or_else",
            &args,
        )
    }
}

/// The indentation of the members of the literal that a decoder makes.
const MEMBER: usize = 12;

/// The default of a member, as an expression.
pub(super) enum Fallback {
    /// That costs nothing.
    Value(String),
    /// That is made only where it is needed.
    Made(String),
}

/// How a value is taken out of what stands around it on the wire.
pub(super) enum Inner {
    Itself,
    /// `.0`
    Field,
    Function(&'static str),
}

impl Inner {
    fn of(&self, read: &str) -> String {
        match self {
            Self::Itself => read.to_owned(),
            Self::Field => format!("{read}.0"),
            Self::Function(path) => format!("{path}({read})"),
        }
    }

    fn function(&self) -> String {
        match self {
            Self::Function(path) => (*path).to_owned(),
            _ => format!("|value| {}", self.of("value")),
        }
    }
}

/// Writes a member: `place` is what has a length, `value` a reference to it.
fn put(indent: usize, member: &Member<'_>, place: &str, value: &str) -> Vec<String> {
    let check = Maximum::of(&member.field.ty).map(|Maximum { what, max }| {
        let args = [
            format!("\"{what}\""),
            format!("{place}.len()"),
            max.to_string(),
        ];
        layout::call(indent, "w.check_max", &args, ";")
    });
    let wrapped = Wrapper::of(&member.field.ty, member.types)
        .map(|wrapper| format!("&{}({value})", wrapper.path()));
    let value = wrapped.unwrap_or_else(|| value.to_owned());
    let put = layout::call(indent, "w.put", &[member.field.tag.to_string(), value], ";");
    check.into_iter().chain([put]).collect()
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
