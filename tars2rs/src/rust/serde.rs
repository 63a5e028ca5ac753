//! `Serialize` and `Deserialize`: the JSON of Tars, whatever the format.

use askama::Template;

use super::prelude::Prelude;
use super::{layout, text};

#[derive(Template)]
#[template(path = "serde.rs.j2", escape = "none")]
struct Impls<'a> {
    name: &'a str,
    serialize: &'a str,
    deserialize: &'a str,
}

/// Both for the struct or enum `name`.
pub(super) fn item(name: &str, prelude: &Prelude) -> String {
    let result = prelude.result();
    let serialize = layout::signature(
        4,
        "fn serialize<S: codec::json::Serializer>",
        &["&self".to_owned(), "serializer: S".to_owned()],
        &format!(" -> {result}<S::Ok, S::Error> {{"),
    );
    let deserialize = layout::signature(
        4,
        "fn deserialize<D: codec::json::Deserializer<'de>>",
        &["deserializer: D".to_owned()],
        &format!(" -> {result}<Self, D::Error> {{"),
    );
    text(&Impls {
        name,
        serialize: &serialize,
        deserialize: &deserialize,
    })
}
