//! Each format of diagnostics, over the same ones.
#![cfg(feature = "cli")]

mod common;

use std::fs;
use std::path::Path;

use common::{expect_golden, golden};
use tars2rs::diagnostic::{Code, Diagnostic, github, json, short, text};
use tars2rs::resolve::{Input, Output, resolve};

/// Labels in one line, in two lines and in two files, a warning, notes, helps, characters of several bytes, a
/// byte-order mark, a path that has to be escaped, and something without a place.
fn diagnostics(dir: &Path) -> Output {
    let write = |name: &str, text: &str| {
        fs::write(dir.join(name), text).unwrap();
        dir.join(name)
    };
    let files = [
        write(
            "100%, one:two.tars",
            "\u{feff}#include \"gone.tars\"\n\nmodule M\n{\n    struct S\n    {\n        0 require int a; /* \u{e9} */ 0 require \
             int b;\n        1 require Sting c;\n        2 require S d;\n    };\n};\n",
        ),
        write(
            "again.tars",
            "module M\n{\n    struct S { 1 require int x; }\n\n    enum E { A, A };\n    const string T = \"\\d%\";\n};\n",
        ),
    ];
    let mut output = resolve(&Input {
        files: &files,
        base_dir: dir,
        include_dirs: &[],
    });
    output.diagnostics.push(
        Diagnostic::new(Code::UnreadableFile, "cannot read `x`: 100% gone")
            .note("a note of\ntwo lines"),
    );
    output
}

fn check(name: &str, render: impl Fn(&Output) -> String) {
    let dir = tempfile::tempdir().unwrap();
    let rendered = render(&diagnostics(dir.path()));
    let rendered = rendered.replace(&format!("{}/", dir.path().display()), "");
    expect_golden(&golden(&format!("formats/{name}")), &rendered);
}

fn each(output: &Output, render: impl Fn(&Diagnostic) -> String) -> String {
    output.diagnostics.iter().map(render).collect()
}

#[test]
fn as_text() {
    check("text.txt", |output| {
        each(output, |d| text::render(d, &output.sources, false) + "\n")
    });
}

#[test]
fn as_colored_text() {
    check("colored.txt", |output| {
        each(output, |d| text::render(d, &output.sources, true) + "\n")
    });
}

#[test]
fn as_short_lines() {
    check("short.txt", |output| {
        each(output, |d| short::render(d, &output.sources))
    });
}

#[test]
fn as_json() {
    check("json.jsonl", |output| {
        each(output, |d| json::render(d, &output.sources)) + &json::plain("a \"quoted\" word")
    });
}

#[test]
fn as_commands_of_github() {
    check("github.txt", |output| {
        each(output, |d| github::render(d, &output.sources)) + &github::plain("100% wrong\nreally")
    });
}

/// The offsets are those of the file, so that an editor finds the place.
#[test]
fn json_offsets_are_those_of_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let output = diagnostics(dir.path());
    for diagnostic in &output.diagnostics {
        let object: serde_json::Value =
            serde_json::from_str(&json::render(diagnostic, &output.sources)).unwrap();
        let spans = object["spans"].as_array().unwrap();
        assert_eq!(spans.len(), diagnostic.labels.len());
        for (span, label) in spans.iter().zip(&diagnostic.labels) {
            let bytes = fs::read(span["file"].as_str().unwrap()).unwrap();
            let offset = |key: &str| span[key].as_u64().unwrap() as usize;
            let found = &bytes[offset("byte_start")..offset("byte_end")];
            assert_eq!(found, output.sources.text(label.span).as_bytes());
        }
    }
}
