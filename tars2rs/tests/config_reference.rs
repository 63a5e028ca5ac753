//! The examples of `docs/tars2rs-config.md` do what it says, and it has every key.

use std::fs;
use std::path::Path;

use tars2rs::Builder;
use tars2rs::config::Config;

const REFERENCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/tars2rs-config.md");
const REQUIRED: &str = "appName = 'PHPTest'\nserverName = 'PHPServer'\nobjName = 'obj'\ntarsFiles = ['shop.tars']\ndstPath = 'out'\n";

/// Language and text of each block of code.
fn blocks(text: &str) -> Vec<(&str, &str)> {
    let parts = text.split("\n```").skip(1).step_by(2);
    parts.filter_map(|block| block.split_once('\n')).collect()
}

fn output(dir: &Path) -> String {
    let mut text = String::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            text += &output(&path);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            text += &fs::read_to_string(path).unwrap();
        }
    }
    text
}

#[test]
fn examples_do_what_they_say() {
    let reference = fs::read_to_string(REFERENCE).unwrap();
    let blocks = blocks(&reference);
    let idl = blocks
        .iter()
        .find(|(language, _)| *language == "tars")
        .unwrap()
        .1;
    let mut count = 0;
    for (index, (language, example)) in blocks.iter().enumerate() {
        if *language != "toml" {
            continue;
        }
        count += 1;
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("shop.tars"), idl).unwrap();
        let config = dir.path().join("a.toml");
        let complete = example.contains("appName");
        let text = if complete {
            String::new()
        } else {
            REQUIRED.to_owned()
        } + example;
        fs::write(&config, text).unwrap();
        let report = Builder::new()
            .config(&config)
            .run()
            .unwrap_or_else(|error| panic!("{example}\n{error}"));
        assert_eq!(report.warnings, [""; 0], "{example}");
        let output = output(&dir.path().join("out"));
        if let Some(("rust", lines)) = blocks.get(index + 1) {
            for line in lines.lines() {
                assert!(
                    output.contains(&format!("\n{line}\n")),
                    "{example}\nno {line:?} in\n{output}"
                );
            }
        }
    }
    assert!(count > 15, "{count} examples");
}

#[test]
fn every_key_is_there() {
    let reference = fs::read_to_string(REFERENCE).unwrap();
    let headings: Vec<&str> = reference
        .lines()
        .filter(|line| line.starts_with("###"))
        .collect();
    for key in Config::KEYS {
        let (plain, table) = (format!("`{key}`"), format!("`[[{key}]]`"));
        let path = format!("`[{key}.\"PATH\"]`");
        assert!(
            headings.iter().any(|line| [&plain, &table, &path]
                .iter()
                .any(|name| line.contains(*name))),
            "{key} has no heading"
        );
    }
}
