//! Structs: the definition here, what is implemented for them in the modules below.

mod default;
mod order;
mod wire;

use askama::Template;

use crate::model::{Field, Model, Struct, StructId, Type};

use super::derives::{Derives, Traits};
use super::names::Names;
use super::types::{Spelling, is_default};
use super::{docs, layout, text};

#[derive(Template)]
#[template(path = "struct.rs.j2", escape = "none")]
struct Definition<'a> {
    doc: &'a str,
    derives: &'a str,
    name: &'a str,
    fields: &'a [Member],
}

/// A field of a definition.
pub(super) struct Member {
    doc: String,
    line: String,
}

impl Member {
    /// The `fallback` is for a field without doc comment.
    pub(super) fn new(doc: &[String], fallback: &str, name: &str, ty: &str) -> Self {
        Self {
            doc: docs::outer(4, doc, fallback),
            line: layout::field(4, name, ty),
        }
    }
}

/// `pub struct`
pub(super) fn definition(doc: &str, derives: Derives, name: &str, fields: &[Member]) -> String {
    let derives = derives.attribute();
    text(&Definition {
        doc,
        derives: &derives,
        name,
        fields,
    })
}

/// All items of a struct.
pub(super) fn items(
    id: StructId,
    names: &Names,
    traits: &Traits,
    spelling: &Spelling<'_>,
) -> Vec<String> {
    let this = Parts::new(id, names, traits, spelling);
    let mut items = vec![this.definition()];
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
    has_order: bool,
    /// A struct in a map key: floats in its containers are wrapped.
    is_key: bool,
    fields: &'a [String],
    /// Variables of the decoder.
    locals: Vec<String>,
}

impl<'a> Parts<'a> {
    fn new(id: StructId, names: &'a Names, traits: &Traits, spelling: &'a Spelling<'a>) -> Self {
        let model = spelling.model;
        let of = &model[id];
        let index = id.0 as usize;
        let has_order = traits.has_order(id);
        let written_out = traits.compares_floats(id, of);
        let fields = &names.fields[index];
        // A constant in scope would make the variable a pattern.
        let consts: Vec<&str> = names.values_of(model, of.module).collect();
        let reserved = |name: &str| matches!(name, "r" | "head") || consts.contains(&name);
        let local = |name: &String| {
            if reserved(name) {
                format!("{name}_")
            } else {
                name.clone()
            }
        };
        Self {
            id,
            of,
            name: &names.structs[index],
            model,
            spelling,
            derives: Derives {
                copy: traits.copies(id),
                default: of.fields.iter().all(|f| {
                    f.default
                        .as_ref()
                        .is_none_or(|v| is_default(model, v, &f.ty))
                }),
                partial_eq: !written_out,
                eq: has_order && !written_out,
                ord: has_order && !written_out && keys_come_first(of),
            },
            has_order,
            is_key: traits.keys[index],
            fields,
            locals: fields.iter().map(local).collect(),
        }
    }

    fn members(&self) -> impl Iterator<Item = (&'a Field, &'a str)> {
        self.of
            .fields
            .iter()
            .zip(self.fields.iter().map(String::as_str))
    }

    fn ty(&self, field: &Field) -> String {
        let bare_float = matches!(field.ty, Type::Float | Type::Double);
        self.spelling
            .owned_in(Some(self.id), &field.ty, self.is_key && !bare_float)
    }

    fn definition(&self) -> String {
        let member = |(field, name): (&Field, &str)| {
            let ty = self.ty(field);
            let ty = if field.closes_cycle {
                format!(
                    "{}<{}<{ty}>>",
                    self.spelling.prelude.option(),
                    self.spelling.prelude.boxed()
                )
            } else {
                ty
            };
            Member::new(&field.doc, &format!("Tag {}.", field.tag), name, &ty)
        };
        let fields: Vec<Member> = self.members().map(member).collect();
        let doc = docs::outer(
            0,
            &self.of.doc,
            &format!("Struct `{}` of the IDL.", self.of.name),
        );
        definition(&doc, self.derives, self.name, &fields)
    }
}

/// Whether comparing the members in their order compares the key first.
fn keys_come_first(of: &Struct) -> bool {
    of.key.iter().copied().eq(0..of.key.len())
}
