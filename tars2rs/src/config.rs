//! The config of a generation: TarsPHP's `tars.proto.php` keys, as TOML. `docs/tars2rs-config.md` is its reference.

mod options;
mod package;
mod reader;

use std::fs;
use std::ops::Range;
use std::path::{Component, Path, PathBuf};

use toml::de::DeTable;

pub use options::{
    Attributes, BytesType, Choice, Edition, Extern, Format, IdlPath, MapType, OptionalType,
    Options, Rule, StringType, Types,
};
pub use package::{PackageConfig, PackagedPath};
pub(crate) use reader::nearest;

use crate::diagnostic::{Code, Diagnostic};
use crate::error::{Error, Findings};
use crate::resolve::Unreadable;
use crate::source::{FileId, Span};

use reader::{Complaint, Reader};

/// A config file, checked. Relative paths in it were joined to its directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Where it was read from, as the caller named it.
    pub path: PathBuf,
    /// Its text, for complaints that come up later.
    pub text: String,
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
    /// The place of each of these files in the text.
    tars_file_places: Vec<Range<usize>>,
    /// `dstPath`: the directory that gets the output.
    pub dst_path: PathBuf,
    /// `namespacePrefix`: the module that `dstPath` is mounted at, `crate::servant` by default. Generated code refers
    /// to itself by relative paths; this is how reports name it.
    pub namespace_prefix: String,
    /// `includeDirs`: where an `#include` is looked for after the directories of the including file and of the config.
    pub include_dirs: Vec<PathBuf>,
    /// What the code is like.
    pub options: Options,
}

impl Config {
    /// All keys.
    pub const KEYS: &[&'static str] = &[
        "appName",
        "serverName",
        "objName",
        "withServant",
        "tarsFiles",
        "dstPath",
        "namespacePrefix",
        "includeDirs",
        "runtimeCrate",
        "optionalType",
        "stringType",
        "bytesType",
        "mapType",
        "unknownFields",
        "borrowed",
        "types",
        "externPath",
        "attributes",
        "serde",
        "edition",
        "format",
    ];

    /// Reads and checks a config file.
    ///
    /// # Errors
    /// It cannot be read, or something in it is wrong: all of that, with its places.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let text = fs::read_to_string(path).map_err(|e| Error::io("read", path, e))?;
        Self::parse(path, text)
    }

    fn parse(path: &Path, text: String) -> Result<Self, Error> {
        parse(path, text, Self::KEYS, |reader, text| {
            read(reader, path, text)
        })
    }

    /// The directory of the config file, which its paths are relative to.
    pub fn dir(&self) -> &Path {
        dir_of(&self.path)
    }

    /// What is wrong with a part of the config, now that the IDL is known.
    pub fn findings(
        &self,
        complaints: impl IntoIterator<Item = (String, Range<usize>)>,
    ) -> Findings {
        findings(&self.path, self.text.clone(), complaints)
    }

    /// What is wrong with IDL files that it names.
    pub(crate) fn unreadable(&self, files: Vec<Unreadable>) -> Findings {
        let mut findings = Findings::default();
        let file = findings.sources.add(self.path.clone(), self.text.clone());
        let files = files.into_iter().map(|Unreadable { index, diagnostic }| {
            match self.tars_file_places.get(index) {
                Some(at) => diagnostic.at(span(file, at), "named here"),
                None => diagnostic,
            }
        });
        findings.diagnostics = files.collect();
        findings
    }
}

/// Takes a text apart; `read` makes the config of its table.
fn parse<T>(
    path: &Path,
    text: String,
    keys: &[&'static str],
    read: impl FnOnce(Reader<'_, '_>, &str) -> Option<T>,
) -> Result<T, Error> {
    let mut complaints = Vec::new();
    let (table, errors) = DeTable::parse_recoverable(&text);
    complaints.extend(errors.iter().map(|error| Complaint {
        message: error.message().to_owned(),
        at: error.span().unwrap_or_default(),
    }));
    let end = text.trim_end().len();
    let prefix = String::new();
    let reader = Reader::new(table.get_ref(), prefix, end..end, keys, &mut complaints);
    match read(reader, &text) {
        Some(config) if complaints.is_empty() => Ok(config),
        _ => {
            let complaints = complaints.into_iter().map(|c| (c.message, c.at));
            Err(Error::Invalid(vec![findings(path, text, complaints)]))
        }
    }
}

fn span(file: FileId, at: &Range<usize>) -> Span {
    let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    Span {
        file,
        start: offset(at.start),
        end: offset(at.end),
    }
}

fn findings(
    path: &Path,
    text: String,
    complaints: impl IntoIterator<Item = (String, Range<usize>)>,
) -> Findings {
    let mut findings = Findings::default();
    let file = findings.sources.add(path.to_owned(), text);
    let diagnostic = |(message, at): (String, Range<usize>)| {
        Diagnostic::new(Code::InvalidConfig, message).at(span(file, &at), "")
    };
    findings.diagnostics = complaints.into_iter().map(diagnostic).collect();
    findings.diagnostics.sort_by_key(Diagnostic::span);
    findings
}

fn dir_of(path: &Path) -> &Path {
    match path.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => dir,
        _ => Path::new("."),
    }
}

