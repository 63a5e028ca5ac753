//! What people usually mean by what they wrote where a parse got stuck.

use super::parser::Rule;
use super::token::{Token, TokenKind, is_keyword};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::Span;

/// Where a parse got stuck.
pub(super) struct Stuck<'a> {
    /// What the piece was parsed as.
    pub(super) parsed_as: Rule,
    /// What could have followed.
    pub(super) expected: Vec<Rule>,
    /// The tokens of the piece up to there.
    pub(super) before: Vec<Token<'a>>,
    /// What is there; `None` at the end of the file.
    pub(super) found: Option<Token<'a>>,
    /// What comes after that.
    pub(super) next: Option<Token<'a>>,
    pub(super) found_span: Span,
    /// Just after the last token of `before`.
    pub(super) gap: Span,
    /// Whether a new line begins between the two.
    pub(super) line_break: bool,
}

/// "a" or "an".
fn article(noun: &str) -> &'static str {
    if noun.starts_with(['a', 'e', 'i', 'o', 'u']) {
        "an"
    } else {
        "a"
    }
}

/// A token as a message names it.
pub(super) fn show(token: Option<&Token<'_>>) -> String {
    let Some(token) = token else {
        return "the end of the file".to_owned();
    };
    let text = token.text;
    match token.kind {
        TokenKind::String => "a string".to_owned(),
        TokenKind::Number if text.len() <= 40 => format!("the number `{text}`"),
        TokenKind::Number => "a number".to_owned(),
        TokenKind::Include => "`#include`".to_owned(),
        _ if text.chars().count() > 40 => {
            format!("`{}..`", text.chars().take(40).collect::<String>())
        }
        TokenKind::Word if is_keyword(text) => format!("the keyword `{text}`"),
        _ => format!("`{text}`"),
    }
}

