//! `tars2rs check`: errors and warnings of IDL files.

use std::path::{Path, PathBuf};

use tars2rs::Findings;
use tars2rs::resolve::{Input, defaults_not_text, resolve};

use super::Outcome;
use super::messages::Options;

/// Check IDL files; nothing is written
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// IDL files
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Where to look for an include after the directory of the including file
    #[arg(short = 'I', long = "include-dir", value_name = "DIR")]
    include_dirs: Vec<PathBuf>,
    #[command(flatten)]
    options: Options,
}

/// Runs it.
pub(super) fn run(args: &Args) -> Outcome {
    let input = Input {
        files: &args.files,
        base_dir: Path::new("."),
        include_dirs: &args.include_dirs,
    };
    let output = resolve(&input);
    // By default no string is bytes.
    let defaults = output
        .model
        .iter()
        .flat_map(|model| defaults_not_text(model, |_, _| false));
    let unreadable = output.unreadable.into_iter().map(|file| file.diagnostic);
    let mut findings = [Findings {
        sources: output.sources,
        diagnostics: unreadable
            .chain(output.diagnostics)
            .chain(defaults)
            .collect(),
    }];
    if args.options.warn(&mut findings) {
        Outcome::Good
    } else {
        Outcome::Bad
    }
}
