//! From a faulty piece of text to a message that helps.
//!
//! Some pieces are misplaced whatever follows. Any other is parsed once more as what it was meant to be: pest then
//! says how far that went and which rules could have followed, and [`stuck`](super::stuck) makes a message of it.

use pest::Parser as _;
use pest::error::{Error, ErrorVariant, InputLocation};

use super::parser::{Grammar, Rule};
use super::stuck::{Stuck, show};
use super::token::{Token, TokenKind, Tokens};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::{FileId, Span};

/// How far behind the end of a faulty piece the reason may be that it ends there.
const LOOK_AHEAD: usize = 200;

/// Where a faulty piece is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Outside modules.
    Top,
    /// In a module.
    Module,
    /// In a struct.
    Struct,
    /// In an interface.
    Interface,
}

/// Explains pieces of a file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Explainer<'a> {
    pub(crate) file: FileId,
    pub(crate) text: &'a str,
}

impl<'a> Explainer<'a> {
    /// What is wrong with a faulty piece.
    pub(crate) fn explain(&self, place: Place, piece: Span) -> Diagnostic {
        let start = piece.start as usize;
        let mut tokens = self.tokens(start);
        let Some(first) = tokens.next() else {
            return Diagnostic::new(Code::SyntaxError, "unexpected end of the file")
                .at(self.span(start, start), "");
        };
        let at = self.span(first.start, first.end());
        let parsed_as = match (place, first.text) {
            (_, ";") => {
                return Diagnostic::new(Code::SyntaxError, "unexpected `;`")
                    .at(at, "there is nothing to end here");
            }
            (Place::Top, "module") => Rule::module,
            (Place::Top | Place::Module, word @ ("namespace" | "package")) => {
                return foreign_word(word, at).help("write `module NAME { .. };`");
            }
            (
                Place::Top | Place::Module,
                word @ ("using" | "typedef" | "import" | "include" | "syntax" | "option"),
            ) => {
                let error = foreign_word(word, at);
                return if matches!(word, "import" | "include") {
                    error.help("write `#include \"file.tars\"`")
                } else {
                    error
                };
            }
            (Place::Top, word @ ("struct" | "enum" | "const" | "key" | "interface")) => {
                return Diagnostic::new(
                    Code::OutsideModule,
                    format!("this `{word}` is outside a module"),
                )
                .at(at, "")
                .help("put it into `module NAME { .. };`");
            }
            (Place::Top, _) => {
                return Diagnostic::new(
                    Code::SyntaxError,
                    format!(
                        "expected `module` or `#include`, found {}",
                        show(Some(&first))
                    ),
                )
                .at(at, "");
            }
            (Place::Module, "module") => {
                return Diagnostic::new(Code::NestedModule, "a module cannot be inside a module")
                    .at(at, "")
                    .help("close the outer module first: a file may have several modules, one after another");
            }
            (Place::Module, "struct") => Rule::struct_def,
            (Place::Module, "enum") => Rule::enum_def,
            (Place::Module, "const") => Rule::const_def,
            (Place::Module, "key") => Rule::key_def,
            (Place::Module, "interface") => Rule::interface,
            (Place::Module, _) => {
                return Diagnostic::new(
                    Code::SyntaxError,
                    format!("expected a declaration, found {}", show(Some(&first))),
                )
                .at(at, "")
                .note("a module holds `struct`, `enum`, `const`, `key[..]` and `interface`");
            }
            (
                Place::Struct,
                word @ ("struct" | "enum" | "interface" | "const" | "module" | "key"),
            ) => {
                return Diagnostic::new(
                    Code::SyntaxError,
                    format!("`{word}` cannot be inside a struct"),
                )
                .at(at, "")
                .help("move it out of the struct, into the module");
            }
            (Place::Struct, _) => Rule::member,
            (
                Place::Interface,
                word @ ("struct" | "enum" | "interface" | "const" | "module" | "key"),
            ) => {
                return Diagnostic::new(
                    Code::SyntaxError,
                    format!("`{word}` cannot be inside an interface"),
                )
                .at(at, "")
                .help("move it out of the interface, into the module");
            }
            (Place::Interface, _) => Rule::method,
        };
        // All of the rest would be looked at if only to count its lines.
        let mut end = self.text.len().min(piece.end as usize + LOOK_AHEAD);
        while !self.text.is_char_boundary(end) {
            end += 1;
        }
        match Grammar::parse(parsed_as, self.text.get(start..end).unwrap_or_default()) {
            Err(error) => self.explain_error(parsed_as, &error, start),
            Ok(_) => Diagnostic::new(Code::SyntaxError, "this cannot be read here").at(at, ""),
        }
    }

    /// What is wrong where a parse of the whole file failed.
    pub(crate) fn unexpected(&self, error: &Error<Rule>, start: usize) -> Diagnostic {
        self.explain_error(Rule::file, error, start)
    }

    fn explain_error(&self, parsed_as: Rule, error: &Error<Rule>, start: usize) -> Diagnostic {
        let at = match error.location {
            InputLocation::Pos(at) | InputLocation::Span((at, _)) => start + at,
        };
        let expected = match &error.variant {
            ErrorVariant::ParsingError { positives, .. } => positives.clone(),
            ErrorVariant::CustomError { .. } => Vec::new(),
        };
        let mut tokens = self.tokens(start);
        let mut before = Vec::new();
        let mut found = None;
        for token in tokens.by_ref() {
            if token.end() > at {
                found = Some(token);
                break;
            }
            before.push(token);
        }
        let end_of_before = before.last().map_or(start, Token::end);
        let found_start = found.map_or(end_of_before, |token| token.start);
        let stuck = Stuck {
            parsed_as,
            expected,
            found,
            next: tokens.next(),
            found_span: self.span(found_start, found.map_or(found_start, |token| token.end())),
            gap: self.span(end_of_before, end_of_before),
            line_break: self
                .text
                .get(end_of_before..found_start)
                .is_some_and(|gap| gap.contains('\n')),
            before,
        };
        stuck.explain(at > found_start)
    }

    fn tokens(&self, start: usize) -> impl Iterator<Item = Token<'a>> + use<'a> {
        Tokens::starting_at(self.text, start).filter(|token| token.kind != TokenKind::Comment)
    }

    fn span(&self, start: usize, end: usize) -> Span {
        Span {
            file: self.file,
            start: start as u32,
            end: end as u32,
        }
    }
}

fn foreign_word(word: &str, at: Span) -> Diagnostic {
    Diagnostic::new(
        Code::SyntaxError,
        format!("`{word}` is not part of the Tars IDL"),
    )
    .at(at, "")
}
