//! Names of the standard library, as they must be written in a file that may define the same ones.
//!
//! Every file imports what it uses, the prelude included, so that it compiles wherever it is put: also below a module
//! with `#[no_implicit_prelude]`. A name that the file defines itself shadows the one of the imported prelude.

use std::collections::HashSet;

use memchr::memmem;

use super::layout;

/// The names that a file defines itself.
#[derive(Debug, Default)]
pub(super) struct Prelude {
    defined: HashSet<String>,
}

macro_rules! names {
    ($($method:ident $plain:literal $absolute:literal;)*) => {
        impl Prelude {
            /// Every name that generated code may use without a path.
            pub(super) const NAMES: &'static [&'static str] = &[$($plain),*];

            $(
                #[doc = concat!("`", $plain, "`, or its full path.")]
                pub(super) fn $method(&self) -> &'static str {
                    if self.defines($plain) { $absolute } else { $plain }
                }
            )*
        }
    };
}

names! {
    string "String" "::std::string::String";
    vec "Vec" "::std::vec::Vec";
    boxed "Box" "::std::boxed::Box";
    option "Option" "::std::option::Option";
    some "Some" "::std::option::Option::Some";
    none "None" "::std::option::Option::None";
    result "Result" "::std::result::Result";
    ok "Ok" "::std::result::Result::Ok";
    err "Err" "::std::result::Result::Err";
    default "Default" "::std::default::Default";
    from "From" "::std::convert::From";
    clone_trait "Clone" "::std::clone::Clone";
    partial_eq "PartialEq" "::std::cmp::PartialEq";
    eq "Eq" "::std::cmp::Eq";
    partial_ord "PartialOrd" "::std::cmp::PartialOrd";
    ord "Ord" "::std::cmp::Ord";
    send "Send" "::std::marker::Send";
    sync "Sync" "::std::marker::Sync";
    async_fn_once "AsyncFnOnce" "::std::ops::AsyncFnOnce";
    // Not in the prelude: imported where the plain name is used.
    map "BTreeMap" "::std::collections::BTreeMap";
    hash_map "HashMap" "::std::collections::HashMap";
    future "Future" "::std::future::Future";
    arc "Arc" "::std::sync::Arc";
}

const PRELUDE: &str = "prelude::v1::*";

impl Prelude {
    /// For a file that defines these names.
    pub(super) fn new<'a>(defined: impl IntoIterator<Item = &'a str>) -> Self {
        Self {
            defined: defined.into_iter().map(str::to_owned).collect(),
        }
    }

    /// Whether the file defines a name itself.
    pub(super) fn defines(&self, name: &str) -> bool {
        self.defined.contains(name)
    }

    /// The line that imports what a text uses of the standard library, or nothing.
    pub(super) fn import(&self, text: &str) -> String {
        // Modules first: no type has a name like theirs.
        const USES: [(&str, &str, &str); 13] = [
            ("", "cmp::", "cmp"),
            ("BTreeMap", "BTreeMap<", "collections::BTreeMap"),
            ("HashMap", "HashMap<", "collections::HashMap"),
            ("", "fmt::", "fmt"),
            ("Future", "Future<", "future::Future"),
            ("", "hash::", "hash"),
            ("", "num::", "num"),
            ("", "#[derive(", PRELUDE),
            ("String", "String>", PRELUDE),
            ("String", "String,", PRELUDE),
            ("Vec", "Vec<", PRELUDE),
            ("", "str::", "str"),
            ("Arc", "Arc<", "sync::Arc"),
        ];
        let used =
            |(name, sign, _): &&(&str, &str, &str)| !self.defines(name) && mentions(text, sign);
        let names = USES
            .iter()
            .filter(used)
            .map(|(_, _, path)| (*path).to_owned());
        let mut names: Vec<String> = names.collect();
        names.dedup();
        // A trait whose name the file takes is not there with its functions either.
        const TRAITS: [(&str, &str, &str); 3] = [
            ("Clone", "::clone(", "::std::clone::Clone"),
            ("Ord", ".cmp(", "::std::cmp::Ord"),
            ("From", "::from(", "::std::convert::From"),
        ];
        let hidden = TRAITS
            .iter()
            .filter(|(name, sign, _)| self.defines(name) && text.contains(sign));
        let mut lines: Vec<String> = hidden
            .map(|(.., path)| format!("use {path} as _;\n"))
            .collect();
        if !names.is_empty() {
            lines.push(format!("{}\n", layout::import("::std", &names)));
        }
        lines.join("\n")
    }
}

/// Whether code in a text has this, and not as a part of a longer path or word, nor in a comment.
fn mentions(text: &str, sign: &str) -> bool {
    memmem::find_iter(text.as_bytes(), sign).any(|at| {
        let before = &text[..at];
        let line = before.rsplit('\n').next().unwrap_or_default();
        let last = before.chars().next_back();
        !last.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':')
            && !line.trim_start().starts_with("//")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_are_what_is_used() {
        let prelude = Prelude::new(["Arc"]);
        let import = |text| prelude.import(text);
        assert_eq!(import("/// fmt::Debug\npub const A: i32 = 1;\n"), "");
        assert_eq!(
            import("#[derive(Debug)]\nimpl fmt::Display for Color {\n"),
            "use ::std::{fmt, prelude::v1::*};\n"
        );
        let others = "a: super::fmt::A, b: my_hash::B, c: Arc<str>, d: BTreeMap<i32, i32>";
        assert_eq!(import(others), "use ::std::collections::BTreeMap;\n");
    }

    #[test]
    fn functions_of_traits_are_there_though_their_name_is_taken() {
        let import = |name, text| Prelude::new([name]).import(text);
        assert_eq!(
            import("From", "#[derive(Debug)]\na: String::from(b)"),
            "use ::std::convert::From as _;\n\nuse ::std::prelude::v1::*;\n"
        );
        assert_eq!(import("Ord", "a.cmp(b)"), "use ::std::cmp::Ord as _;\n");
        assert_eq!(import("Ord", "a"), "");
        assert_eq!(import("Clone", "String::from(b)"), "");
    }
}
