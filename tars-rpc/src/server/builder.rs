//! Servers, and how they are made.

use std::{fmt, future::Future, net::SocketAddr, sync::Arc, time::Duration};

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tower_layer::Layer;

use super::{
    Adapter, Limits, Servant, Stats,
    adapter::Shared,
    bind::{self, Bound},
    layer::{self, ServantService, ServesRequests, Wrap},
    listener::Acceptor,
};
use crate::{Endpoint, Error, Result, Transport, net::Stream};

/// The name of the adapter that a builder has by itself.
const MAIN: &str = "main";

/// How long handlers may run on by default when the server shuts down: the time that `tarsnode` gives.
const DRAIN: Duration = Duration::from_secs(3);

/// Settings of a [`Server`].
///
/// [`bind`](Self::bind), [`servant`](Self::servant) and [`limits`](Self::limits) are those of an adapter named
/// `main`, and all that a server with one adapter needs. [`adapter`](Self::adapter) adds others.
#[must_use]
pub struct ServerBuilder {
    main: Adapter,
    adapters: Vec<Adapter>,
    drain: Duration,
    layers: Vec<Wrap>,
}

impl Default for ServerBuilder {
    fn default() -> Self {
        Self {
            main: Adapter::new(MAIN),
            adapters: Vec::new(),
            drain: DRAIN,
            layers: Vec::new(),
        }
    }
}

impl ServerBuilder {
    /// Listens for TCP connections here, too. Port 0 is any free port; [`Server::local_addrs`] tells which.
    pub fn bind(mut self, address: SocketAddr) -> Self {
        let endpoint = Endpoint::new(Transport::Tcp, bind::host(address), address.port());
        self.main = self.main.endpoint(endpoint);
        self
    }

    /// Serves `servant` under the name `App.Server.Obj`, on all addresses of [`bind`](Self::bind).
    pub fn servant(mut self, name: impl Into<String>, servant: impl Servant) -> Self {
        self.main = self.main.servant(name, servant);
        self
    }

    /// Bounds of what is served on the addresses of [`bind`](Self::bind).
    pub fn limits(mut self, limits: Limits) -> Self {
        self.main = self.main.limits(limits);
        self
    }

    /// Adds an adapter, with endpoints, servants and limits of its own.
    pub fn adapter(mut self, adapter: Adapter) -> Self {
        self.adapters.push(adapter);
        self
    }

    /// How long handlers may run on when the server shuts down, `deactivating-timeout` in a configuration. Default
    /// 3 s, the time that `tarsnode` gives.
    pub fn drain(mut self, time: Duration) -> Self {
        self.drain = time;
        self
    }

    /// Puts a layer around all servants: tracing, metrics, a rate limit, your own. The first that is added is the
    /// outermost. See [`layer`](super::layer).
    ///
    /// Its service is cloned for each request.
    pub fn layer<L>(mut self, layer: L) -> Self
    where
        L: Layer<ServantService, Service: ServesRequests> + Send + Sync + 'static,
    {
        self.layers.push(layer::wrap(layer));
        self
    }

    /// Begins to listen. Connections are accepted from [`Server::serve`] on.
    ///
    /// # Errors
    /// [`Error::Listen`]: an endpoint cannot be had; [`Error::DuplicateServant`]: an adapter has two servants of the
    /// same name; [`Error::Adapter`]: its settings contradict each other.
    pub async fn listen(self) -> Result<Server> {
        let stats = Arc::default();
        let drain = CancellationToken::new();
        let wrap = |servant: Arc<dyn Servant>| {
            let inwards = self.layers.iter().rev();
            inwards.fold(servant, |inner, layer| layer(inner))
        };
        let mut adapters = Vec::new();
        for adapter in std::iter::once(self.main).chain(self.adapters) {
            adapter.check()?;
            if adapters
                .iter()
                .any(|a: &Listening| a.name() == adapter.name)
            {
                return Err(Error::Adapter {
                    reason: "there is another of this name".to_owned(),
                    adapter: adapter.name,
                });
            }
            let endpoints = adapter.endpoints.clone();
            let shared = Arc::new(Shared::new(adapter, &stats, wrap)?);
            let mut sockets = Vec::new();
            for endpoint in &endpoints {
                sockets.extend(bind::bind(endpoint).await?);
            }
            adapters.push(Listening { shared, sockets });
        }
        Ok(Server {
            adapters,
            stats,
            drain,
            time_to_drain: self.drain,
        })
    }
}

