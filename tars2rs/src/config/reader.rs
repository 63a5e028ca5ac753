//! Takes keys out of TOML tables, and collects what is wrong with them.

use std::fmt::Display;
use std::ops::Range;

use toml::de::{DeTable, DeValue};

use super::options::{Attributes, Choice, Extern, IdlPath, Rule, Types};

/// Something that is wrong, and where.
#[derive(Debug)]
pub(super) struct Complaint {
    pub(super) message: String,
    pub(super) at: Range<usize>,
}

/// A table being read.
pub(super) struct Reader<'a, 't> {
    table: &'a DeTable<'t>,
    /// What comes before a key in messages: `types."M.S".`.
    prefix: String,
    /// Where to complain about a key that is missing.
    place: Range<usize>,
    complaints: &'a mut Vec<Complaint>,
}

impl<'a, 't> Reader<'a, 't> {
    /// For a table with these keys.
    pub(super) fn new(
        table: &'a DeTable<'t>,
        prefix: String,
        place: Range<usize>,
        keys: &[&'static str],
        complaints: &'a mut Vec<Complaint>,
    ) -> Self {
        let mut reader = Self {
            table,
            prefix,
            place,
            complaints,
        };
        reader.refuse_unknown(keys);
        reader
    }

    fn refuse_unknown(&mut self, keys: &[&'static str]) {
        for key in self.table.keys() {
            let name = key.get_ref().as_ref();
            if keys.contains(&name) {
                continue;
            }
            let hint = nearest(name, keys.iter().copied())
                .map(|known| format!("; did you mean `{known}`?"))
                .unwrap_or_default();
            self.complain(
                format!("unknown key `{}{name}`{hint}", self.prefix),
                key.span(),
            );
        }
    }

    /// `None` if there is no such key, or something is wrong with it.
    pub(super) fn optional<T, E: Display>(
        &mut self,
        key: &str,
        read: impl FnOnce(&DeValue<'_>) -> Result<T, E>,
    ) -> Option<T> {
        let value = self.table.get(key)?;
        match read(value.get_ref()) {
            Ok(value) => Some(value),
            Err(expected) => {
                let message = format!("`{}{key}` must be {expected}", self.prefix);
                self.complain(message, value.span());
                None
            }
        }
    }

    pub(super) fn required<T, E: Display>(
        &mut self,
        key: &str,
        read: impl FnOnce(&DeValue<'_>) -> Result<T, E>,
    ) -> Option<T> {
        if !self.table.contains_key(key) {
            let place = self.place.clone();
            self.complain(format!("the key `{}{key}` is missing", self.prefix), place);
        }
        self.optional(key, read)
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// The place of each item of a list.
    pub(super) fn places(&self, key: &str) -> Vec<Range<usize>> {
        match self.table.get(key).map(|value| value.get_ref()) {
            Some(DeValue::Array(items)) => items.iter().map(|item| item.span()).collect(),
            _ => Vec::new(),
        }
    }

    pub(super) fn choice<T: Choice>(&mut self, key: &str) -> Option<T> {
        self.optional(key, choice)
    }

    pub(super) fn flag(&mut self, key: &str) -> Option<bool> {
        self.optional(key, |value| value.as_bool().ok_or("true or false"))
    }

    pub(super) fn types(&mut self) -> Types {
        Types {
            optional: self.choice("optionalType").unwrap_or_default(),
            string: self.choice("stringType").unwrap_or_default(),
            bytes: self.choice("bytesType").unwrap_or_default(),
            map: self.choice("mapType").unwrap_or_default(),
            unknown_fields: self.flag("unknownFields").unwrap_or_default(),
            borrowed: self.flag("borrowed").unwrap_or_default(),
        }
    }

    /// `[types."PATH"]`
    pub(super) fn rules(&mut self) -> Vec<Rule> {
        const KEYS: [&str; 6] = [
            "optionalType",
            "stringType",
            "bytesType",
            "mapType",
            "unknownFields",
            "borrowed",
        ];
        let mut rules = Vec::new();
        for (path, value) in self.entries("types") {
            let DeValue::Table(table) = value.get_ref() else {
                let message = format!("`types.\"{}\"` must be a table", path.text);
                self.complain(message, value.span());
                continue;
            };
            let prefix = format!("types.\"{}\".", path.text);
            let mut reader = Reader::new(table, prefix, path.at.clone(), &KEYS, self.complaints);
            rules.push(Rule {
                optional: reader.choice("optionalType"),
                string: reader.choice("stringType"),
                bytes: reader.choice("bytesType"),
                map: reader.choice("mapType"),
                unknown_fields: reader.flag("unknownFields"),
                borrowed: reader.flag("borrowed"),
                path,
            });
        }
        rules
    }

    /// `externPath = { "PATH" = "::rust::path" }`
    pub(super) fn externs(&mut self) -> Vec<Extern> {
        let mut externs = Vec::new();
        for (path, value) in self.entries("externPath") {
            match module_path(value.get_ref()) {
                Ok(rust) => externs.push(Extern { path, rust }),
                Err(expected) => {
                    let message = format!("`externPath.\"{}\"` must be {expected}", path.text);
                    self.complain(message, value.span());
                }
            }
        }
        externs
    }

    /// `[[attributes]]`
    pub(super) fn attributes(&mut self) -> Vec<Attributes> {
        const KEYS: [&str; 3] = ["path", "derive", "attributes"];
        let Some(list) = self.table.get("attributes") else {
            return Vec::new();
        };
        let DeValue::Array(items) = list.get_ref() else {
            self.complain("`attributes` must be a list of tables", list.span());
            return Vec::new();
        };
        let mut all = Vec::new();
        for item in items {
            let DeValue::Table(table) = item.get_ref() else {
                self.complain("`attributes` must be a list of tables", item.span());
                continue;
            };
            let prefix = "attributes.".to_owned();
            let at = table
                .get("path")
                .map_or_else(|| item.span(), |path| path.span());
            let mut reader = Reader::new(table, prefix, item.span(), &KEYS, self.complaints);
            let path = reader.required("path", text);
            let derive = reader.optional("derive", |value| {
                list_of(value, "a list of paths to derive macros", is_rust_path)
            });
            let attributes = reader.optional("attributes", |value| {
                list_of(
                    value,
                    "a list of attributes like `#[must_use]`",
                    is_attribute,
                )
            });
            if let Some(text) = path {
                all.push(Attributes {
                    path: IdlPath { text, at },
                    derive: derive.unwrap_or_default(),
                    attributes: attributes.unwrap_or_default(),
                });
            }
        }
        all
    }

    /// The entries of a table whose keys are paths.
    pub(super) fn entries(&mut self, key: &str) -> Vec<(IdlPath, &'a toml::Spanned<DeValue<'t>>)> {
        let Some(value) = self.table.get(key) else {
            return Vec::new();
        };
        let DeValue::Table(table) = value.get_ref() else {
            self.complain(format!("`{key}` must be a table"), value.span());
            return Vec::new();
        };
        let path = |name: &toml::Spanned<toml::de::DeString<'_>>| IdlPath {
            text: name.get_ref().to_string(),
            at: name.span(),
        };
        table
            .iter()
            .map(|(name, value)| (path(name), value))
            .collect()
    }

    pub(super) fn complain(&mut self, message: impl Into<String>, at: Range<usize>) {
        self.complaints.push(Complaint {
            message: message.into(),
            at,
        });
    }
}

/// The one that a misspelled name was meant to be.
pub(crate) fn nearest<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let name = name.to_lowercase();
    let distance = |known: &str| strsim::damerau_levenshtein(&known.to_lowercase(), &name);
    known
        .map(|known| (distance(known), known))
        .min()
        .filter(|(distance, known)| distance * 2 < known.len())
        .map(|(_, known)| known)
}

pub(super) fn text(value: &DeValue<'_>) -> Result<String, &'static str> {
    match value.as_str() {
        Some(text) if !text.is_empty() => Ok(text.to_owned()),
        _ => Err("a text in quotes, not empty"),
    }
}

pub(super) fn paths(value: &DeValue<'_>) -> Result<Vec<String>, &'static str> {
    const EXPECTED: &str = "a list of paths, not empty";
    let list = list_of(value, EXPECTED, |_| true)?;
    if list.is_empty() {
        return Err(EXPECTED);
    }
    Ok(list)
}

/// A name that becomes a directory.
pub(super) fn level(value: &DeValue<'_>) -> Result<String, &'static str> {
    let name = text(value)?;
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    let starts_well = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if starts_well && name.chars().all(allowed) {
        Ok(name)
    } else {
        Err("a name of letters, digits, `_` and `-`: a directory gets it")
    }
}

pub(super) fn module_path(value: &DeValue<'_>) -> Result<String, &'static str> {
    let path = text(value)?;
    let from_root = path.starts_with("::") || path.split("::").next() == Some("crate");
    if from_root && is_rust_path(&path) {
        Ok(path)
    } else {
        Err("a path that starts with `::` or `crate`")
    }
}

fn choice<T: Choice>(value: &DeValue<'_>) -> Result<T, String> {
    let chosen = value
        .as_str()
        .and_then(|text| T::CHOICES.iter().find(|(word, _)| *word == text));
    chosen.map(|(_, choice)| *choice).ok_or_else(|| {
        let words: Vec<String> = T::CHOICES
            .iter()
            .map(|(word, _)| format!("{word:?}"))
            .collect();
        words.join(" or ")
    })
}

pub(super) fn list_of(
    value: &DeValue<'_>,
    expected: &'static str,
    good: impl Fn(&str) -> bool,
) -> Result<Vec<String>, &'static str> {
    let items = value.as_array().ok_or(expected)?;
    let item = |item: &toml::Spanned<DeValue<'_>>| match text(item.get_ref()) {
        Ok(text) if good(&text) => Ok(text),
        _ => Err(expected),
    };
    items.iter().map(item).collect()
}

fn is_rust_path(path: &str) -> bool {
    let is_name = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    path.strip_prefix("::")
        .unwrap_or(path)
        .split("::")
        .all(|name| is_name(name.strip_prefix("r#").unwrap_or(name)))
}

/// One line; what is between the brackets is for rustc to judge.
fn is_attribute(text: &str) -> bool {
    text.starts_with("#[") && text.ends_with(']') && !text.contains(char::is_control)
}
