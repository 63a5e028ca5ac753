//! From pest's pairs to the AST: files, modules and what they declare; [`types`] has types and values.
//!
//! The functions return `None` where a pair lacks a part that the grammar promises. That cannot happen, and if it
//! did it would be reported at the declaration instead of crashing somebody's build.

mod types;

use pest::iterators::{Pair, Pairs};

use super::ast::{
    Const, Direction, Enum, Enumerator, File, Include, Interface, Item, Key, Member, Method,
    Module, Param, Struct,
};
use super::doc::Comments;
use super::explain::Place;
use super::parser::{Fault, Rule, lose};
use super::pieces::Piece;
use super::scan::MAX_ERRORS;
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::model::Doc;
use crate::source::{FileId, Span};

pub(crate) use types::{builtin_case, foreign_spelling};

/// What is made of a piece of a file.
pub(super) struct Builder<'a> {
    id: FileId,
    comments: &'a Comments<'a>,
    piece: &'a Piece<'a>,
    pub(super) file: File,
    pub(super) faults: Vec<Fault>,
    pub(super) diagnostics: Diagnostics,
}

/// The next pair of a rule that the grammar promises; tokens before it are skipped.
fn take<'i>(pairs: &mut Pairs<'i, Rule>, rule: Rule) -> Option<Pair<'i, Rule>> {
    pairs.find(|pair| pair.as_rule() == rule)
}

/// The next pair if it is of a rule.
fn take_if<'i>(pairs: &mut Pairs<'i, Rule>, rule: Rule) -> Option<Pair<'i, Rule>> {
    if pairs.peek()?.as_rule() == rule {
        pairs.next()
    } else {
        None
    }
}

impl<'a> Builder<'a> {
    pub(super) fn new(id: FileId, piece: &'a Piece<'a>, comments: &'a Comments<'a>) -> Self {
        Self {
            id,
            comments,
            piece,
            file: File::default(),
            faults: Vec::new(),
            diagnostics: Diagnostics::default(),
        }
    }

    /// The range of a pair. Where a rule ends with something optional, pest counts the blanks before what is not
    /// there; such items take their end from their last part.
    fn span(&self, pair: &Pair<'_, Rule>) -> Span {
        let span = pair.as_span();
        Span {
            file: self.id,
            start: self.piece.offset_in_file(span.start()) as u32,
            end: self.piece.offset_in_file(span.end()) as u32,
        }
    }

    pub(super) fn file(&mut self, mut pairs: Pairs<'_, Rule>) {
        let Some(root) = take(&mut pairs, Rule::file) else {
            return;
        };
        for pair in root.into_inner() {
            match pair.as_rule() {
                Rule::include => self.include(pair),
                Rule::module => {
                    if let Some(module) = self.module(pair) {
                        self.file.modules.push(module);
                    }
                }
                Rule::faulty_top => self.faulty(&pair, Place::Top),
                _ => {}
            }
        }
    }

    fn faulty(&mut self, pair: &Pair<'_, Rule>, place: Place) {
        lose(pair.as_str(), &mut self.file.lost);
        let span = self.span(pair);
        // Those behind are not shown.
        if self.faults.len() <= MAX_ERRORS {
            self.faults.push(Fault { place, span });
        }
    }

    fn include(&mut self, pair: Pair<'_, Rule>) {
        if let Some(string) = take(&mut pair.into_inner(), Rule::string) {
            self.file.includes.push(Include {
                path: string.as_str().trim_matches('"').to_owned(),
                span: self.span(&string),
            });
        }
    }

    fn module(&mut self, pair: Pair<'_, Rule>) -> Option<Module> {
        let doc = self.comments.above(self.span(&pair).start as usize);
        let mut inner = pair.into_inner();
        let name = self.name(&take(&mut inner, Rule::name)?);
        let mut items = Vec::new();
        let mut brace = name.span;
        for pair in inner {
            let span = self.span(&pair);
            let item = match pair.as_rule() {
                Rule::struct_def => self.struct_def(pair).map(Item::Struct),
                Rule::enum_def => self.enum_def(pair).map(Item::Enum),
                Rule::const_def => self.const_def(pair).map(|of| Item::Const(Box::new(of))),
                Rule::interface => self.interface(pair).map(Item::Interface),
                Rule::key_def => self.key_def(pair).map(Item::Key),
                Rule::include => {
                    self.include(pair);
                    continue;
                }
                Rule::faulty_definition => {
                    self.faulty(&pair, Place::Module);
                    continue;
                }
                Rule::close => {
                    brace = span;
                    continue;
                }
                Rule::end => {
                    self.end(pair, brace, &format!("module `{}`", name.text));
                    continue;
                }
                _ => continue,
            };
            match item {
                Some(item) => items.push(item),
                None => self.diagnostics.push(
                    Diagnostic::new(Code::SyntaxError, "this declaration cannot be read")
                        .at(span, ""),
                ),
            }
        }
        Some(Module { name, doc, items })
    }

    /// The `;` after a `}`: one is expected, none or several are tolerated.
    fn end(&mut self, pair: Pair<'_, Rule>, brace: Span, of: &str) {
        let mut semicolons = pair.into_inner();
        let complaint = match (semicolons.next(), semicolons.next()) {
            (None, _) => Diagnostic::new(Code::MissingSemicolon, format!("missing `;` after {of}"))
                .at(brace, "`;` expected after this"),
            (Some(_), Some(extra)) => Diagnostic::new(
                Code::ExtraSemicolon,
                format!("more than one `;` after {of}"),
            )
            .at(self.span(&extra), "remove this"),
            (Some(_), None) => return,
        };
        self.diagnostics
            .push(complaint.note("other compilers of Tars refuse this file"));
    }

