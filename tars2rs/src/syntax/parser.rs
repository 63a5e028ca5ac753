//! From the text of a file to its AST.

use pest::Parser as _;

use super::ast::{File, Lost};
use super::doc::Comments;
use super::explain::{Explainer, Place};
use super::pairs::Builder;
use super::pieces::{PIECE_BYTES, Piece};
use super::scan::{self, Scan};
use super::token::{TokenKind, Tokens};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::parallel;
use crate::source::{FileId, Span};

/// What pest makes of `grammar.pest`.
mod grammar {
    #![allow(missing_docs, missing_debug_implementations, unreachable_pub)]

    #[derive(pest_derive::Parser)]
    #[grammar = "syntax/grammar.pest"]
    pub struct Grammar;
}

pub(crate) use grammar::{Grammar, Rule};

/// Parses a file; what is faulty ends up in `diagnostics`, what is not in the result.
pub(crate) fn parse(id: FileId, text: &str, diagnostics: &mut Diagnostics) -> File {
    parse_in_pieces(id, text, PIECE_BYTES, diagnostics)
}

fn parse_in_pieces(
    id: FileId,
    text: &str,
    piece_bytes: usize,
    diagnostics: &mut Diagnostics,
) -> File {
    let Scan { comments, cuts } = match scan::scan(id, text, piece_bytes) {
        Ok(scan) => scan,
        Err(errors) => {
            diagnostics.extend(errors);
            return all_lost(text);
        }
    };
    let comments = Comments::new(text, comments);
    let explainer = Explainer { file: id, text };
    let pieces = cuts.pieces(text);
    let parsed = parallel::map(&pieces, 1, |piece| {
        parse_piece(id, piece, &comments, explainer)
    });
    let mut file = File::default();
    let mut faults = Vec::new();
    for (piece, parsed) in pieces.iter().zip(parsed) {
        merge(&mut file, parsed.file, piece.continues());
        faults.extend(parsed.faults);
        diagnostics.append(parsed.diagnostics);
    }
    diagnostics.extend(explain(&faults, explainer));
    file
}

/// A piece of the text that is no declaration.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fault {
    pub(super) place: Place,
    pub(super) span: Span,
}

struct Parsed {
    file: File,
    faults: Vec<Fault>,
    diagnostics: Diagnostics,
}

fn parse_piece(
    id: FileId,
    piece: &Piece<'_>,
    comments: &Comments<'_>,
    explainer: Explainer<'_>,
) -> Parsed {
    let text = piece.text();
    match Grammar::parse(Rule::file, &text) {
        Ok(pairs) => {
            let mut builder = Builder::new(id, piece, comments);
            builder.file(pairs);
            Parsed {
                file: builder.file,
                faults: builder.faults,
                diagnostics: builder.diagnostics,
            }
        }
        // Not for any input that is known: the grammar has rules for what is faulty.
        Err(error) => {
            let mut diagnostics = Diagnostics::default();
            diagnostics.push(explainer.unexpected(&error, piece.offset_in_file(0)));
            Parsed {
                file: all_lost(&text),
                faults: Vec::new(),
                diagnostics,
            }
        }
    }
}

fn merge(file: &mut File, mut piece: File, continues: bool) {
    file.includes.append(&mut piece.includes);
    file.lost.everything |= piece.lost.everything;
    file.lost.words.extend(piece.lost.words);
    let mut modules = piece.modules.into_iter();
    if let (true, Some(open)) = (continues, file.modules.last_mut()) {
        open.items
            .extend(modules.next().into_iter().flat_map(|same| same.items));
    }
    file.modules.extend(modules);
}

fn explain<'e>(
    faults: &'e [Fault],
    explainer: Explainer<'e>,
) -> impl Iterator<Item = Diagnostic> + 'e {
    let shown = faults.iter().take(scan::MAX_ERRORS);
    let shown = shown.map(move |fault| explainer.explain(fault.place, fault.span));
    let first_hidden = faults.get(scan::MAX_ERRORS);
    shown.chain(first_hidden.map(|fault| {
        scan::too_many(Span {
            end: fault.span.start + 1,
            ..fault.span
        })
    }))
}

/// A file of which nothing is known but its words.
fn all_lost(text: &str) -> File {
    let mut lost = Lost {
        everything: text.contains("#include"),
        ..Lost::default()
    };
    lose(text, &mut lost);
    File {
        lost,
        ..File::default()
    }
}

/// Notes what may be declared in a faulty piece.
pub(super) fn lose(text: &str, lost: &mut Lost) {
    for token in Tokens::new(text).filter(|token| token.kind == TokenKind::Word) {
        if !lost.words.contains(token.text) {
            lost.words.insert(token.text.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    /// What a text becomes, in pieces of about a number of bytes.
    fn parsed(text: &str, piece_bytes: usize) -> String {
        let mut diagnostics = Diagnostics::default();
        let file = parse_in_pieces(FileId(0), text, piece_bytes, &mut diagnostics);
        let diagnostics = diagnostics.sorted();
        let mut lost: Vec<_> = file.lost.words.iter().collect();
        lost.sort();
        format!(
            "{:#?} {:#?} {lost:?} {diagnostics:#?}",
            file.includes, file.modules
        )
    }

    #[test]
    fn pieces_make_no_difference() {
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/idl");
        let mut dirs = vec![fixtures];
        let mut files = 0;
        while let Some(dir) = dirs.pop() {
            for entry in fs::read_dir(dir).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    dirs.push(path);
                } else if let (Some("tars"), Ok(text)) = (
                    path.extension().and_then(|extension| extension.to_str()),
                    fs::read_to_string(&path),
                ) {
                    files += 1;
                    let whole = parsed(&text, usize::MAX);
                    for piece_bytes in [1, 100] {
                        assert!(parsed(&text, piece_bytes) == whole, "{}", path.display());
                    }
                }
            }
        }
        assert!(files > 200, "{files}");
    }
}
