//! The command line: exit codes and what is printed.

use std::fs;
use std::path::Path;

use assert_cmd::Command;
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
        err.contains("out/mod.rs was not written by tars2rs and is left alone"),
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

#[test]
fn help() {
    let dir = project(GOOD);
    insta::assert_snapshot!(tars2rs(dir.path(), &["--help"]).1, @r"
    Compile Tars IDL to Rust

    Usage: tars2rs [OPTIONS] <CONFIG>...
           tars2rs <COMMAND>

    Commands:
      check  Check IDL files; nothing is written
      help   Print this message or the help of the given subcommand(s)

    Arguments:
      <CONFIG>...  Config files, such as tarsclient.proto.toml

    Options:
          --check                    Write nothing; show what would change, and exit with 1 if something
                                     would
          --color <WHEN>             When to color messages [default: auto] [possible values: auto,
                                     always, never]
          --message-format <FORMAT>  How to show errors and warnings: with the lines of the source, or
                                     one line each [default: text] [possible values: text, short]
      -h, --help                     Print help
      -V, --version                  Print version
    ");
    insta::assert_snapshot!(tars2rs(dir.path(), &["check", "--help"]).1, @r"
    Check IDL files; nothing is written

    Usage: tars2rs check [OPTIONS] <FILE>...

    Arguments:
      <FILE>...  IDL files

    Options:
      -I, --include-dir <DIR>        Where to look for an include after the directory of the including
                                     file
          --color <WHEN>             When to color messages [default: auto] [possible values: auto,
                                     always, never]
          --message-format <FORMAT>  How to show errors and warnings: with the lines of the source, or
                                     one line each [default: text] [possible values: text, short]
      -h, --help                     Print help
    ");
}
