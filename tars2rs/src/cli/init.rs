//! `tars2rs init`: the first files of a project.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::messages::{print, print_error};
use super::{Outcome, shown};

/// Create a project: an interface, its configs, and a server that implements and calls it
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Where; created if need be. Nothing there is overwritten
    #[arg(default_value = ".", value_name = "DIR")]
    dir: PathBuf,
}

/// Written unless there is one: a new repository often comes with it.
const GITIGNORE: (&str, &str) = (".gitignore", include_str!("../../skeleton/gitignore"));

/// The files, as they are but for `@name@` and `@version@`. (A `Cargo.toml` would make a package of the skeleton.)
const FILES: [(&str, &str); 6] = [
    ("Cargo.toml", include_str!("../../skeleton/Cargo.toml.in")),
    ("build.rs", include_str!("../../skeleton/build.rs")),
    ("src/main.rs", include_str!("../../skeleton/src/main.rs")),
    (
        "tars/hello.tars",
        include_str!("../../skeleton/tars/hello.tars"),
    ),
    (
        "tars/tarsclient.proto.toml",
        include_str!("../../skeleton/tars/tarsclient.proto.toml"),
    ),
    (
        "tars/tarsserver.proto.toml",
        include_str!("../../skeleton/tars/tarsserver.proto.toml"),
    ),
];

/// Runs it.
pub(super) fn run(args: &Args) -> Outcome {
    let dir = &args.dir;
    let is_there = |name: &str| dir.join(name).symlink_metadata().is_ok();
    let there: Vec<&str> = FILES
        .iter()
        .map(|(name, _)| *name)
        .filter(|name| is_there(name))
        .collect();
    if !there.is_empty() {
        let there = there.join(", ");
        print_error(format_args!(
            "{} has {there} already; nothing was written",
            dir.display()
        ));
        return Outcome::Failed;
    }
    let name = package_name(dir);
    let ignore = (!is_there(GITIGNORE.0)).then_some(GITIGNORE);
    for (path, text) in FILES.into_iter().chain(ignore) {
        let path = dir.join(path);
        let text = text
            .replace("@name@", &name)
            .replace("@version@", env!("CARGO_PKG_VERSION"));
        if let Err(error) = write(&path, &text) {
            print_error(format_args!("cannot write {}: {error}", path.display()));
            return Outcome::Failed;
        }
        print(format_args!("created {}", shown(&path).display()));
    }
    print("`cargo run` there builds and starts the server");
    Outcome::Good
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    if let Some(dir) = path.parent() {
        fs::create_dir_all(dir)?;
    }
    // Whatever appeared meanwhile is not overwritten either.
    let mut file = fs::File::create_new(path)?;
    io::Write::write_all(&mut file, text.as_bytes())
}

/// The name of the directory, as far as cargo takes it.
fn package_name(dir: &Path) -> String {
    let dir = std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned());
    let name: String = dir
        .components()
        .next_back()
        .map(|last| last.as_os_str().to_string_lossy().to_lowercase())
        .unwrap_or_default()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .collect();
    let name = name.trim_matches('-');
    if name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        name.to_owned()
    } else {
        format!("tars-{name}").trim_matches('-').to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_cargo_takes() {
        let name = |dir: &str| package_name(Path::new(dir));
        assert_eq!(name("/a/My Server"), "my-server");
        assert_eq!(name("/a/2nd"), "tars-2nd");
        assert_eq!(name("/a/--"), "tars");
        assert_eq!(name("/"), "tars");
    }
}
