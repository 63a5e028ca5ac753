//! Who declares what: all files merged into modules, with an index of every name.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap};

use super::names::Guesses;
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::model::{ConstId, Doc, EnumId, InterfaceId, Item, ModuleId, StructId};
use crate::source::Span;
use crate::syntax::ast::{self, Lost, Name};

/// Everything that is declared. The vectors are indexed by the ids of the model.
#[derive(Debug, Default)]
pub(super) struct Declarations<'a> {
    pub(super) modules: Vec<ModuleScope<'a>>,
    pub(super) structs: Vec<(ModuleId, &'a ast::Struct)>,
    pub(super) enums: Vec<(ModuleId, &'a ast::Enum)>,
    pub(super) consts: Vec<(ModuleId, &'a ast::Const)>,
    pub(super) interfaces: Vec<(ModuleId, &'a ast::Interface)>,
    pub(super) keys: Vec<(ModuleId, &'a ast::Key)>,
    /// Modules by name.
    pub(super) module_ids: HashMap<&'a str, ModuleId>,
    /// For each enum, the index of each of its enumerators.
    pub(super) items_of_enum: Vec<BTreeMap<&'a str, usize>>,
    /// The modules that have a type of a name.
    pub(super) modules_of_type: HashMap<&'a str, Vec<ModuleId>>,
    /// The modules that have a constant of a name.
    pub(super) modules_of_const: HashMap<&'a str, Vec<ModuleId>>,
    /// The enumerators of a name, in all modules.
    pub(super) enumerators: HashMap<&'a str, Vec<EnumeratorId>>,
    /// What syntax errors hide.
    pub(super) lost: Lost,
    /// For messages.
    pub(super) guesses: Guesses,
}

/// A module and the names in it, in order so that guesses do not depend on hashes.
#[derive(Debug)]
pub(super) struct ModuleScope<'a> {
    pub(super) name: &'a str,
    /// Where the name of its first part is.
    pub(super) span: Span,
    pub(super) doc: &'a [String],
    pub(super) items: Vec<Item>,
    pub(super) types: BTreeMap<&'a str, TypeItem>,
    pub(super) consts: BTreeMap<&'a str, ConstId>,
    pub(super) enumerators: BTreeMap<&'a str, Vec<EnumeratorId>>,
}

/// What has a name among the types of a module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TypeItem {
    Struct(StructId),
    Enum(EnumId),
    Interface(InterfaceId),
}

/// An enumerator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct EnumeratorId {
    pub(super) of: EnumId,
    pub(super) index: usize,
}

impl<'a> Declarations<'a> {
    /// Merges files in their order.
    pub(super) fn collect(
        files: impl Iterator<Item = &'a ast::File>,
        diagnostics: &mut Diagnostics,
    ) -> Self {
        let mut all = Self::default();
        for file in files {
            all.lost.everything |= file.lost.everything;
            all.lost.words.extend(file.lost.words.iter().cloned());
            for module in &file.modules {
                let id = all.open(&module.name, &module.doc);
                for item in &module.items {
                    all.declare(id, item, diagnostics);
                }
            }
        }
        all
    }

    pub(super) fn module(&self, id: ModuleId) -> &ModuleScope<'a> {
        &self.modules[id.0 as usize]
    }

    pub(super) fn enum_decl(&self, id: EnumId) -> &'a ast::Enum {
        self.enums[id.0 as usize].1
    }

    /// Where an enumerator is declared.
    pub(super) fn enumerator_name(&self, id: EnumeratorId) -> &'a Name {
        &self.enum_decl(id.of).items[id.index].name
    }

    /// `Module::Enum`, for messages.
    pub(super) fn enum_name(&self, id: EnumId) -> String {
        let (module, declared) = self.enums[id.0 as usize];
        format!("{}::{}", self.module(module).name, declared.name.text)
    }

    /// The enum of a name.
    pub(super) fn enum_named(&self, module: ModuleId, name: &str) -> Option<EnumId> {
        match self.module(module).types.get(name) {
            Some(TypeItem::Enum(id)) => Some(*id),
            _ => None,
        }
    }

    /// Where a type is declared.
    pub(super) fn type_span(&self, item: TypeItem) -> Span {
        match item {
            TypeItem::Struct(id) => self.structs[id.0 as usize].1.name.span,
            TypeItem::Enum(id) => self.enums[id.0 as usize].1.name.span,
            TypeItem::Interface(id) => self.interfaces[id.0 as usize].1.name.span,
        }
    }

    fn open(&mut self, name: &'a Name, doc: &'a Doc) -> ModuleId {
        let next = ModuleId(self.modules.len() as u32);
        let id = *self.module_ids.entry(&name.text).or_insert(next);
        if id == next {
            self.modules.push(ModuleScope {
                name: &name.text,
                span: name.span,
                doc,
                items: Vec::new(),
                types: BTreeMap::new(),
                consts: BTreeMap::new(),
                enumerators: BTreeMap::new(),
            });
        }
        let scope = &mut self.modules[id.0 as usize];
        if scope.doc.is_empty() {
            scope.doc = doc;
        }
        id
    }

    fn declare(&mut self, module: ModuleId, item: &'a ast::Item, diagnostics: &mut Diagnostics) {
        let item = match item {
            ast::Item::Struct(declared) => {
                let id = StructId(self.structs.len() as u32);
                self.structs.push((module, declared));
                self.declare_type(module, &declared.name, TypeItem::Struct(id), diagnostics);
                Item::Struct(id)
            }
            ast::Item::Enum(declared) => {
                let id = EnumId(self.enums.len() as u32);
                self.enums.push((module, declared));
                self.declare_type(module, &declared.name, TypeItem::Enum(id), diagnostics);
                self.declare_enumerators(module, id, declared, diagnostics);
                Item::Enum(id)
            }
            ast::Item::Interface(declared) => {
                let id = InterfaceId(self.interfaces.len() as u32);
                self.interfaces.push((module, declared));
                self.declare_type(module, &declared.name, TypeItem::Interface(id), diagnostics);
                Item::Interface(id)
            }
            ast::Item::Const(declared) => {
                let id = ConstId(self.consts.len() as u32);
                self.consts.push((module, declared));
                self.declare_const(module, id, &declared.declarator.name, diagnostics);
                Item::Const(id)
            }
            ast::Item::Key(key) => {
                self.keys.push((module, key));
                return;
            }
        };
        self.modules[module.0 as usize].items.push(item);
    }

    /// Structs, enums and interfaces share their names: they all become types in most languages.
    fn declare_type(
        &mut self,
        module: ModuleId,
        name: &'a Name,
        item: TypeItem,
        diagnostics: &mut Diagnostics,
    ) {
        let first = match self.modules[module.0 as usize].types.entry(&name.text) {
            Entry::Vacant(entry) => {
                entry.insert(item);
                if !matches!(item, TypeItem::Interface(_)) {
                    self.modules_of_type
                        .entry(&name.text)
                        .or_default()
                        .push(module);
                }
                return;
            }
            Entry::Occupied(entry) => *entry.get(),
        };
        let of = self.modules[module.0 as usize].name;
        let same_kind = std::mem::discriminant(&first) == std::mem::discriminant(&item);
        let (kind, first_kind) = (kind_of(item), kind_of(first));
        let message = if same_kind {
            format!("{kind} `{}` is declared twice in module `{of}`", name.text)
        } else {
            format!(
                "module `{of}` has both {first_kind} `{0}` and {kind} `{0}`",
                name.text
            )
        };
        diagnostics.push(
            Diagnostic::new(Code::DuplicateType, message)
                .at(name.span, "declared again here")
                .see(self.type_span(first), "first declared here"),
        );
    }

    fn declare_const(
        &mut self,
        module: ModuleId,
        id: ConstId,
        name: &'a Name,
        diagnostics: &mut Diagnostics,
    ) {
        let scope = &mut self.modules[module.0 as usize];
        match scope.consts.entry(&name.text) {
            Entry::Vacant(entry) => {
                entry.insert(id);
                self.modules_of_const
                    .entry(&name.text)
                    .or_default()
                    .push(module);
            }
            Entry::Occupied(entry) => {
                let first = self.consts[entry.get().0 as usize].1;
                let message = format!(
                    "constant `{}` is declared twice in module `{}`",
                    name.text, scope.name
                );
                diagnostics.push(
                    Diagnostic::new(Code::DuplicateConst, message)
                        .at(name.span, "declared again here")
                        .see(first.declarator.name.span, "first declared here"),
                );
            }
        }
    }

    fn declare_enumerators(
        &mut self,
        module: ModuleId,
        of: EnumId,
        declared: &'a ast::Enum,
        diagnostics: &mut Diagnostics,
    ) {
        let mut items: BTreeMap<&str, usize> = BTreeMap::new();
        for (index, item) in declared.items.iter().enumerate() {
            let name = item.name.text.as_str();
            match items.entry(name) {
                Entry::Vacant(entry) => {
                    entry.insert(index);
                    let id = EnumeratorId { of, index };
                    self.modules[module.0 as usize]
                        .enumerators
                        .entry(name)
                        .or_default()
                        .push(id);
                    self.enumerators.entry(name).or_default().push(id);
                }
                Entry::Occupied(entry) => diagnostics.push(
                    Diagnostic::new(
                        Code::DuplicateEnumerator,
                        format!("enum `{}` has two enumerators `{name}`", declared.name.text),
                    )
                    .at(item.name.span, "declared again here")
                    .see(
                        declared.items[*entry.get()].name.span,
                        "first declared here",
                    ),
                ),
            }
        }
        self.items_of_enum.push(items);
    }
}

fn kind_of(item: TypeItem) -> &'static str {
    match item {
        TypeItem::Struct(_) => "struct",
        TypeItem::Enum(_) => "enum",
        TypeItem::Interface(_) => "interface",
    }
}
