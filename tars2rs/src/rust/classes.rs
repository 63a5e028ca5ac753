//! `classes/<module>.rs`: the structs, enums and constants of one IDL module.

use crate::model::{ConstId, Item, Model, ModuleId, Type};

use super::derives::Traits;
use super::names::Names;
use super::naming::bare;
use super::prelude::Prelude;
use super::types::Spelling;
use super::{Body, Runtime, docs, enums, layout, structs};

/// The file of a module; `None` when there is nothing in it.
pub(super) fn file(
    id: ModuleId,
    model: &Model,
    names: &Names,
    traits: &Traits,
    runtime: Runtime<'_>,
) -> Option<Body> {
    let module = &model[id];
    let spelling = spelling(id, model, names);
    let mut spans = Vec::new();
    let mut items = Vec::new();
    for &item in &module.items {
        match item {
            Item::Struct(id) => {
                spans.push(model[id].span);
                items.extend(structs::items(id, names, traits, &spelling));
            }
            Item::Enum(id) => {
                spans.push(model[id].span);
                items.extend(enums::items(id, names, &spelling));
            }
            Item::Const(id) => {
                spans.push(model[id].span);
                items.push(constant(id, names, &spelling));
            }
            Item::Interface(_) => {}
        }
    }
    if items.is_empty() {
        return None;
    }
    let mut groups = Vec::new();
    let body = items.join("\n");
    if !spelling.prelude.defines("BTreeMap") && body.contains("BTreeMap<") {
        groups.push("use std::collections::BTreeMap;\n".to_owned());
    }
    if module
        .items
        .iter()
        .any(|item| matches!(item, Item::Struct(_) | Item::Enum(_)))
    {
        groups.push(format!("use {}::codec;\n", runtime.path));
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

/// Types of the module go by their name, others by the path to their module.
fn spelling<'a>(id: ModuleId, model: &'a Model, names: &'a Names) -> Spelling<'a> {
    let path = |module: ModuleId, name: &String| {
        if module == id {
            name.clone()
        } else {
            format!("super::{}::{name}", names.modules[module.0 as usize])
        }
    };
    Spelling {
        model,
        prelude: Prelude::new(names.types_of(model, id)),
        structs: model
            .structs
            .iter()
            .zip(&names.structs)
            .map(|(of, name)| path(of.module, name))
            .collect(),
        enums: model
            .enums
            .iter()
            .zip(&names.enums)
            .map(|(of, name)| path(of.module, name))
            .collect(),
        enumerators: &names.enumerators,
    }
}

fn constant(id: ConstId, names: &Names, spelling: &Spelling<'_>) -> String {
    let of = &spelling.model[id];
    let doc = docs::outer(0, &of.doc, &format!("Constant `{}` of the IDL.", of.name));
    let (ty, value) = match &of.ty {
        Type::String { .. } => ("&str".to_owned(), spelling.value(&of.value, &of.ty)),
        ty => (spelling.owned(ty, false), spelling.value(&of.value, ty)),
    };
    let name = &names.consts[id.0 as usize];
    let line = layout::assign(0, &format!("pub const {name}: {ty}"), &format!("{value};"));
    format!("{doc}{line}\n")
}
