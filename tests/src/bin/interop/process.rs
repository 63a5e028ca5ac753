//! The programs of the peers. They end with this process, or before.

use std::{
    fs::{self, File},
    io,
    net::TcpListener,
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use tars_rpc::Version;
use tokio::{
    process::{Child, Command},
    time::{sleep, timeout},
};

use crate::{
    cases::Case,
    client::{Client, Ports},
    peers::{Peer, VERSIONS},
};

/// A Java machine on a busy computer.
const START: Duration = Duration::from_secs(30);
const CLIENT: Duration = Duration::from_secs(120);

/// A running server of a peer.
#[derive(Debug)]
pub(crate) struct PeerServer {
    ports: Ports,
    _process: Child,
}

impl PeerServer {
    pub(crate) fn ports(&self) -> Ports {
        self.ports
    }

    /// Starts it, and waits until both of its servants answer.
    pub(crate) async fn start(peer: Peer) -> io::Result<Self> {
        let [php_server, all_types, admin] = free_ports()?;
        let ports = Ports {
            php_server,
            all_types,
        };
        let (log, path) = log(peer, "server")?;
        let mut process = command(peer, "server")
            .args([php_server, all_types, admin].map(|port| port.to_string()))
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        let until = Instant::now() + START;
        // A server may take requests before it knows its servants.
        for case in [Case::TestProperty, Case::EchoBytes] {
            // A new client each time: one that could not connect waits before it tries again.
            while let Err(error) = Client::new(ports, Version::Tars).run(case).await {
                if process.try_wait()?.is_some() || Instant::now() > until {
                    let name = peer.name();
                    let text =
                        format!("the server of {name} does not start: {error}; see {path:?}");
                    return Err(io::Error::other(text));
                }
                sleep(Duration::from_millis(100)).await;
            }
        }
        Ok(Self {
            ports,
            _process: process,
        })
    }
}

/// Runs the client of a peer against a server with both servants on one port. It prints a line for each cell,
/// fields separated by tabs: `cell`, version, case, and `ok` or what went wrong.
pub(crate) async fn run_client(
    peer: Peer,
    port: u16,
) -> io::Result<Vec<(Version, Case, Result<(), String>)>> {
    let (log, path) = log(peer, "client")?;
    let process = command(peer, "client")
        .arg(port.to_string())
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()?;
    let output = timeout(CLIENT, process.wait_with_output()).await??;
    let text = String::from_utf8_lossy(&output.stdout);
    let cells: Vec<_> = text.lines().filter_map(cell).collect();
    if cells.is_empty() {
        let name = peer.name();
        let text = format!(
            "the client of {name} ended with {}: {path:?}",
            output.status
        );
        return Err(io::Error::other(text));
    }
    Ok(cells)
}

fn cell(line: &str) -> Option<(Version, Case, Result<(), String>)> {
    let mut fields = line.splitn(4, '\t');
    if fields.next()? != "cell" {
        return None;
    }
    let number: i16 = fields.next()?.parse().ok()?;
    let version = VERSIONS.into_iter().find(|v| v.number() == number)?;
    let name = fields.next()?;
    let case = Case::ALL.into_iter().find(|case| case.name() == name)?;
    let result = match fields.next()? {
        "ok" => Ok(()),
        error => Err(error.to_owned()),
    };
    Some((version, case, result))
}

fn command(peer: Peer, side: &str) -> Command {
    let peers = Path::new(env!("CARGO_MANIFEST_DIR")).join("interop");
    let built = built();
    let mut command = match peer {
        Peer::Rust => Command::new("false"), // it runs in this process
        Peer::Js => {
            let mut node = Command::new("node");
            node.arg("--no-warnings");
            node.arg(peers.join("js").join(format!("{side}.js")));
            node
        }
        Peer::Go => {
            let mut go = Command::new(built.join("go"));
            go.arg(side);
            go
        }
        Peer::Java => {
            let mut java = Command::new("java");
            java.arg("-jar").arg(built.join("java/peer.jar")).arg(side);
            java
        }
    };
    command
        .current_dir(&built)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    command
}

/// Where the script puts what it builds, and programs their logs.
fn built() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/interop")
}

fn log(peer: Peer, side: &str) -> io::Result<(File, PathBuf)> {
    fs::create_dir_all(built())?;
    let path = built().join(format!("{}-{side}.log", peer.name()));
    Ok((File::create(&path)?, path))
}

/// Ports that were free a moment ago.
fn free_ports<const N: usize>() -> io::Result<[u16; N]> {
    let mut ports = [0; N];
    let mut held = Vec::new();
    for port in &mut ports {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        *port = listener.local_addr()?.port();
        held.push(listener);
    }
    Ok(ports)
}
