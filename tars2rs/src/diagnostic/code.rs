//! The one table of everything that the compiler can complain about.

use super::Severity;

macro_rules! codes {
    ($($variant:ident = $severity:ident $name:literal: $explanation:literal;)*) => {
        /// What a diagnostic is about. The names are stable: scripts and editors may rely on them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Code {
            $(#[doc = $explanation] $variant,)*
        }

        impl Code {
            /// All codes, in the order of the table.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The stable name, such as `duplicate-tag`.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// How bad it is.
            #[must_use]
            pub fn severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity,)* }
            }

            /// One line that says what is wrong.
            #[must_use]
            pub fn explanation(self) -> &'static str {
                match self { $(Self::$variant => $explanation,)* }
            }
        }
    };
}

codes! {
    // Configs
    InvalidConfig = Error "invalid-config": "A config has an unknown key, lacks one, or a value is wrong.";

    // Files
    UnreadableFile = Error "unreadable-file": "A file cannot be opened, is too large, or is no text.";
    NotUtf8 = Warning "not-utf8": "A file has bytes that are not UTF-8; only in comments is that harmless.";
    MissingInclude = Error "missing-include": "An `#include` names a file that is in none of the places searched.";

    // Characters and tokens
    IllegalCharacter = Error "illegal-character": "A character has no meaning outside comments and strings.";
    Unterminated = Error "unterminated": "A comment or string is never closed.";
    UnbalancedBrace = Error "unbalanced-brace": "A `{` is never closed, or a `}` closes nothing.";
    NestingTooDeep = Error "nesting-too-deep": "Brackets are nested deeper than any honest IDL needs.";
    InvalidNumber = Error "invalid-number": "A number is badly written or out of range for any type.";
    InvalidString = Error "invalid-string": "A string holds a NUL or bytes that are not UTF-8 (which the default of a member may be that is `bytes::Bytes` in the generated code).";
    UnknownEscape = Warning "unknown-escape": "A `\\` in a string comes before a character that needs none.";

    // Syntax
    SyntaxError = Error "syntax-error": "Something is missing, misplaced or not part of the language.";
    KeywordAsName = Error "keyword-as-name": "A keyword of the IDL is used as a name.";
    OutsideModule = Error "outside-module": "A declaration must be inside a module.";
    NestedModule = Error "nested-module": "A module cannot be inside a module.";
    MissingSemicolon = Warning "missing-semicolon": "The `;` after the `}` of a declaration is missing.";
    ExtraSemicolon = Warning "extra-semicolon": "There is more than one `;` after a `}`.";

    // Names
    DuplicateType = Error "duplicate-type": "Two types or interfaces of a module have one name.";
    DuplicateConst = Error "duplicate-const": "Two constants of a module have one name.";
    DuplicateEnumerator = Error "duplicate-enumerator": "Two enumerators of an enum have one name.";
    DuplicateMember = Error "duplicate-member": "Two members of a struct have one name.";
    DuplicateMethod = Error "duplicate-method": "Two methods of an interface have one name.";
    DuplicateParameter = Error "duplicate-parameter": "Two parameters of a method have one name.";
    UnknownType = Error "unknown-type": "A name is used as a type but is none.";
    UnknownValue = Error "unknown-value": "A name is used as a value but is neither a constant nor an enumerator.";
    AmbiguousValue = Error "ambiguous-value": "A name means enumerators of several enums.";
    InterfaceNamedLikeModule = Warning "interface-named-like-module": "tars2cpp refuses an interface that has the name of its module.";
    ParameterNamedLikeMethod = Warning "parameter-named-like-method": "tars2cpp refuses a parameter that has the name of its method.";
    BuiltinCase = Warning "builtin-case": "A builtin type is written in other letter case.";
    Renamed = Warning "renamed": "A name is another name in Rust already, or reserved there, and got a suffix.";
    ForeignSpelling = Warning "foreign-spelling": "`boolean` and `char` are understood by tars2php only.";

    // Structs
    InvalidTag = Error "invalid-tag": "A tag is not in 0..=255.";
    DuplicateTag = Error "duplicate-tag": "Two members of a struct have one tag.";
    InvalidKey = Error "invalid-key": "A `key[..]` names no struct, an unknown member, or something twice.";
    InfiniteStruct = Error "infinite-struct": "A struct needs itself, by members that are all `require`.";
    InvalidArray = Error "invalid-array": "An array or maximum length has a wrong size, element or shape.";

    // Values
    TypeMismatch = Error "type-mismatch": "A value is of the wrong kind for its type.";
    NoDefaultAllowed = Error "no-default-allowed": "Only members of a builtin or enum type can have a default.";
    InvalidConstType = Error "invalid-const-type": "A constant must be of a builtin scalar, string or enum type.";
    OutOfRange = Error "out-of-range": "A value does not fit in its type.";
    NotAnEnumerator = Warning "not-an-enumerator": "A number is used for an enum that has no such value.";
    WrongEnum = Error "wrong-enum": "An enumerator of another enum is used.";
    CyclicValue = Error "cyclic-value": "A constant or enumerator is defined by itself.";

    // All of it
    TooManyMessages = Warning "too-many-messages": "There were more messages than anybody would read.";

    // Interfaces
    SeveralRouteKeys = Warning "several-route-keys": "A method has more than one `routekey`, but a call goes to one node.";
    TooManyParameters = Error "too-many-parameters": "A method has more than 255 parameters, so their tags do not fit.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_kebab_case() {
        let mut names: Vec<_> = Code::ALL.iter().map(|code| code.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Code::ALL.len());
        assert!(names.iter().all(|name| {
            name.bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        }));
    }
}
