//! The command line: exit codes and what is printed.

mod common;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};

use assert_cmd::Command;
use common::{expect_golden, golden};
use tempfile::TempDir;

fn project(idl: &str) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("a.tars"), idl).unwrap();
    let config = "appName = 'App'\nserverName = 'Server'\nobjName = 'obj'\ntarsFiles = ['a.tars']\ndstPath = 'out'\n";
    fs::write(dir.path().join("a.toml"), config).unwrap();
    dir
}

/// Exit code, standard output and standard error.
fn tars2rs(dir: &Path, args: &[&str]) -> (i32, String, String) {
    let output = Command::cargo_bin("tars2rs")
        .unwrap()
        .args(args)
        .current_dir(dir)
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        output.status.code().unwrap(),
        text(output.stdout),
        text(output.stderr),
    )
}

const GOOD: &str = "module M\n{\n    struct S\n    {\n        0 require int a;\n    };\n};\n";

#[test]
fn generating_prints_what_changed() {
    let dir = project(GOOD);
    let (code, out, err) = tars2rs(dir.path(), &["a.toml"]);
    assert_eq!((code, err.as_str()), (0, ""));
    insta::assert_snapshot!(out, @r"
    created out/App/Server/obj/classes/m.rs
    created out/App/Server/obj/classes/mod.rs
    created out/App/Server/obj/mod.rs
    created out/App/Server/obj/tars/a.tars
    created out/mod.rs
    crate::servant::app::server::obj: 5 files changed, 0 up to date
    ");
    let (code, out, _) = tars2rs(dir.path(), &["a.toml"]);
    assert_eq!(
        (code, out.as_str()),
        (
            0,
            "crate::servant::app::server::obj: 0 files changed, 5 up to date\n"
        )
    );
}

/// In a debug build this is work for seconds, of which a terminal would be told; both ways are in `cli/progress.rs`.
#[test]
fn progress_on_long_work_is_quiet_when_piped() {
    let structs: String = (0..30_000)
        .map(|index| format!("struct S{index} {{ 0 require int a; 1 optional string b; }};\n"))
        .collect();
    let dir = project(&format!("module M {{\n{structs}}};\n"));
    let (code, out, err) = tars2rs(dir.path(), &["a.toml"]);
    assert_eq!((code, err.as_str()), (0, ""));
    let last = "crate::servant::app::server::obj: 5 files changed, 0 up to date";
    assert_eq!((out.lines().count(), out.lines().last()), (6, Some(last)));
    assert!(!out.contains(['\r', '\x1b']), "{out:?}");
}

#[test]
fn check_shows_a_diff_and_writes_nothing() {
    let dir = project(GOOD);
    tars2rs(dir.path(), &["a.toml"]);
    assert_eq!(
        tars2rs(dir.path(), &["--check", "a.toml"]),
        (0, String::new(), String::new())
    );

    fs::write(dir.path().join("a.tars"), GOOD.replace("int a", "long a")).unwrap();
    let file = dir.path().join("out/App/Server/obj/classes/m.rs");
    let before = fs::read_to_string(&file).unwrap();
    let (code, out, _) = tars2rs(dir.path(), &["--check", "a.toml"]);
    assert_eq!(code, 1);
    assert!(
        out.contains("--- out/App/Server/obj/classes/m.rs\n"),
        "{out}"
    );
    assert!(
        out.contains("-    pub a: i32,\n+    pub a: i64,\n"),
        "{out}"
    );
    assert_eq!(fs::read_to_string(&file).unwrap(), before);

    let (_, colored, _) = tars2rs(dir.path(), &["--check", "--color", "always", "a.toml"]);
    assert!(
        colored.contains("\x1b[31m-    pub a: i32,\x1b[0m\n"),
        "{colored}"
    );
}

#[test]
fn errors_in_the_idl_exit_with_1() {
    let dir = project(&GOOD.replace("int a", "Missing a"));
    for args in [
        &["a.toml"][..],
        &["--check", "a.toml"],
        &["check", "a.tars"],
    ] {
        let (code, out, err) = tars2rs(dir.path(), args);
        assert_eq!((code, out.as_str()), (1, ""), "{args:?}: {err}");
        assert!(err.contains("Missing a;"), "the source line: {err}");
        assert!(!err.contains('\x1b'), "no color into a pipe: {err}");
    }
    let (_, _, short) = tars2rs(
        dir.path(),
        &["check", "--message-format", "short", "a.tars"],
    );
    assert!(
        short.starts_with("a.tars:5:19: error[unknown-type]: "),
        "{short}"
    );
    assert_eq!(short.lines().count(), 1);
    assert!(!dir.path().join("out").exists());
}

#[test]
fn check_of_good_files_is_silent() {
    let dir = project(GOOD);
    assert_eq!(
        tars2rs(dir.path(), &["check", "a.tars"]),
        (0, String::new(), String::new())
    );
    assert!(!dir.path().join("out").exists());
}

#[test]
fn errors_in_a_config_exit_with_1() {
    let dir = project(GOOD);
    fs::write(dir.path().join("bad.toml"), "tarsFile = []\n").unwrap();
    let (code, _, err) = tars2rs(
        dir.path(),
        &["--message-format", "short", "a.toml", "bad.toml"],
    );
    assert_eq!(code, 1);
    assert!(err.starts_with("bad.toml:1:1: error[invalid-config]: unknown key `tarsFile`; did you mean `tarsFiles`?\n"), "{err}");
    assert!(!dir.path().join("out").exists());
}

#[test]
fn what_cannot_run_exits_with_2() {
    let dir = project(GOOD);
    for args in [&[][..], &["--nonsense"], &["check"], &["missing.toml"]] {
        let (code, out, err) = tars2rs(dir.path(), args);
        assert_eq!((code, out.as_str()), (2, ""), "{args:?}");
        assert!(!err.is_empty());
    }
    fs::create_dir(dir.path().join("out")).unwrap();
    fs::write(dir.path().join("out/mod.rs"), "// mine\n").unwrap();
    let (code, _, err) = tars2rs(dir.path(), &["a.toml"]);
    assert_eq!(code, 2);
    assert!(
        err.contains("out/mod.rs was not written by tars2rs for this dstPath and is left alone"),
        "{err}"
    );
}

#[test]
fn the_example_is_up_to_date() {
    let tars = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tars");
    let (code, diff, err) = tars2rs(
        &tars,
        &["--check", "tarsclient.proto.toml", "tarsserver.proto.toml"],
    );
    assert_eq!(code, 0, "run scripts/tars2rs.sh\n{diff}{err}");
}

/// Every command, with the text of its help.
#[test]
fn help() {
    let dir = project(GOOD);
    for command in [
        "",
        "check",
        "init",
        "decode",
        "package",
        "completions",
        "man",
    ] {
        let args: Vec<&str> = [command, "--help"]
            .into_iter()
            .filter(|arg| !arg.is_empty())
            .collect();
        let (code, out, err) = tars2rs(dir.path(), &args);
        assert_eq!((code, err.as_str()), (0, ""));
        let name = if command.is_empty() {
            "tars2rs"
        } else {
            command
        };
        expect_golden(&golden(&format!("help/{name}.txt")), &out);
    }
}

#[test]
fn every_command_has_a_manual_page_and_completions() {
    let dir = project(GOOD);
    let (code, page, _) = tars2rs(dir.path(), &["man"]);
    assert_eq!(code, 0);
    assert!(page.contains(".TH tars2rs 1"), "{page}");
    for command in ["check", "init", "decode", "package", "completions", "man"] {
        assert!(page.contains(&format!("tars2rs\\-{command}(1)")), "{page}");
        let (code, page, _) = tars2rs(dir.path(), &["man", command]);
        assert_eq!(code, 0);
        assert!(page.contains(&format!(".TH tars2rs-{command} 1")), "{page}");
    }
    let (code, _, err) = tars2rs(dir.path(), &["man", "nonsense"]);
    assert_eq!(
        (code, err.as_str()),
        (2, "error: there is no command `nonsense`\n")
    );
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let (code, script, _) = tars2rs(dir.path(), &["completions", shell]);
        assert_eq!(code, 0);
        assert!(script.contains("message-format"), "{shell}");
    }
}

