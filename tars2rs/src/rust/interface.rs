//! What the three files of an interface have in common: names and types of its methods, and imports.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::config::Types;
use crate::model::{Interface, InterfaceId, Method, Model, Param, Type};

use super::names::{InterfaceNames, MethodNames};
use super::prelude::Prelude;
use super::styles::Named;
use super::types::{Maximum, Place, Spelling, Wrapper};
use super::{Context, Runtime, layout};

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
    /// The parameters that are sent.
    pub(super) ins: Vec<Input<'a>>,
    /// What comes back.
    pub(super) answer: Answer<'a>,
}

/// A parameter that is sent.
#[derive(Debug, Clone)]
pub(super) struct Input<'a> {
    /// Its name in Rust.
    pub(super) name: String,
    /// The parameter.
    pub(super) param: &'a Param,
    /// What its types become.
    pub(super) types: Types,
}

/// What a call gives.
#[derive(Debug)]
pub(super) enum Answer<'a> {
    /// Nothing.
    Nothing,
    /// One value.
    One(Output<'a>),
    /// Several, in a struct of this name.
    Many(&'a str, Vec<Output<'a>>),
}

/// A value that comes back.
#[derive(Debug)]
pub(super) struct Output<'a> {
    /// Its name in Rust.
    pub(super) name: String,
    /// A variable for it.
    pub(super) local: String,
    /// Its type.
    pub(super) ty: &'a Type,
    /// What its types become.
    pub(super) types: Types,
    /// The parameter, `None` for the return value.
    pub(super) param: Option<&'a Param>,
}

impl<'a> Plan<'a> {
    /// Decides the names.
    pub(super) fn new(id: InterfaceId, cx: Context<'a>) -> Self {
        let of = &cx.model[id];
        let names = &cx.names.interfaces[id.0 as usize];
        let methods = of.methods.iter().zip(&names.methods).enumerate();
        let methods = methods
            .map(|(index, (method, names))| {
                let types = |param| cx.styles.value(id, index, param);
                MethodPlan::new(method, names, types)
            })
            .collect();
        Self { of, names, methods }
    }

    /// The reply structs.
    pub(super) fn replies(&self) -> impl Iterator<Item = &str> {
        self.methods
            .iter()
            .filter_map(|method| match &method.answer {
                Answer::Many(name, _) => Some(*name),
                _ => None,
            })
    }

    /// The types of all parameters and return values.
    pub(super) fn types(&self) -> impl Iterator<Item = &'a Type> {
        let methods = self.of.methods.iter();
        methods.flat_map(|method| {
            method
                .params
                .iter()
                .map(|param| &param.ty)
                .chain(&method.result)
        })
    }

    /// The types in the signatures of the proxy and the trait.
    pub(super) fn signature_types(&self) -> impl Iterator<Item = &'a Type> {
        self.methods.iter().flat_map(|method| {
            let one = match &method.answer {
                Answer::One(output) => Some(output.ty),
                _ => None,
            };
            method.ins.iter().map(|input| &input.param.ty).chain(one)
        })
    }
}

impl<'a> MethodPlan<'a> {
    fn new(of: &'a Method, names: &'a MethodNames, types: impl Fn(Option<usize>) -> Types) -> Self {
        let params = of.params.iter().zip(&names.params).enumerate();
        let inputs = params.map(|(index, (param, name))| Input {
            name: name.clone(),
            param,
            types: types(Some(index)),
        });
        let (outs, ins): (Vec<_>, Vec<_>) = inputs.partition(|input| input.param.out);
        let result = of.result.iter().map(|ty| Output {
            name: names.result.to_owned(),
            local: names.result.to_owned(),
            ty,
            types: types(None),
            param: None,
        });
        let outs = outs.into_iter().enumerate().map(|(index, out)| Output {
            // On its own it is a variable, among others a field.
            name: names.fields.get(index).unwrap_or(&out.name).clone(),
            local: out.name,
            ty: &out.param.ty,
            types: out.types,
            param: Some(out.param),
        });
        let mut outputs: Vec<Output<'a>> = result.chain(outs).collect();
        let answer = match outputs.len() {
            0 => Answer::Nothing,
            1 => outputs.pop().map_or(Answer::Nothing, Answer::One),
            _ => Answer::Many(&names.reply, outputs),
        };
        Self {
            of,
            name: &names.name,
            ins,
            answer,
        }
    }

