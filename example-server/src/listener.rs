//! The chat port: takes connections, TLS if it is configured, and speaks HTTP on them.

mod body;
mod slots;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use socket2::{SockRef, TcpKeepalive};
use tars_rpc::server::AllowList;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower_service::Service as _;

use self::body::RequestBody;
use self::slots::{Slot, Slots};
use crate::metrics::Metrics;

/// A request's head, and hyper's smallest buffer.
const HEAD_BUFFER: usize = 16 * 1024;
/// Connections that speak HTTP and have not been upgraded. For one more, the one that has idled
/// longest is closed.
const MAX_HTTP: usize = 1024;
/// A peer that vanished without a word is found after this long.
const KEEPALIVE: Duration = Duration::from_secs(60);
/// How long to wait when the process has no descriptor left for a new connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// For a connection that finds no room.
const BUSY: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

/// A port of the chat.
#[derive(Debug)]
pub struct ChatPort {
    pub(crate) listener: TcpListener,
    /// Where it listens.
    pub address: SocketAddr,
    /// Who may connect; others are closed at once.
    pub(crate) allow: AllowList,
}

impl ChatPort {
    /// A port that takes connections from everybody.
    ///
    /// # Errors
    /// It cannot be had.
    pub async fn bind(address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        Ok(Self {
            address: listener.local_addr()?,
            listener,
            allow: AllowList::default(),
        })
    }

    /// Takes them from these only.
    #[must_use]
    pub fn allow(mut self, allow: AllowList) -> Self {
        self.allow = allow;
        self
    }
}

/// What a connection needs to be served.
#[derive(Clone)]
pub(crate) struct Http {
    pub(crate) router: Router,
    pub(crate) tls: Option<TlsAcceptor>,
    pub(crate) metrics: Arc<Metrics>,
    /// How long a client may take for TLS and for the head of a request.
    pub(crate) handshake_timeout: Duration,
    /// Ends the connections, each after the request that it is at.
    pub(crate) end: CancellationToken,
}

impl std::fmt::Debug for Http {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Http").finish_non_exhaustive()
    }
}

/// Takes connections, for ever. Their tasks are `tasks`.
pub(crate) async fn accept(port: ChatPort, http: Http, tasks: TaskTracker) {
    let slots = Arc::new(Slots::new(MAX_HTTP));
    loop {
        match port.listener.accept().await {
            Ok((stream, peer)) => {
                if !port.allow.allows(peer.ip()) {
                    tracing::debug!(%peer, "closed: its address is not allowed");
                    continue;
                }
                let Some((slot, evicted)) = Slots::take(&slots) else {
                    // Nothing waits for this: whoever does not get it sees a closed connection.
                    let _ = stream.try_write(BUSY);
                    continue;
                };
                if evicted {
                    http.metrics.http_evicted.inc();
                }
                tasks.spawn(http.clone().serve(stream, peer, slot));
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

impl Http {
    /// Serves a connection until it closes, becomes a WebSocket or has to make room.
    async fn serve(self, stream: TcpStream, peer: SocketAddr, slot: Slot) {
        if let Err(error) = prepare(&stream) {
            tracing::debug!(%peer, %error, "socket options");
        }
        let evicted = slot.evicted();
        let served = async {
            let Some(tls) = &self.tls else {
                return self.speak(stream, slot).await;
            };
            match tokio::time::timeout(self.handshake_timeout, tls.accept(stream)).await {
                Ok(Ok(stream)) => self.speak(stream, slot).await,
                Ok(Err(error)) => Err(error.into()),
                Err(late) => Err(late.into()),
            }
        };
        tokio::select! {
            served = served => if let Err(error) = served {
                tracing::debug!(%peer, error, "HTTP");
            },
            () = evicted.cancelled() => tracing::debug!(%peer, "closed: it idled, others need room"),
        }
    }

    async fn speak<S>(
        &self,
        stream: S,
        slot: Slot,
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let slot = Arc::new(slot);
        let service = service_fn(|request: hyper::Request<Incoming>| {
            let busy = Arc::default();
            let request = request.map(|body| RequestBody::new(body, &slot, &busy));
            let answer = self.router.clone().call(request);
            let metrics = Arc::clone(&self.metrics);
            async move {
                let answer = answer.await;
                if let Ok(answer) = &answer {
                    metrics.http_request(answer.status().as_u16());
                }
                drop(busy);
                answer
            }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.handshake_timeout)
            .max_buf_size(HEAD_BUFFER)
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades();
        let mut connection = std::pin::pin!(connection);
        tokio::select! {
            served = connection.as_mut() => served?,
            () = self.end.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.await?;
            }
        }
        Ok(())
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
