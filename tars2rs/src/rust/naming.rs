//! From names of the IDL to names of Rust.

use std::collections::{HashMap, HashSet};

use heck::{ToShoutySnakeCase, ToSnakeCase, ToUpperCamelCase};

/// How a kind of name is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Case {
    /// `UpperCamel`: types.
    Camel,
    /// `snake_case`: fields, methods, parameters, modules.
    Snake,
    /// `SCREAMING_SNAKE`: constants and enumerators.
    Screaming,
}

/// Keywords of the editions 2021 and 2024 that can be written as `r#keyword`.
const KEYWORDS: [&str; 48] = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "do", "dyn",
    "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let",
    "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return",
    "static", "struct", "trait", "true", "try", "type", "typeof", "unsafe", "unsized", "use",
    "virtual", "where", "while", "yield",
];

/// Keywords that have no raw form.
const PATH_KEYWORDS: [&str; 4] = ["self", "Self", "super", "crate"];

/// Rust names for names of one scope, in their order. All results differ.
///
/// A name depends on nothing outside of `names`: when several become one, the name that needed no change keeps it,
/// else the first, and the others get a number. Names in `reserved` get a trailing `_`.
pub(crate) fn assign<S: AsRef<str>>(names: &[S], case: Case, reserved: &[&str]) -> Vec<String> {
    let natural: Vec<String> = names
        .iter()
        .map(|name| natural(name.as_ref(), case, reserved))
        .collect();
    let mut owner: HashMap<&str, usize> = HashMap::new();
    for (index, name) in natural.iter().enumerate() {
        let unchanged = bare(name) == names[index].as_ref();
        let first = *owner.entry(name).or_insert(index);
        if unchanged && bare(name) != names[first].as_ref() {
            owner.insert(name, index);
        }
    }
    if owner.len() == natural.len() {
        return natural;
    }
    let mut taken: HashSet<String> = natural.iter().map(|name| bare(name).to_owned()).collect();
    let mut numbers: HashMap<&str, usize> = HashMap::new();
    let unique = natural.iter().enumerate().map(|(index, name)| {
        if owner.get(name.as_str()) == Some(&index) {
            name.clone()
        } else {
            let number = numbers.entry(name).or_insert(2);
            numbered(bare(name), case, number, &mut taken)
        }
    });
    unique.collect()
}

/// The name without `r#`: how a file of a module is called.
pub(crate) fn bare(ident: &str) -> &str {
    ident.strip_prefix("r#").unwrap_or(ident)
}

/// The other way: the module of a file.
pub(crate) fn of_file(stem: &str) -> String {
    if KEYWORDS.contains(&stem) {
        format!("r#{stem}")
    } else {
        stem.to_owned()
    }
}

/// A name with something behind it. The `_` of one that was reserved is not needed any more, and would be one too many.
pub(crate) fn join(name: &str, suffix: &str) -> String {
    if suffix.is_empty() {
        return name.to_owned();
    }
    format!("{}{suffix}", bare(name).trim_end_matches('_'))
}

/// What a name becomes when nothing else is in its scope.
pub(crate) fn natural(name: &str, case: Case, reserved: &[&str]) -> String {
    let mut converted = convert(name, case);
    if PATH_KEYWORDS.contains(&converted.as_str()) || reserved.contains(&converted.as_str()) {
        converted.push('_');
    } else if KEYWORDS.contains(&converted.as_str()) {
        converted.insert_str(0, "r#");
    }
    converted
}

/// A name in the case of its kind.
pub(crate) fn convert(name: &str, case: Case) -> String {
    if is_converted(name, case) {
        return name.to_owned();
    }
    let mut converted = match case {
        Case::Camel => name.to_upper_camel_case(),
        Case::Snake => name.to_snake_case(),
        Case::Screaming => name.to_shouty_snake_case(),
    };
    if converted.is_empty() {
        // Only underscores.
        converted = match case {
            Case::Camel => "Unnamed",
            Case::Snake => "unnamed",
            Case::Screaming => "UNNAMED",
        }
        .to_owned();
    }
    if converted.starts_with(|c: char| c.is_ascii_digit()) {
        // No word at all makes a poor variable.
        let wordless = !converted.contains(|c: char| c.is_alphabetic());
        let first = if wordless && case == Case::Snake {
            'n'
        } else {
            '_'
        };
        if let (Case::Camel, Some(at)) = (case, converted.find(|c: char| c.is_alphabetic())) {
            // A type begins with a capital, a variable with a small letter: `_1A` and `_1a` are two names.
            converted[at..=at].make_ascii_uppercase();
        }
        converted.insert(0, first);
    }
    converted
}