impl fmt::Debug for ServerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerBuilder")
            .field("main", &self.main)
            .field("adapters", &self.adapters)
            .field("drain", &self.drain)
            .finish_non_exhaustive()
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
    /// The first is the builder's own.
    adapters: Vec<Listening>,
    stats: Arc<Stats>,
    drain: CancellationToken,
    time_to_drain: Duration,
}

/// An adapter of a [`Server`] that listens.
#[derive(Debug)]
pub struct Listening {
    shared: Arc<Shared>,
    sockets: Vec<Bound>,
}

impl Listening {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.shared.name
    }

    /// Where it listens: its endpoints in their order, with an address for each host name and the port that it got.
    pub fn endpoints(&self) -> impl Iterator<Item = &Endpoint> {
        self.sockets.iter().map(|bound| &bound.endpoint)
    }

    /// Its counters.
    pub fn stats(&self) -> Arc<Stats> {
        Arc::clone(&self.shared.tally.adapter)
    }

    /// Tells how many of its requests wait for a handler when it is asked.
    pub(crate) fn waiting(&self) -> impl Fn() -> usize + Send + Sync + use<> {
        let waiting = Arc::clone(&self.shared.load.waiting);
        move || waiting.used()
    }
}

impl Server {
    /// A server with the default [`Limits`], without servants and addresses.
    pub fn builder() -> ServerBuilder {
        ServerBuilder::default()
    }

    /// Where it listens: the addresses of [`ServerBuilder::bind`], then those of the adapters, in their order.
    pub fn local_addrs(&self) -> Vec<SocketAddr> {
        let sockets = self.adapters.iter().flat_map(|adapter| &adapter.sockets);
        sockets.map(|bound| bound.address).collect()
    }

    /// Its adapters that listen.
    pub fn adapters(&self) -> impl Iterator<Item = &Listening> {
        let all = self.adapters.iter();
        all.filter(|adapter| !adapter.sockets.is_empty())
    }

    /// Its counters, over all adapters.
    pub fn stats(&self) -> Arc<Stats> {
        Arc::clone(&self.stats)
    }

    /// Serves until `shutdown` ends, and then drains: no more connections and requests are taken, the requests
    /// that were read are run and answered, each connection is closed when it has no more of them, and what is left
    /// after [the time to drain](ServerBuilder::drain) is cut, logged and counted ([`Stats::aborted`]).
    ///
    /// Dropping the future aborts everything at once.
    pub async fn serve(self, shutdown: impl Future<Output = ()>) {
        let mut listeners = JoinSet::new();
        for Listening { shared, sockets } in self.adapters {
            for bound in sockets {
                let acceptor = Acceptor {
                    idle: bound.idle.unwrap_or(shared.limits.idle_timeout),
                    shared: Arc::clone(&shared),
                    drain: self.drain.clone(),
                };
                listeners.spawn(acceptor.serve(bound, self.time_to_drain));
            }
        }
        shutdown.await;
        self.drain.cancel();
        while listeners.join_next().await.is_some() {}
    }

    /// A future that serves a connection that the application has got by itself: one end of a
    /// [`tokio::io::duplex`], a tunnel. It is one of the adapter of [`ServerBuilder::bind`], and ends when it is
    /// closed and its handlers have ended; the drain of [`serve`](Self::serve) closes it, too. `peer` is what
    /// servants see as the caller's address.
    pub fn serve_stream<S: Stream>(
        &self,
        stream: S,
        peer: SocketAddr,
    ) -> impl Future<Output = ()> + Send + use<S> {
        let acceptor = self.adapters.first().map(|main| Acceptor {
            shared: Arc::clone(&main.shared),
            idle: main.shared.limits.idle_timeout,
            drain: self.drain.clone(),
        });
        async move {
            if let Some(acceptor) = acceptor {
                acceptor.connection(stream, peer, false).await;
            }
        }
    }
}