impl Stuck<'_> {
    /// `inside` says that the parse stopped within the token, as in `12abc`.
    pub(super) fn explain(&self, inside: bool) -> Diagnostic {
        let found = self.found.map_or("", |token| token.text);
        if inside
            && self
                .found
                .is_some_and(|token| token.kind == TokenKind::Number)
        {
            return Diagnostic::new(Code::InvalidNumber, format!("{} is badly written", show(self.found.as_ref())))
                .at(self.found_span, "")
                .note("numbers are decimal (12), hexadecimal (0x1F), octal (017) or with a point or exponent (1.5e3)");
        }
        // The order matters: of the rules that could follow, the first that must follow is what the person forgot.
        if self.wants(Rule::semicolon) {
            self.missing_semicolon(found)
        } else if self.wants(Rule::name) {
            self.missing_name(found)
        } else if self.wants(Rule::word) {
            self.missing_method_name(found)
        } else if self.wants(Rule::integer) && self.parsed_as == Rule::member {
            self.missing_tag(found)
        } else if self.wants(Rule::presence) {
            self.here("expected `require` or `optional`")
                .help("`0 require int a;` has everything that a member needs")
        } else if self.wants(Rule::param)
            || (self.parsed_as == Rule::method && self.wants(Rule::ty))
        {
            self.missing_param(found)
        } else if self.wants(Rule::ty) {
            self.missing_type(found)
        } else if self.wants(Rule::unsigned_base) {
            let error = self.here("only `byte`, `short` and `int` can be `unsigned`");
            if found == "long" {
                error.help("no compiler of Tars has an unsigned long; use `long`")
            } else {
                error
            }
        } else if self.wants(Rule::open_angle) {
            self.missing_type_arguments()
        } else if self.wants(Rule::close_angle) {
            let error = self.here("expected `>`");
            let help = "a vector has one type, `vector<int>`; a map has two, `map<string, int>`";
            if found == "," {
                error.help(help)
            } else {
                error
            }
        } else if self.wants(Rule::close_paren) {
            self.unclosed_params(found)
        } else if self.wants(Rule::open_paren) {
            self.missing_params(found)
        } else if self.wants(Rule::open) {
            self.missing_body(found)
        } else if self.wants(Rule::value) {
            self.here("expected a value")
                .note("a value is a number, string, `true`, `false`, constant or enumerator")
        } else if self.wants(Rule::assign) && self.parsed_as == Rule::const_def {
            self.after(format!("{} has no value", self.subject()))
                .help("write `= VALUE` before the `;`")
        } else if self.parsed_as == Rule::enum_def && self.wants(Rule::comma) {
            self.missing_enum_comma(found)
        } else if self.parsed_as == Rule::key_def && self.wants(Rule::comma) {
            self.here("expected `,` and a member")
                .help("`key[STRUCT, MEMBER, ..];` orders a struct by these members")
        } else if self.wants(Rule::comma) {
            self.here("expected `,` and a second type")
                .help("a map has two types: `map<string, int>`")
        } else if self.wants(Rule::method) {
            self.not_a_method()
        } else {
            self.generic()
        }
    }

    fn wants(&self, rule: Rule) -> bool {
        self.expected.contains(&rule)
    }

    /// "WHAT, found X" at X.
    fn here(&self, what: &str) -> Diagnostic {
        self.here_without_found(format!("{what}, found {}", show(self.found.as_ref())))
    }

    fn here_without_found(&self, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(Code::SyntaxError, message).at(self.found_span, "")
    }

    /// A complaint about what does not follow.
    fn after(&self, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(Code::SyntaxError, message).at(self.gap, "expected here")
    }

    fn last(&self) -> &str {
        self.before.last().map_or("", |token| token.text)
    }

    /// What the piece declares, such as "member `a`".
    fn subject(&self) -> String {
        let kind = match self.parsed_as {
            Rule::member => "member",
            Rule::const_def => "constant",
            Rule::method => "method",
            Rule::key_def => return "`key[..]`".to_owned(),
            _ => return "this declaration".to_owned(),
        };
        let name = self
            .before
            .iter()
            .take_while(|token| !matches!(token.text, "=" | "[" | "("))
            .filter(|token| token.kind == TokenKind::Word)
            .last();
        name.map_or_else(
            || format!("this {kind}"),
            |name| format!("{kind} `{}`", name.text),
        )
    }

    fn missing_semicolon(&self, found: &str) -> Diagnostic {
        let subject = self.subject();
        if self.line_break || matches!(found, "}" | "") {
            return self.after(format!("missing `;` after {subject}"));
        }
        let error = self.here(&format!("expected `;` after {subject}"));
        match found {
            "[" => error.help("arrays have one dimension; use a vector of vectors"),
            "+" | "-" | "*" | "<" | ">" => error.help("the Tars IDL has no expressions"),
            "," if self.parsed_as == Rule::member => {
                error.help("each member has its own tag, type and `;`")
            }
            _ => error,
        }
    }

    /// What a missing name would name.
    fn noun(&self) -> &'static str {
        match (self.parsed_as, self.last()) {
            (Rule::module, _) => "module",
            (Rule::struct_def, _) => "struct",
            (Rule::interface, _) => "interface",
            (Rule::enum_def, "enum") => "enum",
            (Rule::enum_def, _) => "enumerator",
            (Rule::const_def, _) => "constant",
            (Rule::key_def, "[") => "struct",
            (Rule::method, _) => "parameter",
            _ => "member",
        }
    }

    fn missing_name(&self, found: &str) -> Diagnostic {
        let noun = self.noun();
        if self.last() == "::" {
            return self.here("expected a name after `::`");
        }
        if self.parsed_as == Rule::enum_def && self.wants(Rule::comma) && found == ";" {
            return self.missing_enum_comma(found);
        }
        if self.is_type_after_type(found) {
            let qualifier = self.last();
            return Diagnostic::new(
                Code::SyntaxError,
                format!("`{qualifier}` cannot stand before a type"),
            )
            .at(
                Span {
                    start: self.gap.start - qualifier.len() as u32,
                    ..self.gap
                },
                "",
            )
            .help(format!("write `{found}` alone"));
        }
        if is_keyword(found) {
            let error = Diagnostic::new(
                Code::KeywordAsName,
                format!("the keyword `{found}` cannot name {} {noun}", article(noun)),
            );
            let error = error.at(self.found_span, "");
            return if matches!(found, "out" | "routekey") && self.parsed_as == Rule::method {
                error.help(format!(
                    "`{found}` goes before the type: `{found} TYPE NAME`"
                ))
            } else {
                error.help(format!("`{found}_` would do"))
            };
        }
        let error = self.here(&format!("expected the name of the {noun}"));
        match self.found.map(|token| token.kind) {
            Some(TokenKind::Number) => error.help("a name cannot begin with a digit"),
            _ if found == "]" && self.last() == "," => error.help("remove the `,` before it"),
            _ if self.parsed_as == Rule::method && self.last() == "void" => error,
            _ if matches!(noun, "member" | "parameter") && self.last_is_own_word() => {
                error.note(format!("`{}` was taken for the type", self.last()))
            }
            _ => error,
        }
    }

    /// `signed int a`: a word that is no type, before one that is.
    fn is_type_after_type(&self, found: &str) -> bool {
        let is_type = matches!(
            found,
            "bool"
                | "byte"
                | "short"
                | "int"
                | "long"
                | "float"
                | "double"
                | "string"
                | "vector"
                | "map"
                | "unsigned"
        );
        is_type
            && self.last_is_own_word()
            && self
                .next
                .is_some_and(|next| next.kind == TokenKind::Word || next.text == "<")
    }

    fn last_is_own_word(&self) -> bool {
        self.before
            .last()
            .is_some_and(|token| token.kind == TokenKind::Word && !is_keyword(token.text))
    }

    fn missing_method_name(&self, found: &str) -> Diagnostic {
        if found == "(" && self.before.len() == 1 {
            let name = self.last();
            return Diagnostic::new(
                Code::SyntaxError,
                format!("method `{name}` has no return type"),
            )
            .at(self.found_span, "a type and a name come before this")
            .help(format!("write `void {name}(..);` if it returns nothing"));
        }
        self.here("expected the name of the method")
    }

    fn missing_tag(&self, found: &str) -> Diagnostic {
        let error = self.here("expected the tag of a member");
        match found {
            "require" | "optional" => {
                error.help(format!("a member begins with its tag: `0 {found} int a;`"))
            }
            _ => error.help("`0 require int a;` has everything that a member needs"),
        }
    }

    fn missing_type(&self, found: &str) -> Diagnostic {
        match (found, self.last()) {
            ("require" | "optional", "require" | "optional") => {
                self.here_without_found("a member is either `require` or `optional`")
            }
            ("void", _) => self.here_without_found("only a method can be `void`"),
            ("struct" | "enum", _) => {
                let help = "declare it in the module, then use its name alone";
                self.here("expected a type").help(help)
            }
            (">", "<") => self
                .here("expected the type of the elements")
                .help("write `vector<int>`"),
            _ => self.here("expected a type"),
        }
    }

    fn missing_type_arguments(&self) -> Diagnostic {
        let (what, example) = match self.last() {
            "map" => (
                "a map needs the types of its keys and values",
                "map<string, int>",
            ),
            _ => ("a vector needs the type of its elements", "vector<int>"),
        };
        self.after(what).help(format!("write `{example}`"))
    }

    fn missing_param(&self, found: &str) -> Diagnostic {
        match (found, self.last()) {
            ("void", "(") => self
                .here_without_found("a parameter cannot be `void`")
                .help("a method without parameters is written `f()`"),
            ("require" | "optional", _) => self
                .here_without_found(format!("a parameter cannot be `{found}`"))
                .help("only members of a struct can; write the type and the name"),
            ("out" | "routekey", "out" | "routekey") => {
                self.here_without_found("a parameter cannot be both `out` and `routekey`")
            }
            (")", ",") => self
                .here("expected a parameter after `,`")
                .help("remove the `,`"),
            (")" | ",", "out" | "routekey") => {
                let direction = self.last();
                self.here("expected the type of the parameter")
                    .help(format!("write `{direction} TYPE NAME`"))
            }
            (",", _) => self.here("expected a parameter").help("remove the `,`"),
            (_, "(" | "," | "out" | "routekey") => self.here("expected the type of a parameter"),
            _ => self.missing_type(found),
        }
    }

    fn unclosed_params(&self, found: &str) -> Diagnostic {
        match found {
            "=" => self.here_without_found("a parameter cannot have a default"),
            ";" | "{" | "}" | "" => self.after(format!(
                "missing `)` after the parameters of {}",
                self.subject()
            )),
            "[" => self
                .here("expected `,` or `)`")
                .help("arrays have one dimension; use a vector of vectors"),
            _ => self.here("expected `,` or `)`"),
        }
    }

    fn missing_params(&self, found: &str) -> Diagnostic {
        // `oneway void f()`: the first word was taken for the type, the second for the name.
        if self.before.len() == 2 && is_keyword(self.last()) && found != ";" {
            let (first, second) = (&self.before[0], self.last());
            let start = self.gap.start - (self.before[1].end() - first.start) as u32;
            let span = Span {
                start,
                end: start + first.text.len() as u32,
                ..self.gap
            };
            return Diagnostic::new(
                Code::SyntaxError,
                format!("`{}` cannot stand before `{second}`", first.text),
            )
            .at(span, "")
            .help("a method is its return type, its name and its parameters, nothing else");
        }
        self.here("expected `(` after the name of the method")
    }

    fn missing_body(&self, found: &str) -> Diagnostic {
        match (self.parsed_as, found) {
            (Rule::interface | Rule::struct_def, ":" | "extends" | "implements") => {
                self.here_without_found("the Tars IDL has no inheritance")
            }
            (Rule::enum_def, ":") => self
                .here_without_found("the type of an enum cannot be chosen")
                .note("it is always an int"),
            (Rule::module, "::" | ".") => self
                .here_without_found("the name of a module is a single word")
                .help("modules cannot be nested; put a `_` between the words"),
            _ => self.here("expected `{`"),
        }
    }

    fn missing_enum_comma(&self, found: &str) -> Diagnostic {
        match (found, self.found.map(|token| token.kind)) {
            (";", _) => self
                .here("expected `,` or `}`")
                .help("enumerators are separated by `,`"),
            (_, Some(TokenKind::Word)) => self.after("missing `,` between enumerators"),
            ("+" | "-" | "*" | "<" | ">", _) => self
                .here("expected `,` or `}`")
                .help("the Tars IDL has no expressions"),
            _ => self.here("expected `,` or `}`"),
        }
    }

    fn not_a_method(&self) -> Diagnostic {
        let error = self.here("expected a method");
        match self.found.map(|token| token.kind) {
            Some(TokenKind::Number) => error.help("methods have no tags"),
            _ => error.help("a method is `TYPE NAME(PARAMETERS);`, with `void` for no value"),
        }
    }

    fn generic(&self) -> Diagnostic {
        let what: Vec<_> = self
            .expected
            .iter()
            .filter_map(|&rule| sign(rule))
            .collect();
        match what.split_last() {
            None => self.here_without_found(format!("unexpected {}", show(self.found.as_ref()))),
            Some((last, [])) => self.here(&format!("expected `{last}`")),
            Some((last, others)) => {
                self.here(&format!("expected `{}` or `{last}`", others.join("`, `")))
            }
        }
    }
}

/// How the token of a rule is written.
fn sign(rule: Rule) -> Option<&'static str> {
    Some(match rule {
        Rule::open => "{",
        Rule::close => "}",
        Rule::open_bracket => "[",
        Rule::close_bracket => "]",
        Rule::comma => ",",
        Rule::assign => "=",
        _ => return None,
    })
}
