//! What the tests share: code generated from `fixtures/idl/alltypes.tars`, and servers to talk to.

#![forbid(unsafe_code)]

use std::net::SocketAddr;
use std::path::PathBuf;

use example_server::{cli::Args, php_server, server::Server};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub mod fuzz;
pub mod platform;

#[cfg(doctest)]
#[doc = include_str!("../../docs/platform.md")]
mod platform_guide {}

#[cfg(doctest)]
#[doc = include_str!("../../docs/tars-rpc.md")]
mod server_guide {}

#[cfg(doctest)]
#[doc = include_str!("../../docs/tars-rpc-client.md")]
mod client_guide {}

/// Code generated from `fixtures/idl/alltypes.tars` and `fixtures/idl/greeter.tars`.
pub mod servant;

/// A chat server of this process with its embedded PHPServer, both on free ports.
#[derive(Debug)]
pub struct ChatServer {
    address: SocketAddr,
    shutdown: CancellationToken,
    task: JoinHandle<()>,
}

impl ChatServer {
    /// Starts it, as `example-server --listen 127.0.0.1:0 --servant-listen 127.0.0.1:0` does.
    ///
    /// # Panics
    /// It does not start.
    pub async fn start() -> Self {
        Self::start_at(([127, 0, 0, 1], 0).into(), None).await
    }

    /// The same with a port and a services.toml.
    ///
    /// # Panics
    /// It does not start.
    pub async fn start_at(listen: SocketAddr, services: Option<PathBuf>) -> Self {
        let args = Args {
            listen,
            servant_listen: Some(SocketAddr::from(([127, 0, 0, 1], 0))),
            servant: None,
            services,
            echo: false,
        };
        let server = Server::bind(args).await.expect("the chat server starts");
        Self {
            address: server.address(),
            shutdown: server.shutdown_handle(),
            task: tokio::spawn(server.run()),
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL of a path of it.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Lets it drain and end.
    ///
    /// # Panics
    /// It has panicked.
    pub async fn stop(self) {
        self.shutdown.cancel();
        self.task.await.expect("the chat server ends");
    }
}

/// Starts a PHPServer on a free port, which ends with the runtime, and says where it is.
///
/// # Panics
/// It does not start.
pub async fn start_php_server() -> SocketAddr {
    let server = php_server::listen(SocketAddr::from(([127, 0, 0, 1], 0))).await;
    let server = server.expect("PHPServer starts");
    let address = server.local_addrs().first().copied();
    tokio::spawn(server.serve(std::future::pending()));
    address.expect("PHPServer has an address")
}
