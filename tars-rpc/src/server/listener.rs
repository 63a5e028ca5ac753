//! A server and its listeners.

use std::{future::Future, io, net::SocketAddr, sync::Arc, time::Duration};

use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, warn};

use super::{
    Limits, Servant, Stats,
    connection::{self, Shared},
    servants::Servants,
};
use crate::{Error, Result, net::Stream};

/// Settings of a [`Server`].
#[derive(Default)]
pub struct ServerBuilder {
    addresses: Vec<SocketAddr>,
    servants: Vec<(String, Arc<dyn Servant>)>,
    limits: Limits,
}

impl ServerBuilder {
    /// Listens here, too. Port 0 is any free port; [`Server::local_addrs`] tells which.
    #[must_use]
    pub fn bind(mut self, address: SocketAddr) -> Self {
        self.addresses.push(address);
        self
    }

    /// Serves `servant` under the name `App.Server.Obj`, on all addresses.
    #[must_use]
    pub fn servant(mut self, name: impl Into<String>, servant: impl Servant) -> Self {
        self.servants.push((name.into(), Arc::new(servant)));
        self
    }

    /// Bounds of the server.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Begins to listen. Connections are accepted from [`Server::serve`] on.
    ///
    /// # Errors
    /// [`Error::Listen`]: an address cannot be had; [`Error::DuplicateServant`]: a name was given twice.
    pub async fn listen(self) -> Result<Server> {
        let mut servants = Servants::default();
        for (name, servant) in self.servants {
            servants.add(name, servant)?;
        }
        let mut listeners = Vec::new();
        for address in self.addresses {
            let failed = |source: io::Error| Error::Listen {
                address,
                source: Arc::new(source),
            };
            let listener = TcpListener::bind(address).await.map_err(failed)?;
            let local = listener.local_addr().map_err(failed)?;
            listeners.push((local, listener));
        }
        Ok(Server {
            listeners,
            core: Core {
                connections: Arc::new(Semaphore::new(
                    self.limits.max_connections.min(Semaphore::MAX_PERMITS),
                )),
                shared: Arc::new(Shared {
                    servants,
                    limits: self.limits.sane(),
                    stats: Arc::default(),
                }),
                drain: CancellationToken::new(),
            },
        })
    }
}

/// A server that listens.
///
/// ```no_run
/// use tars_rpc::{Result, server::{Dispatch, Request, Servant, Server}};
///
/// struct Greeter; // generated code writes this: `TestTafServiceServer::new(..)`
///
/// impl Servant for Greeter {
///     fn dispatch(&self, request: Request) -> Dispatch {
///         Box::pin(async move {
///             let (cx, mut args) = request.into_parts();
///             match cx.func() {
///                 "sayHelloWorld" => {
///                     let name: String = args.take(1, "name")?;
///                     let mut reply = cx.reply();
///                     reply.put(2, "outGreetings", &format!("hello {name}!"));
///                     Ok(reply)
///                 }
///                 _ => Err(cx.unknown_function()),
///             }
///         })
///     }
/// }
///
/// # async fn run() -> Result<()> {
/// let server = Server::builder()
///     .bind(([127, 0, 0, 1], 15380).into())
///     .servant("PHPTest.PHPServer.obj", Greeter)
///     .listen()
///     .await?;
/// server.serve(async { /* until this ends: tokio::signal::ctrl_c().await */ }).await;
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Server {
    listeners: Vec<(SocketAddr, TcpListener)>,
    core: Core,
}

/// What a server is without its listeners.
#[derive(Debug, Clone)]
struct Core {
    shared: Arc<Shared>,
    connections: Arc<Semaphore>,
    drain: CancellationToken,
}

impl Server {
    /// A server with the default [`Limits`], without servants and addresses.
    pub fn builder() -> ServerBuilder {
        ServerBuilder::default()
    }

    /// Where it listens, in the order of [`ServerBuilder::bind`].
    pub fn local_addrs(&self) -> Vec<SocketAddr> {
        self.listeners.iter().map(|(address, _)| *address).collect()
    }

    /// Its counters.
    pub fn stats(&self) -> Arc<Stats> {
        Arc::clone(&self.core.shared.stats)
    }

    /// Serves until `shutdown` ends, and then drains: no more connections and requests are taken, the requests
    /// that were read are run and answered, each connection is closed when it has no more of them, and what is left
    /// after [`Limits::drain`] is aborted.
    ///
    /// Dropping the future aborts everything at once.
    pub async fn serve(self, shutdown: impl Future<Output = ()>) {
        let mut listeners = JoinSet::new();
        for (address, listener) in self.listeners {
            listeners.spawn(self.core.clone().listen(address, listener));
        }
        shutdown.await;
        self.core.drain.cancel();
        while listeners.join_next().await.is_some() {}
    }

    /// A future that serves a connection that the application has got by itself: one end of a
    /// [`tokio::io::duplex`], a tunnel. It ends when the connection is closed and its handlers have ended; the
    /// drain of [`serve`](Self::serve) closes it, too. `peer` is what servants see as the caller's address.
    pub fn serve_stream<S: Stream>(
        &self,
        stream: S,
        peer: SocketAddr,
    ) -> impl Future<Output = ()> + Send + use<S> {
        self.core.clone().connection(stream, peer)
    }
}

impl Core {
    async fn listen(self, address: SocketAddr, listener: TcpListener) {
        debug!(%address, "listening");
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((stream, peer)) => {
                        connections.spawn(self.clone().tcp_connection(stream, peer));
                    }
                    Err(error) => {
                        // Mostly: out of file descriptors. To try again at once would not help.
                        warn!(%address, %error, "cannot accept");
                        sleep(ACCEPT_PAUSE).await;
                    }
                },
                Some(ended) = connections.join_next() => if let Err(error) = ended {
                    error!(%address, %error, "the task of a connection failed");
                },
                () = self.drain.cancelled() => break,
            }
        }
        drop(listener);
        let all = async { while connections.join_next().await.is_some() {} };
        if timeout(self.shared.limits.drain, all).await.is_err() {
            warn!(%address, connections = connections.len(), "not drained in time, aborted");
            connections.shutdown().await;
        }
    }

    async fn tcp_connection(self, stream: TcpStream, peer: SocketAddr) {
        if let Err(error) = stream.set_nodelay(true) {
            debug!(%peer, %error, "cannot set TCP_NODELAY");
        }
        self.connection(stream, peer).await;
    }

    async fn connection(self, stream: impl Stream, peer: SocketAddr) {
        let stats = &self.shared.stats;
        let Ok(_permit) = self.connections.try_acquire() else {
            stats.refused.increment();
            warn!(%peer, max = self.shared.limits.max_connections, "too many connections, closed");
            return;
        };
        stats.accepted.increment();
        let _open = Open::new(Arc::clone(stats));
        connection::serve(Arc::clone(&self.shared), stream, peer, self.drain.clone()).await;
    }
}

const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Counts a connection as open, however its task ends.
struct Open(Arc<Stats>);

impl Open {
    fn new(stats: Arc<Stats>) -> Self {
        stats.open.increment();
        Self(stats)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.decrement();
    }
}

impl std::fmt::Debug for ServerBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<_> = self.servants.iter().map(|(name, _)| name).collect();
        f.debug_struct("ServerBuilder")
            .field("addresses", &self.addresses)
            .field("servants", &names)
            .field("limits", &self.limits)
            .finish()
    }
}
