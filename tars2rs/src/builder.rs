//! The API for `build.rs`.

use std::env;
use std::path::{Path, PathBuf};

use crate::diagnostic::short;
use crate::error::Error;
use crate::generate::Run;

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

    /// Brings the output directories of all configs up to date. Only files whose bytes change are written.
    ///
    /// In a build script it also tells cargo what to watch, and passes warnings on.
    ///
    /// # Errors
    /// Something in a config or in the IDL is wrong, or a file cannot be read or written. Nothing is written then.
    pub fn run(&self) -> Result<Report, Error> {
        let run = Run::new(&self.configs)?;
        let mut report = Report {
            inputs: run.inputs,
            ..Report::default()
        };
        for findings in &run.warnings {
            let lines = findings
                .diagnostics
                .iter()
                .map(|d| short::render(d, &findings.sources).trim_end().to_owned());
            report.warnings.extend(lines);
        }
        for plan in run.plans {
            plan.apply()?;
            report.unchanged += plan.unchanged;
            for change in plan.changes {
                let list = if change.new.is_some() {
                    &mut report.written
                } else {
                    &mut report.removed
                };
                list.push(change.path);
            }
        }
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
    // A path that does not exist would make cargo run the script each time.
    for path in report.inputs.iter().filter(|path| path.exists()) {
        println!("cargo::rerun-if-changed={}", path.display());
    }
    for warning in &report.warnings {
        println!("cargo::warning={warning}");
    }
}
