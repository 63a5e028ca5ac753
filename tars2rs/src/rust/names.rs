//! The Rust name of everything in a model, decided once for all files.

mod interfaces;

use std::collections::{HashMap, HashSet};

use crate::diagnostic::{Code, Diagnostic};
use crate::model::{Item, Model, ModuleId, StructId};
use crate::source::Span;

use super::naming::{Case, assign, bare, convert, join};
use super::styles::{Named, Styles};

pub(super) use interfaces::{InterfaceNames, MethodNames, ROUTED};

/// The member that holds the fields which a struct does not know.
pub(super) const UNKNOWN_FIELDS: &str = "unknown_fields";

/// Indexed as the lists of the [`Model`].
#[derive(Debug)]
pub(super) struct Names {
    /// Modules under `classes`.
    pub(super) modules: Vec<String>,
    /// Structs.
    pub(super) structs: Vec<String>,
    /// The borrowed forms of structs, empty where there is none.
    borrowed: Vec<String>,
    /// Enums.
    pub(super) enums: Vec<String>,
    /// Enumerators of each enum.
    pub(super) enumerators: Vec<Vec<String>>,
    /// Constants.
    pub(super) consts: Vec<String>,
    /// Fields of each struct.
    pub(super) fields: Vec<Vec<String>>,
    /// Interfaces.
    pub(super) interfaces: Vec<InterfaceNames>,
}

impl Names {
    /// Decides all names, and says which of them are not what one would expect.
    pub(super) fn new(model: &Model, styles: &Styles<'_>) -> (Self, Vec<Diagnostic>) {
        let mut renames = Vec::new();
        let mut names = Self {
            modules: modules(model, &mut renames),
            structs: vec![String::new(); model.structs.len()],
            borrowed: vec![String::new(); model.structs.len()],
            enums: vec![String::new(); model.enums.len()],
            enumerators: Vec::new(),
            consts: vec![String::new(); model.consts.len()],
            fields: Vec::new(),
            interfaces: interfaces::all(model, &mut renames),
        };
        for module in &model.modules {
            names.add_module(model, &module.items, &mut renames);
        }
        names.name_borrowed(model, styles);
        for (of, id) in model.structs.iter().zip((0..).map(StructId)) {
            let reserved: &[&str] = if styles.keeps_unknown(id) {
                &[UNKNOWN_FIELDS]
            } else {
                &[]
            };
            let fields = of.fields.iter().map(|f| (f.name.as_str(), f.span));
            names
                .fields
                .push(assign_and_note(fields, Case::Snake, reserved, &mut renames));
        }
        for of in &model.enums {
            let items = of.items.iter().map(|i| (i.name.as_str(), i.span));
            names
                .enumerators
                .push(assign_and_note(items, Case::Screaming, &[], &mut renames));
        }
        renames.sort_by_key(Diagnostic::span);
        (names, renames)
    }

    /// What a type is called.
    pub(super) fn of(&self, of: Named) -> &str {
        match of {
            Named::Struct(id) => &self.structs[id.0 as usize],
            Named::Enum(id) => &self.enums[id.0 as usize],
        }
    }

    /// What the borrowed form of a struct is called, if it has one.
    pub(super) fn borrowed(&self, id: StructId) -> Option<&str> {
        let name = self.borrowed[id.0 as usize].as_str();
        (!name.is_empty()).then_some(name)
    }

    /// Whether any struct has a borrowed form.
    pub(super) fn any_borrowed(&self) -> bool {
        self.borrowed.iter().any(|name| !name.is_empty())
    }

    /// `FooRef`, with `_` behind it where the IDL has such a type.
    fn name_borrowed(&mut self, model: &Model, styles: &Styles<'_>) {
        let borrowing = styles.borrowing();
        if !borrowing.contains(&true) {
            return;
        }
        let mut borrowed = std::mem::take(&mut self.borrowed);
        for module in (0..).map(ModuleId).take(model.modules.len()) {
            let taken: HashSet<&str> = self.types_of(model, module).collect();
            for item in &model[module].items {
                let &Item::Struct(StructId(index)) = item else {
                    continue;
                };
                let index = index as usize;
                if borrowing[index] {
                    let mut name = join(&self.structs[index], "Ref");
                    while taken.contains(name.as_str()) {
                        name.push('_');
                    }
                    borrowed[index] = name;
                }
            }
        }
        self.borrowed = borrowed;
    }

