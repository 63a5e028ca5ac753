//! The command line. Each subcommand is a module with its arguments and a `run`.
//!
//! Exit codes: 0, all is well; 1, errors in the IDL or a config, or `--check` found a difference; 2, it could not run.

mod check;
mod generate;
mod messages;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Compile Tars IDL to Rust
#[derive(Debug, Parser)]
#[command(
    name = "tars2rs",
    version,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true
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
        None => generate::run(&cli.generate),
    };
    match outcome {
        Outcome::Good => ExitCode::SUCCESS,
        Outcome::Bad => ExitCode::from(1),
        Outcome::Failed => ExitCode::from(2),
    }
}
