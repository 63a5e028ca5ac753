//! Why a run gave nothing.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::diagnostic::{Diagnostic, Severity, text};
use crate::source::SourceMap;

/// What was found in a config or an IDL file, with the texts that the places refer to.
#[derive(Debug, Default)]
pub struct Findings {
    /// The files.
    pub sources: SourceMap,
    /// The complaints about them.
    pub diagnostics: Vec<Diagnostic>,
}

impl Findings {
    /// Whether something prevents output.
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(Diagnostic::is_error)
    }

    /// Makes errors of the warnings.
    pub fn deny_warnings(&mut self) {
        for diagnostic in &mut self.diagnostics {
            diagnostic.severity = Severity::Error;
        }
    }
}

/// Why a run gave nothing.
///
/// `Debug` is the same as `Display`, because that is what a `build.rs` whose `main` returns this error shows.
#[non_exhaustive]
pub enum Error {
    /// Errors in configs or IDL files. [`Display`](fmt::Display) renders all of them.
    Invalid(Vec<Findings>),
    /// A file is in the way that this tool did not write, or wrote for another output directory.
    Foreign(PathBuf),
    /// Two configs of one run want different contents for one file.
    Conflict {
        /// The file.
        path: PathBuf,
        /// The configs, as in the file's header.
        configs: [String; 2],
    },
    /// Two directories of the output would be one module.
    SameModule {
        /// The directory that has both.
        dir: PathBuf,
        /// Their names.
        names: [String; 2],
    },
    /// [`Builder::to_out_dir`](crate::Builder::to_out_dir) outside of a build script.
    NoOutDir,
    /// `format = "rustfmt"`, but it cannot be run or refuses.
    Rustfmt {
        /// What was run.
        program: String,
        /// Why that gave nothing.
        reason: String,
    },
    /// The operating system refused.
    Io {
        /// What was to be done.
        action: &'static str,
        /// With which file.
        path: PathBuf,
        /// Its answer.
        source: io::Error,
    },
}

impl Error {
    pub(crate) fn io(action: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Io {
            action,
            path: path.to_owned(),
            source,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(findings) => {
                for Findings {
                    sources,
                    diagnostics,
                } in findings
                {
                    for diagnostic in diagnostics {
                        writeln!(f, "{}", text::render(diagnostic, sources, false))?;
                    }
                }
                Ok(())
            }
            Self::Foreign(path) => write!(
                f,
                "{} was not written by tars2rs for this dstPath and is left alone; move it away or choose another dstPath",
                path.display()
            ),
            Self::Conflict {
                path,
                configs: [one, other],
            } => {
                write!(
                    f,
                    "{one} and {other} want different contents for {}",
                    path.display()
                )
            }
            Self::SameModule {
                dir,
                names: [one, other],
            } => {
                write!(
                    f,
                    "{one} and {other} in {} would be one Rust module",
                    dir.display()
                )
            }
            Self::NoOutDir => f.write_str("OUT_DIR is not set: this is no build script"),
            Self::Rustfmt { program, reason } => write!(
                f,
                "the config asks for `format = \"rustfmt\"`, but {program} did not do it: {reason}"
            ),
            Self::Io {
                action,
                path,
                source,
            } => write!(f, "cannot {action} {}: {source}", path.display()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if matches!(self, Self::Invalid(_)) {
            f.write_str("the IDL has errors\n\n")?;
        }
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}
