//! What the three files of an interface have in common: names and types of its methods, and imports.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use crate::model::{Interface, InterfaceId, Method, Model, Param, Type};

use super::names::{InterfaceNames, Names};
use super::naming::{Case, assign};
use super::prelude::Prelude;
use super::types::Spelling;
use super::{Runtime, layout};

/// Variables that generated code uses beside the parameters.
const LOCALS: [&str; 5] = ["answer", "args", "cx", "reply", "service"];

/// An interface with all names decided.
#[derive(Debug)]
pub(super) struct Plan<'a> {
    /// The interface.
    pub(super) of: &'a Interface,
    /// Its names.
    pub(super) names: &'a InterfaceNames,
    /// Its methods.
    pub(super) methods: Vec<MethodPlan<'a>>,
}

/// A method with all names decided.
#[derive(Debug)]
pub(super) struct MethodPlan<'a> {
    /// The method.
    pub(super) of: &'a Method,
    /// Its name in Rust.
    pub(super) name: &'a str,
    /// The parameters that are sent, with their names.
    pub(super) ins: Vec<(&'a Param, String)>,
    /// What comes back.
    pub(super) answer: Answer<'a>,
}

/// What a call gives.
#[derive(Debug)]
pub(super) enum Answer<'a> {
    /// Nothing.
    Nothing,
    /// One value.
    One(Output<'a>),
    /// Several, in a struct of this name.
    Many(String, Vec<Output<'a>>),
}

/// A value that comes back.
#[derive(Debug)]
pub(super) struct Output<'a> {
    /// Its name in Rust.
    pub(super) name: String,
    /// Its type.
    pub(super) ty: &'a Type,
    /// The parameter, `None` for the return value.
    pub(super) param: Option<&'a Param>,
}

impl<'a> Plan<'a> {
    /// Decides the names.
    pub(super) fn new(id: InterfaceId, model: &'a Model, names: &'a Names) -> Self {
        let of = &model[id];
        let names = &names.interfaces[id.0 as usize];
        let replies: Vec<String> = of
            .methods
            .iter()
            .map(|method| format!("{}_reply", method.name))
            .collect();
        let replies = assign(&replies, Case::Camel, &[]);
        let parts = of.methods.iter().zip(&names.methods).zip(replies);
        let methods = parts
            .map(|((method, name), reply)| MethodPlan::new(method, name, reply))
            .collect();
        Self { of, names, methods }
    }

    /// The reply structs.
    pub(super) fn replies(&self) -> impl Iterator<Item = &str> {
        self.methods
            .iter()
            .filter_map(|method| match &method.answer {
                Answer::Many(name, _) => Some(name.as_str()),
                _ => None,
            })
    }

    /// The types in the signatures of the proxy and the trait.
    pub(super) fn signature_types(&self) -> impl Iterator<Item = &'a Type> {
        self.methods.iter().flat_map(|method| {
            let one = match &method.answer {
                Answer::One(output) => Some(output.ty),
                _ => None,
            };
            method.ins.iter().map(|(param, _)| &param.ty).chain(one)
        })
    }
}

impl<'a> MethodPlan<'a> {
    fn new(of: &'a Method, name: &'a str, reply: String) -> Self {
        let param_names: Vec<&str> = of.params.iter().map(|param| param.name.as_str()).collect();
        let param_names = assign(&param_names, Case::Snake, &LOCALS);
        let (outs, ins): (Vec<_>, Vec<_>) = of
            .params
            .iter()
            .zip(param_names)
            .partition(|(param, _)| param.out);
        let out_names: Vec<&str> = outs.iter().map(|(param, _)| param.name.as_str()).collect();
        let fields = assign(&out_names, Case::Snake, &[]);
        let result_name = if fields.iter().any(|name| name == "result") {
            "result_"
        } else {
            "result"
        };
        let result = of.result.iter().map(|ty| Output {
            name: result_name.to_owned(),
            ty,
            param: None,
        });
        let as_output = |((param, local), field): ((&'a Param, String), String)| {
            // On its own it is a variable, among others a field.
            let alone = outs.len() == 1 && of.result.is_none();
            Output {
                name: if alone { local } else { field },
                ty: &param.ty,
                param: Some(param),
            }
        };
        let mut outputs: Vec<Output<'a>> = result.collect();
        outputs.extend(outs.iter().cloned().zip(fields).map(as_output));
        let answer = match outputs.len() {
            0 => Answer::Nothing,
            1 => outputs.pop().map_or(Answer::Nothing, Answer::One),
            _ => Answer::Many(reply, outputs),
        };
        Self {
            of,
            name,
            ins,
            answer,
        }
    }

    /// `tars_rpc::Result<..>`
    pub(super) fn result(&self, imports: &Imports<'_>, runtime: Runtime<'_>) -> String {
        let ty = match &self.answer {
            Answer::Nothing => "()".to_owned(),
            Answer::One(output) => imports.spelling.owned(output.ty, false),
            Answer::Many(name, _) => imports.replies.get(name).unwrap_or(name).clone(),
        };
        format!("{}::Result<{ty}>", runtime.name())
    }
}

/// The names that a file imports, and how it spells its types.
#[derive(Debug)]
pub(super) struct Imports<'a> {
    /// Types of the IDL and the standard library.
    pub(super) spelling: Spelling<'a>,
    /// How each reply struct is spelled.
    pub(super) replies: BTreeMap<String, String>,
    lines: Vec<String>,
}

