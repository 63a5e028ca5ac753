//! What the front-end tests share.
#![allow(dead_code)] // each test binary uses a part

use std::fs;
use std::path::{Path, PathBuf};

use tars2rs::diagnostic::text;
use tars2rs::model::{Field, Model};
use tars2rs::resolve::{Input, Output, resolve};

/// The fixtures of the workspace.
pub(crate) const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/idl");

/// Resolves one file, which stands alone but for what it includes.
pub(crate) fn resolve_file(path: &Path, include_dirs: &[PathBuf]) -> Output {
    let base_dir = path.parent().unwrap();
    resolve(&Input {
        files: &[path.to_owned()],
        base_dir,
        include_dirs,
    })
}

/// Resolves a text.
pub(crate) fn resolve_bytes(bytes: &[u8]) -> Output {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.tars");
    fs::write(&path, bytes).unwrap();
    resolve_file(&path, &[])
}

/// Resolves the first of some files, which are written below a directory; the config is in `conf`, and `lib1` and `lib2`
/// are include directories.
pub(crate) fn resolve_files(dir: &Path, files: &[(&str, &str)]) -> Output {
    for (name, text) in files {
        let path = dir.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    resolve(&Input {
        files: &[dir.join(files[0].0)],
        base_dir: &dir.join("conf"),
        include_dirs: &[dir.join("lib1"), dir.join("lib2")],
    })
}

/// What a text means.
pub(crate) fn model(text: &str) -> Model {
    let output = resolve_bytes(text.as_bytes());
    let rendered = render(&output);
    output.model.unwrap_or_else(|| panic!("{rendered}"))
}

/// The only member of a name.
pub(crate) fn field<'m>(model: &'m Model, name: &str) -> &'m Field {
    let mut fields = model.structs.iter().flat_map(|of| &of.fields);
    fields.find(|field| field.name == name).unwrap()
}

/// The names of the errors and warnings of a text, in order.
pub(crate) fn codes(text: &str) -> Vec<&'static str> {
    resolve_bytes(text.as_bytes())
        .diagnostics
        .iter()
        .map(|diagnostic| diagnostic.code.name())
        .collect()
}

/// All diagnostics as a person sees them.
pub(crate) fn render(output: &Output) -> String {
    let unreadable = output.unreadable.iter().map(|file| &file.diagnostic);
    unreadable
        .chain(&output.diagnostics)
        .map(|diagnostic| text::render(diagnostic, &output.sources, false) + "\n")
        .collect()
}

/// The first column of a manifest, without its heading.
pub(crate) fn manifest(dir: &Path) -> Vec<Vec<String>> {
    let text = fs::read_to_string(dir.join("manifest.tsv")).unwrap();
    text.lines()
        .skip(1)
        .map(|line| line.split('\t').map(str::to_owned).collect())
        .collect()
}

/// A file with what is expected, in the directory of the tests.
pub(crate) fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests")
        .join(name)
}

/// Compares with a file. `UPDATE_GOLDEN=1` writes it anew; read the difference then.
pub(crate) fn expect_golden(path: &Path, text: &str) {
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    } else {
        let expected = fs::read_to_string(path).unwrap_or_default();
        assert_eq!(
            text,
            expected,
            "{}: UPDATE_GOLDEN=1 writes it anew",
            path.display()
        );
    }
}
