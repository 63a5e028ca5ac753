//! The options of a config, applied to a model: what they say of each type and value.

mod target;

use std::collections::HashMap;
use std::ops::Range;

use crate::config::{Attributes, Options, Rule, StringType, Types};
use crate::model::{EnumId, InterfaceId, Model, ModuleId, StructId, Type};

use super::graph::spread_to_users;
use target::Target;

/// A struct or enum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Named {
    /// A struct.
    Struct(StructId),
    /// An enum.
    Enum(EnumId),
}

/// What the options say.
#[derive(Debug)]
pub(super) struct Styles<'a> {
    /// The options.
    pub(super) options: &'a Options,
    model: &'a Model,
    rules: HashMap<Target, &'a Rule>,
    externs: HashMap<Target, &'a str>,
    attributes: HashMap<Target, Vec<&'a Attributes>>,
}

/// What the config adds to a type.
#[derive(Debug, Default)]
pub(super) struct Further {
    /// Traits to derive.
    pub(super) derive: Vec<String>,
    /// Whole attributes.
    pub(super) lines: Vec<String>,
}

/// Something that is wrong with the options, and its place in the config.
pub type Complaint = (String, Range<usize>);

impl<'a> Styles<'a> {
    /// Finds what the paths of the options are about.
    ///
    /// # Errors
    /// A path leads nowhere, or to something that the option is not for.
    pub(super) fn new(options: &'a Options, model: &'a Model) -> Result<Self, Vec<Complaint>> {
        let mut styles = Self {
            options,
            model,
            rules: HashMap::new(),
            externs: HashMap::new(),
            attributes: HashMap::new(),
        };
        let mut complaints = Vec::new();
        for rule in &options.rules {
            match target::of_rule(rule, model) {
                Ok(target) => drop(styles.rules.insert(target, rule)),
                Err(complaint) => complaints.push((complaint, rule.path.at.clone())),
            }
        }
        for of in &options.externs {
            match target::of_extern(of, model) {
                Ok(target) => drop(styles.externs.insert(target, &of.rust)),
                Err(complaint) => complaints.push((complaint, of.path.at.clone())),
            }
        }
        for of in &options.attributes {
            match target::of_attributes(of, model) {
                Ok(target) => styles.attributes.entry(target).or_default().push(of),
                Err(complaint) => complaints.push((complaint, of.path.at.clone())),
            }
        }
        if complaints.is_empty() {
            Ok(styles)
        } else {
            Err(complaints)
        }
    }

    /// What the types of a member become.
    pub(super) fn field(&self, of: StructId, index: usize) -> Types {
        let module = Target::Module(self.model[of].module);
        self.types(&[module, Target::Struct(of), Target::Field(of, index)])
    }

    /// Whether a string member is bytes in the generated code, or in none.
    pub(super) fn is_bytes(&self, of: StructId, index: usize) -> bool {
        self.field(of, index).string == StringType::Bytes
            || self.extern_path(Named::Struct(of), "").is_some()
    }

    /// What the types of a parameter become, or of the return value.
    pub(super) fn value(&self, of: InterfaceId, method: usize, param: Option<usize>) -> Types {
        let module = Target::Module(self.model[of].module);
        let mut path = vec![module, Target::Interface(of), Target::Method(of, method)];
        path.extend(param.map(|param| Target::Param(of, method, param)));
        self.types(&path)
    }

    /// Whether a struct keeps the fields that it does not know.
    pub(super) fn keeps_unknown(&self, of: StructId) -> bool {
        let module = Target::Module(self.model[of].module);
        self.types(&[module, Target::Struct(of)]).unknown_fields
    }

    /// The structs that are to have a borrowed form and something to borrow; indexed as [`Model::structs`].
    pub(super) fn borrowing(&self) -> Vec<bool> {
        let has_form = |index: usize| {
            let id = StructId(index as u32);
            let module = Target::Module(self.model[id].module);
            self.types(&[module, Target::Struct(id)]).borrowed
                && self.extern_path(Named::Struct(id), "").is_none()
        };
        let forms: Vec<bool> = (0..self.model.structs.len()).map(has_form).collect();
        if !forms.contains(&true) {
            return forms;
        }
        let has_form = |id: StructId| forms[id.0 as usize];
        // Structs in map keys stay owned.
        let spreads = |user, in_key: bool| has_form(user) && !in_key;
        spread_to_users(self.model, spreads, |id, index| {
            has_form(id) && borrows(&self.model[id].fields[index].ty)
        })
    }

    /// The path to a type that is generated elsewhere. `name` is what it would be called here.
    pub(super) fn extern_path(&self, of: Named, name: &str) -> Option<String> {
        if self.externs.is_empty() {
            return None;
        }
        let module = Target::Module(self.module_of(of));
        let module = || Some(format!("{}::{name}", self.externs.get(&module)?));
        let own = self.externs.get(&Target::from(of));
        own.map(|&path| path.to_owned()).or_else(module)
    }

    /// What is to be derived for a type, and its further attributes.
    pub(super) fn attributes(&self, of: Named) -> Further {
        let path = [Target::Module(self.module_of(of)), Target::from(of)];
        let lists = path.iter().filter_map(|target| self.attributes.get(target));
        let mut further = Further::default();
        for list in lists.flatten() {
            further.derive.extend_from_slice(&list.derive);
            further.lines.extend_from_slice(&list.attributes);
        }
        further
    }

    /// The attributes of a member.
    pub(super) fn field_attributes(&self, of: StructId, index: usize) -> Vec<String> {
        let lists = self.attributes.get(&Target::Field(of, index));
        let lists = lists.into_iter().flatten();
        lists
            .flat_map(|list| list.attributes.iter().cloned())
            .collect()
    }

    fn types(&self, path: &[Target]) -> Types {
        let mut types = self.options.types;
        if self.rules.is_empty() {
            return types;
        }
        for rule in path.iter().filter_map(|target| self.rules.get(target)) {
            types = Types {
                optional: rule.optional.unwrap_or(types.optional),
                string: rule.string.unwrap_or(types.string),
                bytes: rule.bytes.unwrap_or(types.bytes),
                map: rule.map.unwrap_or(types.map),
                unknown_fields: rule.unknown_fields.unwrap_or(types.unknown_fields),
                borrowed: rule.borrowed.unwrap_or(types.borrowed),
            };
        }
        types
    }

    fn module_of(&self, of: Named) -> ModuleId {
        match of {
            Named::Struct(id) => self.model[id].module,
            Named::Enum(id) => self.model[id].module,
        }
    }
}

/// Whether a value of a type can borrow, not looking into structs.
fn borrows(ty: &Type) -> bool {
    matches!(
        ty,
        Type::String { .. } | Type::Bytes { .. } | Type::Vector { .. } | Type::Map { .. }
    )
}

/// Whether a type is one of these or made of them; not looking into structs.
pub(super) fn mentions(ty: &Type, is: &impl Fn(&Type) -> bool) -> bool {
    is(ty)
        || match ty {
            Type::Vector { item, .. } => mentions(item, is),
            Type::Map { key, value } => mentions(key, is) || mentions(value, is),
            _ => false,
        }
}
