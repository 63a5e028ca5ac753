//! The output directory: what is there, what should be there, and the way from the one to the other.
//!
//! Several configs may share a directory, and not every run knows all of them. So each file names the configs that
//! want it ([`marker`]): a file goes when all of those were run without producing it or are gone, and the indexes
//! ([`index`]) are made from the files of all of them. A file without the marker is never touched, nor is one that was
//! written for another output directory, inside of this one.

mod index;
mod marker;
pub(crate) mod stamp;
mod write;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::parallel;

pub use marker::{MarkedFile, rest};

/// Files by their path below the output directory, with `/`.
pub type Files = BTreeMap<String, MarkedFile>;

/// What one config wants in the output directory.
#[derive(Debug)]
pub struct Wanted {
    /// The config, as the markers name it.
    pub config: String,
    /// Its files; no indexes.
    pub files: Files,
}

/// What becomes of the files that no config of the run wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// A file stays for as long as another config that wants it exists.
    OfOtherConfigs,
    /// They go: the directory belongs to this run.
    Nothing,
}

/// A file that is to be created, replaced or removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The file.
    pub path: PathBuf,
    /// What it holds.
    pub old: Option<String>,
    /// What it should hold.
    pub new: Option<String>,
}

/// What is to be done in one output directory.
#[derive(Debug, Default)]
pub struct Plan {
    /// The directory.
    pub dst: PathBuf,
    /// The files that differ.
    pub changes: Vec<Change>,
    /// The number of files that are as they should be.
    pub unchanged: usize,
    /// The number of files that are wanted.
    pub(crate) files: usize,
    /// The hash of the directory after the changes, as [`hash`] would give it.
    pub(crate) hash: u64,
}

impl Plan {
    /// Compares what is there with what is wanted. `wanted` are all configs of this run for this directory.
    ///
    /// # Errors
    /// A foreign file is in the way, two configs contradict each other, or the directory cannot be read.
    pub fn new(dst: &Path, wanted: Vec<Wanted>, keep: Keep) -> Result<Self, Error> {
        let old = read(dst)?;
        let mut files = match keep {
            Keep::OfOtherConfigs => still_wanted(dst, &old, &wanted),
            Keep::Nothing => Files::new(),
        };
        for Wanted { config, files: new } in wanted {
            for (path, mut file) in new {
                if let Some(before) = files.remove(&path) {
                    file.configs.extend(before.configs.iter().cloned());
                }
                file.configs.insert(config.clone());
                files.insert(path, file);
            }
        }
        index::add(&mut files, dst)?;
        compare(dst, &old, files)
    }

    /// Makes the changes.
    ///
    /// # Errors
    /// A file cannot be written or removed.
    pub fn apply(&self) -> Result<(), Error> {
        let (new, gone): (Vec<_>, Vec<_>) =
            self.changes.iter().partition(|change| change.new.is_some());
        let written = parallel::map(&new, MIN_SHARE, |change| {
            let text = change.new.as_deref().unwrap_or_default();
            write::replace(&change.path, text)
        });
        written.into_iter().collect::<Result<(), Error>>()?;
        // Not before: a directory that is left empty goes, and it must not be one that is about to be written to.
        gone.iter()
            .try_for_each(|change| write::remove(&change.path, &self.dst))
    }
}

/// Fewer changes are not worth a thread.
const MIN_SHARE: usize = 32;

/// Two configs of one run that want the same file must want the same bytes: else the last one would win.
///
/// # Errors
/// They do not.
pub fn check_agreement(dst: &Path, wanted: &[Wanted]) -> Result<(), Error> {
    let mut seen: BTreeMap<&str, (&str, &MarkedFile)> = BTreeMap::new();
    for Wanted { config, files } in wanted {
        for (path, file) in files {
            let (other, same) = seen.entry(path).or_insert((config, file));
            if same.rest != file.rest || same.origin != file.origin {
                let configs = [(*other).to_owned(), config.clone()];
                return Err(Error::Conflict {
                    path: dst.join(path),
                    configs,
                });
            }
        }
    }
    Ok(())
}

/// Two output directories of one run, one inside of the other, must not want the same file.
///
/// # Errors
/// They do.
pub fn check_places(plans: &[Plan]) -> Result<(), Error> {
    let changes = plans.iter().flat_map(|plan| &plan.changes);
    let mut new = changes.filter(|change| change.new.is_some());
    let mut seen = BTreeSet::new();
    match new.find(|change| !seen.insert(&change.path)) {
        Some(change) => Err(Error::Foreign(change.path.clone())),
        None => Ok(()),
    }
}

