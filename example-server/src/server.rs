//! The server: its parts put together, its listener, its end.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use socket2::{SockRef, TcpKeepalive};
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
use crate::message;
use crate::php_server;
use crate::servant::php_test::php_server::obj::TestTafServiceServant;
use crate::services::{Limits, Services, ServicesError};
use crate::ws::connection::{self, CLOSE_TIMEOUT};

/// Where the embedded PHPServer listens unless it is told.
const SERVANT_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 20084);
/// How long a client may take to send a request's head; also how long it may idle between requests.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// A request's head, and hyper's smallest buffer.
const HEAD_BUFFER: usize = 16 * 1024;
/// Sockets that speak HTTP and have not been upgraded; more wait in the kernel.
const MAX_HTTP: usize = 1024;
/// A peer that vanished without a word is found after this long.
const KEEPALIVE: Duration = Duration::from_secs(60);
/// How long to wait when the process has no descriptor left for a new connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
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
    router: Router,
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

        let limits = &services.limits;
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
            handler: services.home_class.make(app.clone()),
            controllers: Arc::new(controller::all(&app)),
            guard: Arc::new(Guard::new(&services, address)),
            limits: connection::Limits {
                max_message: services.limits.max_message_size,
                max_pending: services.limits.max_pending_answers,
            },
            slots: Arc::new(Semaphore::new(services.limits.max_connections)),
            connections: connections.clone(),
            app,
        };
        Ok(Self {
            listener,
            address,
            php_server: None,
            servant_address: None,
            proxy: None,
            hub,
            router: http::router(site),
            connections,
            shutdown: CancellationToken::new(),
        })
    }

    /// Where the server listens.
    pub fn address(&self) -> SocketAddr {
        self.address
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

    /// Serves until it is told to stop; then closes every connection with 1001 and waits for them.
    pub async fn run(self) {
        let Self {
            listener,
            address,
            php_server,
            servant_address: _,
            proxy: _,
            hub,
            router,
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
        tokio::select! {
            () = accept(&listener, &router, &requests, &shutdown) => {}
            () = shutdown.cancelled() => {}
        }
        drop(listener);
        hub.close();
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

/// Takes connections, for ever.
async fn accept(
    listener: &TcpListener,
    router: &Router,
    requests: &TaskTracker,
    shutdown: &CancellationToken,
) {
    let slots = Arc::new(Semaphore::new(MAX_HTTP));
    // The semaphore is never closed.
    while let Ok(slot) = Arc::clone(&slots).acquire_owned().await {
        match listener.accept().await {
            Ok((stream, peer)) => {
                let serve = serve(stream, peer, router.clone(), shutdown.clone());
                requests.spawn(async move {
                    serve.await;
                    drop(slot);
                });
            }
            // A connection that was reset before it was taken is no reason to wait.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Err(error) => {
                tracing::warn!(%error, "cannot take a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Speaks HTTP on a connection until it closes or becomes a WebSocket.
async fn serve(stream: TcpStream, peer: SocketAddr, router: Router, shutdown: CancellationToken) {
    if let Err(error) = prepare(&stream) {
        tracing::debug!(%peer, %error, "socket options");
    }
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(HEAD_BUFFER)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router))
        .with_upgrades();
    let mut connection = std::pin::pin!(connection);
    let result = tokio::select! {
        result = connection.as_mut() => result,
        () = shutdown.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = result {
        tracing::debug!(%peer, %error, "HTTP");
    }
}

/// Writes are whole turns already, so they go out at once.
fn prepare(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let keepalive = TcpKeepalive::new()
        .with_time(KEEPALIVE)
        .with_interval(KEEPALIVE / 4);
    SockRef::from(stream).set_tcp_keepalive(&keepalive)
}

/// The configuration of `--echo`: everything as configured, but the handler and room for its answers.
fn echo(services: Services) -> Services {
    Services {
        home_class: &message::ECHO,
        limits: Limits {
            max_message_size: ECHO_MESSAGE,
            max_queue_size: 2 * ECHO_MESSAGE,
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
