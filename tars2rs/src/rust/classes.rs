//! `classes/<module>.rs`: the structs, enums and constants of one IDL module.

use crate::config::Types;
use crate::model::{ConstId, Item, ModuleId, Type};
use crate::parallel;

use super::naming::bare;
use super::prelude::Prelude;
use super::styles::Named;
use super::types::{Place, Spelling};
use super::{Body, Context, docs, enums, layout, structs};

/// Fewer declarations are not worth a thread.
const MIN_SHARE: usize = 32;

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
    let is_extern = |of: Named| cx.styles.extern_path(of, "").is_some();
    let declared = parallel::map(&module.items, MIN_SHARE, |&item| match item {
        Item::Struct(id) if !is_extern(Named::Struct(id)) => {
            let items = structs::items(id, cx, &spelling);
            Some((model[id].span, items.join("\n")))
        }
        Item::Enum(id) if !is_extern(Named::Enum(id)) => {
            Some((model[id].span, enums::items(id, &spelling).join("\n")))
        }
        Item::Const(id) => Some((model[id].span, constant(id, &spelling))),
        Item::Struct(_) | Item::Enum(_) | Item::Interface(_) => None,
    });
    let (spans, items): (Vec<_>, Vec<_>) = declared.into_iter().flatten().unzip();
    if items.is_empty() {
        return None;
    }
    let mut text = items.join("\n");
    let mut head = spelling.prelude.import(&text);
    if !head.is_empty() {
        head.push('\n');
    }
    if text.contains("codec::") {
        let check = cx.runtime.check_version();
        head += &format!("use {}::codec;\n\n{check}\n", cx.runtime.path);
    }
    text.insert_str(0, &head);
    let fallback = format!("Types of the IDL module `{}`.", module.name);
    Some(Body {
        path: format!("classes/{}.rs", bare(&names.modules[id.0 as usize])),
        spans,
        doc: docs::plain(&module.doc, &fallback),
        exports: Vec::new(),
        text,
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