/// The name of a config in markers: its path from the output directory, the same on every machine.
pub fn config_name(dst: &Path, config: &Path) -> String {
    let mut dst = dst.components().peekable();
    let mut config = config.components().peekable();
    while dst.peek().is_some() && dst.peek() == config.peek() {
        dst.next();
        config.next();
    }
    let up = dst.map(|_| "..".to_owned());
    let down = config.map(|part| part.as_os_str().to_string_lossy().into_owned());
    up.chain(down).collect::<Vec<_>>().join("/")
}

/// The marked files, without indexes, that some config outside of this run still wants.
fn still_wanted(dst: &Path, old: &BTreeMap<String, String>, wanted: &[Wanted]) -> Files {
    let run: BTreeSet<&str> = wanted.iter().map(|wanted| wanted.config.as_str()).collect();
    let mut files = Files::new();
    for (path, text) in old {
        let Some(mut file) = MarkedFile::parse(text).filter(|_| !is_index(path)) else {
            continue;
        };
        file.configs
            .retain(|config| !run.contains(config.as_str()) && dst.join(config).exists());
        if !file.configs.is_empty() {
            files.insert(path.clone(), file);
        }
    }
    files
}

fn compare(dst: &Path, old: &BTreeMap<String, String>, files: Files) -> Result<Plan, Error> {
    let mut plan = Plan {
        dst: dst.to_owned(),
        files: files.len(),
        ..Plan::default()
    };
    let gone = old.iter().filter(|(path, _)| !files.contains_key(*path));
    let gone: Vec<_> = gone.collect();
    let files = files.into_iter();
    let with_text = |(path, file): (String, MarkedFile)| {
        let text = file.into_text(&path);
        (path, text)
    };
    let files: Vec<(String, String)> = files.map(with_text).collect();
    let hashes = parallel::map(&files, MIN_SHARE, |file| stamp::hash(file));
    plan.hash = hashes.into_iter().fold(0, u64::wrapping_add);
    for (path, new) in files {
        let full = dst.join(&path);
        match old.get(&path) {
            Some(text) if *text == new => plan.unchanged += 1,
            Some(text) if MarkedFile::parse(text).is_none() => return Err(Error::Foreign(full)),
            None if full.symlink_metadata().is_ok() => return Err(Error::Foreign(full)),
            text => plan.changes.push(Change {
                path: full,
                old: text.cloned(),
                new: Some(new),
            }),
        }
    }
    for (path, text) in gone {
        if MarkedFile::parse(text).is_some() {
            plan.changes.push(Change {
                path: dst.join(path),
                old: Some(text.clone()),
                new: None,
            });
        } else {
            plan.hash = plan.hash.wrapping_add(stamp::hash((path, text)));
        }
    }
    Ok(plan)
}

/// A hash of all files of an output directory; `None` if some config that is neither one of `configs` nor there any
/// more wants one of them.
///
/// # Errors
/// The directory cannot be read.
pub(crate) fn hash(dst: &Path, configs: &[String]) -> Result<Option<u64>, Error> {
    let mut sum = 0_u64;
    let mut gone = BTreeMap::new();
    for (path, text) in read(dst)? {
        sum = sum.wrapping_add(stamp::hash((&path, &text)));
        for config in marker::configs(&text) {
            if !configs.iter().any(|own| own == config) && !gone.contains_key(config) {
                gone.insert(config.to_owned(), !dst.join(config).exists());
            }
        }
    }
    Ok((!gone.values().any(|&gone| gone)).then_some(sum))
}

fn is_index(path: &str) -> bool {
    path == "mod.rs" || path.ends_with("/mod.rs")
}

/// All Rust and IDL files of the output directory, which may not exist yet, but for those of outputs inside of it.
fn read(dst: &Path) -> Result<BTreeMap<String, String>, Error> {
    let mut files = BTreeMap::new();
    let mut dirs = vec![(dst.to_owned(), String::new())];
    while let Some((dir, prefix)) = dirs.pop() {
        let entries = match fs::read_dir(&dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(Error::io("read", &dir, error)),
        };
        for entry in entries {
            let entry = entry.map_err(|e| Error::io("read", &dir, e))?;
            let kind = entry
                .file_type()
                .map_err(|e| Error::io("read", &entry.path(), e))?;
            // What is not UTF-8 is not ours.
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            let path = format!("{prefix}{name}");
            if kind.is_dir() {
                dirs.push((entry.path(), format!("{path}/")));
            } else if kind.is_file() && (name.ends_with(".rs") || name.ends_with(".tars")) {
                let bytes =
                    fs::read(entry.path()).map_err(|e| Error::io("read", &entry.path(), e))?;
                if let Ok(text) = String::from_utf8(bytes)
                    && !marker::is_of_another_output(&path, &text)
                {
                    files.insert(path, text);
                }
            }
        }
    }
    Ok(files)
}
