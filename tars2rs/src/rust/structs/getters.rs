//! For members that are an `Option`: what a peer means by not sending them.

use askama::Template;

use crate::config::StringType;
use crate::model::{Type, Value};

use super::super::styles::Named;
use super::super::types::{byte_string, is_default};
use super::super::{layout, text};
use super::{Member, Parts};

#[derive(Template)]
#[template(path = "struct_getters.rs.j2", escape = "none")]
struct Getters<'a> {
    name: &'a str,
    getters: &'a [Getter],
}

struct Getter {
    doc: String,
    signature: String,
    body: String,
}

/// Methods that every type has, or that would surprise under these names.
const TAKEN: [&str; 39] = [
    "as_mut",
    "as_ref",
    "borrow",
    "borrow_mut",
    "clamp",
    "clone",
    "clone_from",
    "clone_into",
    "cmp",
    "decode",
    "decode_fields",
    "default",
    "deref",
    "drop",
    "encode",
    "encode_fields",
    "eq",
    "fmt",
    "from",
    "from_str",
    "ge",
    "gt",
    "hash",
    "into",
    "is_empty",
    "le",
    "len",
    "lt",
    "max",
    "min",
    "ne",
    "new",
    "next",
    "partial_cmp",
    "to_owned",
    "to_string",
    "try_from",
    "try_into",
    "type_id",
];

impl Parts<'_> {
    /// `None` when there is nothing to get.
    pub(super) fn getters(&self) -> Option<String> {
        let getters = self.members.iter().filter_map(|member| self.getter(member));
        let getters: Vec<Getter> = getters.collect();
        (!getters.is_empty()).then(|| {
            text(&Getters {
                name: self.name,
                getters: &getters,
            })
        })
    }

    /// For what is copied, and for text and bytes. An `Option` of anything else is as easily read by itself.
    fn getter(&self, member: &Member<'_>) -> Option<Getter> {
        let Member { field, name, .. } = member;
        if !member.option || TAKEN.contains(name) {
            return None;
        }
        let ty = match &field.ty {
            Type::Vector { .. } | Type::Map { .. } | Type::Struct(_) => return None,
            Type::Enum(id) if self.is_extern(Named::Enum(*id)) => return None,
            Type::String { .. } if member.types.string != StringType::Bytes => "&str".to_owned(),
            Type::String { .. } | Type::Bytes { .. } => "&[u8]".to_owned(),
            _ => self.ty(member),
        };
        let default = field.default.as_ref();
        let default = default.filter(|value| !is_default(self.model, value, &field.ty));
        let default = default.map(|value| match value {
            Value::String(bytes) if ty == "&[u8]" => byte_string(bytes),
            // In a map key a float is wrapped.
            value if ty.starts_with("codec::Ordered") => {
                format!("{ty}({})", self.spelling.value(value, &field.ty))
            }
            value => self.spelling.value(value, &field.ty),
        });
        let borrowed = ty.starts_with('&').then(|| ".as_deref()".to_owned());
        let or_default = match default {
            Some(default) => format!(".unwrap_or({default})"),
            None => ".unwrap_or_default()".to_owned(),
        };
        let calls: Vec<String> = borrowed.into_iter().chain([or_default]).collect();
        Some(Getter {
            doc: format!("    /// The field `{}`, or its default.", field.name),
            signature: layout::signature(
                4,
                &format!("pub fn {name}"),
                &["&self".to_owned()],
                &format!(" -> {ty} {{"),
            ),
            body: layout::chain(8, &format!("self.{name}"), &calls),
        })
    }

    fn is_extern(&self, of: Named) -> bool {
        self.spelling.styles.extern_path(of, "").is_some()
    }
}
