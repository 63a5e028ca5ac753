//! A network in memory, for tests: clients and servers as they are, without sockets.
//!
//! ```
//! use std::{sync::Arc, time::Duration};
//! use tars_rpc::{Communicator, Result, server::{Dispatch, Request, Servant, Server}, testing::Network};
//!
//! struct Greeter;
//!
//! impl Servant for Greeter {
//!     fn dispatch(&self, request: Request) -> Dispatch {
//!         Box::pin(async move {
//!             let (cx, _) = request.into_parts();
//!             Ok(cx.reply())
//!         })
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<()> {
//! let network = Network::default();
//! network.serve("greeter", 80, Server::builder().servant("App.Server.obj", Greeter).listen().await?);
//!
//! let communicator = Communicator::builder().connector(network.clone()).build();
//! let proxy = communicator.string_to_proxy("App.Server.obj@tcp -h greeter -p 80")?;
//! proxy.call("sayHelloWorld", |_| {}).await?;
//!
//! network.remove("greeter", 80);
//! # Ok(()) }
//! ```
//!
//! With `#[tokio::test(start_paused = true)]` timeouts and back-offs take no time.

use std::{
    collections::HashMap,
    fmt, io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::task::JoinSet;

use crate::{
    Endpoint,
    client::{BoxedStream, Connecting, Connector},
    server::Server,
};

/// How much one side may send before the other has to read.
const PIPE: usize = 64 << 10;

/// Servers by host and port, and the [`Connector`] that reaches them. Clones are the same network.
#[derive(Clone, Default)]
pub struct Network(Arc<Mutex<HashMap<(String, u16), Host>>>);

struct Host {
    server: Server,
    /// Aborted with the host.
    connections: JoinSet<()>,
}

impl Network {
    /// Puts a server at a host and port, in the place of what was there.
    pub fn serve(&self, host: impl Into<String>, port: u16, server: Server) {
        let connections = JoinSet::new();
        let host = (host.into(), port);
        let old = self.hosts().insert(
            host,
            Host {
                server,
                connections,
            },
        );
        drop(old);
    }

    /// Takes the server away, and breaks its connections: as if its process had been killed.
    pub fn remove(&self, host: &str, port: u16) -> Option<Server> {
        let host = self.hosts().remove(&(host.to_owned(), port))?;
        Some(host.server)
    }

    fn hosts(&self) -> MutexGuard<'_, HashMap<(String, u16), Host>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn connect(&self, endpoint: &Endpoint) -> io::Result<BoxedStream> {
        let mut hosts = self.hosts();
        let Some(host) = hosts.get_mut(&(endpoint.host.clone(), endpoint.port)) else {
            let text = format!("nobody is at {}", endpoint.authority());
            return Err(io::Error::new(io::ErrorKind::ConnectionRefused, text));
        };
        let (ours, theirs) = tokio::io::duplex(PIPE);
        let peer = SocketAddr::from(([127, 0, 0, 1], endpoint.port));
        while host.connections.try_join_next().is_some() {}
        host.connections
            .spawn(host.server.serve_stream(theirs, peer));
        Ok(Box::new(ours))
    }
}

impl Connector for Network {
    fn connect(&self, endpoint: Arc<Endpoint>) -> Connecting {
        let stream = self.connect(&endpoint);
        Box::pin(async { stream })
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.hosts().keys()).finish()
    }
}
