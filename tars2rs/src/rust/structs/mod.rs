//! Structs: the definition here, what is implemented for them in the modules below.

mod borrowed;
mod default;
mod getters;
mod order;
mod wire;

use askama::Template;

use crate::config::Types;
use crate::model::{Field, Model, Struct, StructId};

use super::derives::{Derives, SERDE, is_bare_float, is_option, with_lines};
use super::names::UNKNOWN_FIELDS;
use super::styles::Named;
use super::types::{Spelling, is_default};
use super::{Context, docs, layout, serde, text};

#[derive(Template)]
#[template(path = "struct.rs.j2", escape = "none")]
struct Definition<'a> {
    doc: &'a str,
    derives: &'a str,
    name: &'a str,
    fields: &'a [FieldLines],
}

/// A field of a definition.
pub(super) struct FieldLines {
    doc: String,
    line: String,
}

impl FieldLines {
    /// The `fallback` is for a field without doc comment.
    pub(super) fn new(
        doc: &[String],
        fallback: &str,
        attributes: &[String],
        name: &str,
        ty: &str,
    ) -> Self {
        let attributes: String = attributes
            .iter()
            .map(|line| format!("    {line}\n"))
            .collect();
        Self {
            doc: docs::outer(4, doc, fallback) + &attributes,
            line: layout::field(4, name, ty),
        }
    }
}

/// `pub struct`
pub(super) fn definition(doc: &str, derives: &str, name: &str, fields: &[FieldLines]) -> String {
    text(&Definition {
        doc,
        derives,
        name,
        fields,
    })
}

/// All items of a struct.
pub(super) fn items(id: StructId, cx: Context<'_>, spelling: &Spelling<'_>) -> Vec<String> {
    let this = Parts::new(id, cx, spelling);
    let mut items = vec![this.definition()];
    items.extend(this.getters());
    if !this.derives.default {
        items.push(this.default());
    }
    if !this.derives.partial_eq {
        items.push(this.eq());
    }
    if this.has_order && !this.derives.ord {
        items.push(this.order());
    }
    items.push(this.wire());
    items.extend(this.borrowed());
    if spelling.styles.options.serde {
        items.push(serde::item(this.name, &spelling.prelude));
    }
    items
}

/// A struct with what is known about it.
struct Parts<'a> {
    id: StructId,
    of: &'a Struct,
    name: &'a str,
    model: &'a Model,
    spelling: &'a Spelling<'a>,
    derives: Derives,
    /// Attributes that the config adds.
    attributes: Vec<String>,
    has_order: bool,
    /// A struct in a map key: floats in its containers are wrapped.
    is_key: bool,
    /// It has the member [`UNKNOWN_FIELDS`].
    keeps_unknown: bool,
    members: Vec<Member<'a>>,
}

/// A member of a struct.
struct Member<'a> {
    field: &'a Field,
    /// Its name.
    name: &'a str,
    /// What its types become.
    types: Types,
    /// It is an `Option`.
    option: bool,
    attributes: Vec<String>,
}

impl Member<'_> {
    fn is_bare_float(&self) -> bool {
        is_bare_float(self.field, self.types)
    }

    /// Whether its default is that of its Rust type.
    fn has_plain_default(&self, model: &Model) -> bool {
        let default = self.field.default.as_ref();
        self.option || default.is_none_or(|value| is_default(model, value, &self.field.ty))
    }
}

impl<'a> Parts<'a> {
    fn new(id: StructId, cx: Context<'a>, spelling: &'a Spelling<'a>) -> Self {
        let Context { model, traits, .. } = cx;
        let of = &model[id];
        let index = id.0 as usize;
        let fields = of.fields.iter().zip(&cx.names.fields[index]).enumerate();
        let member = |(index, (field, name)): (usize, (&'a Field, &'a String))| {
            let types = cx.styles.field(id, index);
            Member {
                field,
                name,
                types,
                option: is_option(field, types),
                attributes: cx.styles.field_attributes(id, index),
            }
        };
        let members: Vec<Member<'_>> = fields.map(member).collect();
        let further = cx.styles.attributes(Named::Struct(id));
        let has_order = traits.has_order(id);
        let written_out = traits.compares_floats(id, of, cx.styles);
        let default = members.iter().all(|member| member.has_plain_default(model));
        let derives_order = has_order && !written_out && keys_come_first(of);
        let mut written = Vec::new();
        let lists: [(bool, &[&str]); 4] = [
            (!default, &["Default"]),
            (written_out, &["PartialEq", "Eq", "Hash"]),
            (has_order && !derives_order, &["PartialOrd", "Ord"]),
            (cx.styles.options.serde, &SERDE),
        ];
        for (_, list) in lists.iter().filter(|(is_written, _)| *is_written) {
            written.extend_from_slice(list);
        }
        Self {
            id,
            of,
            name: &cx.names.structs[index],
            model,
            spelling,
            derives: Derives {
                copy: traits.copies(id),
                default,
                partial_eq: !written_out,
                eq: traits.has_eq(id) && !written_out,
                ord: derives_order,
                hash: has_order && !written_out,
                more: further.derive,
                written,
            },
            attributes: further.lines,
            has_order,
            is_key: traits.keys[index],
            keeps_unknown: cx.styles.keeps_unknown(id),
            members,
        }
    }

    /// The type of a member, without `Option` and `Box`.
    fn ty(&self, member: &Member<'_>) -> String {
        let ordered = self.is_key && !member.is_bare_float();
        self.spelling
            .owned_in(Some(self.id), &member.field.ty, member.types, ordered)
    }

    /// With the `Option` and `Box` of the member.
    fn optional(&self, member: &Member<'_>, mut ty: String) -> String {
        let prelude = &self.spelling.prelude;
        if member.field.closes_cycle {
            ty = format!("{}<{ty}>", prelude.boxed());
        }
        if member.option {
            ty = format!("{}<{ty}>", prelude.option());
        }
        ty
    }

    fn definition(&self) -> String {
        let lines = |member: &Member<'_>| {
            let Member { field, name, .. } = member;
            let ty = self.optional(member, self.ty(member));
            let fallback = format!("Tag {}.", field.tag);
            FieldLines::new(&field.doc, &fallback, &member.attributes, name, &ty)
        };
        let mut fields: Vec<FieldLines> = self.members.iter().map(lines).collect();
        if self.keeps_unknown {
            let doc = "Fields that the IDL does not have. They are sent on.";
            let ty = "codec::UnknownFields";
            fields.push(FieldLines::new(&[], doc, &[], UNKNOWN_FIELDS, ty));
        }
        let fallback = format!("Struct `{}` of the IDL.", self.of.name);
        let doc = docs::outer(0, &self.of.doc, &fallback);
        let derives = with_lines(self.derives.attribute(), &self.attributes);
        definition(&doc, &derives, self.name, &fields)
    }
}

/// Whether comparing the members in their order compares the key first.
fn keys_come_first(of: &Struct) -> bool {
    of.key.iter().copied().eq(0..of.key.len())
}
