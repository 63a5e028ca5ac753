//! Tokens as a reader sees them. The grammar does not need them; the scan before it and the messages after it do.

/// The reserved words.
pub const KEYWORDS: &[&str] = &[
    "void",
    "struct",
    "bool",
    "byte",
    "short",
    "int",
    "double",
    "float",
    "long",
    "string",
    "vector",
    "map",
    "key",
    "routekey",
    "module",
    "interface",
    "out",
    "require",
    "optional",
    "false",
    "true",
    "enum",
    "const",
    "unsigned",
];

/// Whether a word is reserved.
#[must_use]
pub fn is_keyword(word: &str) -> bool {
    KEYWORDS.contains(&word)
}

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenKind {
    /// Letters, digits and `_`, not beginning with a digit.
    Word,
    /// A digit and what is glued to it.
    Number,
    /// `"..."`
    String,
    /// One character that has a meaning, or `::`.
    Punctuation,
    /// `// ..` or `/* .. */`
    Comment,
    /// `#` and the rest of its line, unless it is `#include "..."`.
    BadDirective,
    /// `#include`, before a string.
    Include,
    /// Characters without a meaning.
    Illegal,
    /// `/*` without `*/`: the rest of the file.
    OpenComment,
    /// `"` without `"` on its line: the rest of the line.
    OpenString,
}

/// A piece of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token<'a> {
    pub(crate) kind: TokenKind,
    pub(crate) start: usize,
    pub(crate) text: &'a str,
}

impl Token<'_> {
    pub(crate) fn end(&self) -> usize {
        self.start + self.text.len()
    }
}

/// The tokens of a text, comments among them, blanks left out.
#[derive(Debug, Clone)]
pub(crate) struct Tokens<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Tokens<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// Starts at an offset, which must not be inside a token.
    pub(crate) fn starting_at(text: &'a str, at: usize) -> Self {
        Self { text, at }
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        let rest = self.text.get(self.at..)?;
        let rest = rest.trim_start_matches(is_blank);
        let start = self.text.len() - rest.len();
        let (kind, length) = token(rest)?;
        self.at = start + length;
        Some(Token {
            kind,
            start,
            text: &rest[..length],
        })
    }
}

/// Kind and length of the token that a text begins with.
fn token(rest: &str) -> Option<(TokenKind, usize)> {
    let first = rest.chars().next()?;
    let found = match first {
        'a'..='z' | 'A'..='Z' | '_' => (TokenKind::Word, run(rest, is_word)),
        '0'..='9' => (TokenKind::Number, run(rest, |c| is_word(c) || c == '.')),
        '"' => string(rest),
        '/' if rest.starts_with("//") => (TokenKind::Comment, until(rest, "\n")),
        '/' if rest.starts_with("/*") => match rest[2..].find("*/") {
            Some(at) => (TokenKind::Comment, 2 + at + 2),
            None => (TokenKind::OpenComment, rest.len()),
        },
        '#' => directive(rest),
        ':' if rest.starts_with("::") => (TokenKind::Punctuation, 2),
        '{' | '}' | '[' | ']' | '(' | ')' | '<' | '>' | ',' | ';' | ':' | '=' | '*' | '.' | '+'
        | '-' => (TokenKind::Punctuation, 1),
        _ => {
            let length = run(rest, |c| {
                c == first || (!c.is_ascii() && !first.is_ascii() && !is_blank(c))
            });
            (TokenKind::Illegal, length)
        }
    };
    Some(found)
}

fn string(rest: &str) -> (TokenKind, usize) {
    let mut escaped = false;
    for (at, byte) in rest.bytes().enumerate().skip(1) {
        match byte {
            b'\n' => {
                return (
                    TokenKind::OpenString,
                    rest[..at].trim_end_matches('\r').len(),
                );
            }
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return (TokenKind::String, at + 1),
            _ => {}
        }
    }
    (TokenKind::OpenString, rest.len())
}

fn directive(rest: &str) -> (TokenKind, usize) {
    const INCLUDE: &str = "#include";
    let after = rest
        .strip_prefix(INCLUDE)
        .map(|after| after.trim_start_matches([' ', '\t']));
    if after.is_some_and(|after| after.starts_with('"')) {
        (TokenKind::Include, INCLUDE.len())
    } else {
        (
            TokenKind::BadDirective,
            rest[..until(rest, "\n")].trim_end().len(),
        )
    }
}

fn run(rest: &str, belongs: impl Fn(char) -> bool) -> usize {
    rest.find(|c| !belongs(c)).unwrap_or(rest.len())
}

fn until(rest: &str, end: &str) -> usize {
    rest.find(end).unwrap_or(rest.len())
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// The blanks of the grammar's `WHITESPACE`.
pub(crate) fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\u{b}' | '\u{c}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<(TokenKind, &str)> {
        Tokens::new(text)
            .map(|token| (token.kind, token.text))
            .collect()
    }

    #[test]
    fn every_kind() {
        use TokenKind::{
            BadDirective, Comment, Illegal, Include, Number, OpenComment, OpenString, Punctuation,
            String, Word,
        };
        assert_eq!(
            kinds("_a1 0x1F::"),
            [(Word, "_a1"), (Number, "0x1F"), (Punctuation, "::")]
        );
        assert_eq!(
            kinds(r#""\"" // x"#),
            [(String, r#""\"""#), (Comment, "// x")]
        );
        assert_eq!(
            kinds("/**/ @@ ；"),
            [(Comment, "/**/"), (Illegal, "@@"), (Illegal, "；")]
        );
        assert_eq!(
            kinds("#include \"a\""),
            [(Include, "#include"), (String, "\"a\"")]
        );
        assert_eq!(kinds("#pragma once\r\n"), [(BadDirective, "#pragma once")]);
        assert_eq!(
            kinds("\"ab\n/*"),
            [(OpenString, "\"ab"), (OpenComment, "/*")]
        );
    }

    #[test]
    fn keywords_are_those_of_the_grammar() {
        let grammar = include_str!("grammar.pest");
        let keyword = grammar
            .split("\nkeyword = @{")
            .nth(1)
            .and_then(|rest| rest.split('}').next())
            .unwrap();
        let mut of_grammar: Vec<_> = keyword.split('"').skip(1).step_by(2).collect();
        let mut of_table = KEYWORDS.to_vec();
        of_grammar.sort_unstable();
        of_table.sort_unstable();
        assert_eq!(of_grammar, of_table);
    }
}
