//! The Rust backend: from the [`Model`] to the text of files.
//!
//! Everything is decided before a template runs: [`names`] and [`naming`] choose names, [`derives`] the traits,
//! [`types`] and [`prelude`] how types are spelled in a file, [`layout`] where lines break. Templates place text.

pub(crate) mod layout;
pub(crate) mod naming;

mod classes;
mod client;
mod derives;
mod docs;
mod enums;
mod interface;
mod names;
mod prelude;
mod replies;
mod server;
mod structs;
mod types;

use askama::Template;

use crate::model::{InterfaceId, Model, ModuleId};
use crate::source::Span;

/// A generated file without its header.
#[derive(Debug)]
pub struct Body {
    /// Path below the directory of the obj.
    pub path: String,
    /// Places in the IDL that it came from.
    pub spans: Vec<Span>,
    /// What is in it, as `//` lines.
    pub doc: String,
    /// Names that the directory's `mod.rs` re-exports.
    pub exports: Vec<String>,
    /// The rest.
    pub text: String,
}

/// How generated code reaches the runtime.
#[derive(Debug, Clone, Copy)]
struct Runtime<'a> {
    /// The path in the config.
    path: &'a str,
}

impl<'a> Runtime<'a> {
    /// What it is called in a file that imports it: `tars_rpc`.
    fn name(self) -> &'a str {
        self.path.rsplit("::").next().unwrap_or(self.path)
    }

    /// The line that imports some of its modules, and itself if the text has a use for it.
    fn import(self, modules: &[&str], text: &str) -> String {
        // `crate` can be neither imported nor shadowed.
        let used = self.path != "crate" && text.contains(&format!("{}::", self.name()));
        let own = used.then_some("self");
        let names: Vec<String> = own
            .iter()
            .chain(modules)
            .map(|&name| name.to_owned())
            .collect();
        layout::import(self.path, &names)
    }
}

/// Generates the types, and the proxies or the server traits of the interfaces.
pub fn generate(model: &Model, with_servant: bool, runtime: &str) -> Vec<Body> {
    let runtime = Runtime { path: runtime };
    let names = names::Names::new(model);
    let traits = derives::Traits::new(model);
    let modules = (0..).map(ModuleId).take(model.modules.len());
    let mut bodies: Vec<Body> = modules
        .filter_map(|id| classes::file(id, model, &names, &traits, runtime))
        .collect();
    for id in (0..).map(InterfaceId).take(model.interfaces.len()) {
        let plan = interface::Plan::new(id, model, &names);
        bodies.extend(replies::file(&plan, model, &names, &traits, runtime));
        bodies.push(if with_servant {
            server::file(&plan, model, &names, runtime)
        } else {
            client::file(&plan, model, &names, runtime)
        });
    }
    bodies
}

/// Renders a template, with a line end.
fn text(template: &impl Template) -> String {
    // A template fails only when writing to its target does, and a `String` takes everything.
    let mut text = template.render().unwrap_or_default();
    if !text.ends_with('\n') {
        text.push('\n');
    }
    layout::mark_too_wide(&text)
}
