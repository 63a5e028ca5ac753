//! Where `Builder` writes to; `tests/build_script.rs` is about cargo.

use std::fs;
use std::path::Path;

use tars2rs::{Builder, Error};

fn project(dir: &Path) {
    fs::write(
        dir.join("a.tars"),
        "module M { struct S { }; interface I { void f(); }; };\n",
    )
    .unwrap();
    for (name, with_servant) in [("client", false), ("server", true)] {
        let config = format!(
            "appName = 'App'\nserverName = 'Server'\nobjName = 'obj'\nwithServant = {with_servant}\n\
             tarsFiles = ['a.tars']\ndstPath = 'out'\n"
        );
        fs::write(dir.join(format!("{name}.toml")), config).unwrap();
    }
}

#[test]
fn another_directory_has_what_this_builder_wants_and_no_more() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    project(dir.path());
    let other = path("other");
    let both = Builder::new()
        .config(path("client.toml"))
        .config(path("server.toml"))
        .out_dir(&other);
    both.run().unwrap();
    assert!(other.join("App/Server/obj/i_server.rs").exists());
    assert!(!path("out").exists());

    fs::write(other.join("mine.rs"), "// mine\n").unwrap();
    let client = Builder::new().config(path("client.toml")).out_dir(&other);
    let removed = client.run().unwrap().removed;
    assert_eq!(removed, [other.join("App/Server/obj/i_server.rs")]);
    assert!(other.join("App/Server/obj/i_servant.rs").exists());
    assert!(other.join("mine.rs").exists());
}

#[test]
fn out_dir_is_there_in_build_scripts_only() {
    let error = Builder::new().to_out_dir().run().unwrap_err();
    assert!(matches!(error, Error::NoOutDir), "{error}");
}
