//! Which files go into a package. Nothing that is outside of the project does, whatever links say.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use tars2rs::Error;
use tars2rs::config::{PackageConfig, PackagedPath};

use super::Failure;

/// Directories of a project that go in unless the config names others.
const USUAL: [&str; 3] = ["clients", "conf", "tars"];

/// For people; tarsnode has its own.
const SCRIPTS: [(&str, &str); 2] = [
    ("start.sh", include_str!("start.sh")),
    ("stop.sh", include_str!("stop.sh")),
];

/// A file of a package: where its bytes come from.
#[derive(Debug)]
pub(super) enum Source {
    Path(PathBuf),
    Text(String),
}

/// By their paths below the directory of the server.
pub(super) type Files = BTreeMap<String, Source>;

/// Finds the files that the config names, and adds the scripts.
pub(super) fn collect(config: &PackageConfig) -> Result<Files, Failure> {
    let root = fs::canonicalize(&config.project_dir).map_err(|error| {
        let path = config.project_dir.display();
        Failure::Other(format!("cannot find the project, {path}: {error}"))
    })?;
    let mut walk = Walk {
        config,
        root,
        excluded: Vec::new(),
        files: Files::new(),
        complaints: Vec::new(),
    };
    for (path, at) in &config.exclude {
        match fs::canonicalize(path) {
            Ok(path) => walk.excluded.push(path),
            Err(error) => walk.complain(unreadable(path, &error), at),
        }
    }
    let usual = || {
        let there = USUAL
            .iter()
            .map(|name| (name, config.project_dir.join(name)));
        let there = there.filter(|(_, path)| path.is_dir());
        let named = there.map(|(name, from)| PackagedPath {
            to: (*name).to_owned(),
            from,
            at: 0..0,
        });
        named.collect()
    };
    for path in &config.files.clone().unwrap_or_else(usual) {
        walk.add(&path.to, &path.from, &path.at);
    }
    let Walk {
        mut files,
        complaints,
        ..
    } = walk;
    if !complaints.is_empty() {
        let findings = config.findings(complaints);
        return Err(Failure::Config(Error::Invalid(vec![findings])));
    }
    for (name, text) in SCRIPTS {
        let text = text
            .replace("@app@", &config.app_name)
            .replace("@server@", &config.server_name);
        // Those of the project take the place of these.
        files
            .entry(name.to_owned())
            .or_insert_with(|| Source::Text(text));
    }
    Ok(files)
}

struct Walk<'c> {
    config: &'c PackageConfig,
    /// The project, without links.
    root: PathBuf,
    excluded: Vec<PathBuf>,
    files: Files,
    complaints: Vec<(String, Range<usize>)>,
}

impl Walk<'_> {
    fn complain(&mut self, message: String, at: &Range<usize>) {
        self.complaints.push((message, at.clone()));
    }

    /// Adds a file, or all that is in a directory.
    fn add(&mut self, to: &str, from: &Path, at: &Range<usize>) {
        let real = match fs::canonicalize(from) {
            Ok(real) => real,
            Err(error) => return self.complain(unreadable(from, &error), at),
        };
        if self.excluded.contains(&real) {
            return;
        }
        if !real.starts_with(&self.root) {
            let message = format!(
                "{} is outside of the project, {}",
                named(from, &real),
                self.config.project_dir.display()
            );
            return self.complain(message, at);
        }
        match fs::metadata(&real) {
            Ok(data) if data.is_file() => self.add_file(to, from, at),
            Ok(data) if data.is_dir() => self.add_dir(to, from, at),
            Ok(_) => {
                let message = format!("{} is neither a file nor a directory", from.display());
                self.complain(message, at);
            }
            Err(error) => self.complain(unreadable(from, &error), at),
        }
    }

    fn add_file(&mut self, to: &str, from: &Path, at: &Range<usize>) {
        let server = &self.config.server_name;
        let within = |dir: &str, path: &str| {
            path.strip_prefix(dir)
                .is_some_and(|rest| rest.starts_with('/'))
        };
        let is_below_script = SCRIPTS.iter().any(|(script, _)| within(script, to));
        let collides = |other: &str| other == to || within(other, to) || within(to, other);
        let taken = if collides(server) {
            Some("the executable".to_owned())
        } else if is_below_script {
            Some("a script".to_owned())
        } else {
            let found = self.files.iter().find(|(other, _)| collides(other));
            found.map(|(_, source)| match source {
                Source::Path(path) => path.display().to_string(),
                Source::Text(_) => "a script".to_owned(),
            })
        };
        match taken {
            Some(other) => {
                let message = format!(
                    "{} and {other} cannot both go in, as `{to}`",
                    from.display()
                );
                self.complain(message, at);
            }
            None => {
                let source = Source::Path(from.to_owned());
                self.files.insert(to.to_owned(), source);
            }
        }
    }

    fn add_dir(&mut self, to: &str, from: &Path, at: &Range<usize>) {
        let entries = fs::read_dir(from).and_then(Iterator::collect::<io::Result<Vec<_>>>);
        let entries = match entries {
            Ok(entries) => entries,
            Err(error) => return self.complain(unreadable(from, &error), at),
        };
        let mut entries: Vec<_> = entries.iter().map(|e| (e.file_name(), e.path())).collect();
        // The order of the complaints.
        entries.sort();
        for (name, path) in entries {
            let Some(name) = name.to_str() else {
                let message = format!("the name of {} is not UTF-8", path.display());
                self.complain(message, at);
                continue;
            };
            if name.starts_with('.') || self.is_package(name) {
                continue;
            }
            if path.is_symlink() && path.is_dir() {
                // Such links can go round in circles.
                let message = format!(
                    "{} is a link to a directory: name that directory in `files`, or this link in `exclude`",
                    path.display()
                );
                if !fs::canonicalize(&path).is_ok_and(|real| self.excluded.contains(&real)) {
                    self.complain(message, at);
                }
                continue;
            }
            self.add(&format!("{to}/{name}"), &path, at);
        }
    }

    /// Whether it is one that was made before, in a directory that is packed.
    fn is_package(&self, name: &str) -> bool {
        let time = name
            .strip_prefix(&self.config.server_name)
            .and_then(|rest| rest.strip_prefix('_'))
            .and_then(|rest| rest.strip_suffix(".tar.gz"));
        time.is_some_and(|time| time.len() == 14 && time.bytes().all(|c| c.is_ascii_digit()))
    }
}

fn unreadable(path: &Path, error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => format!("cannot find {}", path.display()),
        _ => format!("cannot read {}: {error}", path.display()),
    }
}

/// With what a link leads to.
fn named(path: &Path, real: &Path) -> String {
    if path.is_symlink() {
        format!("{} is a link to {}, which", path.display(), real.display())
    } else {
        path.display().to_string()
    }
}
