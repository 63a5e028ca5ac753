//! A long file is parsed in pieces: they can be parsed at the same time, and pest needs memory for one piece only.
//!
//! A cut is where the grammar would start a declaration whatever stands before it: between declarations of a module,
//! before the keyword that begins a line. A module that is cut becomes a module that is reopened in each piece, which
//! means the same.

use std::borrow::Cow;
use std::ops::Range;

use super::token::{Token, TokenKind, is_blank, is_keyword};

/// Shorter pieces are not worth the trouble.
pub(crate) const PIECE_BYTES: usize = 1 << 15;
/// `module NAME {`; a longer one, with comments in it, is not worth repeating.
const MAX_HEAD_BYTES: usize = 1 << 8;

/// A place between two declarations of a module.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Cut {
    at: usize,
    /// The `module NAME {` of that module.
    head: Range<usize>,
}

/// Finds cuts on a walk over the tokens.
#[derive(Debug)]
pub(crate) struct Cuts {
    piece_bytes: usize,
    found: Vec<Cut>,
    module: Option<Head>,
}

/// How much of `module NAME {` there is.
#[derive(Debug)]
enum Head {
    Keyword(usize),
    Name(usize),
    Complete(Range<usize>),
}

impl Cuts {
    /// For pieces of at least so many bytes.
    pub(crate) fn every(piece_bytes: usize) -> Self {
        Self {
            piece_bytes,
            found: Vec::new(),
            module: None,
        }
    }

    /// Takes the next token, which is no comment; `depth` is how many `{` are open before it.
    pub(crate) fn token(&mut self, text: &str, token: &Token<'_>, depth: usize) {
        match depth {
            0 => self.module = self.head(token),
            1 => {
                let Some(Head::Complete(head)) = &self.module else {
                    return;
                };
                let last = self.found.last().map_or(0, |cut| cut.at);
                if token.start - last >= self.piece_bytes
                    && head.len() <= MAX_HEAD_BYTES
                    && begins_declaration(token)
                    && is_first_on_line(text, token.start)
                {
                    self.found.push(Cut {
                        at: token.start,
                        head: head.clone(),
                    });
                }
            }
            _ => {}
        }
    }

    fn head(&self, token: &Token<'_>) -> Option<Head> {
        match (&self.module, token.kind, token.text) {
            (_, TokenKind::Word, "module") => Some(Head::Keyword(token.start)),
            (Some(Head::Keyword(start)), TokenKind::Word, name) if !is_keyword(name) => {
                Some(Head::Name(*start))
            }
            (Some(Head::Name(start)), _, "{") => Some(Head::Complete(*start..token.end())),
            _ => None,
        }
    }

    /// The pieces between the cuts, in order.
    pub(crate) fn pieces<'a>(&self, text: &'a str) -> Vec<Piece<'a>> {
        let mut pieces = Vec::new();
        let (mut start, mut head) = (0, 0..0);
        for cut in &self.found {
            pieces.push(Piece {
                file: text,
                head,
                body: start..cut.at,
            });
            start = cut.at;
            head = cut.head.clone();
        }
        pieces.push(Piece {
            file: text,
            head,
            body: start..text.len(),
        });
        pieces
    }
}

/// The words of the grammar's `next_definition`.
fn begins_declaration(token: &Token<'_>) -> bool {
    token.kind == TokenKind::Word
        && matches!(
            token.text,
            "struct" | "enum" | "const" | "key" | "interface"
        )
}

fn is_first_on_line(text: &str, at: usize) -> bool {
    let before = text[..at].chars().rev();
    before.take_while(|&c| is_blank(c)).any(|c| c == '\n')
}

/// A part of a file that is a file in itself.
#[derive(Debug, Clone)]
pub(crate) struct Piece<'a> {
    file: &'a str,
    /// The `module NAME {` in which it begins; empty for the first piece.
    head: Range<usize>,
    body: Range<usize>,
}

impl<'a> Piece<'a> {
    /// Whether it goes on with the module in which the last piece ended.
    pub(crate) fn continues(&self) -> bool {
        !self.head.is_empty()
    }

    /// The text to parse.
    pub(crate) fn text(&self) -> Cow<'a, str> {
        let end = if self.body.end == self.file.len() {
            ""
        } else {
            "};"
        };
        let body = &self.file[self.body.clone()];
        if !self.continues() && end.is_empty() {
            return Cow::Borrowed(body);
        }
        Cow::Owned([&self.file[self.head.clone()], body, end].concat())
    }

    /// Where a byte of the text is in the file.
    pub(crate) fn offset_in_file(&self, at: usize) -> usize {
        match at.checked_sub(self.head.len()) {
            Some(in_body) => self.body.start + in_body,
            None => self.head.start + at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::token::Tokens;
    use super::*;

    /// The pieces of a text that is cut wherever it can be.
    fn pieces(text: &str) -> Vec<String> {
        let mut cuts = Cuts::every(1);
        let mut depth = 0;
        for token in Tokens::new(text).filter(|token| token.kind != TokenKind::Comment) {
            cuts.token(text, &token, depth);
            depth += usize::from(token.text == "{");
            depth -= usize::from(token.text == "}");
        }
        let pieces = cuts.pieces(text).into_iter();
        pieces.map(|piece| piece.text().into_owned()).collect()
    }

    #[test]
    fn each_piece_is_a_file() {
        assert_eq!(
            pieces(
                "module M {\n enum E {};\n struct S {}; struct T {};\n}; module N {\nkey[S, a];};"
            ),
            [
                "module M {\n };",
                "module M {enum E {};\n };",
                "module M {struct S {}; struct T {};\n}; module N {\n};",
                "module N {key[S, a];};",
            ]
        );
    }

    #[test]
    fn where_no_declaration_can_begin_there_is_no_cut() {
        for text in [
            "module M { struct S {}; };",
            "module M {\nstructure S {}; };",
            "module struct {\nstruct S {}; };",
            "modul M {\nstruct S {}; };",
            "module M N {\nstruct S {}; };",
            "struct S {\nstruct T {}; };",
            "module M { struct S {\nkey\n}; };",
        ] {
            assert_eq!(pieces(text), [text]);
        }
    }

    #[test]
    fn offsets_lead_back() {
        let text = "module M {\nenum E {};\nstruct S {};\n};";
        let piece = Piece {
            file: text,
            head: 0..10,
            body: 22..text.len(),
        };
        let inner = piece.text();
        for (word, at) in [("module", 0), ("M", 7), ("struct", 22), ("S", 29)] {
            let start = inner.find(word).unwrap();
            assert_eq!(piece.offset_in_file(start), at, "{word}");
        }
    }
}
