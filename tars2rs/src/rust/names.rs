//! The Rust name of everything in a model, decided once for all files.

use crate::model::{Item, Model, ModuleId};

use super::naming::{Case, assign};

/// Indexed as the lists of the [`Model`].
#[derive(Debug)]
pub(super) struct Names {
    /// Modules under `classes`.
    pub(super) modules: Vec<String>,
    /// Structs.
    pub(super) structs: Vec<String>,
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

/// The names of an interface.
#[derive(Debug, Clone)]
pub(super) struct InterfaceNames {
    /// The server trait; the proxy and the dispatcher append `Servant` and `Server`.
    pub(super) base: String,
    /// The module of the replies; the others append `_servant` and `_server`.
    pub(super) stem: String,
    /// Methods.
    pub(super) methods: Vec<String>,
}

impl Names {
    /// Decides all names.
    pub(super) fn new(model: &Model) -> Self {
        let mut names = Self {
            // `mod.rs` is the index of the directory.
            modules: assign(&list(&model.modules, |m| &m.name), Case::Snake, &["mod"]),
            structs: vec![String::new(); model.structs.len()],
            enums: vec![String::new(); model.enums.len()],
            enumerators: Vec::new(),
            consts: vec![String::new(); model.consts.len()],
            fields: Vec::new(),
            interfaces: interfaces(model),
        };
        for module in &model.modules {
            names.add_module(model, &module.items);
        }
        for of in &model.structs {
            names
                .fields
                .push(assign(&list(&of.fields, |f| &f.name), Case::Snake, &[]));
        }
        for of in &model.enums {
            names
                .enumerators
                .push(assign(&list(&of.items, |i| &i.name), Case::Screaming, &[]));
        }
        names
    }

    /// Structs and enums share a namespace, and the constructor of an enum is a value as constants are.
    fn add_module(&mut self, model: &Model, items: &[Item]) {
        let mut types = Vec::new();
        let mut consts = Vec::new();
        for &item in items {
            match item {
                Item::Struct(id) => types.push((item, model[id].name.as_str())),
                Item::Enum(id) => types.push((item, model[id].name.as_str())),
                Item::Const(id) => consts.push((id, model[id].name.as_str())),
                Item::Interface(_) => {}
            }
        }
        let mut constructors = Vec::new();
        let type_names = assign(&list(&types, |(_, name)| name), Case::Camel, &[]);
        for ((item, _), name) in types.into_iter().zip(type_names) {
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
        let const_names = assign(
            &list(&consts, |(_, name)| name),
            Case::Screaming,
            &constructors,
        );
        for ((id, _), name) in consts.into_iter().zip(const_names) {
            self.consts[id.0 as usize] = name;
        }
    }

    /// Constants and constructors of enums: the values that are declared in a module.
    pub(super) fn values_of<'a>(
        &'a self,
        model: &'a Model,
        module: ModuleId,
    ) -> impl Iterator<Item = &'a str> {
        model[module].items.iter().filter_map(|&item| match item {
            Item::Const(id) => Some(self.consts[id.0 as usize].as_str()),
            Item::Enum(id) => Some(self.enums[id.0 as usize].as_str()),
            Item::Struct(_) | Item::Interface(_) => None,
        })
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

/// Interfaces of all modules meet in one directory, and each has three files and three types.
fn interfaces(model: &Model) -> Vec<InterfaceNames> {
    let idl_names = list(&model.interfaces, |i| &i.name);
    let mut bases = assign(&idl_names, Case::Camel, &[]);
    let mut stems = assign(&idl_names, Case::Snake, &["classes", "mod", "tars"]);
    spread(&mut bases, &["", "Servant", "Server"], "");
    spread(&mut stems, &["", "_servant", "_server"], "_");
    let methods = model.interfaces.iter().map(|i| {
        // The proxy has these itself.
        assign(
            &list(&i.methods, |m| &m.name),
            Case::Snake,
            &["new", "with"],
        )
    });
    let parts = bases.into_iter().zip(stems).zip(methods);
    parts
        .map(|((base, stem), methods)| InterfaceNames {
            base,
            stem,
            methods,
        })
        .collect()
}

/// Numbers names until no name with one of the suffixes is another name with one.
fn spread(names: &mut [String], suffixes: &[&str], separator: &str) {
    for index in 1..names.len() {
        let (before, rest) = names.split_at_mut(index);
        let Some(name) = rest.first_mut() else { return };
        let clashes = |name: &str| {
            let with = |name: &str, suffix: &str| format!("{}{suffix}", super::naming::bare(name));
            before.iter().any(|other| {
                suffixes.iter().any(|one| {
                    suffixes
                        .iter()
                        .any(|two| with(name, one) == with(other, two))
                })
            })
        };
        let base = super::naming::bare(name).to_owned();
        let mut number = 2_usize;
        while clashes(name) {
            *name = format!("{base}{separator}{number}");
            number += 1;
        }
    }
}

fn list<'a, T>(items: &'a [T], name: impl Fn(&'a T) -> &'a str) -> Vec<&'a str> {
    items.iter().map(name).collect()
}
