//! What a run leaves behind so that the next one, when nothing has changed, need not parse and render all over again.
//!
//! The stamp is one small file in the first output directory, in a directory of its own that git ignores: it is about
//! this machine. It names what was read, and has hashes of that and of the whole output. So an edited or deleted
//! output file is noticed, as is an edited input, an include that appears where it was looked for in vain, another
//! tars2rs, and a config that is gone whose files are still there. Times of files are not trusted.
//!
//! A run that cannot read or write a stamp does the work; nothing else depends on it.

use std::collections::hash_map::DefaultHasher;
use std::env;
use std::fmt::Write;
use std::fs;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::write;

const DIRECTORY: &str = ".tars2rs";
const FILE: &str = "stamp";

/// Not stable across releases of Rust, nor need it be: the key has the program.
pub(crate) fn hash(value: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// What a run was asked to do, and by which program.
#[derive(Debug, Clone)]
pub(crate) struct Key(u64);

impl Key {
    /// `configs` and `dst` as the caller named them.
    pub(crate) fn new(configs: &[PathBuf], dst: Option<&Path>) -> Self {
        // A program that was built anew may generate something else under the same version.
        let program = || -> Option<(PathBuf, SystemTime, u64)> {
            let path = env::current_exe().ok()?;
            let data = fs::metadata(&path).ok()?;
            Some((path, data.modified().ok()?, data.len()))
        };
        Self(hash((
            env!("CARGO_PKG_VERSION"),
            program(),
            env::current_dir().ok(),
            configs,
            dst,
        )))
    }
}

/// What a run read and what the output was after it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Stamp {
    /// Files that were read, with the hashes of their texts.
    pub(crate) inputs: Vec<(PathBuf, u64)>,
    /// Files that were looked for in vain.
    pub(crate) absent: Vec<PathBuf>,
    /// The hash of each output directory.
    pub(crate) outputs: Vec<u64>,
    /// How many files there were.
    pub(crate) files: usize,
    /// The Rust modules that the configs are about.
    pub(crate) modules: Vec<String>,
}

impl Stamp {
    /// The stamp that a run of this key left.
    pub(crate) fn load(directory: &Path, key: &Key) -> Option<Self> {
        let text = fs::read_to_string(directory.join(DIRECTORY).join(FILE)).ok()?;
        let mut lines = text.lines();
        if lines.next()? != first_line(key) {
            return None;
        }
        let mut stamp = Self::default();
        for line in lines {
            match line.split_once(' ')? {
                ("input", rest) => {
                    let (hash, path) = rest.split_once(' ')?;
                    stamp
                        .inputs
                        .push((path.into(), u64::from_str_radix(hash, 16).ok()?));
                }
                ("absent", path) => stamp.absent.push(path.into()),
                ("output", hash) => stamp.outputs.push(u64::from_str_radix(hash, 16).ok()?),
                ("files", count) => stamp.files = count.parse().ok()?,
                ("module", path) => stamp.modules.push(path.to_owned()),
                _ => return None,
            }
        }
        Some(stamp)
    }

    /// Leaves the stamp. Without one the next run only takes longer, so that no failure is reported.
    pub(crate) fn save(&self, directory: &Path, key: &Key) {
        let Some(text) = self.text(key) else { return };
        let directory = directory.join(DIRECTORY);
        let ignore = directory.join(".gitignore");
        if ignore.exists() || write::replace(&ignore, "*\n").is_ok() {
            let _ = write::replace(&directory.join(FILE), &text);
        }
    }

    /// `None` if a path cannot be on a line.
    fn text(&self, key: &Key) -> Option<String> {
        let on_a_line = |path: &PathBuf| {
            path.to_str()
                .is_some_and(|path| !path.contains(['\n', '\r']))
        };
        let mut paths = self.inputs.iter().map(|(path, _)| path).chain(&self.absent);
        if !paths.all(on_a_line) {
            return None;
        }
        let mut text = first_line(key) + "\n";
        for (path, hash) in &self.inputs {
            let _ = writeln!(text, "input {hash:x} {}", path.display());
        }
        for path in &self.absent {
            let _ = writeln!(text, "absent {}", path.display());
        }
        for hash in &self.outputs {
            let _ = writeln!(text, "output {hash:x}");
        }
        let _ = writeln!(text, "files {}", self.files);
        for module in &self.modules {
            let _ = writeln!(text, "module {module}");
        }
        Some(text)
    }
}

fn first_line(Key(key): &Key) -> String {
    format!("tars2rs {key:x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(config: &str) -> Key {
        Key::new(&[config.into()], None)
    }

    #[test]
    fn a_stamp_is_for_one_key() {
        let dir = tempfile::tempdir().unwrap();
        let stamp = Stamp {
            inputs: vec![("a b.tars".into(), u64::MAX), ("c.toml".into(), 0)],
            absent: vec!["x/a b.tars".into()],
            outputs: vec![1, 2],
            files: 3,
            modules: vec!["crate::m".to_owned()],
        };
        assert_eq!(Stamp::load(dir.path(), &key("c.toml")), None);
        stamp.save(dir.path(), &key("c.toml"));
        assert_eq!(Stamp::load(dir.path(), &key("c.toml")), Some(stamp));
        assert_eq!(Stamp::load(dir.path(), &key("d.toml")), None);
    }

    #[test]
    fn a_damaged_stamp_is_none() {
        let dir = tempfile::tempdir().unwrap();
        Stamp::default().save(dir.path(), &key("c.toml"));
        let path = dir.path().join(".tars2rs/stamp");
        let text = fs::read_to_string(&path).unwrap();
        for more in ["input", "input x y", "what is this", "files -1"] {
            fs::write(&path, format!("{text}{more}\n")).unwrap();
            assert_eq!(Stamp::load(dir.path(), &key("c.toml")), None, "{more}");
        }
    }
}