#[test]
fn warnings_can_be_denied() {
    let dir = project(&GOOD.replace("};\n};", "}\n};"));
    let (code, _, err) = tars2rs(dir.path(), &["--message-format", "short", "a.toml"]);
    let message = "[missing-semicolon]: missing `;` after struct `S`\n";
    assert_eq!((code, err), (0, format!("a.tars:6:5: warning{message}")));

    fs::remove_dir_all(dir.path().join("out")).unwrap();
    for args in [
        &["a.toml"][..],
        &["--check", "a.toml"],
        &["check", "a.tars"],
    ] {
        let args = [args, &["--deny", "warnings", "--message-format", "short"]].concat();
        let (code, out, err) = tars2rs(dir.path(), &args);
        assert_eq!(
            (code, out.as_str(), err),
            (1, "", format!("a.tars:6:5: error{message}"))
        );
    }
    assert!(!dir.path().join("out").exists());
}

#[test]
fn a_missing_include_exits_with_1_and_its_place() {
    let dir = project(&format!("#include \"gone.tars\"\n{GOOD}"));
    for args in [&["a.toml"][..], &["check", "a.tars"]] {
        let args = [args, &["--message-format", "short"]].concat();
        let (code, _, err) = tars2rs(dir.path(), &args);
        let message = "a.tars:1:10: error[missing-include]: cannot find `gone.tars`\n";
        assert_eq!((code, err.as_str()), (1, message));
    }
}

