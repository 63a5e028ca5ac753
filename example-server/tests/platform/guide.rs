//! `docs/deploy.md`: its commands, one after the other.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::Command;
use std::thread::{self, JoinHandle};

use crate::deployed::free;

/// The ports of the page, for which the test takes free ones.
const PORTS: [&str; 3] = ["20083", "20084", "20085"];
/// Where the page has TarsWeb.
const TARS_WEB: &str = "http://tars.example.org:3000";

/// A command of the page, and the lines that it prints first.
struct Step {
    command: String,
    prints: Vec<String>,
}

/// What `sh` and `console` blocks have.
fn steps(page: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    for block in page.split("\n```").skip(1).step_by(2) {
        let (language, text) = block.split_once('\n').unwrap();
        match language {
            "sh" => steps.push(Step {
                command: text.to_owned(),
                prints: Vec::new(),
            }),
            "console" => {
                for line in text.lines() {
                    match line.strip_prefix("$ ") {
                        Some(command) => steps.push(Step {
                            command: command.to_owned(),
                            prints: Vec::new(),
                        }),
                        None => steps.last_mut().unwrap().prints.push(line.to_owned()),
                    }
                }
            }
            _ => {}
        }
    }
    steps
}

/// A line without what differs from run to run.
fn form(line: &str) -> String {
    let mut form = String::new();
    for c in line.chars() {
        match c.is_ascii_digit() {
            true if form.ends_with('9') => {}
            true => form.push('9'),
            false => form.push(c),
        }
    }
    form
}

/// Takes one upload, and says how its request began.
fn tars_web() -> (SocketAddr, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let request = thread::spawn(move || {
        let (mut connection, _) = listener.accept().unwrap();
        let mut request = Vec::new();
        let mut part = [0; 1 << 16];
        // The form ends with its boundary and two dashes.
        while !request.ends_with(b"--\r\n") {
            let count = connection.read(&mut part).unwrap();
            assert!(count > 0, "the request ends early");
            request.extend_from_slice(&part[..count]);
        }
        let body = r#"{"data":{"id":7},"ret_code":200,"err_msg":""}"#;
        let length = body.len();
        let answer = format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        );
        connection.write_all(answer.as_bytes()).unwrap();
        let line = request.split(|&byte| byte == b'\r').next().unwrap();
        String::from_utf8(line.to_vec()).unwrap()
    });
    (address, request)
}

/// Nothing goes on when the test has failed.
struct Stop<'a>(&'a Path);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        let directory = self.0.join("PHPWebsocketServer");
        let config = format!("--config={}", self.0.join("chat.conf").display());
        let _ = Command::new(directory.join("PHPWebsocketServer"))
            .args([&config, "stop"])
            .output();
        let _ = Command::new(directory.join("stop.sh")).output();
    }
}

#[test]
#[ignore = "builds tars2rs; run by .ci/run"]
fn the_commands_of_the_guide_do_what_it_says() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let packages = workspace.join("target/package");
    for package in fs::read_dir(&packages).into_iter().flatten() {
        let path = package.unwrap().path();
        if path.to_str().unwrap().contains("PHPWebsocketServer_") {
            fs::remove_file(path).unwrap();
        }
    }
    let directory = tempfile::tempdir().unwrap();
    let (web, request) = tars_web();
    let mut page = fs::read_to_string(workspace.join("docs/deploy.md")).unwrap();
    page = page.replace("/tmp", directory.path().to_str().unwrap());
    page = page.replace(TARS_WEB, &format!("http://{web}"));
    // The executable is this build's: a release build takes minutes.
    let binary = format!("--binary {}", env!("CARGO_BIN_EXE_example-server"));
    let shell = |command: &str| {
        let command = command
            .replace("scripts/deploy.sh", &format!("scripts/deploy.sh {binary}"))
            .replace(
                "tars/tars.proto.toml",
                &format!("{binary} tars/tars.proto.toml"),
            )
            .replace("cargo run", "cargo run --quiet --locked");
        let mut shell = Command::new("bash");
        shell.args(["-euo", "pipefail", "-c", &command]);
        shell
            .current_dir(workspace)
            .env("SOURCE_DATE_EPOCH", "1000000000");
        shell.output().unwrap()
    };
    for port in PORTS {
        page = page.replace(port, &free().port().to_string());
    }
    let _stop = Stop(directory.path());
    let steps = steps(&page);
    assert_eq!(steps.len(), 13, "each is run");
    for Step { command, prints } in steps {
        let output = shell(&command);
        let out = String::from_utf8(output.stdout).unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{command}\n{out}{err}");
        let printed: Vec<_> = out.lines().map(form).take(prints.len()).collect();
        let expected: Vec<_> = prints.iter().map(|line| form(line)).collect();
        assert_eq!(printed, expected, "{command}\n{out}{err}");
    }
    let request = request.join().unwrap();
    assert_eq!(request, "POST /api/upload_and_publish?ticket=... HTTP/1.1");
}
