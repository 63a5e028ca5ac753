//! Maxima of arrays and strings.

use crate::model::Type;

/// Whether something in a value has a maximum.
pub(super) fn has_bounds(ty: &Type) -> bool {
    match ty {
        Type::String { max } | Type::Bytes { max } => max.is_some(),
        Type::Vector { item, max } => max.is_some() || has_bounds(item),
        Type::Map { key, value } => has_bounds(key) || has_bounds(value),
        _ => false,
    }
}

/// Lines that check the maxima of a value and of what is in it, written by `check(indent, what, length, max)`.
pub(super) fn bounds(
    ty: &Type,
    value: &str,
    indent: usize,
    check: &impl Fn(usize, &str, String, String) -> String,
) -> Vec<String> {
    let own = |what, max: &Option<u32>| {
        max.map(|max| check(indent, what, format!("{value}.len()"), max.to_string()))
    };
    let each = |items: String, item: &Type| {
        let inner = bounds(item, "item", indent + 4, check);
        if inner.is_empty() {
            return inner;
        }
        let blanks = " ".repeat(indent);
        let mut lines = vec![format!("{blanks}for item in {items} {{")];
        lines.extend(inner);
        lines.push(format!("{blanks}}}"));
        lines
    };
    match ty {
        Type::String { max } => own("string", max).into_iter().collect(),
        Type::Bytes { max } => own("byte vector", max).into_iter().collect(),
        Type::Vector { item, max } => {
            // Below the first level, `value` is a reference already.
            let items = if value == "item" {
                value.to_owned()
            } else {
                format!("&{value}")
            };
            own("list", max)
                .into_iter()
                .chain(each(items, item))
                .collect()
        }
        Type::Map { key, value: of } => {
            let mut lines = each(format!("{value}.keys()"), key);
            lines.extend(each(format!("{value}.values()"), of));
            lines
        }
        _ => Vec::new(),
    }
}
