//! The config of a generation: TarsPHP's `tars.proto.php` keys, as TOML.

use std::fs;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::diagnostic::{Code, Diagnostic};
use crate::error::{Error, Findings};
use crate::source::{FileId, Span};

/// A config file, checked. Relative paths in it were joined to its directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Where it was read from, as the caller named it.
    pub path: PathBuf,
    /// `appName`: first level of the output.
    pub app_name: String,
    /// `serverName`: second level of the output.
    pub server_name: String,
    /// `objName`: third level of the output.
    pub obj_name: String,
    /// `withServant`: the server trait and its dispatcher (true) or the client proxy (false, the default).
    pub with_servant: bool,
    /// `tarsFiles`: the IDL files.
    pub tars_files: Vec<PathBuf>,
    /// `dstPath`: the directory that gets the output.
    pub dst_path: PathBuf,
    /// `namespacePrefix`: the module that `dstPath` is mounted at, `crate::servant` by default. Generated code refers
    /// to itself by relative paths; this is how reports name it.
    pub namespace_prefix: String,
    /// `includeDirs`: where an `#include` is looked for after the directories of the including file and of the config.
    pub include_dirs: Vec<PathBuf>,
    /// `runtimeCrate`: the path by which generated code names the runtime, `::tars_rpc` by default.
    pub runtime_crate: String,
}

const KEYS: [&str; 9] = [
    "appName",
    "serverName",
    "objName",
    "withServant",
    "tarsFiles",
    "dstPath",
    "namespacePrefix",
    "includeDirs",
    "runtimeCrate",
];

impl Config {
    /// Reads and checks a config file.
    ///
    /// # Errors
    /// It cannot be read, or something in it is wrong: all of that, with its places.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let text = fs::read_to_string(path).map_err(|e| Error::io("read", path, e))?;
        Self::parse(path, text)
    }

    fn parse(path: &Path, text: String) -> Result<Self, Error> {
        let mut findings = Findings::default();
        let file = findings.sources.add(path.to_owned(), text.clone());
        let mut reader = Reader::new(&text, file);
        let config = reader.config(path);
        findings.diagnostics = reader.diagnostics;
        findings.diagnostics.sort_by_key(Diagnostic::span);
        match config {
            Some(config) if findings.diagnostics.is_empty() => Ok(config),
            _ => Err(Error::Invalid(vec![findings])),
        }
    }

    /// The directory of the config file, which its paths are relative to.
    pub fn dir(&self) -> &Path {
        dir_of(&self.path)
    }
}

fn dir_of(path: &Path) -> &Path {
    match path.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => dir,
        _ => Path::new("."),
    }
}

/// Takes keys out of the table and collects what is wrong with them.
struct Reader<'t> {
    table: DeTable<'t>,
    file: FileId,
    end: u32,
    diagnostics: Vec<Diagnostic>,
}

impl<'t> Reader<'t> {
    fn new(text: &'t str, file: FileId) -> Self {
        let (table, errors) = DeTable::parse_recoverable(text);
        let mut reader = Self {
            table: table.into_inner(),
            file,
            end: u32::try_from(text.trim_end().len()).unwrap_or(u32::MAX),
            diagnostics: Vec::new(),
        };
        for error in errors {
            reader.complain(error.message(), error.span().unwrap_or_default());
        }
        reader
    }

    /// `None` when a key that has no default is missing or wrong.
    fn config(&mut self, path: &Path) -> Option<Config> {
        let dir = dir_of(path);
        self.unknown_keys();
        let app_name = self.level("appName");
        let server_name = self.level("serverName");
        let obj_name = self.level("objName");
        let tars_files = self.required("tarsFiles", paths);
        let dst_path = self.required("dstPath", text);
        let with_servant = self.optional("withServant", |value| {
            value.as_bool().ok_or("true or false")
        });
        let namespace_prefix = self.module_path("namespacePrefix", "crate::servant");
        let include_dirs = self.optional("includeDirs", paths).unwrap_or_default();
        let runtime_crate = self.module_path("runtimeCrate", "::tars_rpc");
        Some(Config {
            path: path.to_owned(),
            app_name: app_name?,
            server_name: server_name?,
            obj_name: obj_name?,
            with_servant: with_servant.unwrap_or(false),
            tars_files: tars_files?.iter().map(|file| join(dir, file)).collect(),
            dst_path: join(dir, &dst_path?),
            namespace_prefix,
            include_dirs: include_dirs.iter().map(|file| join(dir, file)).collect(),
            runtime_crate,
        })
    }

    fn unknown_keys(&mut self) {
        let unknown: Vec<_> = self
            .table
            .keys()
            .filter(|key| !KEYS.contains(&key.get_ref().as_ref()))
            .cloned()
            .collect();
        for key in unknown {
            let name = key.get_ref();
            let nearest = KEYS
                .into_iter()
                .map(|known| {
                    (
                        strsim::damerau_levenshtein(&known.to_lowercase(), &name.to_lowercase()),
                        known,
                    )
                })
                .min()
                .filter(|(distance, known)| distance * 2 < known.len());
            let hint = nearest
                .map(|(_, known)| format!("; did you mean `{known}`?"))
                .unwrap_or_default();
            self.complain(format!("unknown key `{name}`{hint}"), key.span());
        }
    }

