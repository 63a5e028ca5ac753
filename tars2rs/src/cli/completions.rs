//! `tars2rs completions`: what a shell needs to complete the command line.

use clap_complete::Shell;

use super::Outcome;
use super::messages::print_bytes;

/// Print the completions of a shell
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The shell
    shell: Shell,
}

/// Runs it.
pub(super) fn run(args: &Args, mut command: clap::Command) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, "tars2rs", &mut script);
    print_bytes(&script);
    Outcome::Good
}
