//! Types: what a name means, and what shapes and sizes are legal.

use super::Resolver;
use super::declare::TypeItem;
use super::names::foreign_type;
use crate::diagnostic::{Code, Diagnostic};
use crate::model::{ModuleId, Type};
use crate::source::Span;
use crate::syntax::ast::{self, Builtin, Declarator, Path, Shape, TypeKind};
use crate::syntax::{KEYWORDS, builtin_case, foreign_spelling};

/// The maximum of a fixed array is below this, in all compilers of Tars.
const ARRAY_LIMIT: i128 = 1 << 20;

impl Resolver<'_> {
    /// The type that a declarator gives to its name.
    pub(super) fn declared_type(
        &mut self,
        module: ModuleId,
        declarator: &Declarator,
    ) -> Option<Type> {
        let ty = self.ty(module, &declarator.ty);
        let written_max = declarator.ty.max.as_ref();
        match &declarator.shape {
            Shape::Plain => ty,
            Shape::Array(size) | Shape::Max(size) if written_max.is_some() => {
                self.report(
                    Diagnostic::new(Code::InvalidArray, "two sizes for one name")
                        .at(size.span, "second size")
                        .see(declarator.ty.span, "first size")
                        .help("arrays have one dimension; use a vector of vectors"),
                );
                None
            }
            Shape::Array(size) => {
                let max = self.size(module, size);
                Some(vector_of(ty?, Some(max?)))
            }
            Shape::Max(size) => {
                let max = self.size(module, size);
                self.with_max(ty?, max?, size.span)
            }
            Shape::Pointer(star) => match ty? {
                Type::Byte => Some(Type::Bytes { max: None }),
                _ => {
                    self.report(
                        Diagnostic::new(Code::InvalidArray, "only `byte *` can be a pointer")
                            .at(*star, "")
                            .help("use `vector<..>` for a list of values"),
                    );
                    None
                }
            },
            Shape::PointerArray(suffix) => {
                self.report(
                    Diagnostic::new(Code::InvalidArray, "a pointer cannot have a size")
                        .at(*suffix, "")
                        .help("write `byte NAME[N]` for at most N bytes, or `byte *NAME` for any number"),
                );
                None
            }
        }
    }

    /// A type that stands alone: a result, or the part of a declarator before its name.
    pub(super) fn ty(&mut self, module: ModuleId, ty: &ast::Type) -> Option<Type> {
        let plain = self.without_max(module, ty);
        match &ty.max {
            None => plain,
            Some(size) => {
                let max = self.size(module, size);
                self.with_max(plain?, max?, size.span)
            }
        }
    }

    /// The type of an element, key or value.
    fn inner(&mut self, module: ModuleId, ty: &ast::Type) -> Option<Type> {
        if let Some(size) = &ty.max {
            self.report(
                Diagnostic::new(
                    Code::InvalidArray,
                    "only the outermost type can have a size",
                )
                .at(size.span, "")
                .help("remove it, or put the type into a struct of its own"),
            );
            return None;
        }
        self.without_max(module, ty)
    }

    /// Recursion is as deep as `<` is nested, which the scan has limited.
    fn without_max(&mut self, module: ModuleId, ty: &ast::Type) -> Option<Type> {
        match &ty.kind {
            TypeKind::Builtin(builtin) => Some(builtin_type(*builtin)),
            TypeKind::Vector(item) => self.inner(module, item).map(|item| vector_of(item, None)),
            TypeKind::Map(key, value) => {
                let (key, value) = (self.inner(module, key), self.inner(module, value));
                Some(Type::Map {
                    key: Box::new(key?),
                    value: Box::new(value?),
                })
            }
            TypeKind::Named(path) => self.named_type(module, path),
        }
    }

    fn with_max(&mut self, ty: Type, max: u32, span: Span) -> Option<Type> {
        let max = Some(max);
        match ty {
            Type::String { .. } => Some(Type::String { max }),
            Type::Bytes { .. } => Some(Type::Bytes { max }),
            Type::Vector { item, .. } => Some(Type::Vector { item, max }),
            _ => {
                self.report(
                    Diagnostic::new(Code::InvalidArray, "only a string or vector can have `:N`")
                        .at(span, "")
                        .help("an array is written `TYPE NAME[N]`"),
                );
                None
            }
        }
    }

    fn size(&mut self, module: ModuleId, size: &ast::Value) -> Option<u32> {
        let value = self.number(module, size)?;
        if (1..ARRAY_LIMIT).contains(&value) {
            return u32::try_from(value).ok();
        }
        self.report(
            Diagnostic::new(Code::InvalidArray, "this size is out of range")
                .at(size.span, "")
                .note(format!("a size is 1 to {}", ARRAY_LIMIT - 1)),
        );
        None
    }

    fn named_type(&mut self, module: ModuleId, path: &Path) -> Option<Type> {
        if let Some(item) = self.find_type(module, path) {
            return match item {
                TypeItem::Struct(id) => Some(Type::Struct(id)),
                TypeItem::Enum(id) => Some(Type::Enum(id)),
                TypeItem::Interface(_) => {
                    let message = format!("`{}` is an interface, not a type", path.text());
                    let error = Diagnostic::new(Code::UnknownType, message);
                    self.report(
                        error
                            .at(path.span, "")
                            .see(self.declared.type_span(item), "declared here"),
                    );
                    None
                }
            };
        }
        if let Some(builtin) = self.misspelt_builtin(path) {
            return Some(builtin_type(builtin));
        }
        if !path
            .parts
            .iter()
            .any(|part| self.declared.lost.may_declare(&part.text))
        {
            let error = self.unknown_type(module, path);
            self.report(error);
        }
        None
    }

    /// What a path names among the types.
    pub(super) fn find_type(&self, module: ModuleId, path: &Path) -> Option<TypeItem> {
        let (module, name) = match path.parts.as_slice() {
            [name] if !path.rooted => (module, name),
            [module, name] => (*self.declared.module_ids.get(module.text.as_str())?, name),
            _ => return None,
        };
        self.declared
            .module(module)
            .types
            .get(name.text.as_str())
            .copied()
    }

    /// `Int`, `boolean` and the like, which some compilers understand.
    fn misspelt_builtin(&mut self, path: &Path) -> Option<Builtin> {
        let [name] = path.parts.as_slice() else {
            return None;
        };
        if path.rooted {
            return None;
        }
        let lower = name.text.to_ascii_lowercase();
        let word = match lower.as_str() {
            "boolean" => "bool",
            "char" => "byte",
            other => other,
        };
        let builtin = Builtin::from_word(word)?;
        self.report(if word == lower {
            builtin_case(&name.text, word, path.span)
        } else {
            foreign_spelling(&name.text, word, path.span)
        });
        Some(builtin)
    }

    pub(super) fn unknown_type(&self, module: ModuleId, path: &Path) -> Diagnostic {
        let unknown = |message: String| {
            Diagnostic::new(Code::UnknownType, message).at(path.span, "not found")
        };
        match path.parts.as_slice() {
            [name] if !path.rooted => self.unknown_local_type(module, &name.text, path.span),
            [of, name] => {
                let Some(&id) = self.declared.module_ids.get(of.text.as_str()) else {
                    let error = unknown(format!("there is no module `{}`", of.text));
                    let near = self.declared.guesses.nearest(
                        &of.text,
                        self.declared.modules.iter().map(|module| module.name),
                    );
                    return match near {
                        Some(near) => error.help(format!("did you mean `{near}::{}`?", name.text)),
                        None => error.help("is an `#include` missing?"),
                    };
                };
                let error = unknown(format!("module `{}` has no type `{}`", of.text, name.text));
                match self
                    .declared
                    .guesses
                    .nearest(&name.text, self.declared.module(id).types.keys().copied())
                {
                    Some(near) => error.help(format!("did you mean `{}::{near}`?", of.text)),
                    None => error,
                }
            }
            [.., of, name] => unknown(format!("there is no type `{}`", path.text()))
                .note("a type is `Type` or `Module::Type`: modules and types cannot be nested")
                .help(format!("did you mean `{}::{}`?", of.text, name.text)),
            _ => unknown(format!("there is no type `{}`", path.text()))
                .help("write the module after the `::`: `::Module::Type`"),
        }
    }

    fn unknown_local_type(&self, module: ModuleId, name: &str, span: Span) -> Diagnostic {
        let scope = self.declared.module(module);
        let unknown = |message: String| Diagnostic::new(Code::UnknownType, message);
        if let Some(id) = scope.consts.get(name) {
            let declared = self.declared.consts[id.0 as usize].1;
            return unknown(format!("`{name}` is a constant, not a type"))
                .at(span, "")
                .see(declared.declarator.name.span, "declared here");
        }
        if let Some(id) = scope.enumerators.get(name).and_then(|ids| ids.first()) {
            return unknown(format!("`{name}` is an enumerator, not a type"))
                .at(span, "")
                .see(self.declared.enumerator_name(*id).span, "declared here");
        }
        if self.declared.module_ids.contains_key(name) {
            return unknown(format!("`{name}` is a module, not a type"))
                .at(span, "")
                .help(format!("name a type in it: `{name}::TYPE`"));
        }
        let error = unknown(format!(
            "there is no type `{name}` in module `{}`",
            scope.name
        ))
        .at(span, "not found");
        if let Some(builtin) = foreign_type(name) {
            return error.help(format!("the Tars IDL calls it `{builtin}`"));
        }
        match self.declared.modules_of_type.get(name).map(Vec::as_slice) {
            Some([other]) => {
                return error.help(format!(
                    "did you mean `{}::{name}`?",
                    self.declared.module(*other).name
                ));
            }
            Some(others) => {
                let others = others
                    .iter()
                    .take(3)
                    .map(|id| format!("`{}::{name}`", self.declared.module(*id).name));
                return error.help(format!(
                    "did you mean {}?",
                    others.collect::<Vec<_>>().join(" or ")
                ));
            }
            None => {}
        }
        let builtins = KEYWORDS
            .iter()
            .copied()
            .filter(|word| Builtin::from_word(word).is_some());
        match self
            .declared
            .guesses
            .nearest(name, scope.types.keys().copied().chain(builtins))
        {
            Some(near) => error.help(format!("did you mean `{near}`?")),
            None => error,
        }
    }
}

/// A list of bytes has its own type on the wire.
fn vector_of(item: Type, max: Option<u32>) -> Type {
    match item {
        Type::Byte => Type::Bytes { max },
        item => Type::Vector {
            item: Box::new(item),
            max,
        },
    }
}

fn builtin_type(builtin: Builtin) -> Type {
    match builtin {
        Builtin::Bool => Type::Bool,
        Builtin::Byte => Type::Byte,
        Builtin::Short => Type::Short,
        Builtin::Int => Type::Int,
        Builtin::Long => Type::Long,
        Builtin::UByte => Type::UByte,
        Builtin::UShort => Type::UShort,
        Builtin::UInt => Type::UInt,
        Builtin::Float => Type::Float,
        Builtin::Double => Type::Double,
        Builtin::String => Type::String { max: None },
    }
}
