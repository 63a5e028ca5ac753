//! The config of a package: `tars.proto.toml`. `docs/deploy.md` is its reference.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::reader::{self, Reader};
use super::{dir_of, findings, join, parse};
use crate::error::{Error, Findings};

/// What goes to the platform, and as what. Relative paths in it were joined to the directory of the config file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageConfig {
    /// Where it was read from, as the caller named it.
    pub path: PathBuf,
    /// Its text, for complaints that come up later.
    pub text: String,
    /// `appName`: the application that the server belongs to.
    pub app_name: String,
    /// `serverName`: names the package, the directory in it, and the executable in that.
    pub server_name: String,
    /// `objName`: the servant, by which clients find the server.
    pub obj_name: String,
    /// `projectDir`: nothing outside of it is packed; the directory above that of the config by default.
    pub project_dir: PathBuf,
    /// `cargoPackage`: has the executable; cargo's choice in `projectDir` by default.
    pub cargo_package: Option<String>,
    /// `bin`: the name of the executable; needed only if there are several.
    pub bin: Option<String>,
    /// `features`: those that the package is built with besides its default ones.
    pub features: Vec<String>,
    /// `target`: what to compile for; the machine that compiles by default.
    pub target: Option<String>,
    /// `files`: what goes in besides the executable; `None` for `clients`, `conf` and `tars` of the project.
    pub files: Option<Vec<PackagedPath>>,
    /// `exclude`: what does not go in.
    pub exclude: Vec<(PathBuf, Range<usize>)>,
}

/// A file, or a directory with all that is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackagedPath {
    /// Its path in the package, below the directory of the server.
    pub to: String,
    /// Where it is.
    pub from: PathBuf,
    /// Its place in the config.
    pub at: Range<usize>,
}

impl PackageConfig {
    /// All keys.
    pub const KEYS: &[&'static str] = &[
        "appName",
        "serverName",
        "objName",
        "projectDir",
        "cargoPackage",
        "bin",
        "features",
        "target",
        "files",
        "exclude",
    ];

    /// Reads and checks a config file.
    ///
    /// # Errors
    /// It cannot be read, or something in it is wrong: all of that, with its places.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let text = fs::read_to_string(path).map_err(|e| Error::io("read", path, e))?;
        parse(path, text, Self::KEYS, |reader, text| {
            read(reader, path, text)
        })
    }

    /// What is wrong with a part of the config, now that the files are known.
    pub fn findings(
        &self,
        complaints: impl IntoIterator<Item = (String, Range<usize>)>,
    ) -> Findings {
        findings(&self.path, self.text.clone(), complaints)
    }
}

/// `None` when a key that has no default is missing or wrong.
fn read(mut reader: Reader<'_, '_>, path: &Path, text: &str) -> Option<PackageConfig> {
    let dir = dir_of(path);
    let app_name = reader.required("appName", reader::level);
    let server_name = reader.required("serverName", reader::level);
    let obj_name = reader.required("objName", reader::level);
    let project_dir = reader.optional("projectDir", reader::text);
    let cargo_package = reader.optional("cargoPackage", word);
    let bin = reader.optional("bin", word);
    let target = reader.optional("target", word);
    let features = reader.optional("features", words);
    let files = reader.has("files").then(|| files(&mut reader, dir));
    let exclude = reader.optional("exclude", reader::paths);
    let excluded = exclude.unwrap_or_default();
    let excluded = excluded.iter().map(|path| join(dir, path));
    Some(PackageConfig {
        path: path.to_owned(),
        text: text.to_owned(),
        app_name: app_name?,
        server_name: server_name?,
        obj_name: obj_name?,
        project_dir: join(dir, project_dir.as_deref().unwrap_or("..")),
        cargo_package,
        bin,
        features: features.unwrap_or_default(),
        target,
        files,
        exclude: excluded.zip(reader.places("exclude")).collect(),
    })
}

