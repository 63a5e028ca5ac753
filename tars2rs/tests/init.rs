//! `tars2rs init` gives a project that builds and runs.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A process that is killed at the end, however the test ends.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
#[ignore = "slow; run by .ci/run"]
fn a_new_project_builds_and_runs() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let init = Command::new(assert_cmd::cargo::cargo_bin!("tars2rs"))
        .args(["init", "greeter"])
        .current_dir(dir.path())
        .output()
        .unwrap();
    assert!(init.status.success(), "{init:?}");

    // The versions of this tree instead of published ones.
    let project = dir.path().join("greeter");
    let manifest = project.join("Cargo.toml");
    let mut text = fs::read_to_string(&manifest).unwrap() + "\n[patch.crates-io]\n";
    for name in ["tars2rs", "tars-codec", "tars-rpc"] {
        text += &format!("{name} = {{ path = {:?} }}\n", root.join(name));
    }
    text += "\n[lints.rust]\nwarnings = \"deny\"\n"; // as a flag it would be one of the dependencies, too
    fs::write(&manifest, text).unwrap();
    fs::copy(root.join("Cargo.lock"), project.join("Cargo.lock")).unwrap();

    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("compile/target");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(&project).env("CARGO_TARGET_DIR", &target);
    let build = cargo.args(["build", "--offline"]).output().unwrap();
    let messages = String::from_utf8_lossy(&build.stderr);
    assert!(build.status.success(), "{messages}");

    let program = Command::new(target.join("debug/greeter"))
        .stdout(Stdio::piped())
        .spawn();
    let mut program = Running(program.unwrap());
    let mut lines = BufReader::new(program.0.stdout.take().unwrap()).lines();
    let mut line = || lines.next().unwrap().unwrap();
    assert!(line().starts_with("serving Demo.HelloServer.HelloObj@tcp -h 127.0.0.1 -p "));
    assert_eq!(line(), "Hello, Tars!");
    assert_eq!(line(), "Ctrl-C ends it");

    let formatted = Command::new("rustfmt")
        .args(["--check", "--edition", "2024", "build.rs", "src/main.rs"])
        .current_dir(&project)
        .output()
        .unwrap();
    assert!(formatted.status.success(), "{formatted:?}");
}
