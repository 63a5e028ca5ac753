//! `docs/tars2rs.md`: each example does what the page says, and each rule has its code. The Rust on the page is among
//! the documentation tests of `src/lib.rs`.
#![cfg(feature = "cli")]

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::{expect_golden, render, resolve_file};
use tars2rs::config::Config;
use tars2rs::diagnostic::Code;
use tempfile::TempDir;

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/tars2rs.md")
}

fn guide() -> String {
    fs::read_to_string(path()).unwrap()
}

/// The code blocks of a language.
fn blocks(language: &str) -> Vec<String> {
    let guide = guide();
    let start = format!("```{language}\n");
    let blocks = guide.split(&start).skip(1);
    blocks
        .map(|block| block.split("```").next().unwrap().to_owned())
        .collect()
}

/// The files that the examples are about.
fn project() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(dir.path().join(name), text).unwrap();
    write(
        "hello.tars",
        "module hello { struct S { 0 require int a; }; interface Hello { void f(S s); }; };\n",
    );
    write(
        "bad.tars",
        "module M\n{\n    struct S\n    {\n        0 require int id;\n        0 require string name;\n    };\n};\n",
    );
    for (name, with_servant) in [("client", false), ("server", true)] {
        let config = format!(
            "appName = 'App'\nserverName = 'Server'\nobjName = 'Obj'\nwithServant = {with_servant}\n\
             tarsFiles = ['hello.tars']\ndstPath = 'out'\n"
        );
        write(&format!("tars{name}.proto.toml"), &config);
    }
    dir
}

#[test]
fn commands_print_what_the_page_says() {
    let dir = project();
    let examples = blocks("console");
    assert!(examples.len() >= 4);
    for example in examples {
        let (command, expected) = example.split_once('\n').unwrap();
        let args = command.strip_prefix("$ tars2rs ").unwrap();
        let args = args.split(' ').map(|arg| arg.trim_matches('\''));
        let output = Command::new(assert_cmd::cargo::cargo_bin!("tars2rs"))
            .args(args)
            .current_dir(dir.path())
            .output()
            .unwrap();
        let printed = [output.stdout, output.stderr].concat();
        let printed = String::from_utf8(printed).unwrap();
        assert_eq!(printed, expected, "{command}");
    }
}

#[test]
fn the_idl_of_the_page_compiles() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(
        dir.path().join("base.tars"),
        "module Base { struct Owner { 0 require string name; }; };\n",
    )
    .unwrap();
    let idl = dir.path().join("shop.tars");
    fs::write(&idl, &blocks("text")[0]).unwrap();
    let output = resolve_file(&idl, &[]);
    assert!(
        output.model.is_some() && output.diagnostics.is_empty(),
        "{}",
        render(&output)
    );
}

#[test]
fn the_configs_of_the_page_are_read() {
    let dir = tempfile::tempdir().unwrap();
    let configs = blocks("toml");
    let configs: Vec<_> = configs
        .iter()
        .filter(|text| text.contains("appName"))
        .collect();
    assert!(!configs.is_empty());
    for text in configs {
        let path = dir.path().join("a.toml");
        fs::write(&path, text).unwrap();
        Config::load(&path).unwrap_or_else(|error| panic!("{error}"));
    }
}

#[test]
fn every_rule_names_its_code() {
    let guide = guide();
    let (_, idl) = guide.split_once("\n## The IDL\n").unwrap();
    let (rules, _) = idl.split_once("\n## ").unwrap();
    let table = rules.lines().filter(|line| line.starts_with('|'));
    let last_cells = table.filter_map(|row| row.trim_end_matches(" |").rsplit(" | ").next());
    let named: BTreeSet<&str> = last_cells
        .flat_map(|cell| cell.split('`').skip(1).step_by(2))
        .collect();
    let known: BTreeSet<&str> = Code::ALL
        .iter()
        .filter(|code| !matches!(code, Code::InvalidConfig | Code::TooManyMessages))
        .map(|code| code.name())
        .collect();
    assert_eq!(named, known, "left: the page, right: code.rs");
}

#[test]
fn the_table_of_codes_is_that_of_the_compiler() {
    let guide = guide();
    let head = "| code | | |\n|---|---|---|\n";
    let (before, rest) = guide.split_once(head).unwrap();
    let after = rest.split_once("\n## ").unwrap().1;
    let rows: String = Code::ALL
        .iter()
        .map(|code| {
            let explanation = code.explanation().replace('|', "\\|");
            format!(
                "| `{}` | {} | {explanation} |\n",
                code.name(),
                code.severity().name()
            )
        })
        .collect();
    expect_golden(&path(), &format!("{before}{head}{rows}\n## {after}"));
}
