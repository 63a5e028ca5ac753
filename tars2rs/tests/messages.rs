//! What the compiler says: every code has at least one message that somebody has read, in a golden file.

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use common::{FIXTURES, expect_golden, golden, render, resolve_bytes, resolve_file};
use tars2rs::Error;
use tars2rs::config::{Config, Options};
use tars2rs::diagnostic::{Code, text};
use tars2rs::rust::Backend;

fn files(dir: &Path, extension: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).unwrap();
    let mut files: Vec<_> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .collect();
    files.sort();
    files
}

fn check(path: &Path, rendered: &str) {
    let dir = format!("{}/", path.parent().unwrap().display());
    expect_golden(&path.with_extension("stderr"), &rendered.replace(&dir, ""));
}

#[test]
fn about_idl() {
    for path in files(&golden("messages"), "tars") {
        let mut output = resolve_file(&path, &[]);
        if let Some(model) = &output.model {
            let options = Options::default();
            let backend = Backend::new(model, &options).unwrap();
            output.diagnostics.extend(backend.diagnostics);
        }
        check(&path, &render(&output));
    }
}

#[test]
fn after_too_many() {
    let members = "    struct S { 0 require Int a; };\n".repeat(1000);
    let output = resolve_bytes(format!("module M\n{{\n{members}}};\n").as_bytes());
    let last = output.diagnostics.last().unwrap();
    let rendered = text::render(last, &output.sources, false);
    expect_golden(&golden("messages/after_too_many.stderr"), &rendered);
}

#[test]
fn about_configs() {
    for path in files(&golden("messages"), "toml") {
        let error = Config::load(&path).unwrap_err();
        assert!(matches!(error, Error::Invalid(_)));
        check(&path, &error.to_string());
    }
}

#[test]
fn every_code_has_a_golden_file() {
    let dirs = [golden("messages"), Path::new(FIXTURES).join("negative")];
    let mut shown = BTreeSet::new();
    for path in dirs.iter().flat_map(|dir| files(dir, "stderr")) {
        for line in fs::read_to_string(path).unwrap().lines() {
            let rest = line
                .strip_prefix("error[")
                .or_else(|| line.strip_prefix("warning["));
            shown.extend(
                rest.and_then(|rest| rest.split_once("]: "))
                    .map(|(code, _)| code.to_owned()),
            );
        }
    }
    let missing: Vec<_> = Code::ALL
        .iter()
        .map(|code| code.name())
        .filter(|name| !shown.contains(*name))
        .collect();
    assert!(
        missing.is_empty(),
        "no golden file shows {missing:?}: add one to tests/messages"
    );
}
