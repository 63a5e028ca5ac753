//! The server: its parts put together, its listener, its end.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tars_rpc::Communicator;
use tars_rpc::client::{CallOptions, ServantProxy};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::app::App;
use crate::cli::Args;
use crate::component::fd_store::FdStoreError;
use crate::controller;
use crate::http::access::Guard;
use crate::http::{self, Site};
use crate::hub::Hub;
use crate::listener::{self, ChatPort, Http};
use crate::missing::Missing;
use crate::php_server;
use crate::servant::php_test::php_server::obj::TestTafServiceServant;
use crate::services::{Services, ServicesError};
use crate::tls::{self, TlsError};
use crate::ws::connection::{self, CLOSE_TIMEOUT};

/// Where the embedded PHPServer listens unless it is told.
const SERVANT_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 20084);

/// Why the server does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// The configuration is wrong.
    #[error("services.toml: {0}")]
    Services(#[from] ServicesError),
    /// The store cannot be opened.
    #[error("fdStoreConf: {0}")]
    FdStore(#[from] FdStoreError),
    /// TLS is configured and cannot be offered.
    #[error("tls: {0}")]
    Tls(#[from] TlsError),
    /// The port cannot be had.
    #[error("cannot listen on {address}: {source}; choose another with --listen")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// PHPServer cannot be served, or its address is wrong.
    #[error("PHPServer: {0}; see --servant and --servant-listen")]
    Servant(#[from] tars_rpc::Error),
    /// The process cannot receive signals.
    #[error("cannot listen to signals: {0}")]
    Signal(io::Error),
}

/// A server that listens and waits to be run.
#[derive(Debug)]
pub struct Server {
    ports: Vec<ChatPort>,
    /// PHPServer, unless it runs elsewhere.
    php_server: Option<tars_rpc::server::Server>,
    /// The PHPServer that is called, if this server knows.
    servant_address: Option<String>,
    proxy: Option<ServantProxy>,
    hub: Arc<Hub>,
    missing: Arc<Missing>,
    http: Http,
    drain: Duration,
    /// How long connections that are told to close may take.
    closing: Duration,
    ping_interval: Duration,
    /// The tasks of the WebSocket connections.
    connections: TaskTracker,
    shutdown: CancellationToken,
}

impl Server {
    /// Reads the configuration and listens.
    pub async fn bind(args: Args) -> Result<Self, ServerError> {
        let mut services = match &args.services {
            Some(path) => Services::load(path)?,
            None => Services::default(),
        };
        if args.echo {
            services = services.echo();
        }
        let elsewhere = args.servant.or_else(|| services.servant.clone());
        let (php_server, address) = match (elsewhere, args.servant_listen) {
            (Some(address), None) => (None, address),
            (address, listen) => {
                let server = php_server::listen(listen.unwrap_or(SERVANT_LISTEN)).await?;
                let address = address.unwrap_or_else(|| php_server::address(&server));
                (Some(server), address)
            }
        };
        let proxy = Communicator::new().string_to_proxy(&address)?;
        let servant = TestTafServiceServant::new(proxy.clone());
        let mut server = Self::with_services(args.listen, services, servant).await?;
        server.php_server = php_server;
        server.servant_address = Some(address);
        server.proxy = Some(proxy);
        Ok(server)
    }

    /// The same from parts, for tests and for programs that embed the server.
    pub async fn with_services(
        listen: SocketAddr,
        services: Services,
        servant: TestTafServiceServant,
    ) -> Result<Self, ServerError> {
        let port = ChatPort::bind(listen).await;
        let port = port.map_err(|source| ServerError::Listen {
            address: listen,
            source,
        })?;
        Self::on(vec![port], services, servant).await
    }

    /// The same on ports that listen already.
    pub async fn on(
        ports: Vec<ChatPort>,
        services: Services,
        servant: TestTafServiceServant,
    ) -> Result<Self, ServerError> {
        let missing = Arc::new(Missing::default());
        let addresses: Vec<_> = ports.iter().map(|port| port.address).collect();
        let tls = services.tls.as_ref().map(tls::acceptor).transpose()?;
        let limits = services.limits.clone();
        let deadline = CallOptions::new().timeout(limits.hello_timeout());
        let hub = Hub::open(&services).await?;
        let hub = Arc::new(hub);
        let services = Arc::new(services);
        let app = App {
            hub: Arc::clone(&hub),
            servant: servant.with(deadline),
            services: Arc::clone(&services),
            greetings: Arc::new(Semaphore::new(limits.max_pending_in_all)),
            missing: Arc::clone(&missing),
        };
        let connections = TaskTracker::new();
        let site = Site {
            shared: Arc::new(connection::Shared {
                limits: (&limits).into(),
                handler: services.home_class.make(app.clone()),
                metrics: Arc::clone(hub.metrics()),
            }),
            controllers: Arc::new(controller::all(&app)),
            guard: Arc::new(Guard::new(&services, &addresses)),
            slots: Arc::new(Semaphore::new(limits.max_connections())),
            connections: connections.clone(),
            app,
        };
        Ok(Self {
            ports,
            php_server: None,
            servant_address: None,
            proxy: None,
            http: Http {
                router: http::router(site),
                tls,
                metrics: Arc::clone(hub.metrics()),
                handshake_timeout: limits.handshake_timeout(),
                end: CancellationToken::new(),
            },
            drain: limits.drain(),
            // Each connection has its own deadline; this one is for a handler that hangs.
            closing: CLOSE_TIMEOUT + Duration::from_secs(1),
            ping_interval: limits.ping_interval(),
            hub,
            missing,
            connections,
            shutdown: CancellationToken::new(),
        })
    }

    /// Goes down within this time, whatever is configured: half of it to spread the closes, half of it to wait for
    /// them.
    #[must_use]
    pub fn end_within(mut self, time: Duration) -> Self {
        self.drain = self.drain.min(time / 2);
        self.closing = self.closing.min(time - self.drain);
        self
    }

    /// Where the server listens.
    ///
    /// # Panics
    /// It was made without ports.
    pub fn address(&self) -> SocketAddr {
        self.addresses()[0]
    }

    /// Where the server listens, all of it.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.ports.iter().map(|port| port.address).collect()
    }

    /// The URL of the pages.
    pub fn url(&self) -> String {
        self.url_at(self.address())
    }

    /// The URL of the pages at an address of the server.
    pub(crate) fn url_at(&self, address: SocketAddr) -> String {
        let scheme = if self.http.tls.is_some() {
            "https"
        } else {
            "http"
        };
        format!("{scheme}://{address}/")
    }

    /// The address of the PHPServer that is called; `None` if it was given as a proxy.
    pub fn servant_address(&self) -> Option<&str> {
        self.servant_address.as_deref()
    }

    /// Asks the chat and PHPServer for an answer; for when [`run`](Self::run) runs. The error is PHPServer's: the
    /// chat goes on without it.
    pub fn answering(&self) -> impl Future<Output = tars_rpc::Result<()>> + Send + use<> {
        let (address, proxy) = (reachable(self.address()), self.proxy.clone());
        async move {
            if let Err(error) = ask(address).await {
                tracing::warn!(%address, %error, "the chat does not answer");
            }
            match proxy {
                Some(proxy) => proxy.call("tars_ping", |_| {}).await.map(drop),
                None => Ok(()),
            }
        }
    }

    /// The connections and rooms.
    pub fn hub(&self) -> &Arc<Hub> {
        &self.hub
    }

    /// What the server waits for, as `/readyz` shows it.
    pub fn missing(&self) -> &Arc<Missing> {
        &self.missing
    }

    /// Cancel it to stop the server.
    pub fn shutdown_handle(&self) -> CancellationToken {
        self.shutdown.clone()
    }

    /// Serves until it is told to stop; then takes nobody any more, closes every connection with 1001
    /// and waits for them.
    pub async fn run(self) {
        let Self {
            ports,
            php_server,
            servant_address: _,
            proxy: _,
            hub,
            missing: _,
            http,
            drain,
            closing,
            ping_interval,
            connections,
            shutdown,
        } = self;
        // Outlives the chat, whose last messages may still call it.
        let php_server_end = CancellationToken::new();
        let php_server = php_server.map(|server| {
            let end = php_server_end.clone();
            tokio::spawn(async move { server.serve(end.cancelled()).await })
        });
        let requests = TaskTracker::new();
        // Dropped, they listen no more.
        let mut accepting = JoinSet::new();
        for port in ports {
            tracing::info!(address = %port.address, "listening");
            accepting.spawn(listener::accept(port, http.clone(), requests.clone()));
        }
        let drained = async {
            shutdown.cancelled().await;
            // Whoever asks is still told that this server goes away.
            hub.drain(drain).await;
        };
        tokio::select! {
            () = hub.look_for_life(ping_interval) => {}
            () = drained => {}
        }
        accepting.shutdown().await;
        http.end.cancel();
        requests.close();
        connections.close();
        let closed = async { tokio::join!(requests.wait(), connections.wait()) };
        if tokio::time::timeout(closing, closed).await.is_err() {
            tracing::warn!(
                left = hub.len(),
                "went down before every connection was closed"
            );
        }
        hub.leave_store().await;
        hub.metrics().log();
        php_server_end.cancel();
        if let Some(task) = php_server
            && let Err(failure) = task.await
        {
            tracing::error!(%failure, "PHPServer");
        }
    }
}

/// Where a client of this machine reaches a listener.
pub(crate) fn reachable(mut listener: SocketAddr) -> SocketAddr {
    if listener.ip().is_unspecified() {
        listener.set_ip(match listener {
            SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    listener
}

/// Any answer to a request will do.
pub(crate) async fn ask(address: SocketAddr) -> io::Result<()> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("HEAD / HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    stream.read_u8().await.map(drop)
}

/// Listens to SIGTERM and SIGINT; the future ends with the first.
pub fn termination() -> Result<impl Future<Output = ()> + Send, ServerError> {
    let mut terminate = signal(SignalKind::terminate()).map_err(ServerError::Signal)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(ServerError::Signal)?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
