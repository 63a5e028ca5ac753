//! Everything generated from the corpus of hard but legal IDL files must compile without a warning, in the editions
//! 2021 and 2024, and be formatted as rustfmt would.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tars2rs::Builder;

const LINTS: &str = r#"
[lints.rust]
warnings = "deny"
missing_debug_implementations = "warn"
missing_docs = "warn"
rust_2018_idioms = { level = "warn", priority = -1 }
unreachable_pub = "warn"
unused_lifetimes = "warn"
unused_qualifications = "warn"

[lints.clippy]
all = { level = "warn", priority = -1 }
or_fun_call = "warn"
semicolon_if_nothing_returned = "warn"
uninlined_format_args = "warn"
use_self = "warn"
"#;

#[test]
#[ignore = "slow; run by .ci/run"]
fn corpus_compiles() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let work = Path::new(env!("CARGO_TARGET_TMPDIR")).join("compile");
    let source = work.join("src");
    if source.exists() {
        fs::remove_dir_all(&source).unwrap();
    }
    fs::create_dir_all(&source).unwrap();
    fs::copy(root.join("Cargo.lock"), work.join("Cargo.lock")).unwrap();

    let mut cases = cases(root);
    let key_order = work.join("key_order.tars");
    let idl = "module M { struct Pair { 0 require int a; 1 require int b; }; key[Pair, b]; };\n";
    fs::write(&key_order, idl).unwrap();
    cases.push(("key_order".to_owned(), key_order));
    cases.push((
        "long".to_owned(),
        root.join("tars2rs/tests/generated/long.tars"),
    ));
    assert!(cases.len() > 70, "the corpus is not there");
    let mut lib = "//! Generated.\n".to_owned();
    for (name, idl) in &cases {
        generate(&work, name, idl);
        if source.join(format!("c{name}/mod.rs")).exists() {
            writeln!(lib, "\n/// From `{name}`.\npub mod c{name};").unwrap();
        }
    }
    fs::write(source.join("lib.rs"), lib).unwrap();

    let tests = work.join("tests");
    fs::create_dir_all(&tests).unwrap();
    let behaviour = root.join("tars2rs/tests/generated/behaviour.rs");
    fs::copy(behaviour, tests.join("behaviour.rs")).unwrap();

    for edition in ["2021", "2024"] {
        let manifest = format!(
            "[package]\nname = \"generated\"\nversion = \"0.0.0\"\nedition = \"{edition}\"\npublish = false\n\n\
             [workspace]\n\n[dependencies]\ntars-rpc = {{ path = {:?} }}\n{LINTS}",
            root.join("tars-rpc")
        );
        fs::write(work.join("Cargo.toml"), manifest).unwrap();
        let mut clippy = Command::new(env!("CARGO"));
        clippy
            .args(["clippy", "--offline", "--quiet"])
            .current_dir(&work);
        expect_success(clippy.env("CARGO_TARGET_DIR", work.join("target")), edition);
        let mut rustfmt = Command::new("rustfmt");
        // One process: it follows the `mod` lines.
        rustfmt.args([
            "--check",
            "--edition",
            edition,
            "--style-edition",
            edition,
            "src/lib.rs",
        ]);
        expect_success(rustfmt.current_dir(&work), edition);
    }
    let mut test = Command::new(env!("CARGO"));
    test.args(["test", "--offline", "--quiet", "--test", "behaviour"])
        .current_dir(&work);
    expect_success(test.env("CARGO_TARGET_DIR", work.join("target")), "2024");
}

/// Name and main file of each case.
fn cases(root: &Path) -> Vec<(String, PathBuf)> {
    let corpus = [
        root.join("tests/fixtures/idl/positive"),
        root.join("../shared/data/idl/positive"),
    ];
    let corpus = corpus.iter().find(|dir| dir.exists()).unwrap();
    let entries = fs::read_dir(corpus)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let case = |path: PathBuf| {
        let name = path.file_stem()?.to_str()?.to_owned();
        let main = if path.is_dir() {
            path.join("main.tars")
        } else {
            path
        };
        (main.extension()? == "tars" && name.starts_with(|c: char| c.is_ascii_digit()))
            .then_some((name, main))
    };
    let mut cases: Vec<_> = entries.filter_map(case).collect();
    cases.sort();
    cases
}

fn generate(work: &Path, name: &str, idl: &Path) {
    let mut builder = Builder::new();
    for (kind, with_servant) in [("client", false), ("server", true)] {
        let config = work.join(format!("{name}.{kind}.toml"));
        let text = format!(
            "appName = \"App\"\nserverName = \"MyServer\"\nobjName = \"Obj\"\nwithServant = {with_servant}\n\
             tarsFiles = [{idl:?}]\ndstPath = \"src/c{name}\"\n"
        );
        fs::write(&config, text).unwrap();
        builder = builder.config(config);
    }
    if let Err(error) = builder.run() {
        panic!("{name}: {error}");
    }
}

fn expect_success(command: &mut Command, edition: &str) {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().unwrap();
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    assert!(
        status.success(),
        "edition {edition}: {command:?}\n{}{}",
        text(&stdout),
        text(&stderr)
    );
}