/// `None` when a key that has no default is missing or wrong.
fn read(mut reader: Reader<'_, '_>, path: &Path, text: &str) -> Option<Config> {
    let dir = dir_of(path);
    let app_name = reader.required("appName", reader::level);
    let server_name = reader.required("serverName", reader::level);
    let obj_name = reader.required("objName", reader::level);
    let tars_files = reader.required("tarsFiles", reader::paths);
    let dst_path = reader.required("dstPath", reader::text);
    let with_servant = reader.flag("withServant");
    let namespace_prefix = reader.optional("namespacePrefix", reader::module_path);
    let include_dirs = reader.optional("includeDirs", reader::paths);
    let runtime_crate = reader.optional("runtimeCrate", reader::module_path);
    let options = Options {
        runtime_crate: runtime_crate.unwrap_or_else(|| Options::default().runtime_crate),
        types: reader.types(),
        rules: reader.rules(),
        externs: reader.externs(),
        attributes: reader.attributes(),
        serde: reader.flag("serde").unwrap_or_default(),
        edition: reader.choice("edition").unwrap_or_default(),
        format: reader.choice("format").unwrap_or_default(),
    };
    let join_all = |files: Vec<String>| files.iter().map(|file| join(dir, file)).collect();
    Some(Config {
        path: path.to_owned(),
        text: text.to_owned(),
        app_name: app_name?,
        server_name: server_name?,
        obj_name: obj_name?,
        with_servant: with_servant.unwrap_or_default(),
        tars_files: join_all(tars_files?),
        tars_file_places: reader.places("tarsFiles"),
        dst_path: join(dir, &dst_path?),
        namespace_prefix: namespace_prefix.unwrap_or_else(|| "crate::servant".to_owned()),
        include_dirs: join_all(include_dirs.unwrap_or_default()),
        options,
    })
}

/// `./` and the like would only make messages longer.
fn join(dir: &Path, path: &str) -> PathBuf {
    let path: PathBuf = dir
        .join(path)
        .components()
        .filter(|part| !matches!(part, Component::CurDir))
        .collect();
    if path.as_os_str().is_empty() {
        PathBuf::from(".")
    } else {
        path
    }
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
        assert_eq!(config.options.runtime_crate, "::tars_rpc");
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

    #[test]
    fn options_and_rules() {
        let text = format!(
            "{GOOD}optionalType = 'option'\nmapType = 'HashMap'\nedition = '2021'\nformat = 'rustfmt'\n\
             externPath = {{ M = '::other::m' }}\n[types.'M.S.f']\nstringType = 'Arc<str>'\n\
             [[attributes]]\npath = 'M.S'\nderive = ['Hash', '::a::B']\nattributes = ['#[x]']\n"
        );
        let options = Config::parse(Path::new("a.toml"), text).unwrap().options;
        assert_eq!(options.types.optional, OptionalType::Option);
        assert_eq!(options.types.map, MapType::HashMap);
        assert_eq!(
            (options.edition, options.format),
            (Edition::E2021, Format::Rustfmt)
        );
        assert_eq!(options.rules[0].string, Some(StringType::Shared));
        assert_eq!(options.rules[0].optional, None);
        assert_eq!(options.externs[0].rust, "::other::m");
        assert_eq!(options.attributes[0].derive, ["Hash", "::a::B"]);
    }

    #[test]
    fn wrong_options_name_the_right_ones() {
        let text = format!(
            "{GOOD}optionalType = 'maybe'\nstringType = 1\nformat = true\nserde = 'yes'\nexternPath = 1\n\
             [types.'M.S']\nmaptype = 'HashMap'\nbytesType = 'Vec'\n\
             [[attributes]]\nderive = ['a b']\nattributes = ['must_use']\n"
        );
        insta::assert_snapshot!(complaints(&text), @r#"
        dir/a.toml:6:16: error[invalid-config]: `optionalType` must be "plain" or "option"
        dir/a.toml:7:14: error[invalid-config]: `stringType` must be "String" or "bytes::Bytes" or "Arc<str>" or "InlineStr"
        dir/a.toml:8:10: error[invalid-config]: `format` must be "default" or "rustfmt"
        dir/a.toml:9:9: error[invalid-config]: `serde` must be true or false
        dir/a.toml:10:14: error[invalid-config]: `externPath` must be a table
        dir/a.toml:12:1: error[invalid-config]: unknown key `types."M.S".maptype`; did you mean `mapType`?
        dir/a.toml:13:13: error[invalid-config]: `types."M.S".bytesType` must be "Bytes" or "Vec<u8>"
        dir/a.toml:14:1: error[invalid-config]: the key `attributes.path` is missing
        dir/a.toml:15:10: error[invalid-config]: `attributes.derive` must be a list of paths to derive macros
        dir/a.toml:16:14: error[invalid-config]: `attributes.attributes` must be a list of attributes like `#[must_use]`
        "#);
    }
}
