//! The server: its parts put together, its listener, its end.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tars_rpc::Communicator;
use tars_rpc::client::{CallOptions, ServantProxy};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::app::App;
use crate::cli::Args;
use crate::component::fd_store::FdStoreError;
use crate::controller;
use crate::http::access::Guard;
use crate::http::{self, Site};
use crate::hub::Hub;
use crate::listener::{self, Http};
use crate::message;
use crate::php_server;
use crate::servant::php_test::php_server::obj::TestTafServiceServant;
use crate::services::{Limits, Services, ServicesError};
use crate::tls::{self, TlsError};
use crate::ws::connection::{self, CLOSE_TIMEOUT};

/// Where the embedded PHPServer listens unless it is told.
const SERVANT_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 20084);
/// What `--echo` takes: the conformance suite sends messages of 16 MiB.
const ECHO_MESSAGE: usize = 32 * 1024 * 1024;

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
    listener: TcpListener,
    address: SocketAddr,
    /// PHPServer, unless it runs elsewhere.
    php_server: Option<tars_rpc::server::Server>,
    /// The PHPServer that is called, if this server knows.
    servant_address: Option<String>,
    proxy: Option<ServantProxy>,
    hub: Arc<Hub>,
    http: Http,
    drain: Duration,
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
            services = echo(services);
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
        let listen_error = |source| ServerError::Listen {
            address: listen,
            source,
        };
        let listener = TcpListener::bind(listen).await.map_err(listen_error)?;
        let address = listener.local_addr().map_err(listen_error)?;

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
        };
        let connections = TaskTracker::new();
        let site = Site {
            shared: Arc::new(connection::Shared {
                limits: (&limits).into(),
                handler: services.home_class.make(app.clone()),
                metrics: Arc::clone(hub.metrics()),
            }),
            controllers: Arc::new(controller::all(&app)),
            guard: Arc::new(Guard::new(&services, address)),
            slots: Arc::new(Semaphore::new(limits.max_connections)),
            connections: connections.clone(),
            app,
        };
        Ok(Self {
            listener,
            address,
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
            ping_interval: limits.ping_interval(),
            hub,
            connections,
            shutdown: CancellationToken::new(),
        })
    }

    /// Where the server listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL of the pages.
    pub fn url(&self) -> String {
        let scheme = if self.http.tls.is_some() {
            "https"
        } else {
            "http"
        };
        format!("{scheme}://{}/", self.address)
    }

    /// The address of the PHPServer that is called; `None` if it was given as a proxy.
    pub fn servant_address(&self) -> Option<&str> {
        self.servant_address.as_deref()
    }

    /// Asks the chat and PHPServer for an answer; for when [`run`](Self::run) runs. The error is PHPServer's: the
    /// chat goes on without it.
    pub fn answering(&self) -> impl Future<Output = tars_rpc::Result<()>> + Send + use<> {
        let (address, proxy) = (reachable(self.address), self.proxy.clone());
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

    /// Cancel it to stop the server.
    pub fn shutdown_handle(&self) -> CancellationToken {
        self.shutdown.clone()
    }

    /// Serves until it is told to stop; then takes nobody any more, closes every connection with 1001
    /// and waits for them.
    pub async fn run(self) {
        let Self {
            listener,
            address,
            php_server,
            servant_address: _,
            proxy: _,
            hub,
            http,
            drain,
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
        tracing::info!(%address, "listening");
        let requests = TaskTracker::new();
        let drained = async {
            shutdown.cancelled().await;
            // Whoever asks is still told that this server goes away.
            hub.drain(drain).await;
        };
        tokio::select! {
            () = listener::accept(&listener, &http, &requests) => {}
            () = hub.look_for_life(ping_interval) => {}
            () = drained => {}
        }
        drop(listener);
        http.end.cancel();
        requests.close();
        connections.close();
        // Each connection has its own deadline; this one is for a handler that hangs.
        let closed = async { tokio::join!(requests.wait(), connections.wait()) };
        if tokio::time::timeout(CLOSE_TIMEOUT + Duration::from_secs(1), closed)
            .await
            .is_err()
        {
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
async fn ask(address: SocketAddr) -> io::Result<()> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("HEAD / HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    stream.read_u8().await.map(drop)
}

/// The configuration of `--echo`: everything as configured, but the handler, room for its answers and no rate.
fn echo(services: Services) -> Services {
    Services {
        home_class: &message::ECHO,
        limits: Limits {
            max_message_size: ECHO_MESSAGE,
            max_queue_size: 2 * ECHO_MESSAGE,
            messages_per_second: 0,
            ..services.limits
        },
        ..services
    }
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
