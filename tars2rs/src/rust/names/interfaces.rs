//! The names of interfaces and of what is in them.

use std::collections::HashSet;

use crate::diagnostic::Diagnostic;
use crate::model::{Method, Model, Param};
use crate::source::Span;

use super::super::naming::{Case, assign, bare, convert, join};
use super::{assign_and_note, list, note_renames, renamed_to};

/// The names of an interface.
#[derive(Debug, Clone)]
pub(in super::super) struct InterfaceNames {
    /// The server trait; the proxy and the dispatcher [`join`] `Servant` and `Server` to it.
    pub(in super::super) base: String,
    /// The module of the replies; the others [`join`] `_servant` and `_server` to it.
    pub(in super::super) stem: String,
    /// Methods.
    pub(in super::super) methods: Vec<MethodNames>,
}

/// The names of a method.
#[derive(Debug, Clone)]
pub(in super::super) struct MethodNames {
    /// The method.
    pub(in super::super) name: String,
    /// The struct of its answer, if that is several values.
    pub(in super::super) reply: String,
    /// A variable for each parameter.
    pub(in super::super) params: Vec<String>,
    /// A field for each out parameter.
    pub(in super::super) fields: Vec<String>,
    /// The field of the return value, and the variable for it.
    pub(in super::super) result: &'static str,
}

/// The method of a proxy that methods with a `routekey` call.
pub(in super::super) const ROUTED: &str = "routed";

/// Methods that a proxy has beside those of its interface.
const PROXY_METHODS: [&str; 4] = ["new", "with", "with_response_context", ROUTED];

/// Variables that generated code uses beside the parameters.
const LOCALS: [&str; 5] = ["answer", "args", "cx", "reply", "service"];

/// Interfaces of all modules meet in one directory, and each has three files and three types.
pub(super) fn all(model: &Model, renames: &mut Vec<Diagnostic>) -> Vec<InterfaceNames> {
    let idl_names = list(&model.interfaces, |i| &i.name);
    let mut bases = assign(&idl_names, Case::Camel, &[]);
    let mut stems = assign(&idl_names, Case::Snake, &["classes", "mod", "tars"]);
    spread(&mut bases, &["", "Servant", "Server"], "");
    spread(&mut stems, &["", "_servant", "_server"], "_");
    let with_spans = model.interfaces.iter().map(|i| (i.name.as_str(), i.span));
    note_renames(with_spans, &bases, Case::Camel, renames);
    for ((interface, base), stem) in model.interfaces.iter().zip(&bases).zip(&stems) {
        let name = &interface.name;
        let only_module = bare(base) == convert(name, Case::Camel);
        if only_module && bare(stem) != convert(name, Case::Snake) {
            let what = format!("the module of `{name}`");
            renames.push(renamed_to(&what, interface.span, stem));
        }
    }
    let methods = model.interfaces.iter().map(|interface| {
        let methods = &interface.methods;
        let idl_names = methods.iter().map(|m| (m.name.as_str(), m.span));
        let routes = methods.iter().flat_map(|m| &m.params).any(|p| p.routekey);
        let reserved = &PROXY_METHODS[..PROXY_METHODS.len() - usize::from(!routes)];
        let names = assign_and_note(idl_names, Case::Snake, reserved, renames);
        let replies = methods.iter().map(|m| format!("{}_reply", m.name));
        let replies = assign(&replies.collect::<Vec<_>>(), Case::Camel, &[]);
        let names = methods.iter().zip(names).zip(replies);
        names
            .map(|((method, name), reply)| MethodNames::new(method, name, reply, renames))
            .collect()
    });
    let methods: Vec<_> = methods.collect();
    let parts = bases.into_iter().zip(stems).zip(methods);
    parts
        .map(|((base, stem), methods)| InterfaceNames {
            base,
            stem,
            methods,
        })
        .collect()
}

impl MethodNames {
    fn new(of: &Method, name: String, reply: String, renames: &mut Vec<Diagnostic>) -> Self {
        let params = assign(&list(&of.params, |p| &p.name), Case::Snake, &LOCALS);
        // An out parameter is a field, the variable for it is nobody's business.
        let visible = of
            .params
            .iter()
            .zip(&params)
            .filter(|(param, _)| !param.out);
        // Nor is it one why some words cannot be parameters.
        let visible = visible.filter(|(_, name)| {
            !LOCALS
                .iter()
                .any(|local| name.strip_suffix('_') == Some(local))
        });
        let (visible, chosen): (Vec<&Param>, Vec<String>) =
            visible.map(|(param, name)| (param, name.clone())).unzip();
        note_renames(with_spans(&visible), &chosen, Case::Snake, renames);
        let outs: Vec<&Param> = of.params.iter().filter(|param| param.out).collect();
        let mut fields = assign(&list(&outs, |p| &p.name), Case::Snake, &[]);
        let mut result = "result";
        if outs.len() + usize::from(of.result.is_some()) > 1 {
            note_renames(with_spans(&outs), &fields, Case::Snake, renames);
            // The return value has no name in the IDL that it could lose.
            if fields.iter().any(|name| name == result) {
                result = "result_";
            }
        } else {
            fields.clear();
        }
        Self {
            name,
            reply,
            params,
            fields,
            result,
        }
    }
}

fn with_spans<'a>(params: &'a [&'a Param]) -> impl Iterator<Item = (&'a str, Span)> + Clone {
    params.iter().map(|param| (param.name.as_str(), param.span))
}

/// Numbers names until no name with one of the suffixes is another name with one.
fn spread(names: &mut [String], suffixes: &[&str], separator: &str) {
    let mut taken: HashSet<String> = HashSet::new();
    for name in names {
        let with_suffixes = |name: &str| {
            let name = bare(name).to_owned();
            suffixes.iter().map(move |suffix| join(&name, suffix))
        };
        let base = name.clone();
        let mut number = 2_usize;
        while with_suffixes(name).any(|name| taken.contains(&name)) {
            *name = join(&base, &format!("{separator}{number}"));
            number += 1;
        }
        taken.extend(with_suffixes(name));
    }
}