/// Whether a name is certain to be in the case already. Most are, and this is cheaper than to convert them.
fn is_converted(name: &str, case: Case) -> bool {
    let is_letter = match case {
        Case::Camel => return false,
        Case::Snake => u8::is_ascii_lowercase,
        Case::Screaming => u8::is_ascii_uppercase,
    };
    let bytes = name.as_bytes();
    bytes.first().is_some_and(is_letter)
        && bytes.last() != Some(&b'_')
        && bytes
            .iter()
            .all(|byte| is_letter(byte) || byte.is_ascii_digit() || *byte == b'_')
        && !name.contains("__")
}

/// The name with the next number that is free. `number` is the first one that has not been tried.
fn numbered(name: &str, case: Case, number: &mut usize, taken: &mut HashSet<String>) -> String {
    let name = name.trim_end_matches('_');
    let separator = if case == Case::Camel && !name.ends_with(|c: char| c.is_ascii_digit()) {
        ""
    } else {
        "_"
    };
    loop {
        let candidate = format!("{name}{separator}{number}");
        *number += 1;
        if taken.insert(candidate.clone()) {
            return candidate;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snake(names: &[&str]) -> Vec<String> {
        assign(names, Case::Snake, &[])
    }

    #[test]
    fn cases() {
        assert_eq!(
            natural("testTafServer", Case::Snake, &[]),
            "test_taf_server"
        );
        assert_eq!(natural("PHPTest", Case::Snake, &[]), "php_test");
        assert_eq!(natural("simple_struct", Case::Camel, &[]), "SimpleStruct");
        assert_eq!(natural("maxSize", Case::Screaming, &[]), "MAX_SIZE");
        assert_eq!(natural("i32", Case::Camel, &[]), "I32");
    }

    #[test]
    fn what_needs_no_conversion_would_come_back_the_same() {
        for name in [
            "a", "a_b", "a1", "a1_b2", "a_1", "ab12cd", "A", "A_B", "A1", "AB1C_2D",
        ] {
            assert!(is_converted(name, Case::Snake) || is_converted(name, Case::Screaming));
            if is_converted(name, Case::Snake) {
                assert_eq!(name.to_snake_case(), name);
            } else {
                assert_eq!(name.to_shouty_snake_case(), name);
            }
        }
        for name in ["", "_a", "a_", "a__b", "1a", "aB", "é"] {
            assert!(!is_converted(name, Case::Snake), "{name}");
        }
    }

    #[test]
    fn odd_names() {
        assert_eq!(natural("__", Case::Snake, &[]), "unnamed");
        assert_eq!(natural("_1", Case::Snake, &[]), "n1");
        assert_eq!(natural("_1a", Case::Snake, &[]), "_1a");
        assert_eq!(natural("_1", Case::Camel, &[]), "_1");
        assert_eq!(natural("_1a", Case::Camel, &[]), "_1A");
        assert_eq!(natural("_12ab_cd", Case::Camel, &[]), "_12AbCd");
        assert_eq!(natural("_", Case::Camel, &[]), "Unnamed");
    }

    #[test]
    fn keywords() {
        assert_eq!(
            snake(&["type", "gen", "self", "Self", "crate", "union"]),
            ["r#type", "r#gen", "self_", "self_2", "crate_", "union"]
        );
        assert_eq!(natural("Self", Case::Camel, &[]), "Self_");
        assert_eq!(natural("self", Case::Camel, &[]), "Self_");
    }

    #[test]
    fn collisions_keep_the_unchanged_name() {
        assert_eq!(
            snake(&["fooBar", "foo_bar", "FooBar", "foo_bar_2"]),
            ["foo_bar_3", "foo_bar", "foo_bar_4", "foo_bar_2"]
        );
        assert_eq!(
            assign(&["foo", "Foo", "foo2"], Case::Camel, &[]),
            ["Foo3", "Foo", "Foo2"]
        );
    }

    #[test]
    fn collisions_of_keywords() {
        assert_eq!(snake(&["Type", "type"]), ["type_2", "r#type"]);
    }

    #[test]
    fn reserved_names() {
        assert_eq!(
            assign(&["new", "New", "old"], Case::Snake, &["new"]),
            ["new_", "new_2", "old"]
        );
    }
}
