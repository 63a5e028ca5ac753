//! `tars2rs man`: manual pages.

use clap_mangen::Man;

use super::Outcome;
use super::messages::{print_bytes, print_error};

/// Print a manual page, for `man -l -`
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The page of a command instead of that of tars2rs
    #[arg(value_name = "COMMAND")]
    command: Option<String>,
}

/// Runs it.
pub(super) fn run(args: &Args, mut tars2rs: clap::Command) -> Outcome {
    // Gives subcommands their whole names.
    tars2rs.build();
    let command = match &args.command {
        None => tars2rs,
        Some(name) => match tars2rs.find_subcommand(name) {
            Some(command) => command.clone(),
            None => {
                print_error(format_args!("there is no command `{name}`"));
                return Outcome::Failed;
            }
        },
    };
    let mut page = Vec::new();
    if let Err(error) = Man::new(command).render(&mut page) {
        print_error(format_args!("cannot render the page: {error}"));
        return Outcome::Failed;
    }
    print_bytes(&page);
    Outcome::Good
}