    fn struct_def(&mut self, pair: Pair<'_, Rule>) -> Option<Struct> {
        let doc = self.comments.above(self.span(&pair).start as usize);
        let mut inner = pair.into_inner();
        let name = self.name(&take(&mut inner, Rule::name)?);
        let mut members = Vec::new();
        let mut brace = name.span;
        for pair in inner {
            match pair.as_rule() {
                Rule::member => members.push(self.member(pair)?),
                Rule::faulty_member => self.faulty(&pair, Place::Struct),
                Rule::close => brace = self.span(&pair),
                Rule::end => self.end(pair, brace, &format!("struct `{}`", name.text)),
                _ => {}
            }
        }
        Some(Struct { name, doc, members })
    }

    fn member(&mut self, pair: Pair<'_, Rule>) -> Option<Member> {
        let doc = self.doc(self.span(&pair));
        let mut inner = pair.into_inner();
        let tag = take(&mut inner, Rule::integer)?;
        let presence = take(&mut inner, Rule::presence)?;
        let declarator = self.declarator(take(&mut inner, Rule::declarator)?)?;
        let default = take(&mut inner, Rule::value).map(|pair| self.value(pair));
        let tag_span = self.span(&tag);
        let tag = self.integer(tag.as_str(), tag_span).unwrap_or(0);
        Some(Member {
            tag,
            tag_span,
            required: presence.as_str() == "require",
            declarator,
            default,
            doc,
        })
    }

    fn enum_def(&mut self, pair: Pair<'_, Rule>) -> Option<Enum> {
        let doc = self.comments.above(self.span(&pair).start as usize);
        let mut inner = pair.into_inner();
        let name = self.name(&take(&mut inner, Rule::name)?);
        let mut items = Vec::new();
        let mut brace = name.span;
        for pair in inner {
            match pair.as_rule() {
                Rule::enumerator => {
                    let mut inner = pair.into_inner();
                    let name = self.name(&take(&mut inner, Rule::name)?);
                    let value = take(&mut inner, Rule::value).map(|pair| self.value(pair));
                    let span = value
                        .as_ref()
                        .map_or(name.span, |value| name.span.to(value.span));
                    let doc = self.doc(span);
                    items.push(Enumerator { name, doc, value });
                }
                Rule::close => brace = self.span(&pair),
                Rule::end => self.end(pair, brace, &format!("enum `{}`", name.text)),
                _ => {}
            }
        }
        Some(Enum { name, doc, items })
    }

    fn const_def(&mut self, pair: Pair<'_, Rule>) -> Option<Const> {
        let doc = self.doc(self.span(&pair));
        let mut inner = pair.into_inner();
        let declarator = self.declarator(take(&mut inner, Rule::declarator)?)?;
        let value = self.value(take(&mut inner, Rule::value)?);
        Some(Const {
            declarator,
            value,
            doc,
        })
    }

    fn key_def(&self, pair: Pair<'_, Rule>) -> Option<Key> {
        let mut inner = pair.into_inner();
        let of = self.path(take(&mut inner, Rule::path)?);
        let members = inner
            .filter(|pair| pair.as_rule() == Rule::name)
            .map(|pair| self.name(&pair));
        Some(Key {
            of,
            members: members.collect(),
        })
    }

    fn interface(&mut self, pair: Pair<'_, Rule>) -> Option<Interface> {
        let doc = self.comments.above(self.span(&pair).start as usize);
        let mut inner = pair.into_inner();
        let name = self.name(&take(&mut inner, Rule::name)?);
        let mut methods = Vec::new();
        let mut brace = name.span;
        for pair in inner {
            match pair.as_rule() {
                Rule::method => methods.push(self.method(pair)?),
                Rule::faulty_method => self.faulty(&pair, Place::Interface),
                Rule::close => brace = self.span(&pair),
                Rule::end => self.end(pair, brace, &format!("interface `{}`", name.text)),
                _ => {}
            }
        }
        Some(Interface { name, doc, methods })
    }

    fn method(&mut self, pair: Pair<'_, Rule>) -> Option<Method> {
        let doc = self.doc(self.span(&pair));
        let mut inner = pair.into_inner();
        let result = inner.next()?;
        let result = if result.as_rule() == Rule::void {
            None
        } else {
            Some(self.ty(result)?)
        };
        let name = self.name(&take(&mut inner, Rule::word)?);
        let mut params = Vec::new();
        for pair in inner.filter(|pair| pair.as_rule() == Rule::param) {
            let mut inner = pair.into_inner();
            let direction = match take_if(&mut inner, Rule::direction) {
                None => Direction::In,
                Some(word) if word.as_str() == "out" => Direction::Out,
                Some(_) => Direction::RouteKey,
            };
            let declarator = self.declarator(take(&mut inner, Rule::declarator)?)?;
            params.push(Param {
                direction,
                declarator,
            });
        }
        Some(Method {
            name,
            doc,
            result,
            params,
        })
    }

    /// The comment above an item, or else after it.
    fn doc(&self, item: Span) -> Doc {
        let doc = self.comments.above(item.start as usize);
        if doc.is_empty() {
            self.comments.after(item.end as usize)
        } else {
            doc
        }
    }
}
