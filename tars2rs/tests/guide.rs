//! `docs/tars2rs.md`: each example does what the page says, and each rule has its code. The Rust on the page is among
//! the documentation tests of `src/lib.rs`.
#![cfg(feature = "cli")]

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

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

/// Runs the program.
fn tars2rs(dir: &Path, args: &[&str]) -> Output {
    Command::new(assert_cmd::cargo::cargo_bin!("tars2rs"))
        .args(args)
        .current_dir(dir)
        .output()
        .unwrap()
}

/// What the first commands of the page make, and the faulty file of the page in it.
fn project() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    assert!(tars2rs(dir.path(), &["init"]).status.success());
    fs::write(dir.path().join("bad.tars"), &blocks("tars")[0]).unwrap();
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
        let args: Vec<_> = args.split(' ').map(|arg| arg.trim_matches('\'')).collect();
        let output = tars2rs(dir.path(), &args);
        let printed = [output.stdout, output.stderr].concat();
        let printed = String::from_utf8(printed).unwrap();
        assert_eq!(printed, expected, "{command}");
    }
}

#[test]
fn the_config_of_the_new_project_is_on_the_page() {
    let dir = project();
    let read = |name: &str| fs::read_to_string(dir.path().join("tars").join(name)).unwrap();
    let client = read("tarsclient.proto.toml");
    assert_eq!(blocks("toml")[0], client);
    let keys = |text: &str| text.split_once('\n').unwrap().1.to_owned();
    let server = keys(&client).replace("withServant = false", "withServant = true");
    assert_eq!(keys(&read("tarsserver.proto.toml")), server);
}

/// The IDL of the page with configs.
fn shop() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let tars = dir.path().join("tars");
    fs::create_dir(&tars).unwrap();
    fs::write(tars.join("base.tars"), &blocks("tars")[1]).unwrap();
    fs::write(tars.join("shop.tars"), &blocks("text")[0]).unwrap();
    for (name, with_servant) in [("client", false), ("server", true)] {
        let config = format!(
            "appName = 'Shop'\nserverName = 'ShopServer'\nobjName = 'ShopObj'\nwithServant = {with_servant}\n\
             tarsFiles = ['shop.tars']\ndstPath = '../src/servant'\n"
        );
        fs::write(tars.join(format!("tars{name}.proto.toml")), config).unwrap();
    }
    dir
}

#[test]
fn the_idl_of_the_page_compiles() {
    let dir = shop();
    let output = resolve_file(&dir.path().join("tars/shop.tars"), &[]);
    assert!(
        output.model.is_some() && output.diagnostics.is_empty(),
        "{}",
        render(&output)
    );
}

/// The IDL of the page, and what the page says it becomes.
#[test]
fn the_files_of_the_page_are_generated() {
    let dir = shop();
    let report = tars2rs::Builder::new()
        .config(dir.path().join("tars/tarsclient.proto.toml"))
        .config(dir.path().join("tars/tarsserver.proto.toml"))
        .run()
        .unwrap();
    let written: BTreeSet<PathBuf> = report.written.into_iter().collect();
    let listing = &blocks("text")[1];
    assert!(listing.lines().count() >= 7);
    for line in listing.lines() {
        let path = line.split(' ').next().unwrap();
        assert!(written.contains(&dir.path().join(path)), "{path}");
    }
}

/// The first commands of the page; what they make runs in `init.rs`.
#[test]
fn the_first_commands_of_the_page_make_a_project() {
    let dir = tempfile::tempdir().unwrap();
    let commands = &blocks("sh")[0];
    let [install, init, enter, run] = commands.lines().collect::<Vec<_>>()[..] else {
        panic!("{commands}")
    };
    assert_eq!((install, run), ("cargo install tars2rs", "cargo run"));
    let init: Vec<_> = init.split(' ').skip(1).collect();
    assert!(tars2rs(dir.path(), &init).status.success());
    let project = dir.path().join(enter.strip_prefix("cd ").unwrap());
    for file in ["Cargo.toml", "build.rs", "src/main.rs", "tars/hello.tars"] {
        assert!(project.join(file).exists(), "{file}");
    }
}

/// The crate that the page describes, put together from its blocks: manifest, build script, program.
#[test]
#[ignore = "slow; run by .ci/run"]
fn the_crate_of_the_page_compiles() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let dir = shop();
    let manifests = blocks("toml");
    let mut manifest = String::from(
        "[package]\nname = \"shop\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[workspace]\n\n",
    );
    for part in manifests.iter().filter(|text| text.starts_with('[')) {
        manifest += part;
        manifest += "\n";
    }
    assert!(manifest.contains("[build-dependencies]"));
    // Building the compiler for speed takes long, and nothing of it is shared with other tests.
    let fast = "[profile.dev.build-override]\nopt-level = 3\n";
    assert!(manifest.contains(fast));
    manifest = manifest.replace(fast, "");
    manifest += "[patch.crates-io]\n";
    for name in ["tars2rs", "tars-codec", "tars-rpc"] {
        manifest += &format!("{name} = {{ path = {:?} }}\n", root.join(name));
    }
    let builds = blocks("rust,no_run");
    let program: String = blocks("rust,ignore").concat();
    for (name, build, mount) in [
        ("in_tree", &builds[0], "mod servant;\n"),
        ("out_dir", &builds[1], ""),
    ] {
        let project = dir.path();
        let _ = fs::remove_dir_all(project.join("src"));
        fs::create_dir_all(project.join("src")).unwrap();
        fs::write(project.join("Cargo.toml"), &manifest).unwrap();
        fs::copy(root.join("Cargo.lock"), project.join("Cargo.lock")).unwrap();
        fs::write(project.join("build.rs"), build).unwrap();
        let (include, usage) = program.split_once("}\n").unwrap();
        assert!(include.contains("include_servant!"));
        let own = if mount.is_empty() {
            format!("{include}}}\n")
        } else {
            mount.to_owned()
        };
        fs::write(project.join("src/main.rs"), own + usage).unwrap();
        let check = Command::new(env!("CARGO"))
            .args(["check", "--offline"])
            .current_dir(project)
            .env(
                "CARGO_TARGET_DIR",
                Path::new(env!("CARGO_TARGET_TMPDIR")).join("compile/target"),
            )
            .output()
            .unwrap();
        let messages = String::from_utf8_lossy(&check.stderr);
        assert!(check.status.success(), "{name}: {messages}");
        assert_eq!(
            project.join("src/servant").exists(),
            mount.len() > 1,
            "{name}"
        );
    }
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
