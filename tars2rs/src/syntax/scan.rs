//! The linear walk over a file before it is parsed.
//!
//! What passes has closed strings and comments, balanced braces, and brackets nested at most [`MAX_BRACES`] and
//! [`MAX_ANGLES`] deep: the parser and everything after it may recurse over brackets without a second thought.

use std::ops::Range;

use super::pieces::Cuts;
use super::token::{Token, TokenKind, Tokens};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::{FileId, Span};

/// How deep `{` may be nested.
pub(crate) const MAX_BRACES: usize = 64;

/// How deep `<` may be nested. A map takes two of the 128 levels to which rustc follows a type (E0320), and whatever holds
/// it, such as the future of a call, some more.
pub(crate) const MAX_ANGLES: usize = 40;

/// A file with more errors than this is garbage, or one slip that shows up everywhere.
pub(crate) const MAX_ERRORS: usize = 20;

/// What a walk over a file finds.
#[derive(Debug)]
pub(crate) struct Scan {
    /// Where its comments are, in order.
    pub(crate) comments: Vec<Range<usize>>,
    /// Where it may be cut.
    pub(crate) cuts: Cuts,
}

/// Walks over a file, to be cut into pieces of at least so many bytes.
pub(crate) fn scan(file: FileId, text: &str, piece_bytes: usize) -> Result<Scan, Vec<Diagnostic>> {
    let mut scanner = Scanner {
        file,
        braces: Vec::new(),
        angles: 0,
        misplaced: None,
    };
    let mut comments = Vec::new();
    let mut cuts = Cuts::every(piece_bytes);
    let mut errors = Vec::new();
    // The end of the last token with an illegal character, and that character.
    let mut last_illegal = (0, "");
    for token in Tokens::new(text) {
        if token.kind == TokenKind::Comment {
            comments.push(token.start..token.end());
            continue;
        }
        if token.kind == TokenKind::Illegal {
            // `'x'` is one mistake, not two.
            let same_line = text
                .get(last_illegal.0..token.start)
                .is_some_and(|gap| !gap.contains('\n'));
            let known = last_illegal.1 == token.text && same_line;
            last_illegal = (token.end(), token.text);
            if known {
                continue;
            }
        }
        cuts.token(text, &token, scanner.braces.len());
        match scanner.token(&token) {
            Verdict::Fine => {}
            Verdict::Bad(error) => errors.push(error),
            Verdict::Hopeless(error) => {
                errors.push(error);
                return Err(errors);
            }
        }
        if errors.len() == MAX_ERRORS {
            errors.push(too_many(scanner.span(&token)));
            return Err(errors);
        }
    }
    errors.extend(scanner.unclosed());
    if errors.is_empty() {
        Ok(Scan { comments, cuts })
    } else {
        Err(errors)
    }
}

/// Says that the rest of a file was not looked at.
pub(crate) fn too_many(at: Span) -> Diagnostic {
    Diagnostic::new(Code::SyntaxError, "too many errors in this file")
        .at(at, "stopped here")
        .help("is it really Tars IDL?")
}

enum Verdict {
    Fine,
    Bad(Diagnostic),
    /// Nothing sensible can be said about the rest of the file.
    Hopeless(Diagnostic),
}

struct Scanner {
    file: FileId,
    /// Offsets of the open `{`.
    braces: Vec<usize>,
    /// How many `<` are open; only types have them, so `;`, `{` and `}` end them all.
    angles: usize,
    /// The innermost `{` open at the first declaration that is deeper than any can be.
    misplaced: Option<usize>,
}

impl Scanner {
    fn token(&mut self, token: &Token<'_>) -> Verdict {
        match token.kind {
            TokenKind::Punctuation => self.punctuation(token),
            TokenKind::Word => {
                let declares = matches!(token.text, "struct" | "enum" | "interface" | "module");
                if declares && self.braces.len() > 1 && self.misplaced.is_none() {
                    self.misplaced = self.braces.last().copied();
                }
                Verdict::Fine
            }
            TokenKind::Illegal => Verdict::Bad(illegal(self.span(token), token.text)),
            TokenKind::BadDirective => Verdict::Bad(bad_directive(self.span(token), token.text)),
            TokenKind::OpenComment => Verdict::Hopeless(
                Diagnostic::new(Code::Unterminated, "this comment is never closed")
                    .at(self.bytes(token.start, token.start + 2), "no `*/` follows"),
            ),
            TokenKind::OpenString => Verdict::Hopeless(
                Diagnostic::new(Code::Unterminated, "this string is not closed on its line")
                    .at(self.span(token), "no `\"` follows on this line")
                    .help("a line break in a string is written `\\n`"),
            ),
            TokenKind::String if token.text.contains(char::REPLACEMENT_CHARACTER) => Verdict::Bad(
                Diagnostic::new(
                    Code::InvalidString,
                    "this string was damaged by a wrong encoding",
                )
                .at(
                    self.span(token),
                    "it holds U+FFFD, which stands for bytes that are not UTF-8",
                )
                .help("write it anew; U+FFFD itself would be `\\xEF\\xBF\\xBD`"),
            ),
            TokenKind::Number | TokenKind::String | TokenKind::Comment | TokenKind::Include => {
                Verdict::Fine
            }
        }
    }

