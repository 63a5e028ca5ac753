//! A run with nothing to do is cut short; one that has something to do never is.

use std::fs;
use std::path::PathBuf;

use tars2rs::{Builder, Report};
use tempfile::TempDir;

struct Project(TempDir);

impl Project {
    fn new() -> Self {
        let this = Self(tempfile::tempdir().unwrap());
        this.write(
            "main.tars",
            "#include \"base.tars\"\nmodule M { struct S { 0 require Base::V v; }; interface I { void f(S s); }; };\n",
        );
        this.write(
            "later/base.tars",
            "module Base { struct V { 0 require int a; }; };\n",
        );
        this.config("client.toml", false);
        this.config("server.toml", true);
        this
    }

    fn config(&self, name: &str, with_servant: bool) {
        let text = format!(
            "appName = 'App'\nserverName = 'Server'\nobjName = 'obj'\nwithServant = {with_servant}\n\
             tarsFiles = ['main.tars']\nincludeDirs = ['sooner', 'later']\ndstPath = 'out'\n"
        );
        self.write(name, &text);
    }

    fn path(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn run(&self) -> Report {
        let builder = Builder::new();
        let builder = builder
            .config(self.path("client.toml"))
            .config(self.path("server.toml"));
        builder.run().unwrap_or_else(|error| panic!("{error}"))
    }

    /// Runs until nothing is to be done any more.
    fn settle(&self) {
        self.run();
        let report = self.run();
        assert_eq!((report.written, report.removed), (vec![], vec![]));
        assert!(self.path("out/.tars2rs/stamp").exists());
    }

    /// The names of the files that the next run writes and removes, which are none after it.
    fn changes(&self) -> (Vec<String>, Vec<String>) {
        let report = self.run();
        let names = |paths: Vec<PathBuf>| {
            let names = paths
                .iter()
                .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned());
            let mut names: Vec<_> = names.collect();
            names.sort();
            names
        };
        let changes = (names(report.written), names(report.removed));
        self.settle();
        changes
    }
}

#[test]
fn the_report_is_that_of_a_whole_run() {
    let project = Project::new();
    let first = project.run();
    let second = project.run();
    assert_eq!(second.inputs, first.inputs);
    assert_eq!(second.unchanged, first.written.len());
    fs::remove_dir_all(project.path("out/.tars2rs")).unwrap();
    assert_eq!(project.run(), second);
}

#[test]
fn an_output_file_that_was_edited_deleted_or_added_is_noticed() {
    let project = Project::new();
    project.settle();
    let file = project.path("out/App/Server/obj/classes/base.rs");
    let good = fs::read_to_string(&file).unwrap();

    // The same length, perhaps within the same tick of the clock.
    fs::write(&file, good.replace("i32", "i64")).unwrap();
    assert_eq!(project.changes(), (vec!["base.rs".to_owned()], vec![]));
    assert_eq!(fs::read_to_string(&file).unwrap(), good);

    fs::remove_file(&file).unwrap();
    assert_eq!(project.changes(), (vec!["base.rs".to_owned()], vec![]));

    // A copy of a marked file is a file that no config wants.
    fs::copy(&file, file.with_file_name("copy.rs")).unwrap();
    assert_eq!(project.changes(), (vec![], vec!["copy.rs".to_owned()]));

    fs::remove_dir_all(project.path("out/App")).unwrap();
    assert!(!project.changes().0.is_empty());
}

#[test]
fn an_input_that_was_edited_is_noticed() {
    let project = Project::new();
    project.settle();
    let base = "module Base { struct V { 0 require long a; }; };\n";
    project.write("later/base.tars", base);
    assert_eq!(project.changes().0, ["base.rs", "base.tars"]);
    let config = fs::read_to_string(project.path("server.toml")).unwrap();
    project.write("server.toml", &config.replace("'obj'", "'other'"));
    assert!(!project.changes().0.is_empty());
    project.write("main.tars", "module M { broken");
    let builder = Builder::new().config(project.path("client.toml"));
    assert!(builder.run().is_err());
}

#[test]
fn an_include_that_appears_where_it_is_looked_for_sooner_is_noticed() {
    let project = Project::new();
    project.settle();
    let base = "module Base { struct V { 0 require short a; }; };\n";
    project.write("sooner/base.tars", base);
    assert_eq!(project.changes().0, ["base.rs", "base.tars"]);
    fs::remove_dir_all(project.path("sooner")).unwrap();
    assert_eq!(project.changes().0, ["base.rs", "base.tars"]);
}

#[test]
fn another_config_that_is_gone_is_noticed() {
    let project = Project::new();
    project.settle();
    let alone = || {
        let builder = Builder::new().config(project.path("client.toml"));
        builder.run().unwrap()
    };
    assert_eq!((alone().removed, alone().written), (vec![], vec![]));
    fs::remove_file(project.path("server.toml")).unwrap();
    assert!(!alone().removed.is_empty());
}

/// They are to be seen as long as they are there.
#[test]
fn warnings_are_shown_by_every_run() {
    let project = Project::new();
    project.write("main.tars", "#include \"base.tars\"\nmodule M { };;\n");
    for _ in 0..3 {
        assert_eq!(project.run().warnings.len(), 1);
    }
}

#[test]
fn git_does_not_see_it() {
    let project = Project::new();
    project.settle();
    let ignore = fs::read_to_string(project.path("out/.tars2rs/.gitignore")).unwrap();
    assert_eq!(ignore, "*\n");
}

/// A directory where no stamp can be written only takes longer.
#[test]
fn no_stamp_is_no_failure() {
    let project = Project::new();
    project.write("out/.tars2rs", "in the way");
    assert!(!project.run().written.is_empty());
    assert_eq!(project.run().written, Vec::<PathBuf>::new());
}
