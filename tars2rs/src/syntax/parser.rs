//! From pest's pairs to the AST.
//!
//! The functions return `None` where a pair lacks a part that the grammar promises. That cannot happen, and if it
//! did it would be reported at the declaration instead of crashing somebody's build.

use pest::Parser as _;
use pest::iterators::{Pair, Pairs};

use super::ast::{
    Builtin, Const, Declarator, Direction, Enum, Enumerator, File, Include, Interface, Item, Key,
    Lost, Member, Method, Module, Name, Param, Path, Shape, Struct, Type, TypeKind, Value,
    ValueKind,
};
use super::doc::Comments;
use super::explain::{Explainer, Place};
use super::token::{TokenKind, Tokens};
use super::{escape, scan};
use crate::diagnostic::{Code, Diagnostic};
use crate::model::Doc;
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
pub fn parse(file: FileId, text: &str, diagnostics: &mut Vec<Diagnostic>) -> File {
    let comments = match scan::scan(file, text) {
        Ok(comments) => Comments::new(text, comments),
        Err(errors) => {
            diagnostics.extend(errors);
            return all_lost(text);
        }
    };
    let mut builder = Builder {
        file,
        comments,
        explainer: Explainer { file, text },
        diagnostics,
        faults: 0,
    };
    match Grammar::parse(Rule::file, text) {
        Ok(pairs) => builder.file(pairs),
        Err(error) => {
            let complaint = builder.explainer.unexpected(&error, 0);
            builder.diagnostics.push(complaint);
            all_lost(text)
        }
    }
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

fn lose(text: &str, lost: &mut Lost) {
    let words = Tokens::new(text).filter(|token| token.kind == TokenKind::Word);
    lost.words.extend(words.map(|token| token.text.to_owned()));
}

struct Builder<'a> {
    file: FileId,
    comments: Comments<'a>,
    explainer: Explainer<'a>,
    diagnostics: &'a mut Vec<Diagnostic>,
    /// Faulty pieces so far.
    faults: usize,
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

impl Builder<'_> {
    /// The range of a pair. Where a rule ends with something optional, pest counts the blanks before what is not
    /// there; such items take their end from their last part.
    fn span(&self, pair: &Pair<'_, Rule>) -> Span {
        let span = pair.as_span();
        Span {
            file: self.file,
            start: span.start() as u32,
            end: span.end() as u32,
        }
    }

    fn file(&mut self, mut pairs: Pairs<'_, Rule>) -> File {
        let mut file = File::default();
        let Some(root) = take(&mut pairs, Rule::file) else {
            return file;
        };
        for pair in root.into_inner() {
            match pair.as_rule() {
                Rule::include => file.includes.extend(self.include(pair)),
                Rule::module => {
                    if let Some(module) = self.module(pair, &mut file) {
                        file.modules.push(module);
                    }
                }
                Rule::faulty_top => self.faulty(&pair, Place::Top, &mut file.lost),
                _ => {}
            }
        }
        file
    }

    /// Reports a piece that is no declaration.
    fn faulty(&mut self, pair: &Pair<'_, Rule>, place: Place, lost: &mut Lost) {
        lose(pair.as_str(), lost);
        let span = self.span(pair);
        self.faults += 1;
        if self.faults <= scan::MAX_ERRORS {
            self.diagnostics
                .push(self.explainer.explain(place, span.start as usize));
        } else if self.faults == scan::MAX_ERRORS + 1 {
            self.diagnostics.push(scan::too_many(Span {
                end: span.start + 1,
                ..span
            }));
        }
    }

    fn include(&self, pair: Pair<'_, Rule>) -> Option<Include> {
        let string = take(&mut pair.into_inner(), Rule::string)?;
        let path = string.as_str().trim_matches('"').to_owned();
        Some(Include {
            path,
            span: self.span(&string),
        })
    }

    fn module(&mut self, pair: Pair<'_, Rule>, file: &mut File) -> Option<Module> {
        let doc = self.comments.above(pair.as_span().start());
        let mut inner = pair.into_inner();
        let name = self.name(&take(&mut inner, Rule::name)?);
        let mut items = Vec::new();
        let mut brace = name.span;
        for pair in inner {
            let span = self.span(&pair);
            let item = match pair.as_rule() {
                Rule::struct_def => self.struct_def(pair, &mut file.lost).map(Item::Struct),
                Rule::enum_def => self.enum_def(pair).map(Item::Enum),
                Rule::const_def => self.const_def(pair).map(|of| Item::Const(Box::new(of))),
                Rule::interface => self.interface(pair, &mut file.lost).map(Item::Interface),
                Rule::key_def => self.key_def(pair).map(Item::Key),
                Rule::include => {
                    file.includes.extend(self.include(pair));
                    continue;
                }
                Rule::faulty_definition => {
                    self.faulty(&pair, Place::Module, &mut file.lost);
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

    fn struct_def(&mut self, pair: Pair<'_, Rule>, lost: &mut Lost) -> Option<Struct> {
        let doc = self.comments.above(pair.as_span().start());
        let mut inner = pair.into_inner();
        let name = self.name(&take(&mut inner, Rule::name)?);
        let mut members = Vec::new();
        let mut brace = name.span;
        for pair in inner {
            match pair.as_rule() {
                Rule::member => members.push(self.member(pair)?),
                Rule::faulty_member => self.faulty(&pair, Place::Struct, lost),
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
        let doc = self.comments.above(pair.as_span().start());
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

    fn interface(&mut self, pair: Pair<'_, Rule>, lost: &mut Lost) -> Option<Interface> {
        let doc = self.comments.above(pair.as_span().start());
        let mut inner = pair.into_inner();
        let name = self.name(&take(&mut inner, Rule::name)?);
        let mut methods = Vec::new();
        let mut brace = name.span;
        for pair in inner {
            match pair.as_rule() {
                Rule::method => methods.push(self.method(pair)?),
                Rule::faulty_method => self.faulty(&pair, Place::Interface, lost),
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

    fn declarator(&mut self, pair: Pair<'_, Rule>) -> Option<Declarator> {
        let mut inner = pair.into_inner();
        let ty = self.ty(take(&mut inner, Rule::ty)?)?;
        let pointer = take_if(&mut inner, Rule::pointer);
        let name = self.name(&take(&mut inner, Rule::name)?);
        let shape = match (pointer, inner.next()) {
            (None, None) => Shape::Plain,
            (Some(star), None) => Shape::Pointer(self.span(&star)),
            (Some(_), Some(suffix)) => Shape::PointerArray(self.span(&suffix)),
            (None, Some(suffix)) => {
                let is_array = suffix.as_rule() == Rule::array;
                let size = self.value(take(&mut suffix.into_inner(), Rule::value)?);
                if is_array {
                    Shape::Array(size)
                } else {
                    Shape::Max(size)
                }
            }
        };
        Some(Declarator { ty, shape, name })
    }

    /// Recursion is as deep as `<` is nested, which the scan has limited.
    fn ty(&mut self, pair: Pair<'_, Rule>) -> Option<Type> {
        let mut inner = pair.into_inner();
        let kind = inner.next()?;
        let span = self.span(&kind);
        let kind = match kind.as_rule() {
            Rule::vector => {
                let mut inner = kind.into_inner();
                self.word_case(&take(&mut inner, Rule::vector_word)?, "vector");
                TypeKind::Vector(Box::new(self.ty(take(&mut inner, Rule::ty)?)?))
            }
            Rule::map => {
                let mut inner = kind.into_inner();
                self.word_case(&take(&mut inner, Rule::map_word)?, "map");
                let key = self.ty(take(&mut inner, Rule::ty)?)?;
                let value = self.ty(take(&mut inner, Rule::ty)?)?;
                TypeKind::Map(Box::new(key), Box::new(value))
            }
            Rule::unsigned => match take(&mut kind.into_inner(), Rule::unsigned_base)?.as_str() {
                "byte" => TypeKind::Builtin(Builtin::UByte),
                "short" => TypeKind::Builtin(Builtin::UShort),
                _ => TypeKind::Builtin(Builtin::UInt),
            },
            Rule::builtin => TypeKind::Builtin(Builtin::from_word(kind.as_str())?),
            _ => TypeKind::Named(self.path(kind)),
        };
        let max = match take(&mut inner, Rule::max) {
            Some(max) => Some(self.value(take(&mut max.into_inner(), Rule::value)?)),
            None => None,
        };
        let end = match (&max, &kind) {
            (Some(max), _) => max.span,
            (None, TypeKind::Named(path)) => path.span,
            (None, _) => span,
        };
        Some(Type {
            kind,
            max,
            span: span.to(end),
        })
    }

    fn word_case(&mut self, pair: &Pair<'_, Rule>, word: &str) {
        if pair.as_str() != word {
            self.diagnostics
                .push(builtin_case(pair.as_str(), word, self.span(pair)));
        }
    }

    fn value(&mut self, pair: Pair<'_, Rule>) -> Value {
        let outer = self.span(&pair);
        let Some(literal) = pair.into_inner().next() else {
            return Value {
                kind: ValueKind::Invalid,
                span: outer,
            };
        };
        let text = literal.as_str();
        let span = self.span(&literal);
        let kind = match literal.as_rule() {
            Rule::integer => self.integer(text, span).map(ValueKind::Integer),
            Rule::float => self.float(text, span).map(ValueKind::Float),
            Rule::string => {
                let raw = text.get(1..text.len() - 1).unwrap_or_default();
                escape::decode(raw, span, self.diagnostics).map(ValueKind::String)
            }
            Rule::boolean => Some(ValueKind::Bool(text == "true")),
            _ => {
                let path = self.path(literal);
                return Value {
                    span: path.span,
                    kind: ValueKind::Path(path),
                };
            }
        };
        Value {
            kind: kind.unwrap_or(ValueKind::Invalid),
            span,
        }
    }

    fn integer(&mut self, text: &str, span: Span) -> Option<i128> {
        let negative = text.starts_with('-');
        let digits = text.trim_start_matches(['+', '-']);
        let (radix, digits) = match digits.as_bytes() {
            [b'0', b'x' | b'X', ..] => (16, &digits[2..]),
            [b'0', _, ..] => (8, &digits[1..]),
            _ => (10, digits),
        };
        if radix == 8 && digits.contains(['8', '9']) {
            self.diagnostics.push(
                Diagnostic::new(Code::InvalidNumber, "an octal number has no digits 8 and 9")
                    .at(span, "octal, because it begins with 0")
                    .help("remove the leading 0 if it is meant to be decimal"),
            );
            return None;
        }
        // Only overflow is left to fail, and the nearest number is out of every range just as well.
        let value = i128::from_str_radix(digits, radix).unwrap_or(i128::MAX);
        Some(if negative { -value } else { value })
    }

    fn float(&mut self, text: &str, span: Span) -> Option<f64> {
        let value: f64 = text.trim_end_matches(['f', 'F']).parse().ok()?;
        let is_zero = |text: &str| {
            !text
                .split(['e', 'E'])
                .next()
                .unwrap_or_default()
                .contains(|c| ('1'..='9').contains(&c))
        };
        if value.is_infinite() || (value == 0.0 && !is_zero(text)) {
            let problem = if value == 0.0 { "small" } else { "large" };
            self.diagnostics.push(
                Diagnostic::new(
                    Code::InvalidNumber,
                    format!("this number is too {problem} for a double"),
                )
                .at(span, ""),
            );
            return None;
        }
        Some(value)
    }

    fn path(&self, pair: Pair<'_, Rule>) -> Path {
        let span = self.span(&pair);
        let mut inner = pair.into_inner();
        let rooted = take_if(&mut inner, Rule::root).is_some();
        let parts: Vec<_> = inner.map(|part| self.name(&part)).collect();
        let span = parts.last().map_or(span, |last| span.to(last.span));
        Path {
            rooted,
            parts,
            span,
        }
    }

    fn name(&self, pair: &Pair<'_, Rule>) -> Name {
        Name {
            text: pair.as_str().to_owned(),
            span: self.span(pair),
        }
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

impl Builtin {
    /// The type that a word means.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "bool" => Self::Bool,
            "byte" => Self::Byte,
            "short" => Self::Short,
            "int" => Self::Int,
            "long" => Self::Long,
            "float" => Self::Float,
            "double" => Self::Double,
            "string" => Self::String,
            _ => return None,
        })
    }
}

/// Says that a builtin type is written in lower case.
pub(crate) fn builtin_case(written: &str, word: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::BuiltinCase,
        format!("`{written}` is taken for `{word}`"),
    )
    .at(span, format!("write `{word}`"))
    .note("tars2php ignores the case of builtin types, other compilers of Tars do not")
}
