//! `classes/<module>.rs`: the structs, enums and constants of one IDL module.

use std::collections::HashSet;

use crate::config::Types;
use crate::model::{ConstId, Item, ModuleId, Type};

use super::naming::bare;
use super::prelude::Prelude;
use super::styles::Named;
use super::types::{Place, Spelling};
use super::{Body, Context, docs, enums, layout, structs};

/// The file of a module; `None` when there is nothing in it.
pub(super) fn file(id: ModuleId, cx: Context<'_>) -> Option<Body> {
    let Context { model, names, .. } = cx;
    let module = &model[id];
    let spelling = Spelling {
        model,
        names,
        styles: cx.styles,
        prelude: Prelude::new(names.types_of(model, id)),
        place: Place::Classes(id),
    };
    // A constant in scope would make a variable of its name a pattern.
    let values: HashSet<&str> = names.values_of(model, id).collect();
    let is_extern = |of: Named| cx.styles.extern_path(of, "").is_some();
    let mut spans = Vec::new();
    let mut items = Vec::new();
    for &item in &module.items {
        match item {
            Item::Struct(id) if !is_extern(Named::Struct(id)) => {
                spans.push(model[id].span);
                items.extend(structs::items(id, cx, &spelling, &values));
            }
            Item::Enum(id) if !is_extern(Named::Enum(id)) => {
                spans.push(model[id].span);
                items.extend(enums::items(id, &spelling));
            }
            Item::Const(id) => {
                spans.push(model[id].span);
                items.push(constant(id, &spelling));
            }
            Item::Struct(_) | Item::Enum(_) | Item::Interface(_) => {}
        }
    }
    if items.is_empty() {
        return None;
    }
    let mut groups = Vec::new();
    let body = items.join("\n");
    groups.extend(Some(spelling.prelude.import(&body)).filter(|line| !line.is_empty()));
    if body.contains("codec::") {
        groups.push(format!("use {}::codec;\n", cx.runtime.path));
        groups.push(cx.runtime.check_version());
    }
    groups.push(body);
    let fallback = format!("Types of the IDL module `{}`.", module.name);
    Some(Body {
        path: format!("classes/{}.rs", bare(&names.modules[id.0 as usize])),
        spans,
        doc: docs::plain(&module.doc, &fallback),
        exports: Vec::new(),
        text: groups.join("\n"),
    })
}

fn constant(id: ConstId, spelling: &Spelling<'_>) -> String {
    let of = &spelling.model[id];
    let doc = docs::outer(0, &of.doc, &format!("Constant `{}` of the IDL.", of.name));
    let (ty, value) = match &of.ty {
        Type::String { .. } => ("&str".to_owned(), spelling.value(&of.value, &of.ty)),
        ty => (
            spelling.owned(ty, Types::default()),
            spelling.value(&of.value, ty),
        ),
    };
    let name = &spelling.names.consts[id.0 as usize];
    let line = layout::assign(0, &format!("pub const {name}: {ty}"), &format!("{value};"));
    format!("{doc}{line}\n")
}
