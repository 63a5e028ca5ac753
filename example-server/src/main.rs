//! The chat server's program: see `--help`.

#![forbid(unsafe_code)]

use std::process::ExitCode;

use clap::Parser as _;
use example_server::cli::Cli;
use example_server::process;

fn main() -> ExitCode {
    process::run(Cli::parse())
}