    /// `tars_rpc::Result<..>`
    pub(super) fn result(&self, imports: &Imports<'_>, runtime: Runtime<'_>) -> String {
        let ty = match &self.answer {
            Answer::Nothing => "()".to_owned(),
            Answer::One(output) => imports.spelling.owned(output.ty, output.types),
            Answer::Many(name, _) => imports.spelled_reply(name).to_owned(),
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
    replies: BTreeMap<String, String>,
    lines: Vec<String>,
}

impl<'a> Imports<'a> {
    /// For a file that defines the names `defined` and uses `types` and the structs `replies` of the module `stem`.
    pub(super) fn new<'t>(
        cx: Context<'a>,
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
        let mut used = BTreeMap::<usize, BTreeMap<&str, Named>>::new();
        for ty in types {
            each_named(ty, &mut |of| {
                let name = cx.names.of(of);
                if cx.styles.extern_path(of, name).is_none() {
                    let module = module_of(of, cx.model);
                    used.entry(module).or_default().insert(name, of);
                }
            });
        }
        let mut paths = HashMap::new();
        for (module, wanted) in used {
            let path = format!("super::classes::{}", cx.names.modules[module]);
            let names = wanted.keys().copied().collect();
            let spelled = take(&path, names, &mut taken, &mut lines);
            paths.extend(wanted.into_values().zip(spelled.into_values()));
        }
        lines.sort();
        Self {
            spelling: Spelling {
                model: cx.model,
                names: cx.names,
                styles: cx.styles,
                prelude: Prelude::new(defined.iter().map(String::as_str)),
                place: Place::Interface(paths),
            },
            replies,
            lines,
        }
    }

    /// How a reply struct is spelled.
    pub(super) fn spelled_reply<'r>(&'r self, reply: &'r str) -> &'r str {
        self.replies.get(reply).map_or(reply, String::as_str)
    }

    /// The `use` lines of a file with this text.
    pub(super) fn text(&self, body: &str, runtime: Runtime<'_>, modules: &[&str]) -> String {
        let std = self.spelling.prelude.import(body);
        let own = if self.lines.is_empty() {
            String::new()
        } else {
            layout::group(self.lines.clone())
        };
        let check = if modules.is_empty() {
            String::new()
        } else {
            runtime.check_version()
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
        let groups = [std, own, runtime, check];
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

fn module_of(of: Named, model: &Model) -> usize {
    let module = match of {
        Named::Struct(id) => model[id].module,
        Named::Enum(id) => model[id].module,
    };
    module.0 as usize
}

fn each_named(ty: &Type, visit: &mut impl FnMut(Named)) {
    match ty {
        Type::Struct(id) => visit(Named::Struct(*id)),
        Type::Enum(id) => visit(Named::Enum(*id)),
        Type::Vector { item, .. } => each_named(item, visit),
        Type::Map { key, value } => {
            each_named(key, visit);
            each_named(value, visit);
        }
        _ => {}
    }
}

/// A value as an argument of `put`. `value` is a reference if its type is not a number.
pub(super) fn to_wire(value: &str, ty: &Type, types: Types) -> String {
    let wrapper = Wrapper::of(ty, types).map(Wrapper::path);
    let wrapped = wrapper.map(|path| format!("&{path}({value})"));
    match Maximum::of(ty) {
        Some(Maximum { max, .. }) => {
            let value = wrapped.as_deref().unwrap_or(value);
            format!("&codec::AtMostRef::<_, {max}>({value})")
        }
        None => wrapped.unwrap_or_else(|| value.to_owned()),
    }
}

/// The pattern that binds a value to `name` when it comes in; the name alone if it comes as it is.
pub(super) fn from_wire(name: &str, ty: &Type, types: Types) -> String {
    let wrapped = match Wrapper::of(ty, types) {
        Some(wrapper) => format!("{}({name})", wrapper.path()),
        None => name.to_owned(),
    };
    match Maximum::of(ty) {
        Some(Maximum { max, .. }) => format!("codec::AtMost::<_, {max}>({wrapped})"),
        None => wrapped,
    }
}