/// `[files]`: path in the package = path of the file.
fn files(reader: &mut Reader<'_, '_>, dir: &Path) -> Vec<PackagedPath> {
    let mut files = Vec::new();
    for (to, value) in reader.entries("files") {
        if !is_inside(&to.text) {
            let message = format!(
                "`{}` cannot be a path in the package: it must be relative, with no part that starts with a dot",
                to.text
            );
            reader.complain(message, to.at);
            continue;
        }
        match reader::text(value.get_ref()) {
            Ok(from) => files.push(PackagedPath {
                to: to.text,
                from: join(dir, &from),
                at: value.span(),
            }),
            Err(expected) => {
                let message = format!("`files.\"{}\"` must be {expected}", to.text);
                reader.complain(message, value.span());
            }
        }
    }
    files
}

/// Whether a path surely stays inside of the directory that it is for.
fn is_inside(path: &str) -> bool {
    let good = |part: &str| !part.is_empty() && !part.starts_with('.');
    !path.contains(|c: char| c == '\\' || c.is_control()) && path.split('/').all(good)
}

/// What is given to cargo cannot be taken for one of its options.
fn word(value: &toml::de::DeValue<'_>) -> Result<String, &'static str> {
    reader::text(value)
        .ok()
        .filter(|word| is_word(word))
        .ok_or("a name")
}

fn words(value: &toml::de::DeValue<'_>) -> Result<Vec<String>, &'static str> {
    reader::list_of(value, "a list of names", is_word)
}

fn is_word(word: &str) -> bool {
    let allowed = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '/' | '.' | '+');
    word.chars().all(allowed) && word.starts_with(|c: char| c.is_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "appName = 'A'\nserverName = 'S'\nobjName = 'o'\n";

    fn config(text: &str) -> Result<PackageConfig, String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("tars.proto.toml");
        fs::write(&path, text).unwrap();
        let shortened = |text: String| text.replace(&format!("{}/", dir.path().display()), "");
        PackageConfig::load(&path)
            .map(|mut config| {
                let project = config.project_dir.strip_prefix(dir.path()).unwrap();
                config.project_dir = project.to_owned();
                config
            })
            .map_err(|error| match error {
                Error::Invalid(findings) => findings
                    .iter()
                    .flat_map(|f| {
                        f.diagnostics
                            .iter()
                            .map(|d| crate::diagnostic::short::render(d, &f.sources))
                    })
                    .map(shortened)
                    .collect(),
                other => other.to_string(),
            })
    }

    #[test]
    fn three_keys_are_enough() {
        let config = config(GOOD).unwrap();
        assert_eq!(config.project_dir, Path::new(".."));
        assert_eq!((config.cargo_package, config.bin), (None, None));
        assert_eq!((config.files, config.exclude.len()), (None, 0));
    }

    #[test]
    fn faults_have_places() {
        let text = format!(
            "{GOOD}servername = 'x'\nbin = '--release'\nfeatures = 'a'\nexclude = []\n[files]\n\
             '../x' = 'x'\n'/x' = 'x'\n'a//b' = 'x'\n'.env' = 'x'\nok = 1\n"
        );
        insta::assert_snapshot!(config(&text).unwrap_err(), @r#"
        tars.proto.toml:4:1: error[invalid-config]: unknown key `servername`; did you mean `serverName`?
        tars.proto.toml:5:7: error[invalid-config]: `bin` must be a name
        tars.proto.toml:6:12: error[invalid-config]: `features` must be a list of names
        tars.proto.toml:7:11: error[invalid-config]: `exclude` must be a list of paths, not empty
        tars.proto.toml:9:1: error[invalid-config]: `../x` cannot be a path in the package: it must be relative, with no part that starts with a dot
        tars.proto.toml:10:1: error[invalid-config]: `/x` cannot be a path in the package: it must be relative, with no part that starts with a dot
        tars.proto.toml:11:1: error[invalid-config]: `a//b` cannot be a path in the package: it must be relative, with no part that starts with a dot
        tars.proto.toml:12:1: error[invalid-config]: `.env` cannot be a path in the package: it must be relative, with no part that starts with a dot
        tars.proto.toml:13:6: error[invalid-config]: `files."ok"` must be a text in quotes, not empty
        "#);
    }
}
