//! `tars2rs package`: what the Tars platform takes to run a server.

mod archive;
mod build;
mod files;
mod upload;

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Component, Path, PathBuf};

use tars2rs::Error;
use tars2rs::config::PackageConfig;

use self::archive::Archive;
use super::messages::{Options, print, print_error};
use super::{Outcome, shown};

/// Build a server and pack it for the Tars platform, as SERVER_TIME.tar.gz with the files that the config names; the
/// same input gives the same bytes
#[derive(Debug, clap::Args)]
#[command(
    mut_arg("deny", |deny| deny.hide(true)), // there are no warnings
    after_help = "SOURCE_DATE_EPOCH, seconds since 1970, is the time in the name and that of the files; without it the \
                  name has the time of the run (UTC), and all files the same fixed one.\n\n\
                  Exit codes: 0, no error; 1, errors in the config, or a file that it names is missing or cannot go \
                  in; 2, it could not be built, written or uploaded."
)]
pub(super) struct Args {
    /// Says which server, and what goes in; such as tars.proto.toml
    #[arg(value_name = "CONFIG")]
    config: PathBuf,
    /// Where the package goes
    #[arg(short, long, value_name = "DIR", default_value = ".")]
    output: PathBuf,
    /// Pack this executable as it is, instead of building one with `cargo build --release` and stripping it
    #[arg(long, value_name = "PATH")]
    binary: Option<PathBuf>,
    /// Replace a package with the same name
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    upload: upload::Upload,
    #[command(flatten)]
    options: Options,
}

/// Why there is no package, or why it was not uploaded.
enum Failure {
    /// Something is wrong with the config, or cannot be read.
    Config(Error),
    /// Anything else.
    Other(String),
}

/// Runs it.
pub(super) fn run(args: &Args) -> Outcome {
    match package(args) {
        Ok(()) => Outcome::Good,
        Err(Failure::Config(error)) => args.options.fail(error),
        Err(Failure::Other(message)) => {
            print_error(message);
            Outcome::Failed
        }
    }
}

fn package(args: &Args) -> Result<(), Failure> {
    let config = PackageConfig::load(&args.config).map_err(Failure::Config)?;
    let destination = args.upload.destination().map_err(Failure::Other)?;
    let time = archive::Time::of_run().map_err(Failure::Other)?;
    // A build takes long: what is wrong with the files is said before it.
    let files = files::collect(&config)?;
    let executable = match &args.binary {
        Some(path) => path.clone(),
        None => build::build(&config).map_err(Failure::Other)?,
    };
    let archive = Archive::new(&config, &files, &executable, &time).map_err(Failure::Other)?;

    let name = format!("{}_{}.tar.gz", config.server_name, time.in_name);
    let path = args.output.join(&name);
    // As people write it.
    let path: PathBuf = path
        .components()
        .filter(|part| !matches!(part, Component::CurDir))
        .collect();
    fs::create_dir_all(&args.output).map_err(|error| {
        Failure::Other(format!("cannot create {}: {error}", args.output.display()))
    })?;
    let written = write(&path, &archive.bytes, args.force).map_err(|error| {
        Failure::Other(match error.kind() {
            io::ErrorKind::AlreadyExists => format!(
                "{} is there already, with other contents; --force replaces it",
                shown(&path).display()
            ),
            _ => format!("cannot write {}: {error}", path.display()),
        })
    })?;
    archive.listing.iter().for_each(print);
    print(format_args!(
        "{} {}, {} bytes",
        if written { "created" } else { "unchanged" },
        shown(&path).display(),
        archive.bytes.len()
    ));
    print(format_args!("sha256 {}", archive.sha256()));
    match destination {
        Some(destination) => {
            let answer = destination.upload(&config, &name, &archive);
            print(answer.map_err(Failure::Other)?);
            Ok(())
        }
        None => Ok(()),
    }
}

/// Whether it had to: a file with the same bytes is left as it is.
fn write(path: &Path, bytes: &[u8], force: bool) -> io::Result<bool> {
    match fs::read(path) {
        Ok(old) if old == bytes => return Ok(false),
        Ok(_) if force => fs::remove_file(path)?,
        _ => {}
    }
    let mut file = File::create_new(path)?;
    // Half a package looks like a whole one.
    file.write_all(bytes).inspect_err(|_| {
        let _ = fs::remove_file(path);
    })?;
    Ok(true)
}
