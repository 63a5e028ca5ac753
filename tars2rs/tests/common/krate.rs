//! A crate of generated code, to be compiled and run.
#![allow(dead_code)] // each test binary uses a part

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
duplicate_mod = "allow" # all of it is there twice
or_fun_call = "warn"
semicolon_if_nothing_returned = "warn"
uninlined_format_args = "warn"
use_self = "warn"
"#;

/// Code is put below a module like this as well, and below macros with the names of the standard ones.
const SHADOWS: &str = r#"
macro_rules! shadow_macros {
    ($($name:ident)*) => {$(
        #[allow(unused_macros)]
        macro_rules! $name {
            () => {
                compile_error!("not this one")
            };
        }
    )*};
}
shadow_macros! { assert concat debug_assert format matches panic println todo unreachable vec write }

macro_rules! shadow {
    ($($name:ident)*) => {$(
        #[doc = "Not what it seems."]
        #[allow(dead_code, non_camel_case_types)]
        #[derive(::std::fmt::Debug)]
        pub struct $name;
    )*};
}

/// Where nothing is what it seems.
#[no_implicit_prelude]
pub mod shadowed {
    shadow! {
        String Vec Option Result Some None Ok Err Box Default Clone Copy Send Sync Sized Debug PartialEq Eq
        PartialOrd Ord Hash From Into Iterator ToString Drop drop std core alloc codec tars_rpc str fmt i32 bool
    }
"#;

/// The root of the workspace.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// A crate below the target directory.
pub(crate) struct Crate {
    dir: PathBuf,
    modules: Vec<String>,
}

impl Crate {
    /// Without code.
    pub(crate) fn new(name: &str) -> Self {
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join("compile")
            .join(name);
        for part in ["src", "tests"] {
            if dir.join(part).exists() {
                fs::remove_dir_all(dir.join(part)).unwrap();
            }
        }
        fs::create_dir_all(dir.join("src/shadowed")).unwrap();
        fs::copy(root().join("Cargo.lock"), dir.join("Cargo.lock")).unwrap();
        Self {
            dir,
            modules: Vec::new(),
        }
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Generates both sides as the module `c` + `name`.
    pub(crate) fn add(&mut self, name: &str, idl: &Path, include_dirs: &[PathBuf], options: &str) {
        let servant = ["App", "MyServer", "Obj"];
        self.add_servant(servant, name, idl, include_dirs, options);
    }

    /// The same for a servant whose name is made of these three.
    pub(crate) fn add_servant(
        &mut self,
        [app, server, obj]: [&str; 3],
        name: &str,
        idl: &Path,
        include_dirs: &[PathBuf],
        options: &str,
    ) {
        let mut builder = Builder::new();
        for (kind, with_servant) in [("client", false), ("server", true)] {
            let config = self.dir.join(format!("{name}.{kind}.toml"));
            let mut text = format!(
                "appName = \"{app}\"\nserverName = \"{server}\"\nobjName = \"{obj}\"\n\
                 withServant = {with_servant}\ntarsFiles = [{idl:?}]\ndstPath = \"src/c{name}\"\n"
            );
            if !include_dirs.is_empty() {
                writeln!(text, "includeDirs = {include_dirs:?}").unwrap();
            }
            fs::write(&config, text + options).unwrap();
            builder = builder.config(config);
        }
        if let Err(error) = builder.run() {
            panic!("{name}: {error}");
        }
        if self.dir.join(format!("src/c{name}/mod.rs")).exists() {
            self.modules.push(format!("c{name}"));
        }
    }

    /// The same from a text.
    pub(crate) fn add_text(&mut self, name: &str, idl: &str, options: &str) {
        let path = self.write_idl(name, idl);
        self.add(name, &path, &[], options);
    }

    /// Writes IDL into the crate.
    pub(crate) fn write_idl(&self, name: &str, idl: &str) -> PathBuf {
        let path = self.dir.join(format!("{name}.tars"));
        fs::write(&path, idl).unwrap();
        path
    }

    /// Adds `tests/generated/NAME.rs` of this project to the tests of the crate.
    pub(crate) fn add_test(&self, name: &str) {
        let from = root().join(format!("tars2rs/tests/generated/{name}.rs"));
        fs::create_dir_all(self.dir.join("tests")).unwrap();
        fs::copy(from, self.dir.join(format!("tests/{name}.rs"))).unwrap();
    }

    /// No warning, and nothing for rustfmt to do.
    pub(crate) fn check(&self) {
        // What is shadowed does not depend on the edition.
        for (edition, shadowed) in [("2021", false), ("2024", true)] {
            self.write_lib(shadowed);
            self.write_manifest(edition);
            expect_success(&mut self.cargo(&["clippy", "--quiet"]), edition);
            let mut rustfmt = Command::new("rustfmt");
            // One process: it follows the `mod` lines.
            rustfmt.args(["--check", "--edition", edition]);
            rustfmt.args(["--style-edition", edition, "src/lib.rs"]);
            expect_success(rustfmt.current_dir(&self.dir), edition);
        }
    }

    /// Runs the tests of the crate.
    pub(crate) fn test(&self) {
        self.write_lib(false);
        self.write_manifest("2024");
        expect_success(&mut self.cargo(&["test", "--quiet", "--tests"]), "2024");
    }

    /// The number of doctests of the crate, whose documentation gives no warning.
    pub(crate) fn doctests(&self) -> usize {
        self.write_lib(false);
        self.write_manifest("2024");
        let mut doc = self.cargo(&["doc", "--quiet", "--no-deps"]);
        expect_success(doc.env("RUSTDOCFLAGS", "-D warnings"), "2024");
        let mut list = self.cargo(&["test", "--quiet", "--doc"]);
        list.args(["--", "--list"]);
        let list = expect_success(&mut list, "2024");
        list.lines().filter(|line| line.ends_with(": test")).count()
    }

    /// What the compiler says about code that it must not accept.
    pub(crate) fn error(&self) -> String {
        self.write_lib(false);
        self.write_manifest("2024");
        let Output { status, stderr, .. } = self.cargo(&["check", "--quiet"]).output().unwrap();
        assert!(!status.success());
        String::from_utf8(stderr).unwrap()
    }

    fn write_lib(&self, shadowed: bool) {
        let mut lib = "//! Generated.\n".to_owned();
        for name in &self.modules {
            writeln!(lib, "\n/// Generated.\npub mod {name};").unwrap();
        }
        if shadowed {
            lib += SHADOWS;
            for name in &self.modules {
                let path = format!("../{name}/mod.rs");
                writeln!(
                    lib,
                    "\n    /// Generated.\n    #[path = {path:?}]\n    pub mod {name};"
                )
                .unwrap();
            }
            lib += "}\n";
        }
        fs::write(self.dir.join("src/lib.rs"), lib).unwrap();
    }

    fn write_manifest(&self, edition: &str) {
        let manifest = format!(
            "[package]\nname = \"generated\"\nversion = \"0.0.0\"\nedition = \"{edition}\"\npublish = false\n\n\
             [workspace]\n\n[dependencies]\nserde_json = \"1\"\n\
             tars-rpc = {{ path = {:?}, features = [\"indexmap\"] }}\n\
             tokio = {{ version = \"1\", features = [\"rt\", \"macros\"] }}\n{LINTS}",
            root().join("tars-rpc")
        );
        fs::write(self.dir.join("Cargo.toml"), manifest).unwrap();
    }

    fn cargo(&self, args: &[&str]) -> Command {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(args).arg("--offline").current_dir(&self.dir);
        // One for all of them: their dependencies are the same.
        cargo.env(
            "CARGO_TARGET_DIR",
            Path::new(env!("CARGO_TARGET_TMPDIR")).join("compile/target"),
        );
        cargo
    }
}

/// Gives what the command has printed.
fn expect_success(command: &mut Command, edition: &str) -> String {
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
    text(&stdout)
}
