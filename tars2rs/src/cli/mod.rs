//! The command line. Each subcommand is a module with its arguments and a `run`.
//!
//! Exit codes: 0, all is well; 1, errors in the IDL or a config, or `--check` found a difference; 2, it could not run.

mod check;
mod completions;
mod decode;
mod depfile;
mod generate;
mod init;
mod man;
mod messages;
mod package;
mod progress;
mod watch;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

/// Compile Tars IDL to Rust
#[derive(Debug, Parser)]
#[command(
    name = "tars2rs",
    version,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = "Exit codes: 0, no error; 1, errors in the IDL or a config, or --check found a difference; 2, it could \
                  not run."
)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    generate: generate::Args,
}

#[derive(Debug, Subcommand)]
enum Command {
    Check(check::Args),
    Init(init::Args),
    Decode(decode::Args),
    Package(package::Args),
    Completions(completions::Args),
    Man(man::Args),
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Good,
    /// Errors in what was given, or a difference.
    Bad,
    /// It could not be done.
    Failed,
}

/// Parses the command line and runs it.
pub(crate) fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = match &cli.command {
        Some(Command::Check(args)) => check::run(args),
        Some(Command::Init(args)) => init::run(args),
        Some(Command::Decode(args)) => decode::run(args),
        Some(Command::Package(args)) => package::run(args),
        Some(Command::Completions(args)) => completions::run(args, Cli::command()),
        Some(Command::Man(args)) => man::run(args, Cli::command()),
        None => generate::run(&cli.generate),
    };
    match outcome {
        Outcome::Good => ExitCode::SUCCESS,
        Outcome::Bad => ExitCode::from(1),
        Outcome::Failed => ExitCode::from(2),
    }
}

/// Relative to where the user is, if it is below.
fn shown(path: &Path) -> PathBuf {
    let here = std::env::current_dir().unwrap_or_default();
    path.strip_prefix(here).unwrap_or(path).to_owned()
}
