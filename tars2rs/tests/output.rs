//! What a run does to the output directory.

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::{expect_golden, golden};
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
        // What `tests/stamp.rs` is about.
        if path.ends_with(".tars2rs") {
            continue;
        }
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
fn a_call_with_a_routekey_is_routed_by_it() {
    let project = Project::new();
    project.write(
        "echo.tars",
        "module M { interface Echo { void a(int x, routekey string uid); int b(routekey int uid); void c(); void routed(); }; };",
    );
    project.run(&["client.toml"]);
    let proxy = project.path("out/App/EchoServer/obj/echo_servant.rs");
    let proxy = fs::read_to_string(proxy).unwrap();
    for call in [
        "        self.routed(uid)\n            .call(\"a\", |args| {\n",
        "        let mut reply = self\n            .routed(uid)\n            .call(\"b\", |args| {\n",
        "        self.proxy.call(\"c\", |_| {}).await?;\n",
        "    pub async fn routed_(&self)",
    ] {
        assert!(proxy.contains(call), "{proxy}");
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

/// An output directory may be inside of another one: each is of its own configs.
#[test]
fn a_dst_path_inside_of_another_one() {
    for inner in ["out/inner", "out/App", "out/App/EchoServer", "out/a/b/c"] {
        let project = Project::new();
        let config = fs::read_to_string(project.path("server.toml")).unwrap();
        let config = config.replace("EchoServer", "InnerServer");
        project.write(
            "inner.toml",
            &config.replace("'out'", &format!("'{inner}'")),
        );
        project.run(&["inner.toml"]);
        let alone = project.tree();
        project.run(&["client.toml"]);
        for run in [
            &["client.toml"][..],
            &["inner.toml"],
            &["inner.toml", "client.toml"],
        ] {
            let report = project.run(run);
            assert_eq!(
                (report.written, report.removed),
                (vec![], vec![]),
                "{run:?}"
            );
        }
        let tree = project.tree();
        assert!(alone.iter().all(|file| tree.contains(file)), "{inner}");

        // Nor does a config that is gone make the files of its output those of another one.
        fs::remove_file(project.path("inner.toml")).unwrap();
        assert!(project.run(&["client.toml"]).removed.is_empty(), "{inner}");
        fs::remove_file(project.path("client.toml")).unwrap();
        project.config("server.toml", true, "other");
        project.run(&["server.toml"]);
        let tree = project.tree();
        assert!(alone.iter().all(|file| tree.contains(file)), "{inner}");
        assert!(
            tree.iter()
                .all(|(name, _)| !name.contains("/obj/echo_servant"))
        );
    }
}

#[test]
fn outputs_that_want_the_same_file_are_refused() {
    let project = Project::new();
    let config = fs::read_to_string(project.path("server.toml")).unwrap();
    let inner = "'out/App/EchoServer/obj'";
    project.write("inner.toml", &config.replace("'out'", inner));
    let refused = |configs: &[&str]| {
        let error = project.try_run(configs).unwrap_err();
        let file = "out/App/EchoServer/obj/mod.rs";
        assert!(
            matches!(&error, Error::Foreign(path) if *path == project.path(file)),
            "{error}"
        );
    };
    refused(&["client.toml", "inner.toml"]);
    assert!(!project.path("out").exists());
    project.run(&["client.toml"]);
    refused(&["inner.toml"]);
    refused(&["client.toml", "inner.toml"]);
}

/// What leads to a directory does not matter, only where it is.
#[cfg(unix)]
#[test]
fn a_dst_path_through_a_symbolic_link() {
    use std::os::unix::fs::symlink;

    let project = Project::new();
    project.run(&["client.toml", "server.toml"]);
    let expected = project.tree();

    // `far/away/link` is `here`, so that `far/away/link/../out` is `out`, and not `far/away/out`.
    let project = Project::new();
    for dir in ["here", "far/away", "out"] {
        fs::create_dir_all(project.path(dir)).unwrap();
    }
    symlink(project.path("here"), project.path("far/away/link")).unwrap();
    symlink(project.path("out"), project.path("far/away/out")).unwrap();
    let through = |config: &str, dst: &str| {
        let text = fs::read_to_string(project.path(config)).unwrap();
        project.write(config, &text.replace("'out'", &format!("'{dst}'")));
    };
    through("server.toml", "far/away/link/../out");
    project.run(&["client.toml", "server.toml"]);
    assert_eq!(project.tree(), expected);
    through("client.toml", "far/away/out");
    for run in [&["server.toml"][..], &["client.toml"]] {
        let report = project.run(run);
        assert_eq!(
            (report.written, report.removed),
            (vec![], vec![]),
            "{run:?}"
        );
    }

    // A config is what it is, however its directory is called.
    symlink(project.path(""), project.path("here/project")).unwrap();
    let report = project.run(&["here/project/client.toml", "server.toml"]);
    assert_eq!((report.written, report.removed), (vec![], vec![]));
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

#[test]
fn files_of_one_module_merge() {
    let project = Project::new();
    project.write(
        "echo.tars",
        "#include \"more.tars\"\nmodule M { struct A { 0 require B b; }; };\n",
    );
    project.write("more.tars", "module M { struct B { 0 require int x; }; };\nmodule N { struct C { 0 optional M::A a; }; };\n");
    project.run(&["client.toml"]);
    let names = project.names();
    let classes = names.iter().filter(|name| name.contains("/classes/"));
    let classes: Vec<&str> = classes.filter_map(|name| name.rsplit('/').next()).collect();
    assert_eq!(classes, ["m.rs", "mod.rs", "n.rs"]);
    let text = fs::read_to_string(project.path("out/App/EchoServer/obj/classes/m.rs")).unwrap();
    let items: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("pub struct"))
        .collect();
    assert_eq!(items, ["pub struct A {", "pub struct B {"]);
    assert!(text.contains(" from echo.tars, more.tars. "), "{text}");
}

/// Every line of the module into which two files merge, each with a part of it.
#[test]
fn a_merged_module_is_as_it_should_be() {
    let project = Project::new();
    project.write(
        "client.toml",
        "appName = 'App'\nserverName = 'EchoServer'\nobjName = 'obj'\n\
         tarsFiles = ['one.tars', 'two.tars']\ndstPath = 'out'\n",
    );
    project.write(
        "one.tars",
        "module Shared {\n  /** From one.tars, of a type from two.tars. */\n  \
         struct First { 0 require Second second; 1 optional Level level = HIGH; };\n};\n",
    );
    project.write(
        "two.tars",
        "/** What both files share. */\nmodule Shared {\n  const int LIMIT = 10;\n  enum Level { LOW, HIGH };\n  \
         /** From two.tars. */\n  struct Second { 0 require int a; };\n};\n",
    );
    project.run(&["client.toml"]);
    let text = fs::read_to_string(project.path("out/App/EchoServer/obj/classes/shared.rs"));
    expect_golden(&golden("output/merged_module.rs"), &text.unwrap());
}

#[test]
fn files_of_one_name_are_both_kept() {
    let project = Project::new();
    let config = "appName = 'App'\nserverName = 'EchoServer'\nobjName = 'obj'\n\
                  tarsFiles = ['a/x.tars', 'b/x.tars', 'b/../x.tars']\ndstPath = 'out'\n";
    project.write("client.toml", config);
    project.write("a/x.tars", "module A { struct S { 0 require int a; }; };\n");
    project.write("b/x.tars", "module B { struct S { 0 require int b; }; };\n");
    project.write("x.tars", "module C { struct S { 0 require int c; }; };\n");
    project.run(&["client.toml"]);
    let copy = |path: &str| {
        let path = format!("out/App/EchoServer/obj/tars/{path}");
        fs::read_to_string(project.path(&path)).unwrap()
    };
    assert!(copy("x.tars").contains("module A"));
    assert!(copy("b/x.tars").contains("module B"));
    assert_eq!(
        project
            .names()
            .iter()
            .filter(|name| name.ends_with("x.tars"))
            .count(),
        3
    );
}

#[test]
fn idl_may_have_any_name() {
    let project = Project::new();
    let config = "appName = 'App'\nserverName = 'EchoServer'\nobjName = 'obj'\n\
                  tarsFiles = ['echo.jce']\ndstPath = 'out'\n";
    project.write("client.toml", config);
    project.write("echo.jce", IDL);
    project.run(&["client.toml"]);
    project.write("echo.jce", &IDL.replace("int a;", "long a;"));
    let again = project.run(&["client.toml"]);
    assert_eq!(again.written.len(), 2, "the code and the copy: {again:?}");
    project.write("client.toml", &config.replace("echo.jce", "echo.tars"));
    let other = project.run(&["client.toml"]);
    assert_eq!(other.removed.len(), 1, "the copy of the other: {other:?}");
}

#[test]
fn a_default_in_a_map_key_has_the_type_of_its_field() {
    let project = Project::new();
    let config = "appName = 'App'\nserverName = 'EchoServer'\nobjName = 'obj'\n\
                  tarsFiles = ['echo.tars']\ndstPath = 'out'\noptionalType = 'option'\n";
    project.write("client.toml", config);
    let idl = "module M { struct K { 0 optional float f = 1.5; }; struct U { 0 require map<K, int> m; }; };\n";
    project.write("echo.tars", idl);
    project.run(&["client.toml"]);
    let code = fs::read_to_string(project.path("out/App/EchoServer/obj/classes/m.rs")).unwrap();
    let getter =
        "pub fn f(&self) -> codec::OrderedF32 {\n        self.f.unwrap_or(codec::OrderedF32(1.5))";
    assert!(code.contains(getter), "{code}");
}

#[test]
fn a_missing_file_is_reported_where_it_is_named() {
    let project = Project::new();
    let config = "appName = 'App'\nserverName = 'EchoServer'\nobjName = 'obj'\n\
                  tarsFiles = [\n  'echo.tars',\n  'gone.tars',\n  'lost.tars',\n]\ndstPath = 'out'\n";
    project.write("client.toml", config);
    project.write("echo.tars", "module M { struct S { 0 require int a; } ");
    let error = project.try_run(&["client.toml"]).unwrap_err().to_string();
    let error = error.replace(&format!("{}/", project.0.path().display()), "");
    expect_golden(&golden("output/missing_file.stderr"), &error);
}

/// Several servants of several servers: any order, any grouping into runs, any number of runs gives the same bytes.
#[test]
fn many_servants_share_a_tree() {
    let project = || {
        let project = Project::new();
        project.write("store.tars", "module M { struct S { 0 require int a; }; };\nmodule Store { struct Item { 0 require M::S s; }; interface Store { void put(Item i); }; };\n");
        for (name, app, server, obj, idl) in [
            ("b.toml", "App", "EchoServer", "second", "echo.tars"),
            ("c.toml", "App", "StoreServer", "obj", "store.tars"),
            ("d.toml", "Other", "StoreServer", "obj", "store.tars"),
        ] {
            let text = format!(
                "appName = '{app}'\nserverName = '{server}'\nobjName = '{obj}'\ntarsFiles = ['{idl}']\ndstPath = './out'\n"
            );
            project.write(name, &text);
        }
        project.write("out/mine.rs", "// mine\n");
        project
    };
    let all = ["client.toml", "server.toml", "b.toml", "c.toml", "d.toml"];
    let expected = project();
    expected.run(&all);
    let expected = expected.tree();
    let mut random = 7_usize;
    for round in 0..40 {
        let project = project();
        let mut configs = all.to_vec();
        for index in (1..configs.len()).rev() {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            configs.swap(index, (random >> 33) % (index + 1));
        }
        for run in configs.chunks(round % all.len() + 1) {
            project.run(run);
            project.run(run);
        }
        assert_eq!(project.tree(), expected, "{configs:?}");
    }
}

#[test]
fn a_removed_config_leaves_nothing_behind() {
    let project = Project::new();
    project.run(&["client.toml", "server.toml"]);
    let alone = Project::new();
    alone.run(&["server.toml"]);
    fs::remove_file(project.path("client.toml")).unwrap();
    project.run(&["server.toml"]);
    assert_eq!(project.tree(), alone.tree());
}

#[test]
fn renamed_names_are_warned_of() {
    let project = Project::new();
    let idl = "module M {\n\
               struct fooBar { 0 require int aB; 1 require int a_b; 2 require int self; 3 require int type; };\n\
               struct FooBar { 0 require int x; };\n\
               enum E { one, ONE };\n\
               interface I { void new(); void doIt(); void do_it(); };\n\
               };\n";
    project.write("echo.tars", idl);
    let report = project.run(&["client.toml", "server.toml"]);
    let place = project.path("echo.tars").display().to_string();
    let warnings: Vec<String> = report
        .warnings
        .iter()
        .map(|line| line.replace(&place, "echo.tars"))
        .collect();
    insta::assert_debug_snapshot!(warnings, @r#"
    [
        "echo.tars:2:8: warning[renamed]: `fooBar` is called `FooBar2` in Rust",
        "echo.tars:2:31: warning[renamed]: `aB` is called `a_b_2` in Rust",
        "echo.tars:2:68: warning[renamed]: `self` is called `self_` in Rust",
        "echo.tars:4:10: warning[renamed]: `one` is called `ONE_2` in Rust",
        "echo.tars:5:20: warning[renamed]: `new` is called `new_` in Rust",
        "echo.tars:5:32: warning[renamed]: `doIt` is called `do_it_2` in Rust",
    ]
    "#);
}

#[test]
fn the_formatter_of_the_user() {
    let project = Project::new();
    let with_format =
        fs::read_to_string(project.path("client.toml")).unwrap() + "format = 'rustfmt'\n";
    project.run(&["client.toml"]);
    let before = project.tree();
    project.write("client.toml", &with_format);
    project.run(&["client.toml"]);
    assert_eq!(project.tree(), before, "by default it changes nothing");

    project.write("rustfmt.toml", "hard_tabs = true\n");
    project.run(&["client.toml"]);
    let path = project.path("out/App/EchoServer/obj/classes/m.rs");
    assert!(
        fs::read_to_string(path)
            .unwrap()
            .contains("\n\tpub a: i32,\n")
    );

    let assert = assert_cmd::Command::cargo_bin("tars2rs")
        .unwrap()
        .arg(project.path("client.toml"))
        .env("RUSTFMT", "no-such-rustfmt")
        .assert()
        .failure();
    let message = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
    assert!(
        message.contains("but no-such-rustfmt did not do it"),
        "{message}"
    );
}
