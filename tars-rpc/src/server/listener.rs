//! Accepts the connections of an adapter.

use std::{future::Future, io, net::SocketAddr, sync::Arc, time::Duration};

use tokio::{
    net::{TcpListener, TcpStream},
    task::{JoinError, JoinSet},
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, warn};

use super::{
    RawConnection,
    adapter::Shared,
    admission::Refused,
    bind::{Bound, Socket},
    datagram, stream,
};
use crate::net::Stream;

/// How long to wait when the system has no more file descriptors or memory. To try again at once would not help.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What is needed to serve a connection of an adapter.
#[derive(Debug, Clone)]
pub(super) struct Acceptor {
    pub(super) shared: Arc<Shared>,
    /// After how long without traffic a connection is closed.
    pub(super) idle: Duration,
    pub(super) drain: CancellationToken,
}

impl Acceptor {
    /// Serves a socket until the drain, and then for `time_to_drain` at most.
    pub(super) async fn serve(self, bound: Bound, time_to_drain: Duration) {
        let Bound {
            address, socket, ..
        } = bound;
        debug!(adapter = %self.shared.name, %address, "listening");
        match socket {
            Socket::Tcp(listener) => self.accept(address, listener, false, time_to_drain).await,
            #[cfg(feature = "tls")]
            Socket::Ssl(listener) => self.accept(address, listener, true, time_to_drain).await,
            Socket::Udp(socket) => {
                let drain = self.drain.clone();
                let shared = Arc::clone(&self.shared);
                let serving = datagram::serve(shared, socket, address, drain);
                let too_long = async {
                    self.drain.cancelled().await;
                    sleep(time_to_drain).await;
                };
                tokio::select! {
                    () = serving => {}
                    () = too_long => {
                        warn!(adapter = %self.shared.name, %address, "not drained in time, aborted");
                    }
                }
            }
        }
    }

    async fn accept(
        &self,
        address: SocketAddr,
        listener: TcpListener,
        encrypted: bool,
        time_to_drain: Duration,
    ) {
        let tally = &self.shared.tally;
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((stream, peer)) => {
                        let acceptor = self.clone();
                        connections.spawn(acceptor.tcp_connection(stream, peer, encrypted));
                    }
                    Err(error) if is_of_one_connection(&error) => {
                        debug!(adapter = %self.shared.name, %address, %error, "a connection was gone at once");
                    }
                    Err(error) => {
                        tally.count(|s| &s.accept_errors);
                        warn!(adapter = %self.shared.name, %address, %error, "cannot accept");
                        tokio::select! {
                            () = sleep(ACCEPT_PAUSE) => {}
                            () = self.drain.cancelled() => {}
                        }
                    }
                },
                Some(ended) = connections.join_next() => self.ended(ended),
                () = self.drain.cancelled() => break,
            }
        }
        drop(listener);
        let all = async {
            while let Some(ended) = connections.join_next().await {
                self.ended(ended);
            }
        };
        if timeout(time_to_drain, all).await.is_err() {
            let left = connections.len();
            tally.add(u64::try_from(left).unwrap_or(u64::MAX), |s| &s.aborted);
            warn!(
                adapter = %self.shared.name, %address, connections = left,
                "not drained in time, aborted"
            );
            connections.shutdown().await;
        }
    }

    fn ended(&self, ended: Result<(), JoinError>) {
        if let Err(error) = ended {
            self.shared.tally.count(|s| &s.panics);
            error!(adapter = %self.shared.name, %error, "the task of a connection failed");
        }
    }

    async fn tcp_connection(self, stream: TcpStream, peer: SocketAddr, encrypted: bool) {
        if let Err(error) = stream.set_nodelay(true) {
            debug!(%peer, %error, "cannot set TCP_NODELAY");
        }
        self.connection(stream, peer, encrypted).await;
    }

    /// Serves a connection, if there is room for it.
    pub(super) async fn connection(self, stream: impl Stream, peer: SocketAddr, encrypted: bool) {
        let shared = &self.shared;
        let _admitted = match shared.admission.admit(peer.ip()) {
            Ok(admitted) => admitted,
            Err(refused) => {
                shared.tally.count(|s| match refused {
                    Refused::NotAllowed => &s.denied,
                    Refused::TooMany | Refused::TooManyOfAddress => &s.refused,
                });
                warn!(adapter = %shared.name, %peer, %refused, "connection closed at once");
                return;
            }
        };
        let _open = shared.tally.open();
        #[cfg(feature = "tls")]
        if encrypted && let Some(tls) = &shared.tls {
            let limit = shared.limits.handshake_timeout;
            return match timeout(limit, tls.accept(stream)).await {
                Ok(Ok(stream)) => self.converse(stream, peer).await,
                Ok(Err(error)) => self.no_handshake(peer, &error),
                Err(_) => self.no_handshake(peer, &format!("not done within {limit:?}")),
            };
        }
        debug_assert!(!encrypted, "checked when the server was built");
        self.converse(stream, peer).await;
    }

    #[cfg(feature = "tls")]
    fn no_handshake(&self, peer: SocketAddr, reason: &dyn std::fmt::Display) {
        self.shared.tally.count(|s| &s.handshakes_failed);
        warn!(adapter = %self.shared.name, %peer, %reason, "TLS handshake failed");
    }

    /// In whatever language the adapter speaks.
    fn converse(&self, stream: impl Stream, peer: SocketAddr) -> impl Future<Output = ()> + Send {
        let shared = Arc::clone(&self.shared);
        let drain = self.drain.clone();
        let idle = self.idle;
        async move {
            let Some(protocol) = shared.protocol.clone() else {
                return stream::serve(shared, stream, peer, idle, drain).await;
            };
            let header = shared.limits.header_timeout;
            let connection = RawConnection::new(
                stream,
                (peer, Arc::clone(&shared.name)),
                (header, idle),
                drain,
            );
            if let Err(error) = protocol.serve(connection).await {
                shared.tally.count(|s| &s.closed_broken);
                debug!(adapter = %shared.name, %peer, %error, "connection broken");
            }
        }
    }
}

/// Whether the next attempt to accept may well succeed.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::Interrupted
    )
}