    fn punctuation(&mut self, token: &Token<'_>) -> Verdict {
        if matches!(token.text, "{" | "}" | ";") {
            self.angles = 0;
        }
        match token.text {
            "{" => self.braces.push(token.start),
            "<" => self.angles += 1,
            ">" => self.angles = self.angles.saturating_sub(1),
            "}" if self.braces.pop().is_none() => {
                let error = Diagnostic::new(Code::UnbalancedBrace, "this `}` closes nothing")
                    .at(self.span(token), "no `{` is open here");
                return Verdict::Hopeless(error);
            }
            _ => {}
        }
        let (what, limit, why) = if self.braces.len() > MAX_BRACES {
            ("brackets are", MAX_BRACES, "")
        } else if self.angles > MAX_ANGLES {
            let why = "; rustc would not compile maps that are much deeper";
            ("a type is", MAX_ANGLES, why)
        } else {
            return Verdict::Fine;
        };
        let message = format!("{what} nested too deep");
        Verdict::Hopeless(
            Diagnostic::new(Code::NestingTooDeep, message)
                .at(self.span(token), format!("level {}", limit + 1))
                .note(format!("the limit is {limit} levels{why}")),
        )
    }

    fn unclosed(&self) -> Option<Diagnostic> {
        let innermost = *self.braces.last()?;
        let start = self.misplaced.unwrap_or(innermost);
        let error = Diagnostic::new(Code::UnbalancedBrace, "this `{` is never closed")
            .at(self.bytes(start, start + 1), "no `}` belongs to it");
        Some(if self.misplaced.is_some() {
            error.note("a declaration follows that cannot be inside these braces")
        } else {
            error
        })
    }

    fn span(&self, token: &Token<'_>) -> Span {
        self.bytes(token.start, token.end())
    }

    fn bytes(&self, start: usize, end: usize) -> Span {
        Span {
            file: self.file,
            start: start as u32,
            end: end as u32,
        }
    }
}

fn illegal(span: Span, text: &str) -> Diagnostic {
    let first = text.chars().next().unwrap_or_default();
    let shown = if first.is_control() || first.is_whitespace() || "\u{feff}\u{fffd}".contains(first)
    {
        format!("the character U+{:04X}", first as u32)
    } else {
        format!("`{}`", text.chars().take(20).collect::<String>())
    };
    let error = Diagnostic::new(
        Code::IllegalCharacter,
        format!("{shown} has no meaning here"),
    )
    .at(span, "");
    match (first, ascii_look_alike(first)) {
        (_, Some(ascii)) => error.help(format!("write the ASCII character `{ascii}`")),
        ('\'', _) => error.help("strings are written in double quotes: \"..\""),
        ('@', _) => error.help("the Tars IDL has no annotations"),
        ('\\', _) => error.help("a declaration may go on in the next line without any sign"),
        ('&' | '|' | '^' | '~' | '!' | '%' | '/', _) => {
            error.help("the Tars IDL has no expressions")
        }
        (letter, _) if letter.is_alphabetic() || letter == '$' => {
            error.help("names are made of ASCII letters, digits and `_`")
        }
        _ => error,
    }
}

/// The character that somebody with another keyboard layout or input method meant.
fn ascii_look_alike(c: char) -> Option<char> {
    match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xff01 + 0x21),
        '\u{3000}' | '\u{a0}' => Some(' '),
        '“' | '”' | '„' | '«' | '»' => Some('"'),
        '、' => Some(','),
        '–' | '−' => Some('-'),
        '《' | '〈' => Some('<'),
        '》' | '〉' => Some('>'),
        '【' => Some('['),
        '】' => Some(']'),
        _ => None,
    }
}

fn bad_directive(span: Span, text: &str) -> Diagnostic {
    if text.starts_with("#include") {
        return Diagnostic::new(
            Code::SyntaxError,
            "`#include` needs a file name in double quotes",
        )
        .at(span, "")
        .help("write `#include \"file.tars\"`");
    }
    let word = text.split(char::is_whitespace).next().unwrap_or(text);
    let word: String = word.chars().take(40).collect();
    Diagnostic::new(Code::SyntaxError, format!("unknown directive `{word}`"))
        .at(span, "")
        .note("the only directive is `#include \"file.tars\"`")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(text: &str) -> Vec<(Code, u32)> {
        let errors = scan(FileId(0), text, 0).err().unwrap_or_default();
        errors
            .iter()
            .map(|error| (error.code, error.span().unwrap().start))
            .collect()
    }

    #[test]
    fn comments_are_found() {
        assert_eq!(
            scan(FileId(0), "a /* b */ c // d\n\"// no\"", 0)
                .unwrap()
                .comments,
            [2..9, 12..16]
        );
    }

    #[test]
    fn depth_limit_is_exact() {
        let nested = |open: &str, close: &str, depth| {
            format!("{}{}", open.repeat(depth), close.repeat(depth))
        };
        for (open, close, max) in [("{", "}", MAX_BRACES), ("<", ">", MAX_ANGLES)] {
            assert_eq!(codes(&nested(open, close, max)), []);
            assert_eq!(
                codes(&nested(open, close, max + 1)),
                [(Code::NestingTooDeep, max as u32)]
            );
        }
    }

    #[test]
    fn the_struct_that_lost_its_brace_is_named() {
        let text = "module M { struct A { 0 require int a; struct B { 0 require int b; }; };";
        assert_eq!(codes(text), [(Code::UnbalancedBrace, 20)]);
    }

    #[test]
    fn errors_are_limited() {
        assert_eq!(codes("@ @\n@ $").len(), 3);
        assert_eq!(codes(&"@\n".repeat(1000)).len(), MAX_ERRORS + 1);
    }
}