#[test]
fn machines_get_every_error_in_their_format() {
    let dir = project(&GOOD.replace("int a", "Missing a"));
    let stderr = |args: &[&str]| tars2rs(dir.path(), args).2;
    let json = stderr(&["check", "--message-format", "json", "a.tars"]);
    let object: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(object["code"], "unknown-type");
    let github = stderr(&["check", "--message-format", "github", "a.tars"]);
    assert!(
        github.starts_with("::error file=a.tars,line=5,col=19,"),
        "{github}"
    );

    // Neither is there a place nor a code.
    let json = stderr(&["--message-format", "json", "gone.toml"]);
    let object: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert!(object["code"].is_null());
    let github = stderr(&["--message-format", "github", "gone.toml"]);
    assert!(
        github.starts_with("::error::cannot read gone.toml: "),
        "{github}"
    );
}

#[test]
fn a_depfile_names_all_that_was_read() {
    let dir = project(&format!("#include \"my base.tars\"\n{GOOD}"));
    fs::write(dir.path().join("my base.tars"), "module B { };\n").unwrap();
    // The second run is one with nothing to do.
    for _ in 0..2 {
        let (code, ..) = tars2rs(dir.path(), &["--depfile", "a.d", "a.toml"]);
        assert_eq!(code, 0);
        let rule = fs::read_to_string(dir.path().join("a.d")).unwrap();
        assert_eq!(
            rule,
            "out/mod.rs: \\\n  a.tars \\\n  a.toml \\\n  my\\ base.tars\n"
        );
        fs::remove_file(dir.path().join("a.d")).unwrap();
    }
}

