//! Names of the standard library, as they must be written in a file that may define the same ones.

use std::collections::HashSet;

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
    // Not in the prelude of every edition: imported where the plain name is used.
    map "BTreeMap" "::std::collections::BTreeMap";
    future "Future" "::std::future::Future";
    arc "Arc" "::std::sync::Arc";
}

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
}
