//! Values: what a name means where a value is needed.

use std::collections::HashMap;

use super::Resolver;
use super::declare::EnumeratorId;
use super::fit::mismatch;
use crate::diagnostic::{Code, Diagnostic};
use crate::model::{ConstId, EnumId, ModuleId, Type, Value};
use crate::source::Span;
use crate::syntax::ast::{self, Path, ValueKind};

/// What constants and enumerators are worth. Holes are values with an error.
#[derive(Debug, Default)]
pub(super) struct Values {
    /// By [`ConstId`]. Of a const of an enum type, it is what was written.
    pub(super) consts: Vec<Option<Operand>>,
    /// By [`EnumId`] and index.
    pub(super) enumerators: Vec<Vec<Option<i32>>>,
    /// For each enum, the first enumerator of a value; filled when all are known.
    pub(super) first_of_value: Vec<HashMap<i32, usize>>,
}

/// A value before it is fitted to a type.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Operand {
    Integer(i128),
    Float(f64),
    String(Vec<u8>),
    Bool(bool),
    Enumerator(EnumeratorId),
}

/// What a path means as a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    Const(ConstId),
    Enumerator(EnumeratorId),
}

/// What kind of value a place can take; it decides which enumerators are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Enumerators of this enum.
    Enum(EnumId),
    /// Enumerators of any enum; those of `own` first, when it is an enumerator itself that is defined.
    Number { own: Option<EnumId> },
    /// No enumerators.
    Other,
}

impl Wanted {
    pub(super) fn by(ty: &Type) -> Self {
        match ty {
            Type::Enum(id) => Self::Enum(*id),
            Type::Bool | Type::String { .. } => Self::Other,
            _ => Self::Number { own: None },
        }
    }
}

