//! Finds what a path in a config is about, and whether it may be.

use crate::config::{Attributes, Extern, Rule, nearest};
use crate::model::{EnumId, InterfaceId, Item, Model, ModuleId, StructId, Type};

use super::{Named, mentions};

/// A part of the IDL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Target {
    Module(ModuleId),
    Struct(StructId),
    Field(StructId, usize),
    Enum(EnumId),
    Interface(InterfaceId),
    Method(InterfaceId, usize),
    Param(InterfaceId, usize, usize),
}

impl From<Named> for Target {
    fn from(of: Named) -> Self {
        match of {
            Named::Struct(id) => Self::Struct(id),
            Named::Enum(id) => Self::Enum(id),
        }
    }
}

pub(super) fn of_rule(rule: &Rule, model: &Model) -> Result<Target, String> {
    let target = find(&rule.path.text, model)?;
    let path = &rule.path.text;
    if let Target::Enum(_) = target {
        return Err(format!("`{path}` is an enum, which has no types to choose"));
    }
    let has_fields = matches!(target, Target::Module(_) | Target::Struct(_));
    if rule.unknown_fields.is_some() && !has_fields {
        return Err(format!(
            "`unknownFields` is for structs, and `{path}` is none"
        ));
    }
    if rule.borrowed.is_some() && !has_fields {
        return Err(format!("`borrowed` is for structs, and `{path}` is none"));
    }
    if rule.optional.is_some() {
        let optional = match target {
            Target::Field(id, index) => !model[id].fields[index].required,
            _ => has_fields,
        };
        if !optional {
            return Err(format!(
                "`optionalType` is for optional members, and `{path}` is none"
            ));
        }
    }
    let ty = match target {
        Target::Field(id, index) => &model[id].fields[index].ty,
        Target::Param(id, method, param) => &model[id].methods[method].params[param].ty,
        _ => return Ok(target),
    };
    let is_string = |ty: &Type| matches!(ty, Type::String { .. });
    let is_bytes = |ty: &Type| matches!(ty, Type::Bytes { .. });
    let is_map = |ty: &Type| matches!(ty, Type::Map { .. });
    let missing = if rule.string.is_some() && !mentions(ty, &is_string) {
        "string"
    } else if rule.bytes.is_some() && !mentions(ty, &is_bytes) {
        "vector<byte>"
    } else if rule.map.is_some() && !mentions(ty, &is_map) {
        "map"
    } else {
        return Ok(target);
    };
    Err(format!("there is no {missing} in `{path}`"))
}

pub(super) fn of_extern(of: &Extern, model: &Model) -> Result<Target, String> {
    let target = find(&of.path.text, model)?;
    match target {
        Target::Module(_) | Target::Struct(_) | Target::Enum(_) => Ok(target),
        _ => Err(format!(
            "`externPath` is for modules, structs and enums, and `{}` is none",
            of.path.text
        )),
    }
}

pub(super) fn of_attributes(of: &Attributes, model: &Model) -> Result<Target, String> {
    let target = find(&of.path.text, model)?;
    let path = &of.path.text;
    match target {
        Target::Module(_) | Target::Struct(_) | Target::Enum(_) => Ok(target),
        Target::Field(..) if of.derive.is_empty() => Ok(target),
        Target::Field(..) => Err(format!("`derive` is for types, and `{path}` is a member")),
        _ => Err(format!(
            "`attributes` is for modules, structs, enums and members, and `{path}` is none"
        )),
    }
}

/// `Module`, `Module.Struct.member`, `Module.Interface.method.parameter` and all between.
fn find(path: &str, model: &Model) -> Result<Target, String> {
    let mut names = path.split('.');
    let mut before = String::new();
    let mut target = None;
    for name in &mut names {
        let found = match target {
            None => position(&model.modules, name, |m| &m.name)
                .map(|index| Target::Module(ModuleId(index as u32))),
            Some(Target::Module(id)) => model[id].items.iter().find_map(|&item| match item {
                Item::Struct(id) if model[id].name == name => Some(Target::Struct(id)),
                Item::Enum(id) if model[id].name == name => Some(Target::Enum(id)),
                Item::Interface(id) if model[id].name == name => Some(Target::Interface(id)),
                _ => None,
            }),
            Some(Target::Struct(id)) => {
                position(&model[id].fields, name, |f| &f.name).map(|at| Target::Field(id, at))
            }
            Some(Target::Interface(id)) => {
                position(&model[id].methods, name, |m| &m.name).map(|at| Target::Method(id, at))
            }
            Some(Target::Method(id, method)) => {
                position(&model[id].methods[method].params, name, |p| &p.name)
                    .map(|at| Target::Param(id, method, at))
            }
            Some(Target::Field(..) | Target::Enum(_) | Target::Param(..)) => None,
        };
        let Some(found) = found else {
            return Err(unknown(name, &before, target, model));
        };
        target = Some(found);
        before = if before.is_empty() {
            name.to_owned()
        } else {
            format!("{before}.{name}")
        };
    }
    // `split` gives at least one name.
    target.ok_or_else(|| unknown(path, "", None, model))
}

fn position<T>(items: &[T], name: &str, name_of: impl Fn(&T) -> &String) -> Option<usize> {
    items.iter().position(|item| name_of(item) == name)
}

fn unknown(name: &str, before: &str, target: Option<Target>, model: &Model) -> String {
    let known: Vec<&str> = match target {
        None => model.modules.iter().map(|m| m.name.as_str()).collect(),
        Some(Target::Module(id)) => {
            let items = model[id].items.iter().filter_map(|&item| match item {
                Item::Struct(id) => Some(model[id].name.as_str()),
                Item::Enum(id) => Some(model[id].name.as_str()),
                Item::Interface(id) => Some(model[id].name.as_str()),
                Item::Const(_) => None,
            });
            items.collect()
        }
        Some(Target::Struct(id)) => model[id].fields.iter().map(|f| f.name.as_str()).collect(),
        Some(Target::Interface(id)) => model[id].methods.iter().map(|m| m.name.as_str()).collect(),
        Some(Target::Method(id, method)) => {
            let params = &model[id].methods[method].params;
            params.iter().map(|p| p.name.as_str()).collect()
        }
        Some(Target::Field(..) | Target::Enum(_) | Target::Param(..)) => Vec::new(),
    };
    let place = if before.is_empty() {
        "the IDL has no module".to_owned()
    } else {
        format!("in the IDL, `{before}` has no")
    };
    let hint = nearest(name, known.into_iter())
        .map(|known| format!("; did you mean `{known}`?"))
        .unwrap_or_default();
    format!("{place} `{name}`{hint}")
}
