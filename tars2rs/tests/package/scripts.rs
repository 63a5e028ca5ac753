//! The scripts in a package: they start and stop the server of the directory that it was unpacked into.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

use super::project::{NAME, Project};
use assert_cmd::Command;

/// Exit code, standard output and standard error of a script.
fn script(dir: &Path, name: &str, args: &[&str]) -> (i32, String, String) {
    let output = Command::new(dir.join(name)).args(args).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        output.status.code().unwrap(),
        text(output.stdout),
        text(output.stderr),
    )
}

/// A server that a failed test would leave behind.
struct Stop<'a>(&'a Path);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        script(self.0, "stop.sh", &["5"]);
    }
}

#[test]
fn they_start_and_stop_the_server() {
    let project = Project::new();
    assert_eq!(project.package(&[]).0, 0);
    let dir = project.unpacked(&project.path(NAME));
    let stop = Stop(&dir);
    let none = || (0, "Chat does not run\n".to_owned(), String::new());
    assert_eq!(script(&dir, "stop.sh", &[]), none());

    let (code, out, err) = script(&dir, "start.sh", &["--config=a b", "x"]);
    assert_eq!((code, err.as_str()), (0, ""));
    let pid = fs::read_to_string(dir.join("Chat.pid")).unwrap();
    assert_eq!(out, format!("Chat runs as process {pid}"));
    let (code, _, err) = script(&dir, "start.sh", &[]);
    assert_eq!(
        (code, err),
        (1, format!("Chat runs already, as process {pid}"))
    );

    let deadline = Instant::now() + Duration::from_secs(30);
    let log = loop {
        let log = fs::read_to_string(dir.join("Chat.log")).unwrap();
        if log.ends_with('\n') || Instant::now() > deadline {
            break log;
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    assert_eq!(log, "arguments: --config=a b x\n");
    drop(stop);
    assert!(!dir.join("Chat.pid").exists());
    assert_eq!(script(&dir, "stop.sh", &[]), none());

    // The number of a process that is not this server.
    fs::write(dir.join("Chat.pid"), format!("{}\n", std::process::id())).unwrap();
    assert_eq!(script(&dir, "stop.sh", &[]), none());
}

#[test]
fn a_server_that_ends_at_once_was_not_started() {
    let project = Project::new();
    fs::write(
        project.path("built"),
        "#!/bin/sh\necho no such config >&2\nexit 3\n",
    )
    .unwrap();
    assert_eq!(project.package(&[]).0, 0);
    let dir = project.unpacked(&project.path(NAME));
    let (code, out, err) = script(&dir, "start.sh", &[]);
    assert_eq!((code, out.as_str()), (1, ""));
    assert!(err.ends_with("Chat.log:\nno such config\n"), "{err}");
    assert!(!dir.join("Chat.pid").exists());
}

#[test]
fn a_deaf_server_is_killed() {
    let project = Project::new();
    let deaf = "#!/bin/sh\ntrap '' TERM\nwhile :; do sleep 0.1; done\n";
    fs::write(project.path("built"), deaf).unwrap();
    assert_eq!(project.package(&[]).0, 0);
    let dir = project.unpacked(&project.path(NAME));
    assert_eq!(script(&dir, "start.sh", &[]).0, 0);
    let (code, _, err) = script(&dir, "stop.sh", &["1"]);
    assert_eq!(
        (code, err.as_str()),
        (1, "Chat did not end in time and was killed\n")
    );
    assert_eq!(script(&dir, "stop.sh", &[]).1, "Chat does not run\n");
}

#[test]
#[ignore = "builds example-server"]
fn the_chat_server_answers_from_its_package() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut cargo = Command::new(env!("CARGO"));
    // What cargo tells this test about its package would make another cargo build ring anew, and all that needs it.
    for (name, _) in std::env::vars() {
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            cargo.env_remove(name);
        }
    }
    cargo
        .args(["build", "--quiet", "--locked", "-p", "example-server"])
        .current_dir(root)
        .assert()
        .success();
    let target = std::env::var_os("CARGO_TARGET_DIR");
    let target = target.map_or_else(|| root.join("target"), |target| root.join(target));
    let project = Project::new();
    Command::cargo_bin("tars2rs")
        .unwrap()
        .args(["package", "tars/tars.proto.toml", "--binary"])
        .arg(target.join("debug/example-server"))
        .arg("--output")
        .arg(project.path("."))
        .env("SOURCE_DATE_EPOCH", "1000000000")
        .current_dir(root)
        .assert()
        .success();
    let package = project.path("PHPWebsocketServer_20010909014640.tar.gz");
    let dir = project
        .unpacked(&package)
        .with_file_name("PHPWebsocketServer");
    let file = dir.join("clients/room.html");
    assert!(file.exists() && dir.join("services.toml").exists());

    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let services = dir.join("services.toml").display().to_string();
    let _stop = Stop(&dir);
    let listen = port.to_string();
    let args = [
        "--listen",
        &listen,
        "--servant-listen",
        "127.0.0.1:0",
        "--services",
        &services,
    ];
    let (code, _, err) = script(&dir, "start.sh", &args);
    assert_eq!((code, err.as_str()), (0, ""));
    let deadline = Instant::now() + Duration::from_secs(30);
    let mut connection = loop {
        match TcpStream::connect(port) {
            Ok(connection) => break connection,
            Err(error) => assert!(Instant::now() < deadline, "{error}"),
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    write!(
        connection,
        "GET /client1.html HTTP/1.1\r\nHost: {port}\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    let page = fs::read_to_string(file).unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.ends_with(&page),
        "{answer}"
    );
    let (code, out, err) = script(&dir, "stop.sh", &[]);
    assert_eq!(
        (code, out.as_str(), err.as_str()),
        (0, "PHPWebsocketServer has ended\n", "")
    );
    assert!(TcpStream::connect(port).is_err());
}