impl<'a> Imports<'a> {
    /// For a file that defines the names `defined` and uses `types` and the structs `replies` of the module `stem`.
    pub(super) fn new<'t>(
        model: &'a Model,
        names: &'a Names,
        defined: &[String],
        types: impl Iterator<Item = &'t Type>,
        stem: &str,
        replies: &[&str],
    ) -> Self {
        let mut taken: HashSet<&str> = defined
            .iter()
            .map(String::as_str)
            .chain(Prelude::NAMES.iter().copied())
            .collect();
        let mut lines = Vec::new();
        let module = format!("super::{stem}");
        let replies = take(
            &module,
            replies.iter().copied().collect(),
            &mut taken,
            &mut lines,
        );
        let mut used = BTreeMap::<usize, BTreeSet<&str>>::new();
        for ty in types {
            each_named(ty, &mut |ty| match ty {
                Type::Struct(id) => {
                    used.entry(model[*id].module.0 as usize)
                        .or_default()
                        .insert(&names.structs[id.0 as usize]);
                }
                Type::Enum(id) => {
                    used.entry(model[*id].module.0 as usize)
                        .or_default()
                        .insert(&names.enums[id.0 as usize]);
                }
                _ => {}
            });
        }
        let mut paths = BTreeMap::new();
        for (module, wanted) in used {
            let path = format!("super::classes::{}", names.modules[module]);
            for (name, path) in take(&path, wanted, &mut taken, &mut lines) {
                paths.insert((module, name), path);
            }
        }
        let path = |module: u32, name: &String| {
            paths
                .get(&(module as usize, name.clone()))
                .cloned()
                .unwrap_or_default()
        };
        let structs = model
            .structs
            .iter()
            .zip(&names.structs)
            .map(|(of, name)| path(of.module.0, name))
            .collect();
        let enums = model
            .enums
            .iter()
            .zip(&names.enums)
            .map(|(of, name)| path(of.module.0, name))
            .collect();
        let prelude = Prelude::new(defined.iter().map(String::as_str));
        lines.sort();
        Self {
            spelling: Spelling {
                model,
                prelude,
                structs,
                enums,
                enumerators: &names.enumerators,
            },
            replies,
            lines,
        }
    }

    /// The `use` lines of a file with this text.
    pub(super) fn text(&self, body: &str, runtime: Runtime<'_>, modules: &[&str]) -> String {
        let std = [
            ("BTreeMap", "collections"),
            ("Future", "future"),
            ("Arc", "sync"),
        ];
        let used = std.iter().filter(|(name, _)| {
            !self.spelling.prelude.defines(name) && body.contains(&format!("{name}<"))
        });
        let std: Vec<String> = used
            .map(|(name, module)| format!("use std::{module}::{name};"))
            .collect();
        let own = if self.lines.is_empty() {
            String::new()
        } else {
            layout::group(self.lines.clone())
        };
        let mut modules = modules.to_vec();
        if body.contains("codec::") {
            modules.push("codec");
            modules.sort_unstable();
        }
        let runtime = match modules[..] {
            [] => String::new(),
            // The replies need no more than types.
            ["codec"] => format!("use {}::codec;", runtime.path),
            _ => runtime.import(&modules, body),
        };
        let groups = [std.join("\n"), own, runtime];
        groups
            .into_iter()
            .filter(|group| !group.is_empty())
            .map(|group| format!("{}\n\n", group.trim_end()))
            .collect()
    }
}

/// Imports names of a module as far as that is safe; gives the spelling of each.
fn take<'n>(
    module: &str,
    names: BTreeSet<&'n str>,
    taken: &mut HashSet<&'n str>,
    lines: &mut Vec<String>,
) -> BTreeMap<String, String> {
    let single = names.len() == 1;
    let mut imported = Vec::new();
    let mut spelled = BTreeMap::new();
    for name in names {
        let path = if (single || layout::sorts_alike(name)) && taken.insert(name) {
            imported.push(name.to_owned());
            name.to_owned()
        } else {
            format!("{module}::{name}")
        };
        spelled.insert(name.to_owned(), path);
    }
    if !imported.is_empty() {
        lines.push(layout::import(module, &imported));
    }
    spelled
}

fn each_named(ty: &Type, visit: &mut impl FnMut(&Type)) {
    match ty {
        Type::Struct(_) | Type::Enum(_) => visit(ty),
        Type::Vector { item, .. } => each_named(item, visit),
        Type::Map { key, value } => {
            each_named(key, visit);
            each_named(value, visit);
        }
        _ => {}
    }
}