impl Resolver<'_> {
    /// The value of an expression in a place of a type.
    pub(super) fn value(
        &mut self,
        module: ModuleId,
        ty: &Type,
        value: &ast::Value,
    ) -> Option<Value> {
        let (operand, defined) = self.operand(module, Wanted::by(ty), value)?;
        self.fit(ty, &operand, value.span, defined)
    }

    /// A whole number that is no value of the wire, such as a size.
    pub(super) fn number(&mut self, module: ModuleId, value: &ast::Value) -> Option<i128> {
        let (operand, _) = self.operand(module, Wanted::Number { own: None }, value)?;
        match operand {
            Operand::Integer(number) => Some(number),
            Operand::Enumerator(id) => self.enumerator_value(id).map(i128::from),
            other => {
                let error = mismatch("a whole number is needed here", &other, value.span);
                self.report(error);
                None
            }
        }
    }

    /// What an expression is worth, and where that was defined if it is a name.
    fn operand(
        &mut self,
        module: ModuleId,
        wanted: Wanted,
        value: &ast::Value,
    ) -> Option<(Operand, Option<Span>)> {
        let ValueKind::Path(path) = &value.kind else {
            return literal(&value.kind).map(|operand| (operand, None));
        };
        let target = self.target(module, wanted, path)?;
        let defined = match target {
            Target::Const(id) => self.declared.consts[id.0 as usize].1.declarator.name.span,
            Target::Enumerator(id) => self.declared.enumerator_name(id).span,
        };
        Some((self.target_operand(target)?, Some(defined)))
    }

    /// What a name is worth, once it is computed.
    pub(super) fn target_operand(&self, target: Target) -> Option<Operand> {
        match target {
            Target::Const(id) => self.values.consts[id.0 as usize].clone(),
            Target::Enumerator(id) => Some(Operand::Enumerator(id)),
        }
    }

    pub(super) fn enumerator_value(&self, id: EnumeratorId) -> Option<i32> {
        self.values.enumerators[id.of.0 as usize][id.index]
    }

    /// What a path means as a value; an error is reported.
    pub(super) fn target(
        &mut self,
        module: ModuleId,
        wanted: Wanted,
        path: &Path,
    ) -> Option<Target> {
        if let Some(id) = self.find_const(module, path) {
            return Some(Target::Const(id));
        }
        let candidates = match wanted {
            Wanted::Enum(id) => self.enumerator_of(id, path).into_iter().collect(),
            Wanted::Number { own } => self.enumerators(module, own, path),
            Wanted::Other => Vec::new(),
        };
        match candidates.as_slice() {
            [one] => return Some(Target::Enumerator(*one)),
            [] if path
                .parts
                .iter()
                .any(|part| self.declared.lost.may_declare(&part.text)) => {}
            [] => {
                let error = self.unknown_value(module, wanted, path);
                self.report(error);
            }
            several => {
                let error = self.ambiguous(path, several);
                self.report(error);
            }
        }
        None
    }

    fn find_const(&self, module: ModuleId, path: &Path) -> Option<ConstId> {
        let (module, name) = match path.parts.as_slice() {
            [name] if !path.rooted => (module, name),
            [module, name] => (*self.declared.module_ids.get(module.text.as_str())?, name),
            _ => return None,
        };
        self.declared
            .module(module)
            .consts
            .get(name.text.as_str())
            .copied()
    }

    /// The enumerator that a path means where only those of one enum are possible.
    fn enumerator_of(&self, of: EnumId, path: &Path) -> Option<EnumeratorId> {
        let (module, declared) = self.declared.enums[of.0 as usize];
        let module = self.declared.module(module).name;
        let own = declared.name.text.as_str();
        let name = match path.parts.as_slice() {
            [name] if !path.rooted => name,
            [scope, name] if scope.text == module || (scope.text == own && !path.rooted) => name,
            [first, second, name] if first.text == module && second.text == own => name,
            _ => return None,
        };
        let index = *self.declared.items_of_enum[of.0 as usize].get(name.text.as_str())?;
        Some(EnumeratorId { of, index })
    }

    /// The enumerators that a path may mean where a number is needed. The nearest scope that has any decides.
    fn enumerators(&self, module: ModuleId, own: Option<EnumId>, path: &Path) -> Vec<EnumeratorId> {
        let named = |ids: Option<&Vec<EnumeratorId>>| ids.cloned().unwrap_or_default();
        let of_enum = |module: ModuleId, of: &str, name: &str| {
            let of = self.declared.enum_named(module, of)?;
            let index = *self.declared.items_of_enum[of.0 as usize].get(name)?;
            Some(EnumeratorId { of, index })
        };
        match path.parts.as_slice() {
            [name] if !path.rooted => {
                let name = name.text.as_str();
                if let Some(of) = own
                    && let Some(&index) = self.declared.items_of_enum[of.0 as usize].get(name)
                {
                    return vec![EnumeratorId { of, index }];
                }
                let local = named(self.declared.module(module).enumerators.get(name));
                if local.is_empty() {
                    named(self.declared.enumerators.get(name))
                } else {
                    local
                }
            }
            [scope, name] => {
                let (scope, name) = (scope.text.as_str(), name.text.as_str());
                let by_enum = if path.rooted {
                    None
                } else {
                    of_enum(module, scope, name)
                };
                if let Some(id) = by_enum {
                    return vec![id];
                }
                let other = self.declared.module_ids.get(scope);
                named(other.and_then(|&id| self.declared.module(id).enumerators.get(name)))
            }
            [other, of, name] => {
                let other = self.declared.module_ids.get(other.text.as_str());
                other
                    .and_then(|&id| of_enum(id, &of.text, &name.text))
                    .into_iter()
                    .collect()
            }
            _ => Vec::new(),
        }
    }

    fn ambiguous(&self, path: &Path, candidates: &[EnumeratorId]) -> Diagnostic {
        let name = path.parts.last().map_or("", |part| part.text.as_str());
        let mut error = Diagnostic::new(
            Code::AmbiguousValue,
            format!(
                "`{}` is an enumerator of {} enums",
                path.text(),
                candidates.len()
            ),
        )
        .at(path.span, "which one?");
        for &candidate in candidates.iter().take(3) {
            let of = self.declared.enum_name(candidate.of);
            error = error.see(
                self.declared.enumerator_name(candidate).span,
                format!("of `{of}`"),
            );
        }
        let first = candidates
            .first()
            .map(|id| self.declared.enum_name(id.of))
            .unwrap_or_default();
        error.help(format!("name the enum, for instance `{first}::{name}`"))
    }

    fn unknown_value(&self, module: ModuleId, wanted: Wanted, path: &Path) -> Diagnostic {
        let text = path.text();
        let others = self.enumerators(module, None, path);
        match (wanted, others.first()) {
            (Wanted::Enum(of), Some(&other)) => {
                return Diagnostic::new(
                    Code::WrongEnum,
                    format!(
                        "`{text}` belongs to enum `{}`, not `{}`",
                        self.declared.enum_name(other.of),
                        self.declared.enum_name(of)
                    ),
                )
                .at(path.span, "")
                .see(self.declared.enumerator_name(other).span, "declared here");
            }
            (Wanted::Other, Some(&other)) => {
                return Diagnostic::new(
                    Code::TypeMismatch,
                    format!("the enumerator `{text}` is neither a bool nor a string"),
                )
                .at(path.span, "")
                .see(self.declared.enumerator_name(other).span, "declared here");
            }
            _ => {}
        }
        let what = match wanted {
            Wanted::Enum(of) => format!(
                "enum `{}` has no enumerator `{text}`",
                self.declared.enum_name(of)
            ),
            Wanted::Number { .. } => format!("there is no constant or enumerator `{text}`"),
            Wanted::Other => format!("there is no constant `{text}`"),
        };
        let mut error = Diagnostic::new(Code::UnknownValue, what).at(path.span, "not found");
        if let Wanted::Enum(of) = wanted {
            error = error.note(self.list_of_enumerators(of));
        }
        let [name] = path.parts.as_slice() else {
            return error;
        };
        let name = name.text.as_str();
        if let Some([other]) = self.declared.modules_of_const.get(name).map(Vec::as_slice) {
            return error.help(format!(
                "did you mean `{}::{name}`?",
                self.declared.module(*other).name
            ));
        }
        let scope = self.declared.module(module);
        let consts = scope.consts.keys().copied();
        let near = match wanted {
            Wanted::Enum(of) => {
                let items = self.declared.items_of_enum[of.0 as usize].keys().copied();
                self.declared.guesses.nearest(name, items.chain(consts))
            }
            Wanted::Number { .. } => self
                .declared
                .guesses
                .nearest(name, consts.chain(scope.enumerators.keys().copied())),
            Wanted::Other => self.declared.guesses.nearest(name, consts),
        };
        match near {
            Some(near) => error.help(format!("did you mean `{near}`?")),
            None => error,
        }
    }

    fn list_of_enumerators(&self, of: EnumId) -> String {
        const SHOWN: usize = 8;
        let declared = self.declared.enum_decl(of);
        let names: Vec<_> = declared
            .items
            .iter()
            .take(SHOWN)
            .map(|item| format!("`{}`", item.name.text))
            .collect();
        let name = &declared.name.text;
        let more = if declared.items.len() > SHOWN {
            ", .."
        } else {
            ""
        };
        if names.is_empty() {
            format!("`{name}` has no enumerators")
        } else {
            format!("the enumerators of `{name}` are {}{more}", names.join(", "))
        }
    }
}

/// What a literal is worth; `None` for a path or a literal that was complained about.
pub(super) fn literal(kind: &ValueKind) -> Option<Operand> {
    Some(match kind {
        ValueKind::Integer(value) => Operand::Integer(*value),
        ValueKind::Float(value) => Operand::Float(*value),
        ValueKind::String(value) => Operand::String(value.clone()),
        ValueKind::Bool(value) => Operand::Bool(*value),
        ValueKind::Path(_) | ValueKind::Invalid => return None,
    })
}
