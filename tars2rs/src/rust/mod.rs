//! The Rust backend: from the [`Model`] to the text of files.
//!
//! Everything is decided before a template runs: [`styles`] says what the options of the config mean for each part of
//! the IDL, [`names`] and [`naming`] choose names, [`derives`] the traits, on the [`graph`] of structs, [`types`] and
//! [`prelude`] how types are spelled in a file, [`layout`] where lines break. Templates place text.

pub(crate) mod layout;
pub(crate) mod naming;

mod classes;
mod client;
mod derives;
mod docs;
mod enums;
mod graph;
mod interface;
mod metadata;
mod names;
mod prelude;
mod replies;
mod serde;
mod server;
mod structs;
mod styles;
mod types;

use askama::Template;

use crate::config::Options;
use crate::diagnostic::Diagnostic;
use crate::model::{InterfaceId, Model, ModuleId};
use crate::parallel;
use crate::resolve::defaults_not_text;
use crate::source::Span;

use derives::Traits;
use names::Names;
use styles::Styles;

pub use styles::Complaint;

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

    /// The line that fails to compile when the runtime is of a version that this one does not generate for.
    fn check_version(self) -> String {
        let version = concat!(
            env!("CARGO_PKG_VERSION_MAJOR"),
            ".",
            env!("CARGO_PKG_VERSION_MINOR")
        );
        format!(
            "const _: () = {}::codec::check_version(\"{version}\");\n",
            self.path
        )
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

/// What every part of the backend needs to know.
#[derive(Debug, Clone, Copy)]
struct Context<'a> {
    model: &'a Model,
    styles: &'a Styles<'a>,
    names: &'a Names,
    traits: &'a Traits,
    runtime: Runtime<'a>,
}

/// Generates code of a model. All decisions that client and server have in common are made once.
#[derive(Debug)]
pub struct Backend<'a> {
    model: &'a Model,
    options: &'a Options,
    styles: Styles<'a>,
    names: Names,
    traits: Traits,
    /// What is wrong, or worth a look.
    pub diagnostics: Vec<Diagnostic>,
}

impl<'a> Backend<'a> {
    /// Decides.
    ///
    /// # Errors
    /// The options name something that is not in the IDL, or that they are not for.
    pub fn new(model: &'a Model, options: &'a Options) -> Result<Self, Vec<Complaint>> {
        let styles = Styles::new(options, model)?;
        let (names, mut diagnostics) = Names::new(model, &styles);
        diagnostics.extend(defaults_not_text(model, |of, index| {
            styles.is_bytes(of, index)
        }));
        let traits = Traits::new(model, &styles);
        Ok(Self {
            model,
            options,
            styles,
            names,
            traits,
            diagnostics,
        })
    }

    /// The types: those of the IDL, and the answers of methods that give several values.
    #[must_use]
    pub fn types(&self) -> Vec<Body> {
        let cx = self.context();
        let modules = (0..).map(ModuleId).take(self.model.modules.len());
        let mut bodies: Vec<Body> = modules.filter_map(|id| classes::file(id, cx)).collect();
        bodies.extend(self.of_interfaces(replies::file));
        bodies
    }

    /// The proxies of all interfaces, or their traits and dispatchers.
    #[must_use]
    pub fn servants(&self, with_servant: bool) -> Vec<Body> {
        self.of_interfaces(if with_servant {
            server::file
        } else {
            client::file
        })
    }

    fn of_interfaces(&self, file: fn(&interface::Plan<'_>, Context<'_>) -> Body) -> Vec<Body> {
        let cx = self.context();
        let ids = (0..).map(InterfaceId).take(self.model.interfaces.len());
        let ids: Vec<InterfaceId> = ids.collect();
        parallel::map(&ids, MIN_SHARE, |&id| {
            file(&interface::Plan::new(id, cx), cx)
        })
    }

    fn context(&self) -> Context<'_> {
        Context {
            model: self.model,
            styles: &self.styles,
            names: &self.names,
            traits: &self.traits,
            runtime: Runtime {
                path: &self.options.runtime_crate,
            },
        }
    }
}

/// Fewer interfaces are not worth a thread.
const MIN_SHARE: usize = 8;

/// Renders a template, with a line end.
fn text(template: &impl Template) -> String {
    // A template fails only when writing to its target does, and a `String` takes everything.
    let mut text = template.render().unwrap_or_default();
    if !text.ends_with('\n') {
        text.push('\n');
    }
    layout::mark_too_wide(text)
}
