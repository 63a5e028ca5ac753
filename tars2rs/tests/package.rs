//! `tars2rs package`: what is in a package, and what keeps one from being made.
#![cfg(unix)] // the platform's machines

#[path = "package/project.rs"]
mod project;
#[path = "package/scripts.rs"]
mod scripts;
#[path = "package/upload.rs"]
mod upload;

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;

use project::{NAME, Project};
use sha2::{Digest, Sha256};

/// Path, and kind, mode, owner, group, time and content of each entry.
type Entries = Vec<(String, (tar::EntryType, u32, u64, u64, u64, Vec<u8>))>;

fn entries(package: &Path) -> Entries {
    let file = fs::File::open(package).unwrap();
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(file));
    let entries = archive.entries().unwrap().map(|entry| {
        let mut entry = entry.unwrap();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        let header = entry.header();
        let data = (
            header.entry_type(),
            header.mode().unwrap(),
            header.uid().unwrap(),
            header.gid().unwrap(),
            header.mtime().unwrap(),
            content,
        );
        (entry.path().unwrap().to_str().unwrap().to_owned(), data)
    });
    entries.collect()
}

fn sha256(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn a_package_has_what_the_config_names() {
    let project = Project::new();
    let (code, out, err) = project.package(&[]);
    assert_eq!((code, err.as_str()), (0, ""));
    let package = project.path(NAME);
    let sha256 = sha256(&fs::read(&package).unwrap());
    let size = fs::metadata(&package).unwrap().len().to_string();
    let out = out.replace(&sha256, "SHA256").replace(&size, "SIZE");
    insta::assert_snapshot!(out, @r"
    755         59 Chat/Chat
    644          8 Chat/README
    644          6 Chat/conf/a.toml
    644          6 Chat/conf/deep/b.toml
    755         10 Chat/conf/run.sh
    755       1233 Chat/start.sh
    755        984 Chat/stop.sh
    644         13 Chat/tars/a.tars
    644        141 Chat/tars/tars.proto.toml
    644          7 Chat/web/pages/index.html
    created Chat_20010909014640.tar.gz, SIZE bytes
    sha256 SHA256
    ");

    let entries = entries(&package);
    let paths: Vec<&str> = entries.iter().map(|(path, _)| path.as_str()).collect();
    insta::assert_snapshot!(paths.join("\n"), @r"
    Chat/
    Chat/Chat
    Chat/README
    Chat/conf/
    Chat/conf/a.toml
    Chat/conf/deep/
    Chat/conf/deep/b.toml
    Chat/conf/run.sh
    Chat/start.sh
    Chat/stop.sh
    Chat/tars/
    Chat/tars/a.tars
    Chat/tars/tars.proto.toml
    Chat/web/
    Chat/web/pages/
    Chat/web/pages/index.html
    ");
    for (path, (_, _, uid, gid, time, _)) in &entries {
        assert_eq!((*uid, *gid, *time), (0, 0, 1_000_000_000), "{path}");
    }
    let entries: BTreeMap<_, _> = entries.into_iter().collect();
    let (_, mode, .., executable) = &entries["Chat/Chat"];
    assert_eq!(
        (*mode, executable),
        (0o755, &fs::read(project.path("built")).unwrap())
    );
    assert_eq!(entries["Chat/conf/run.sh"].1, 0o755);
    assert_eq!(entries["Chat/conf/a.toml"].1, 0o644);
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let [one, other] = [Project::new(), Project::new()];
    // Everything that may differ on another machine.
    for name in ["tars/zz.tars", "tars/aa.tars"] {
        fs::write(one.path(name), name).unwrap();
    }
    for name in ["tars/aa.tars", "tars/zz.tars"] {
        fs::write(other.path(name), name).unwrap();
    }
    let private = fs::Permissions::from_mode(0o600);
    fs::set_permissions(other.path("conf/a.toml"), private).unwrap();
    let past = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1);
    let file = fs::File::options()
        .write(true)
        .open(other.path("conf/a.toml"));
    file.unwrap().set_modified(past).unwrap();

    let bytes = [&one, &other].map(|project| {
        assert_eq!(project.package(&[]).0, 0);
        fs::read(project.path(NAME)).unwrap()
    });
    assert!(bytes[0] == bytes[1]);

    // Without a time only the name tells when it was made.
    let bytes = [&one, &other].map(|project| {
        let mut command = project.command(&["--output", "now"]);
        command.env_remove("SOURCE_DATE_EPOCH").assert().success();
        let mut made = fs::read_dir(project.path("now")).unwrap();
        fs::read(made.next().unwrap().unwrap().path()).unwrap()
    });
    assert!(bytes[0] == bytes[1]);
}

#[test]
fn a_package_is_not_replaced_silently() {
    let project = Project::new();
    assert!(project.package(&[]).1.contains("created Chat_"));
    assert!(project.package(&[]).1.contains("unchanged Chat_"));
    let before = fs::read(project.path(NAME)).unwrap();
    fs::write(project.path("conf/a.toml"), "a = 2\n").unwrap();
    let (code, out, err) = project.package(&[]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert_eq!(
        err,
        format!("error: {NAME} is there already, with other contents; --force replaces it\n")
    );
    assert!(before == fs::read(project.path(NAME)).unwrap());
    assert_eq!(project.package(&["--force"]).0, 0);
    assert!(before != fs::read(project.path(NAME)).unwrap());
}

#[test]
fn usual_directories_go_in_unless_others_are_named() {
    let project = Project::new();
    project.config("");
    fs::create_dir(project.path("src")).unwrap();
    fs::write(project.path("src/main.rs"), "").unwrap();
    assert_eq!(project.package(&[]).0, 0);
    let entries = entries(&project.path(NAME));
    let tops = entries
        .iter()
        .filter(|(path, _)| path.matches('/').count() < 2 || path.ends_with('/'));
    let tops: Vec<&str> = tops.map(|(path, _)| path.as_str()).collect();
    assert_eq!(
        tops,
        [
            "Chat/",
            "Chat/Chat",
            "Chat/clients/",
            "Chat/conf/",
            "Chat/conf/deep/",
            "Chat/start.sh",
            "Chat/stop.sh",
            "Chat/tars/"
        ]
    );
}

#[test]
fn scripts_of_the_project_take_the_place_of_ours() {
    let project = Project::new();
    fs::write(project.path("mine.sh"), "mine\n").unwrap();
    project.config("[files]\n'start.sh' = '../mine.sh'\n");
    assert_eq!(project.package(&[]).0, 0);
    let entries: BTreeMap<_, _> = entries(&project.path(NAME)).into_iter().collect();
    assert_eq!(entries["Chat/start.sh"].5, b"mine\n");
    assert!(
        entries["Chat/stop.sh"]
            .5
            .starts_with(b"#!/bin/sh\n# Stops App.Chat, ")
    );
}

#[test]
fn links_within_the_project_are_followed() {
    let project = Project::new();
    symlink("../clients/index.html", project.path("conf/page.html")).unwrap();
    symlink("conf", project.path("current")).unwrap();
    project.config("[files]\nconf = '../current'\n");
    let (code, _, err) = project.package(&[]);
    assert_eq!((code, err.as_str()), (0, ""));
    let entries: BTreeMap<_, _> = entries(&project.path(NAME)).into_iter().collect();
    let (kind, .., content) = &entries["Chat/conf/page.html"];
    assert_eq!(
        (*kind, content.as_slice()),
        (tar::EntryType::Regular, &b"<html>\n"[..])
    );
}

/// The complaints, one a line.
fn refused(project: &Project) -> String {
    let (code, out, err) = project.package(&["--message-format", "short"]);
    assert_eq!((code, out.as_str()), (1, ""), "{err}");
    assert!(!project.path(NAME).exists());
    let here = fs::canonicalize(project.path(".")).unwrap();
    err.replace(&here.display().to_string(), "PROJECT")
}

#[test]
fn what_is_outside_of_the_project_stays_outside() {
    let project = Project::new();
    let outside = tempfile::tempdir().unwrap();
    let secret = outside.path().join("secret");
    fs::write(&secret, "secret").unwrap();
    symlink(&secret, project.path("conf/key")).unwrap();
    symlink(outside.path(), project.path("conf/dir")).unwrap();
    symlink("nowhere", project.path("conf/dangling")).unwrap();
    symlink("..", project.path("conf/deep/round")).unwrap();
    project.config("[files]\nconf = '../conf'\nup = '../..'\nname = '/etc/hostname'\n");
    let outside = fs::canonicalize(&secret).unwrap().display().to_string();
    let refused = refused(&project).replace(&outside, "SECRET");
    insta::assert_snapshot!(refused, @r"
    tars/tars.proto.toml:5:8: error[invalid-config]: cannot find tars/../conf/dangling
    tars/tars.proto.toml:5:8: error[invalid-config]: tars/../conf/deep/round is a link to a directory: name that directory in `files`, or this link in `exclude`
    tars/tars.proto.toml:5:8: error[invalid-config]: tars/../conf/dir is a link to a directory: name that directory in `files`, or this link in `exclude`
    tars/tars.proto.toml:5:8: error[invalid-config]: tars/../conf/key is a link to SECRET, which is outside of the project, tars/..
    tars/tars.proto.toml:6:6: error[invalid-config]: tars/../.. is outside of the project, tars/..
    tars/tars.proto.toml:7:8: error[invalid-config]: /etc/hostname is outside of the project, tars/..
    ");

    project.config(
        "exclude = ['../conf/key', '../conf/dir', '../conf/deep']\n[files]\nconf = '../conf'\n",
    );
    fs::remove_file(project.path("conf/dangling")).unwrap();
    assert_eq!(project.package(&[]).0, 0);
}

#[test]
fn faults_of_the_config_have_places() {
    let project = Project::new();
    let _socket = UnixListener::bind(project.path("conf/socket")).unwrap();
    project.config("binary = 'x'\nexclude = ['../gone']\n[files]\nconf = '../conf'\n");
    insta::assert_snapshot!(refused(&project), @r"tars/tars.proto.toml:4:1: error[invalid-config]: unknown key `binary`");
    project.config(
        "exclude = ['../gone']\n[files]\nmissing = '../missing'\nconf = '../conf'\n'conf/a.toml' = '../tars/a.tars'\n\
         Chat = '../tars/a.tars'\n'stop.sh/x' = '../tars/a.tars'\n",
    );
    insta::assert_snapshot!(refused(&project), @r"
    tars/tars.proto.toml:4:12: error[invalid-config]: cannot find tars/../gone
    tars/tars.proto.toml:6:11: error[invalid-config]: cannot find tars/../missing
    tars/tars.proto.toml:7:8: error[invalid-config]: tars/../conf/socket is neither a file nor a directory
    tars/tars.proto.toml:8:17: error[invalid-config]: tars/../tars/a.tars and tars/../conf/a.toml cannot both go in, as `conf/a.toml`
    tars/tars.proto.toml:9:8: error[invalid-config]: tars/../tars/a.tars and the executable cannot both go in, as `Chat`
    tars/tars.proto.toml:10:15: error[invalid-config]: tars/../tars/a.tars and a script cannot both go in, as `stop.sh/x`
    ");
}

#[test]
fn what_cannot_be_done_exits_with_2() {
    let project = Project::new();
    let failed = |command: &mut assert_cmd::Command| {
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(output.stdout.is_empty());
        String::from_utf8(output.stderr).unwrap()
    };
    let mut errors = String::new();
    errors += &failed(project.command(&[]).env("SOURCE_DATE_EPOCH", "yesterday"));
    errors += &failed(
        project
            .command(&[])
            .env("SOURCE_DATE_EPOCH", "253402300800"),
    );
    errors += &failed(
        project
            .command(&["--binary", "gone"])
            .env("SOURCE_DATE_EPOCH", "0"),
    );
    errors += &failed(&mut project.command(&["--binary", "conf"]));
    errors += &failed(&mut project.command(&["--output", "built"]));
    errors += &failed(&mut project.command(&["--upload", "tars.example.org", "--token", "t"]));
    errors += &failed(&mut project.command(&["--upload", "http://127.0.0.1:1"]));
    project.config("projectDir = 'gone'\n");
    errors += &failed(&mut project.command(&[]));
    insta::assert_snapshot!(errors, @r"
    error: SOURCE_DATE_EPOCH must be seconds since 1970, up to 253402300799
    error: SOURCE_DATE_EPOCH must be seconds since 1970, up to 253402300799
    error: cannot read gone: No such file or directory (os error 2)
    error: conf is no file
    error: cannot create built: File exists (os error 17)
    error: `tars.example.org` is no address of a TarsWeb, such as http://tars.example.org:3000
    error: --upload needs a token, in TARS_WEB_TOKEN or by --token; TarsWeb's user center makes them
    error: cannot find the project, tars/gone: No such file or directory (os error 2)
    ");
}

/// cargo builds a project of one small file here.
#[test]
fn the_executable_is_built_and_stripped() {
    let project = Project::new();
    project.config("bin = 'chat'\n[files]\ntars = '.'\n");
    fs::create_dir(project.path("src")).unwrap();
    fs::write(
        project.path("src/main.rs"),
        "fn main() { println!(\"hello\"); }\n",
    )
    .unwrap();
    let manifest = "[package]\nname = 'chat'\nversion = '0.0.0'\nedition = '2024'\n[workspace]\n[profile.release]\nopt-level = 0\n";
    fs::write(project.path("Cargo.toml"), manifest).unwrap();
    let mut command = project.build();
    command
        .env_remove("CARGO_TARGET_DIR")
        .env_remove("CARGO_BUILD_TARGET_DIR");
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(2), "there is no Cargo.lock");
    let err = String::from_utf8(output.stderr).unwrap();
    assert!(
        err.ends_with("error: the build failed: cargo gave exit status: 101\n"),
        "{err}"
    );

    let lock = "version = 4\n\n[[package]]\nname = \"chat\"\nversion = \"0.0.0\"\n";
    fs::write(project.path("Cargo.lock"), lock).unwrap();
    command.assert().success();
    let entries: BTreeMap<_, _> = entries(&project.path(NAME)).into_iter().collect();
    let executable = &entries["Chat/Chat"].5;
    let built = fs::read(project.path("target/release/chat")).unwrap();
    assert!(*executable == built);
    let has = |name: &[u8]| built.windows(name.len()).any(|part| part == name);
    assert!(!has(b".symtab"));
}
