//! The program: its ready line, its end, its mistakes.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::TcpStream;
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use futures_util::{SinkExt as _, StreamExt as _};
use tokio_tungstenite::tungstenite::Message;

/// The program with a PHPServer on a free port.
fn program(arguments: &[&str]) -> Child {
    bare_program(&[&["--servant-listen", "127.0.0.1:0"], arguments].concat())
}

fn bare_program(arguments: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_example-server"))
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn run(arguments: &[&str]) -> Output {
    program(arguments).wait_with_output().unwrap()
}

fn signal(child: &Child, signal: &str) {
    let status = Command::new("kill")
        .args([signal, &child.id().to_string()])
        .status()
        .unwrap();
    assert!(status.success());
}

/// Takes the two ready lines from a program: the URL of the chat and the address of PHPServer.
fn ready_lines(child: &mut Child) -> (String, String, BufReader<ChildStdout>) {
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut take = |prefix: &str| {
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let rest = line.strip_prefix(prefix);
        rest.unwrap_or_else(|| panic!("{line:?} does not begin with {prefix:?}"))
            .trim_end()
            .to_owned()
    };
    let (chat, php_server) = (take("chat "), take("PHPServer "));
    (chat, php_server, stdout)
}

/// What is answered to a command.
async fn ask(chat: &str, command: &str) -> String {
    let url = chat.replace("http", "ws");
    let address = url["ws://".len()..].trim_end_matches('/');
    let stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let (mut socket, _) = tokio_tungstenite::client_async(&url, stream).await.unwrap();
    socket.send(Message::text(command)).await.unwrap();
    socket
        .next()
        .await
        .unwrap()
        .unwrap()
        .into_text()
        .unwrap()
        .to_string()
}

#[test]
fn the_ready_lines_tell_the_truth_and_signals_end_it() {
    for name in ["-TERM", "-INT"] {
        let mut child = program(&["--listen", "127.0.0.1:0"]);
        let (chat, php_server, mut stdout) = ready_lines(&mut child);
        let address = chat
            .strip_prefix("http://")
            .unwrap()
            .strip_suffix('/')
            .unwrap();
        TcpStream::connect(address).unwrap();
        let port = php_server
            .strip_prefix("PHPTest.PHPServer.obj@tcp -h 127.0.0.1 -p ")
            .and_then(|rest| rest.strip_suffix(" -t 60000"))
            .unwrap();
        TcpStream::connect(("127.0.0.1", port.parse().unwrap())).unwrap();
        signal(&child, name);
        assert_eq!(child.wait().unwrap().code(), Some(0), "{name}");
        let mut more = String::new();
        stdout.read_to_string(&mut more).unwrap();
        assert_eq!(more, "");
        let mut log = String::new();
        let mut stderr = child.stderr.take().unwrap();
        stderr.read_to_string(&mut log).unwrap();
        assert!(log.contains("counted since the start"), "{log}");
    }
}

/// The main job: a chat command is answered by a real RPC, to the embedded PHPServer or to one elsewhere.
#[tokio::test]
async fn hello_is_answered_over_rpc() {
    let mut embedded = program(&["--listen", "127.0.0.1:0"]);
    let (chat, php_server, _stdout) = ready_lines(&mut embedded);
    assert_eq!(ask(&chat, "hello|ted").await, "hello world!");

    // The same PHPServer, called by its address from the configuration, then from the command line.
    let directory = tempfile::tempdir().unwrap();
    let services = directory.path().join("services.toml");
    std::fs::write(&services, format!("obj.servant = '{php_server}'")).unwrap();
    let services = services.to_str().unwrap();
    let mut configured = bare_program(&["--listen", "127.0.0.1:0", "--services", services]);
    let (chat, called, _stdout) = ready_lines(&mut configured);
    assert_eq!(called, php_server);
    assert_eq!(ask(&chat, "hello|ted").await, "hello world!");
    configured.kill().unwrap();
    configured.wait().unwrap();

    let mut remote = bare_program(&["--listen", "127.0.0.1:0", "--servant", &php_server]);
    let (chat, called, _stdout) = ready_lines(&mut remote);
    assert_eq!(called, php_server);
    assert_eq!(ask(&chat, "hello|ted").await, "hello world!");

    // Without its PHPServer the chat lives, and says what is wrong.
    embedded.kill().unwrap();
    embedded.wait().unwrap();
    assert_eq!(
        ask(&chat, "hello|ted").await,
        "Error: PHPServer failed with code -8"
    );
    assert_eq!(ask(&chat, "ping").await, "pong");
    remote.kill().unwrap();
    remote.wait().unwrap();
}

#[test]
fn mistakes_are_told_at_start() {
    let directory = tempfile::tempdir().unwrap();
    let services = directory.path().join("services.toml");
    let services = services.to_str().unwrap();
    let output = run(&["--listen", "127.0.0.1:0", "--services", services]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains(services));

    std::fs::write(services, "[obj]\nlimit = {}\n").unwrap();
    let output = run(&["--listen", "127.0.0.1:0", "--services", services]);
    assert_eq!(output.status.code(), Some(1));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(
        stderr.contains("unknown key `limit` in [obj]; did you mean `limits`?"),
        "{stderr}"
    );

    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = run(&["--listen", &address]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        String::from_utf8(output.stderr)
            .unwrap()
            .contains("choose another with --listen")
    );

    assert_eq!(run(&["--listen", "nowhere"]).status.code(), Some(2));
}

#[test]
fn members_survive_kill_9_in_the_file_and_are_dropped_by_the_next_process() {
    use example_server::component::fd_store::FileFdStore;
    use example_server::component::room::Room;

    const CLIENTS: usize = 20;
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("data/fd.log");
    let services = directory.path().join("services.toml");
    let text = "obj.fdStoreConf = { className = 'file', config = { path = 'data/fd.log' } }";
    std::fs::write(&services, text).unwrap();
    let start = || {
        let mut child = program(&[
            "--listen",
            "127.0.0.1:0",
            "--services",
            services.to_str().unwrap(),
        ]);
        let (chat, _, _) = ready_lines(&mut child);
        (child, chat.replace("http", "ws"))
    };
    let members = || {
        FileFdStore::inspect(&log)
            .unwrap()
            .members(&Room::new("room1").unwrap())
    };

    let (mut child, url) = start();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let address = url["ws://".len()..].trim_end_matches('/');
        let mut clients = Vec::new();
        for _ in 0..CLIENTS {
            let stream = tokio::net::TcpStream::connect(address).await.unwrap();
            let (mut socket, _) = tokio_tungstenite::client_async(&url, stream).await.unwrap();
            socket.send(Message::text("subscribe|room1")).await.unwrap();
            assert!(socket.next().await.unwrap().unwrap().is_text());
            clients.push(socket);
        }
        // All are acknowledged: now without any warning.
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(members().len(), CLIENTS);
    });

    let (mut child, _) = start();
    assert_eq!(members(), []);
    child.kill().unwrap();
    child.wait().unwrap();
}
