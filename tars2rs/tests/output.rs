//! What a run does to the output directory.

use std::fs;
use std::path::{Path, PathBuf};

use tars2rs::{Builder, Error, Report};
use tempfile::TempDir;

const IDL: &str =
    "module M { struct S { 0 require int a; }; interface Echo { S echo(S s, out int n); }; };\n";

/// A project with a client's and a server's config for one IDL.
struct Project(TempDir);

impl Project {
    fn new() -> Self {
        let project = Self(tempfile::tempdir().unwrap());
        project.write("echo.tars", IDL);
        project.config("client.toml", false, "obj");
        project.config("server.toml", true, "obj");
        project
    }

    fn config(&self, name: &str, with_servant: bool, obj: &str) {
        let text = format!(
            "appName = 'App'\nserverName = 'EchoServer'\nobjName = '{obj}'\nwithServant = {with_servant}\n\
             tarsFiles = ['echo.tars']\ndstPath = 'out'\n"
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

    fn try_run(&self, configs: &[&str]) -> Result<Report, Error> {
        configs
            .iter()
            .fold(Builder::new(), |builder, config| {
                builder.config(self.path(config))
            })
            .run()
    }

    fn run(&self, configs: &[&str]) -> Report {
        self.try_run(configs)
            .unwrap_or_else(|error| panic!("{error}"))
    }

    /// All files of the output with their text.
    fn tree(&self) -> Vec<(String, String)> {
        let mut files = Vec::new();
        collect(&self.path("out"), &self.path("out"), &mut files);
        files.sort();
        files
    }

    fn names(&self) -> Vec<String> {
        self.tree().into_iter().map(|(name, _)| name).collect()
    }
}

fn collect(dir: &Path, root: &Path, files: &mut Vec<(String, String)>) {
    let Ok(entries) = fs::read_dir(dir) else {
        return;
    };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, root, files);
        } else {
            let name = path
                .strip_prefix(root)
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned();
            files.push((name, fs::read_to_string(&path).unwrap()));
        }
    }
}

#[test]
fn the_order_of_configs_does_not_matter() {
    let orders: [&[&[&str]]; 4] = [
        &[&["client.toml", "server.toml"]],
        &[&["server.toml", "client.toml"]],
        &[&["client.toml"], &["server.toml"]],
        &[&["server.toml"], &["client.toml"]],
    ];
    let trees = orders.map(|runs| {
        let project = Project::new();
        runs.iter().for_each(|configs| drop(project.run(configs)));
        project.tree()
    });
    assert_eq!(trees[0].len(), 8);
    assert!(trees.iter().all(|tree| *tree == trees[0]));
}

#[test]
fn a_second_run_writes_nothing() {
    let project = Project::new();
    let first = project.run(&["client.toml", "server.toml"]);
    assert_eq!((first.written.len(), first.unchanged), (8, 0));
    let times = || {
        project
            .names()
            .iter()
            .map(|name| modified(&project.path("out").join(name)))
            .collect::<Vec<_>>()
    };
    let before = times();
    for configs in [
        &["client.toml", "server.toml"][..],
        &["server.toml"],
        &["client.toml"],
    ] {
        let again = project.run(configs);
        assert_eq!((again.written, again.removed), (vec![], vec![]));
    }
    assert_eq!(times(), before);
}

fn modified(path: &Path) -> std::time::SystemTime {
    fs::metadata(path).unwrap().modified().unwrap()
}

#[test]
fn a_change_of_the_idl_writes_what_it_is_about() {
    let project = Project::new();
    project.run(&["client.toml", "server.toml"]);
    project.write(
        "echo.tars",
        &IDL.replace("int a;", "int a; 1 optional int b;"),
    );
    let report = project.run(&["client.toml", "server.toml"]);
    let mut names: Vec<_> = report
        .written
        .iter()
        .map(|path| path.file_name().unwrap().to_str().unwrap())
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["echo.tars", "m.rs"]);
}

#[test]
fn inputs_are_the_configs_and_the_idl() {
    let project = Project::new();
    project.write("echo.tars", &format!("#include \"base.tars\"\n{IDL}"));
    project.write("base.tars", "module B { enum E { A }; };\n");
    let inputs = project.run(&["client.toml", "server.toml"]).inputs;
    assert_eq!(
        inputs,
        ["base.tars", "client.toml", "echo.tars", "server.toml"].map(|name| project.path(name))
    );
}

#[test]
fn what_no_config_wants_goes() {
    let project = Project::new();
    project.run(&["client.toml", "server.toml"]);

    // The server's config moves to another obj: shared files stay for the client, and its own go.
    project.config("server.toml", true, "other");
    let report = project.run(&["server.toml"]);
    assert_eq!(
        report.removed,
        [project.path("out/App/EchoServer/obj/echo_server.rs")]
    );
    let index = fs::read_to_string(project.path("out/App/EchoServer/obj/mod.rs")).unwrap();
    assert!(
        index.contains("EchoServant") && !index.contains("echo_server"),
        "{index}"
    );

    // The client's config is deleted: any later run clears up behind it.
    fs::remove_file(project.path("client.toml")).unwrap();
    project.run(&["server.toml"]);
    assert!(!project.path("out/App/EchoServer/obj").exists());
    assert!(
        project
            .names()
            .iter()
            .all(|name| name == "mod.rs" || name.starts_with("App/EchoServer/other/"))
    );
}

#[test]
fn foreign_files_are_left_alone() {
    let project = Project::new();
    project.write("out/App/EchoServer/obj/helper.rs", "// mine\n");
    project.write("out/App/EchoServer/obj/echo_servant.rs", "// mine, too\n");
    let before = project.tree();
    let error = project.try_run(&["client.toml"]).unwrap_err();
    assert!(
        matches!(&error, Error::Foreign(path) if path.ends_with("echo_servant.rs")),
        "{error}"
    );
    assert_eq!(
        project.tree(),
        before,
        "nothing is written when something is wrong"
    );

    fs::remove_file(project.path("out/App/EchoServer/obj/echo_servant.rs")).unwrap();
    project.run(&["client.toml"]);
    project.config("client.toml", false, "moved");
    project.run(&["client.toml"]);
    assert_eq!(
        fs::read_to_string(project.path("out/App/EchoServer/obj/helper.rs")).unwrap(),
        "// mine\n"
    );
}

#[test]
fn configs_that_contradict_each_other_are_refused() {
    let project = Project::new();
    project.write(
        "other.tars",
        "module M { struct S { 0 require long a; }; };\n",
    );
    let other = fs::read_to_string(project.path("client.toml"))
        .unwrap()
        .replace("echo.tars", "other.tars");
    project.write("other.toml", &other);
    let error = project.try_run(&["client.toml", "other.toml"]).unwrap_err();
    assert!(matches!(error, Error::Conflict { .. }), "{error}");
    assert!(!project.path("out").exists());
}

#[test]
fn directories_that_would_be_one_module_are_refused() {
    let project = Project::new();
    project.config("server.toml", true, "Obj");
    let error = project
        .try_run(&["client.toml", "server.toml"])
        .unwrap_err();
    assert!(matches!(error, Error::SameModule { .. }), "{error}");
}

#[test]
fn an_error_writes_nothing() {
    let project = Project::new();
    project.write(
        "echo.tars",
        "module M { struct S { 0 require Missing a; }; };\n",
    );
    let error = project
        .try_run(&["client.toml", "server.toml"])
        .unwrap_err()
        .to_string();
    assert_eq!(
        error.matches("Missing").count(),
        2,
        "message and source line, once for both configs:\n{error}"
    );
    assert!(!project.path("out").exists());
}
