//! Calls between this project and the official implementations over loopback, both ways, in every version of the
//! protocol: `scripts/interop.sh` builds the peers and runs it. It prints a matrix and fails if a cell does.
//!
//! `interop [PEER]..` runs all peers or those named: `rust` (this project with itself), `js`, `go`, `java`.

#![forbid(unsafe_code)]

mod cases;
mod client;
mod matrix;
mod peers;
mod process;
mod service;
mod values;

use std::{
    env,
    io::{self, Write},
    process::ExitCode,
    time::Duration,
};

use tokio::time::timeout;

use crate::{
    cases::Case,
    client::{Client, Ports},
    matrix::{Direction, Matrix, Outcome},
    peers::{Peer, VERSIONS},
    process::PeerServer,
};

#[tokio::main]
async fn main() -> io::Result<ExitCode> {
    let wanted: Vec<_> = env::args().skip(1).collect();
    let peers: Vec<_> = Peer::ALL
        .into_iter()
        .filter(|peer| match wanted.as_slice() {
            [] => *peer != Peer::Rust,
            names => names.iter().any(|name| name == peer.name()),
        })
        .collect();
    let ours = service::serve().await.map_err(io::Error::other)?;
    let mut matrix = Matrix::default();
    for peer in &peers {
        // What could not be tried is missing in the matrix, and fails it.
        for result in [
            call_peer(*peer, ours.port(), &mut matrix).await,
            be_called(*peer, ours.port(), &mut matrix).await,
        ] {
            if let Err(error) = result {
                writeln!(io::stderr(), "{}: {error}", peer.name())?;
            }
        }
    }
    let mut out = io::stdout().lock();
    Ok(if matrix.print(&mut out, &peers)? {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Longer than any case takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// Our client calls the server of a peer. What the peer cannot do is tried as well, or the list would grow old.
async fn call_peer(peer: Peer, ours: u16, matrix: &mut Matrix) -> io::Result<()> {
    let server = if peer == Peer::Rust {
        None
    } else {
        Some(PeerServer::start(peer).await?)
    };
    let ports = server.as_ref().map_or(
        Ports {
            php_server: ours,
            all_types: ours,
        },
        PeerServer::ports,
    );
    for version in VERSIONS {
        let client = Client::new(ports, version);
        for case in Case::ALL {
            let cannot = peer.server_cannot(case, version);
            if cannot.is_some_and(|cannot| cannot.skip(case)) {
                continue;
            }
            let result = timeout(PATIENCE, client.run(case))
                .await
                .unwrap_or_else(|_| Err(format!("not done after {PATIENCE:?}")));
            let outcome = Outcome::of(result, cannot);
            matrix.set(Direction::ToPeer, peer, version, case, outcome);
        }
    }
    Ok(())
}

/// The client of a peer calls our server, and prints how each case went.
async fn be_called(peer: Peer, ours: u16, matrix: &mut Matrix) -> io::Result<()> {
    if peer == Peer::Rust {
        return Ok(());
    }
    for (version, case, result) in process::run_client(peer, ours).await? {
        let outcome = Outcome::of(result, peer.client_cannot(case, version));
        matrix.set(Direction::FromPeer, peer, version, case, outcome);
    }
    Ok(())
}
