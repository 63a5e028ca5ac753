//! From file names to the [`Model`]: reads, parses, merges modules, and decides every name, type and value.
//!
//! The steps, each a module, each using only what the ones before it have made:
//! [`load`] follows includes and parses; [`declare`] collects what is declared where; [`constants`] computes constants
//! and enumerators; [`structs`] and [`interfaces`] make the rest of the model with [`types`], [`values`] and [`fit`];
//! [`cycles`] looks at the finished graph of structs.

mod constants;
mod cycles;
mod declare;
mod fit;
mod interfaces;
mod load;
mod names;
mod structs;
mod types;
mod values;

use std::path::{Path, PathBuf};

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::model::{Enum, Enumerator, Model, Module};
use crate::source::SourceMap;
use declare::Declarations;
pub use fit::defaults_not_text;
use values::Values;

/// What a run is about. Paths are opened as they are: the caller joins them to the config's directory.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    /// The IDL files to compile.
    pub files: &'a [PathBuf],
    /// The config's directory, where an include is looked for after the directory of the including file.
    pub base_dir: &'a Path,
    /// Where an include is looked for after that.
    pub include_dirs: &'a [PathBuf],
}

/// What came of it.
#[derive(Debug)]
pub struct Output {
    /// Every file read.
    pub sources: SourceMap,
    /// Errors and warnings, by file and place.
    pub diagnostics: Vec<Diagnostic>,
    /// The files of the input that cannot be read.
    pub unreadable: Vec<Unreadable>,
    /// There only when there was no error.
    pub model: Option<Model>,
}

/// A file of the input that cannot be read. Whoever asked for it knows best where to complain.
#[derive(Debug)]
pub struct Unreadable {
    /// Its place among the files of the input.
    pub index: usize,
    /// What is wrong, without a place.
    pub diagnostic: Diagnostic,
}

/// Reads, parses and resolves; never panics, whatever the files hold.
#[must_use]
pub fn resolve(input: &Input<'_>) -> Output {
    let mut sources = SourceMap::default();
    let mut diagnostics = Diagnostics::default();
    let mut unreadable = Vec::new();
    let files = load::load(input, &mut sources, &mut unreadable, &mut diagnostics);
    let model = build(
        &Declarations::collect(files.iter(), &mut diagnostics),
        &mut diagnostics,
    );
    let ok = unreadable.is_empty() && !diagnostics.has_errors();
    Output {
        sources,
        diagnostics: diagnostics.sorted(),
        unreadable,
        model: ok.then_some(model),
    }
}

/// What the steps work with.
struct Resolver<'a> {
    declared: &'a Declarations<'a>,
    values: Values,
    diagnostics: &'a mut Diagnostics,
}

impl Resolver<'_> {
    fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }
}

/// Makes the model. It has holes where errors were reported.
fn build(declared: &Declarations<'_>, diagnostics: &mut Diagnostics) -> Model {
    let mut resolver = Resolver {
        declared,
        values: Values::default(),
        diagnostics,
    };
    let consts = resolver.constants();
    let structs = resolver.structs();
    let interfaces = resolver.interfaces();
    let enums = resolver.enums();
    let modules = declared.modules.iter().map(|module| Module {
        name: module.name.to_owned(),
        span: module.span,
        doc: module.doc.to_vec(),
        items: module.items.clone(),
    });
    let mut model = Model {
        modules: modules.collect(),
        structs,
        enums,
        consts,
        interfaces,
    };
    cycles::check(&mut model, diagnostics);
    model
}

impl Resolver<'_> {
    /// The enums, whose values are known by now.
    fn enums(&self) -> Vec<Enum> {
        let enums = self.declared.enums.iter().zip(&self.values.enumerators);
        let enums = enums.map(|((module, declared), values)| Enum {
            module: *module,
            name: declared.name.text.clone(),
            span: declared.name.span,
            doc: declared.doc.clone(),
            items: declared
                .items
                .iter()
                .zip(values)
                .map(|(item, value)| Enumerator {
                    name: item.name.text.clone(),
                    span: item.name.span,
                    doc: item.doc.clone(),
                    value: value.unwrap_or(0),
                })
                .collect(),
        });
        enums.collect()
    }
}
