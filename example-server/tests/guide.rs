//! `docs/chat-guide.md`: its steps, one after the other, in a copy of the workspace.

use std::fs;
use std::io::Read as _;
use std::net::TcpListener;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command};

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

/// The ports of the page, for which the test takes free ones.
const PORTS: [&str; 3] = ["20083", "20084", "20090"];
/// What the copy of the workspace needs.
const PARTS: [&str; 9] = [
    "Cargo.toml",
    "Cargo.lock",
    "clippy.toml",
    "tars",
    "tars2rs",
    "tars-codec",
    "tars-rpc",
    "example-server",
    "tests",
];

/// A code block and the path that the text before it ends with.
struct Block {
    language: String,
    path: Option<String>,
    text: String,
}

fn blocks(page: &str) -> Vec<Block> {
    let mut parts = page.split("\n```");
    let mut prose = parts.next().unwrap();
    let mut blocks = Vec::new();
    while let (Some(block), Some(after)) = (parts.next(), parts.next()) {
        let (language, text) = block.split_once('\n').unwrap();
        let last = prose.trim_end().strip_suffix("`:");
        blocks.push(Block {
            language: language.to_owned(),
            path: last.map(|last| last.rsplit('`').next().unwrap().to_owned()),
            text: format!("{text}\n"),
        });
        prose = after;
    }
    blocks
}

fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// A program that ends with the test.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        // cargo passes no signal on, so its whole group is ended.
        let group = format!("-{}", self.0.id());
        let _ = Command::new("kill").args(["--", &group]).status();
        let _ = self.0.wait();
    }
}

fn shell(directory: &Path, command: &str) -> Command {
    let mut shell = Command::new("bash");
    shell.args(["-euo", "pipefail", "-c", command]);
    shell.current_dir(directory);
    // What cargo tells this test about its package would make another cargo build ring anew, and all that needs it.
    for (name, _) in std::env::vars() {
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            shell.env_remove(name);
        }
    }
    shell.env("CARGO_TARGET_DIR", workspace().join("target"));
    shell
}

/// Replaces what is there without the lines of `+` by what is there without those of `-`.
fn patch(file: &Path, diff: &str) {
    let side = |drop: char| -> String {
        let lines = diff.lines().filter(|line| !line.starts_with(drop));
        lines.map(|line| format!("{}\n", &line[1..])).collect()
    };
    let text = fs::read_to_string(file).unwrap();
    let old = side('+');
    assert_eq!(
        text.matches(&old).count(),
        1,
        "{} has:\n{old}",
        file.display()
    );
    fs::write(file, text.replace(&old, &side('-'))).unwrap();
}

/// Waits until a program listens.
async fn wait_for(address: &str) -> TcpStream {
    loop {
        match TcpStream::connect(address).await {
            Ok(stream) => return stream,
            Err(_) => tokio::task::yield_now().await,
        }
    }
}

async fn connect(address: &str) -> WebSocketStream<TcpStream> {
    let stream = wait_for(address).await;
    let url = format!("ws://{address}/");
    tokio_tungstenite::client_async(url, stream)
        .await
        .unwrap()
        .0
}

#[tokio::test]
#[ignore = "builds a copy of the workspace; run by .ci/run"]
async fn the_steps_of_the_guide_lead_to_a_chat_server() {
    let mut page = fs::read_to_string(workspace().join("docs/chat-guide.md")).unwrap();
    let free = PORTS.map(|_| TcpListener::bind("127.0.0.1:0").unwrap());
    for (port, listener) in PORTS.iter().zip(&free) {
        page = page.replace(port, &listener.local_addr().unwrap().port().to_string());
    }
    let [chat, _, weather] = free
        .each_ref()
        .map(|listener| listener.local_addr().unwrap().to_string());
    drop(free);

    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    for part in PARTS {
        let copied = Command::new("cp")
            .arg("-r")
            .arg(workspace().join(part))
            .arg(directory)
            .status();
        assert!(copied.unwrap().success(), "{part}");
    }
    let strip = r#"sed -i '/^members/s/, "benches"//' Cargo.toml"#;
    assert!(shell(directory, strip).status().unwrap().success());
    let mut programs = Vec::new();
    let mut socket = None;
    let blocks = blocks(&page);
    assert!(blocks.len() > 15);
    for block in blocks {
        match (block.language.as_str(), &block.path) {
            ("diff", Some(path)) => patch(&directory.join(path), &block.text),
            (_, Some(path)) => {
                let file = directory.join(path);
                fs::create_dir_all(file.parent().unwrap()).unwrap();
                fs::write(file, block.text).unwrap();
            }
            ("sh", None) => {
                let status = shell(directory, &block.text).status().unwrap();
                assert!(status.success(), "{}", block.text);
            }
            ("run", None) => {
                for command in block.text.lines() {
                    let program = shell(directory, command).process_group(0).spawn();
                    programs.push(Program(program.unwrap()));
                }
                wait_for(&weather).await;
                socket = Some(connect(&chat).await);
            }
            ("chat", None) => {
                let socket = socket.as_mut().unwrap();
                for line in block.text.lines() {
                    match line.split_once(' ').unwrap() {
                        (">", command) => socket.send(Message::text(command)).await.unwrap(),
                        ("<", expected) => {
                            let answer = socket.next().await.unwrap().unwrap();
                            assert_eq!(answer.into_text().unwrap().as_str(), expected);
                        }
                        other => panic!("{other:?}"),
                    }
                }
            }
            ("console", None) => {
                for example in block.text.split("$ ").skip(1) {
                    let (command, expected) = example.split_once('\n').unwrap();
                    let mut shell = shell(directory, command);
                    let (mut printed, mut error) = (String::new(), String::new());
                    let output = shell.output().unwrap();
                    output
                        .stdout
                        .as_slice()
                        .read_to_string(&mut printed)
                        .unwrap();
                    output.stderr.as_slice().read_to_string(&mut error).unwrap();
                    assert_eq!(
                        printed.trim_end(),
                        expected.trim_end(),
                        "{command}: {error}"
                    );
                }
            }
            other => panic!("what is to be done with {other:?}?\n{}", block.text),
        }
    }
}
