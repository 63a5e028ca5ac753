//! Types and values.

use pest::iterators::Pair;

use super::super::ast::{Builtin, Declarator, Name, Path, Shape, Type, TypeKind, Value, ValueKind};
use super::super::escape;
use super::super::parser::Rule;
use super::{Builder, take, take_if};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::Span;

impl Builder<'_> {
    pub(super) fn declarator(&mut self, pair: Pair<'_, Rule>) -> Option<Declarator> {
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
    pub(super) fn ty(&mut self, pair: Pair<'_, Rule>) -> Option<Type> {
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
            Rule::unsigned => {
                let mut inner = kind.into_inner();
                self.word_case(&take(&mut inner, Rule::unsigned_word)?, "unsigned");
                TypeKind::Builtin(self.unsigned(&take(&mut inner, Rule::unsigned_base)?))
            }
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

    fn unsigned(&mut self, base: &Pair<'_, Rule>) -> Builtin {
        let (word, builtin) = match base.as_str().to_ascii_lowercase().as_str() {
            "char" => {
                let spelling = foreign_spelling(base.as_str(), "byte", self.span(base));
                self.diagnostics.push(spelling);
                return Builtin::UByte;
            }
            "byte" => ("byte", Builtin::UByte),
            "short" => ("short", Builtin::UShort),
            _ => ("int", Builtin::UInt),
        };
        self.word_case(base, word);
        builtin
    }

    fn word_case(&mut self, pair: &Pair<'_, Rule>, word: &str) {
        if pair.as_str() != word {
            self.diagnostics
                .push(builtin_case(pair.as_str(), word, self.span(pair)));
        }
    }

    pub(super) fn value(&mut self, pair: Pair<'_, Rule>) -> Value {
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
                escape::decode(raw, span, &mut self.diagnostics).map(ValueKind::String)
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

    pub(super) fn integer(&mut self, text: &str, span: Span) -> Option<i128> {
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

    pub(super) fn path(&self, pair: Pair<'_, Rule>) -> Path {
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

    pub(super) fn name(&self, pair: &Pair<'_, Rule>) -> Name {
        Name {
            text: pair.as_str().to_owned(),
            span: self.span(pair),
        }
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

/// Says that a builtin type has another name.
pub(crate) fn foreign_spelling(written: &str, word: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::ForeignSpelling,
        format!("`{written}` is taken for `{word}`"),
    )
    .at(span, format!("write `{word}`"))
    .note("tars2php knows this spelling, other compilers of Tars do not")
}
