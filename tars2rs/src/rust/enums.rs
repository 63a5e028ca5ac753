//! Enums: a number with names, so that values which a newer peer knows survive.

use askama::Template;

use crate::model::EnumId;

use super::derives::{SERDE, derive, with_lines};
use super::prelude::Prelude;
use super::styles::{Further, Named};
use super::types::{Spelling, default_enum_value};
use super::{docs, layout, serde, text};

#[derive(Template)]
#[template(path = "enum.rs.j2", escape = "none")]
struct Definition<'a> {
    prelude: &'a Prelude,
    doc: &'a str,
    derives: &'a str,
    name: &'a str,
    items: &'a [Enumerator],
    /// Without those whose value has a name before them.
    named: &'a [&'a Enumerator],
    /// The value of `Default`, empty when it is derived.
    default: &'a str,
    default_value: i64,
}

struct Enumerator {
    doc: String,
    line: String,
    name: String,
    ident: String,
    value: i32,
}

#[derive(Template)]
#[template(path = "enum_ref.rs.j2", escape = "none")]
struct RefImpl<'a> {
    name: &'a str,
}

/// All items of an enum.
pub(super) fn items(id: EnumId, spelling: &Spelling<'_>) -> Vec<String> {
    let (index, names) = (id.0 as usize, spelling.names);
    let of = &spelling.model[id];
    let enumerators = of
        .items
        .iter()
        .zip(&names.enumerators[index])
        .map(|(item, ident)| Enumerator {
            doc: docs::outer(4, &item.doc, &format!("Value {}.", item.value)),
            line: layout::assign(
                4,
                &format!("pub const {ident}: Self"),
                &format!("Self({});", item.value),
            ),
            name: item.name.clone(),
            ident: ident.clone(),
            value: item.value,
        });
    let items: Vec<Enumerator> = enumerators.collect();
    let mut named: Vec<&Enumerator> = Vec::new();
    let mut values = std::collections::HashSet::new();
    named.extend(items.iter().filter(|item| values.insert(item.value)));
    let default_value = default_enum_value(spelling.model, id);
    let zero = default_value == 0;
    let default = items
        .first()
        .filter(|_| !zero)
        .map(|item| format!("Self::{}", item.ident))
        .unwrap_or_default();
    let doc = docs::outer(0, &of.doc, &format!("Enum `{}` of the IDL.", of.name));
    let Further {
        derive: more,
        lines,
    } = spelling.styles.attributes(Named::Enum(id));
    let own = [
        "Clone",
        "Copy",
        "Default",
        "PartialEq",
        "Eq",
        "PartialOrd",
        "Ord",
        "Hash",
    ];
    let own = own.into_iter().filter(|name| zero || *name != "Default");
    // `Into` is of the crate derive_more, and what `From` for `i32` gives.
    let mut written = vec!["Debug", "Display", "FromStr", "From", "Into"];
    written.extend((!zero).then_some("Default"));
    if spelling.styles.options.serde {
        written.extend(SERDE);
    }
    let derives = with_lines(derive(own, &more, &written), &lines);
    let prelude = &spelling.prelude;
    let name = &names.enums[index];
    let mut all = vec![text(&Definition {
        prelude,
        doc: &doc,
        derives: &derives,
        name,
        items: &items,
        named: &named,
        default: &default,
        default_value,
    })];
    if names.any_borrowed() {
        all.push(text(&RefImpl { name }));
    }
    if spelling.styles.options.serde {
        all.push(serde::item(name, prelude));
    }
    all
}