/// A process that is killed when a test fails.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[cfg(unix)]
#[test]
fn watching_follows_the_inputs() {
    let dir = project(&format!("#include \"base.tars\"\n{GOOD}"));
    let mut process = Running(
        std::process::Command::new(assert_cmd::cargo::cargo_bin!("tars2rs"))
            .args(["--watch", "a.toml"])
            .current_dir(dir.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap(),
    );
    let mut lines = BufReader::new(process.0.stdout.take().unwrap()).lines();
    let mut line = || lines.next().unwrap().unwrap();
    let summary = |changed, same| {
        format!("crate::servant::app::server::obj: {changed} files changed, {same} up to date")
    };
    // The include is not there yet.
    assert_eq!(line(), "failed; waiting for a change");
    fs::write(
        dir.path().join("base.tars"),
        "module B { enum E { A }; };\n",
    )
    .unwrap();
    assert_eq!(line(), summary(7, 0));
    fs::write(
        dir.path().join("base.tars"),
        "module B { enum E { A, B }; };\n",
    )
    .unwrap();
    assert_eq!(line(), summary(2, 5));
    fs::remove_file(dir.path().join("a.toml")).unwrap();
    assert_eq!(line(), "failed; waiting for a change");

    let id = process.0.id().to_string();
    let kill = std::process::Command::new("kill")
        .args(["-INT", &id])
        .status();
    assert!(kill.unwrap().success());
    assert_eq!(process.0.wait().unwrap().code(), Some(0));
}

#[test]
fn decoding() {
    let dir = project(GOOD);
    let decode = |hex: &str| tars2rs(dir.path(), &["decode", "--hex", hex]);
    let (code, out, err) = decode("00 07 16 03 74 65 64");
    assert_eq!(
        (code, out.as_str(), err.as_str()),
        (0, "0: 7\n1: \"ted\"\n", "")
    );
    let (code, out, err) = decode("16 03 74");
    assert_eq!((code, out.as_str()), (1, ""));
    assert!(err.starts_with("error: this is not Tars: "), "{err}");
    let (code, _, err) = decode("zz");
    assert_eq!(
        (code, err.as_str()),
        (1, "error: `z` is no hexadecimal digit\n")
    );
    let (code, _, err) = tars2rs(dir.path(), &["decode", "gone"]);
    assert_eq!(code, 2, "{err}");
}

/// Frames of TarsPHP: TARS, TUP and JSON.
#[test]
fn decoding_packets() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/wire");
    let dir = project(GOOD);
    let mut text = String::new();
    for (file, key, case, version) in [
        ("php-frames.json", "call", "sayHelloWorld", Some(1)),
        ("php-frames.json", "call", "testStruct", Some(3)),
        ("php-extra-frames.json", "case", "json sayHelloWorld", None),
    ] {
        let frames = fs::read_to_string(fixtures.join(file)).unwrap();
        let frames: Vec<serde_json::Value> = serde_json::from_str(&frames).unwrap();
        let is_wanted = |frame: &&serde_json::Value| {
            frame[key] == case && version.is_none_or(|version| frame["iVersion"] == version)
        };
        let frame = frames.iter().find(is_wanted).unwrap();
        for key in ["request_hex", "response_hex"] {
            let hex = frame[key].as_str().unwrap();
            let (code, out, err) = tars2rs(dir.path(), &["decode", "--hex", hex]);
            assert_eq!((code, err.as_str()), (0, ""));
            text += &format!("{case}, {key}\n{out}\n");
        }
    }
    expect_golden(&golden("decode/packets.txt"), &text);
}

#[test]
fn a_new_project_is_not_written_over_an_old_one() {
    let dir = tempfile::tempdir().unwrap();
    let (code, out, err) = tars2rs(dir.path(), &["init", "new"]);
    assert_eq!((code, err.as_str()), (0, ""));
    insta::assert_snapshot!(out, @r"
    created new/Cargo.toml
    created new/build.rs
    created new/src/main.rs
    created new/tars/hello.tars
    created new/tars/tarsclient.proto.toml
    created new/tars/tarsserver.proto.toml
    created new/.gitignore
    `cargo run` there builds and starts the server
    ");
    let new = dir.path().join("new");
    let manifest = fs::read_to_string(new.join("Cargo.toml")).unwrap();
    assert!(manifest.contains("name = \"new\"\n"), "{manifest}");
    fs::write(new.join("build.rs"), "mine").unwrap();
    fs::remove_file(new.join("src/main.rs")).unwrap();
    let (code, _, err) = tars2rs(&new, &["init"]);
    assert_eq!(code, 2);
    assert!(
        err.starts_with("error: . has Cargo.toml, build.rs, tars/hello.tars, "),
        "{err}"
    );
    assert!(!new.join("src/main.rs").exists());
    assert_eq!(fs::read_to_string(new.join("build.rs")).unwrap(), "mine");
}