    fn optional<T>(
        &mut self,
        key: &str,
        read: impl FnOnce(&DeValue<'_>) -> Result<T, &'static str>,
    ) -> Option<T> {
        let value = self.table.get(key)?;
        let span = value.span();
        match read(value.get_ref()) {
            Ok(value) => Some(value),
            Err(expected) => {
                self.complain(format!("`{key}` must be {expected}"), span);
                None
            }
        }
    }

    fn required<T>(
        &mut self,
        key: &str,
        read: impl FnOnce(&DeValue<'_>) -> Result<T, &'static str>,
    ) -> Option<T> {
        if !self.table.contains_key(key) {
            let end = self.end as usize;
            self.complain(format!("the key `{key}` is missing"), end..end);
        }
        self.optional(key, read)
    }

    /// A name that becomes a directory.
    fn level(&mut self, key: &str) -> Option<String> {
        self.required(key, |value| {
            let name = text(value)?;
            let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
            let starts_well = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
            if starts_well && name.chars().all(allowed) {
                Ok(name)
            } else {
                Err("a name of letters, digits, `_` and `-`: a directory gets it")
            }
        })
    }

    fn module_path(&mut self, key: &str, default: &str) -> String {
        let path = self.optional(key, |value| {
            let path = text(value)?;
            let is_name = |name: &str| {
                name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                    && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            };
            let rest = path.strip_prefix("::");
            let rest = rest.or_else(|| path.starts_with("crate").then_some(path.as_str()));
            if rest.is_some_and(|rest| rest.split("::").all(is_name)) {
                Ok(path)
            } else {
                Err("a path that starts with `::` or `crate`")
            }
        });
        path.unwrap_or_else(|| default.to_owned())
    }

    fn complain(&mut self, message: impl Into<String>, at: std::ops::Range<usize>) {
        let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        let span = Span {
            file: self.file,
            start: offset(at.start),
            end: offset(at.end),
        };
        self.diagnostics
            .push(Diagnostic::new(Code::InvalidConfig, message).at(span, ""));
    }
}

fn text(value: &DeValue<'_>) -> Result<String, &'static str> {
    match value.as_str() {
        Some(text) if !text.is_empty() => Ok(text.to_owned()),
        _ => Err("a text in quotes, not empty"),
    }
}

fn paths(value: &DeValue<'_>) -> Result<Vec<String>, &'static str> {
    const EXPECTED: &str = "a list of paths, not empty";
    let items = value.as_array().ok_or(EXPECTED)?;
    if items.is_empty() {
        return Err(EXPECTED);
    }
    items
        .iter()
        .map(|item: &Spanned<_>| text(item.get_ref()).map_err(|_| EXPECTED))
        .collect()
}

/// `./` and the like would only make messages longer.
fn join(dir: &Path, path: &str) -> PathBuf {
    dir.join(path.trim_start_matches("./"))
        .components()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::short;

    const GOOD: &str = "appName = 'A'\nserverName = 'S'\nobjName = 'o'\ntarsFiles = ['./a.tars']\ndstPath = '../out'\n";

    fn complaints(text: &str) -> String {
        match Config::parse(Path::new("dir/a.toml"), text.to_owned()) {
            Ok(_) => String::new(),
            Err(Error::Invalid(findings)) => findings
                .iter()
                .flat_map(|f| f.diagnostics.iter().map(|d| short::render(d, &f.sources)))
                .collect(),
            Err(other) => other.to_string(),
        }
    }

    #[test]
    fn defaults_and_paths() {
        let config = Config::parse(Path::new("dir/a.toml"), GOOD.to_owned()).unwrap();
        assert_eq!(config.tars_files, [Path::new("dir/a.tars")]);
        assert_eq!(config.dst_path, Path::new("dir/../out"));
        assert!(!config.with_servant);
        assert_eq!(config.runtime_crate, "::tars_rpc");
        assert_eq!(config.namespace_prefix, "crate::servant");
    }

    #[test]
    fn unknown_keys_get_the_nearest_name() {
        insta::assert_snapshot!(complaints(&format!("{GOOD}tarsFile = 1\nobjname = 'o'\nzzz = 1\n")), @r"
        dir/a.toml:6:1: error[invalid-config]: unknown key `tarsFile`; did you mean `tarsFiles`?
        dir/a.toml:7:1: error[invalid-config]: unknown key `objname`; did you mean `objName`?
        dir/a.toml:8:1: error[invalid-config]: unknown key `zzz`
        ");
    }

    #[test]
    fn every_fault_is_reported_with_its_place() {
        let text = "appName = '../x'\nserverName = ''\nwithServant = 1\ntarsFiles = []\nruntimeCrate = 'a b'\n";
        insta::assert_snapshot!(complaints(text), @r"
        dir/a.toml:1:11: error[invalid-config]: `appName` must be a name of letters, digits, `_` and `-`: a directory gets it
        dir/a.toml:2:14: error[invalid-config]: `serverName` must be a text in quotes, not empty
        dir/a.toml:3:15: error[invalid-config]: `withServant` must be true or false
        dir/a.toml:4:13: error[invalid-config]: `tarsFiles` must be a list of paths, not empty
        dir/a.toml:5:16: error[invalid-config]: `runtimeCrate` must be a path that starts with `::` or `crate`
        dir/a.toml:5:21: error[invalid-config]: the key `objName` is missing
        dir/a.toml:5:21: error[invalid-config]: the key `dstPath` is missing
        ");
    }

    #[test]
    fn bad_toml_is_reported_with_its_place() {
        let first = complaints("appName = \n")
            .lines()
            .next()
            .map(str::to_owned)
            .unwrap_or_default();
        assert!(first.starts_with("dir/a.toml:1:"), "{first}");
    }
}
