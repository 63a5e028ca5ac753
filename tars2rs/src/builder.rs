//! The API for `build.rs`.

use std::env;
use std::path::{Path, PathBuf};

use crate::diagnostic::short;
use crate::error::Error;
use crate::generate::Run;

/// The directory in `OUT_DIR` that [`Builder::to_out_dir`] uses, and `tars_rpc::include_servant!` with it.
const IN_OUT_DIR: &str = "servant";

/// Generates from config files, as the command line does.
///
/// ```no_run
/// // build.rs
/// fn main() -> Result<(), tars2rs::Error> {
///     tars2rs::Builder::new().config("../tars/tarsclient.proto.toml").run()?;
///     Ok(())
/// }
/// ```
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct Builder {
    configs: Vec<PathBuf>,
    destination: Destination,
}

#[derive(Debug, Clone, Default)]
enum Destination {
    /// What each config says.
    #[default]
    DstPath,
    /// This directory, whatever the configs say.
    Dir(PathBuf),
    /// The directory that cargo gives to the build script.
    OutDir,
}

/// What a run did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// Files that were created or replaced.
    pub written: Vec<PathBuf>,
    /// Files that no config wants any more.
    pub removed: Vec<PathBuf>,
    /// How many files were as they should be.
    pub unchanged: usize,
    /// Every file that was read.
    pub inputs: Vec<PathBuf>,
    /// Warnings about the IDL, one line each.
    pub warnings: Vec<String>,
}

impl Builder {
    /// Without configs.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a config file. A relative path starts at the current directory, which in a `build.rs` is its package.
    pub fn config(mut self, path: impl AsRef<Path>) -> Self {
        self.configs.push(path.as_ref().to_owned());
        self
    }

    /// Writes into `dir` instead of the `dstPath` of each config. A generated file there that none of the configs
    /// of this builder wants is removed.
    pub fn out_dir(mut self, dir: impl AsRef<Path>) -> Self {
        self.destination = Destination::Dir(dir.as_ref().to_owned());
        self
    }

    /// Writes into the `OUT_DIR` of the build script, as [`out_dir`](Self::out_dir) would. The crate gets the code by
    /// `tars_rpc::include_servant!`, in a module of its choice:
    ///
    /// ```rust,ignore
    /// mod servant {
    ///     tars_rpc::include_servant!();
    /// }
    /// ```
    pub fn to_out_dir(mut self) -> Self {
        self.destination = Destination::OutDir;
        self
    }

    /// Brings the output directories of all configs up to date. Only files whose bytes change are written.
    ///
    /// In a build script it also tells cargo to run the script again when a config, an IDL file or an include was
    /// edited, and passes warnings on. Cargo does not watch the output: after an edit of a generated file touch an
    /// input, or run the command line.
    ///
    /// # Errors
    /// Something in a config or in the IDL is wrong, or a file cannot be read or written. Nothing is written then.
    pub fn run(&self) -> Result<Report, Error> {
        let dst = match &self.destination {
            Destination::DstPath => None,
            Destination::Dir(dir) => Some(dir.clone()),
            Destination::OutDir => {
                let dir = env::var_os("OUT_DIR").ok_or(Error::NoOutDir)?;
                Some(Path::new(&dir).join(IN_OUT_DIR))
            }
        };
        let run = Run::new(&self.configs, dst.as_deref())?;
        run.apply()?;
        let mut report = Report {
            unchanged: run.unchanged,
            ..Report::default()
        };
        for findings in &run.warnings {
            let lines = findings
                .diagnostics
                .iter()
                .map(|d| short::render(d, &findings.sources).trim_end().to_owned());
            report.warnings.extend(lines);
        }
        for change in run.plans.into_iter().flat_map(|plan| plan.changes) {
            let list = if change.new.is_some() {
                &mut report.written
            } else {
                &mut report.removed
            };
            list.push(change.path);
        }
        report.inputs = run.inputs;
        if is_build_script() {
            tell_cargo(&report);
        }
        Ok(report)
    }
}

fn is_build_script() -> bool {
    ["OUT_DIR", "TARGET", "HOST", "CARGO_MANIFEST_DIR"]
        .iter()
        .all(|name| env::var_os(name).is_some())
}

#[expect(
    clippy::print_stdout,
    reason = "this is how a build script talks to cargo"
)]
fn tell_cargo(report: &Report) {
    // All of these existed a moment ago: a path that does not would make cargo run the script each time. Neither is
    // the output named, which is newer than the start of the script that wrote it, and so would run it once more.
    for path in &report.inputs {
        println!("cargo::rerun-if-changed={}", path.display());
    }
    for warning in &report.warnings {
        println!("cargo::warning={warning}");
    }
}