    /// Structs and enums share a namespace, and the constructor of an enum is a value as constants are.
    fn add_module(&mut self, model: &Model, items: &[Item], renames: &mut Vec<Diagnostic>) {
        let mut types = Vec::new();
        let mut consts = Vec::new();
        for &item in items {
            match item {
                Item::Struct(id) => types.push((item, model[id].name.as_str(), model[id].span)),
                Item::Enum(id) => types.push((item, model[id].name.as_str(), model[id].span)),
                Item::Const(id) => consts.push((id, model[id].name.as_str(), model[id].span)),
                Item::Interface(_) => {}
            }
        }
        let mut constructors = Vec::new();
        let idl_names = types.iter().map(|&(_, name, span)| (name, span));
        let type_names = assign_and_note(idl_names, Case::Camel, &[], renames);
        for ((item, ..), name) in types.into_iter().zip(type_names) {
            match item {
                Item::Struct(id) => self.structs[id.0 as usize] = name,
                Item::Enum(id) => {
                    constructors.push(name.clone());
                    self.enums[id.0 as usize] = name;
                }
                Item::Const(_) | Item::Interface(_) => {}
            }
        }
        let constructors = list(&constructors, |name| name);
        let idl_names = consts.iter().map(|&(_, name, span)| (name, span));
        let const_names = assign_and_note(idl_names, Case::Screaming, &constructors, renames);
        for ((id, ..), name) in consts.into_iter().zip(const_names) {
            self.consts[id.0 as usize] = name;
        }
    }

    /// Types that are declared in a module.
    pub(super) fn types_of<'a>(
        &'a self,
        model: &'a Model,
        module: ModuleId,
    ) -> impl Iterator<Item = &'a str> {
        model[module].items.iter().filter_map(|&item| match item {
            Item::Struct(id) => Some(self.structs[id.0 as usize].as_str()),
            Item::Enum(id) => Some(self.enums[id.0 as usize].as_str()),
            Item::Const(_) | Item::Interface(_) => None,
        })
    }
}

fn modules(model: &Model, renames: &mut Vec<Diagnostic>) -> Vec<String> {
    let idl_names = model.modules.iter().map(|m| (m.name.as_str(), m.span));
    // `mod.rs` is the index of the directory.
    assign_and_note(idl_names, Case::Snake, &["mod"], renames)
}

/// [`assign`], with a warning for each name that is not what one would expect.
fn assign_and_note<'a>(
    idl: impl Iterator<Item = (&'a str, Span)> + Clone,
    case: Case,
    reserved: &[&str],
    renames: &mut Vec<Diagnostic>,
) -> Vec<String> {
    let names: Vec<&str> = idl.clone().map(|(name, _)| name).collect();
    let chosen = assign(&names, case, reserved);
    note_renames(idl, &chosen, case, renames);
    chosen
}

fn note_renames<'a>(
    idl: impl Iterator<Item = (&'a str, Span)> + Clone,
    chosen: &[String],
    case: Case,
    renames: &mut Vec<Diagnostic>,
) {
    let expected = |name: &str| convert(name, case);
    let renamed = idl.clone().zip(chosen);
    let mut renamed = renamed
        .filter(|((name, _), chosen)| bare(chosen) != expected(name))
        .peekable();
    if renamed.peek().is_none() {
        return;
    }
    let kept = idl
        .clone()
        .zip(chosen)
        .filter(|((name, _), chosen)| bare(chosen) == expected(name));
    let owners: HashMap<&str, Span> = kept.map(|((_, at), chosen)| (bare(chosen), at)).collect();
    for ((name, span), chosen) in renamed {
        let diagnostic = renamed_to(&format!("`{name}`"), span, chosen);
        let expected = expected(name);
        renames.push(match owners.get(expected.as_str()) {
            Some(&owner) => diagnostic.see(owner, format!("this is `{expected}` there")),
            None => diagnostic.note(format!("`{expected}` has another meaning there")),
        });
    }
}

fn renamed_to(what: &str, span: Span, chosen: &str) -> Diagnostic {
    let message = format!("{what} is called `{chosen}` in Rust");
    Diagnostic::new(Code::Renamed, message).at(span, "")
}

fn list<'a, T>(items: &'a [T], name: impl Fn(&'a T) -> &'a str) -> Vec<&'a str> {
    items.iter().map(name).collect()
}
