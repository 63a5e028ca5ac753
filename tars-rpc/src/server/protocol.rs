//! Other protocols than Tars on an adapter.

use std::{
    future::Future,
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_util::sync::CancellationToken;

use crate::net::{Alarm, Stream, after, now};

/// Serves connections that do not speak Tars: `protocol=not_tars` in a configuration.
///
/// The adapter accepts, encrypts, limits and counts the connections as it does those of its own protocol; what is
/// said on them is this trait's. A connection for which nothing has come within
/// [`header_timeout`](super::Limits::header_timeout), or on which nothing has moved for
/// [`idle_timeout`](super::Limits::idle_timeout), gives an error to whoever reads or writes.
///
/// ```
/// use tars_rpc::server::{Adapter, Protocol, RawConnection, Serving};
/// use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
///
/// /// Answers each line with the same in capitals.
/// struct Shout;
///
/// impl Protocol for Shout {
///     fn serve(&self, connection: RawConnection) -> Serving {
///         Box::pin(async move {
///             let draining = connection.draining();
///             tokio::pin!(draining);
///             let mut connection = BufReader::new(connection);
///             let mut line = String::new();
///             loop {
///                 line.clear();
///                 tokio::select! {
///                     n = connection.read_line(&mut line) => if n? == 0 { return Ok(()) },
///                     () = &mut draining => return connection.shutdown().await,
///                 }
///                 connection.write_all(line.to_uppercase().as_bytes()).await?;
///             }
///         })
///     }
/// }
///
/// let adapter = Adapter::new("App.Server.ShoutAdapter").protocol(Shout);
/// ```
pub trait Protocol: Send + Sync + 'static {
    /// Serves one connection. An error is logged; a panic is contained. When the server
    /// [drains](RawConnection::draining), it should finish what it has begun and end; after the time to drain it is
    /// dropped.
    fn serve(&self, connection: RawConnection) -> Serving;
}

/// A connection that is served.
pub type Serving = Pin<Box<dyn Future<Output = io::Result<()>> + Send>>;

/// A connection of an adapter with another [`Protocol`]: a byte stream with time limits.
pub struct RawConnection {
    stream: Box<dyn Stream>,
    peer: SocketAddr,
    adapter: Arc<str>,
    drain: CancellationToken,
    idle: Idle,
}

/// Notices when nothing moves.
struct Idle {
    alarm: Alarm,
    limit: Duration,
    due: Instant,
}

impl RawConnection {
    pub(super) fn new(
        stream: impl Stream,
        (peer, adapter): (SocketAddr, Arc<str>),
        (header, idle): (Duration, Duration),
        drain: CancellationToken,
    ) -> Self {
        Self {
            stream: Box::new(stream),
            peer,
            adapter,
            drain,
            idle: Idle {
                alarm: Alarm::default(),
                limit: idle,
                due: after(header.min(idle)),
            },
        }
    }

    /// The peer's address.
    pub fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// The name of the adapter that has accepted it.
    pub fn adapter(&self) -> &str {
        &self.adapter
    }

    /// Waits until the server shuts down.
    pub fn draining(&self) -> impl Future<Output = ()> + Send + use<> {
        self.drain.clone().cancelled_owned()
    }
}

impl Idle {
    /// Passes on what moved, or an error when nothing has for too long.
    fn watch<T>(
        &mut self,
        cx: &mut Context<'_>,
        moved: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if moved.is_ready() {
            self.due = after(self.limit);
            return moved;
        }
        loop {
            ready!(self.alarm.poll_ring(cx, self.due));
            if self.due <= now() {
                let text = format!("nothing has moved for {:?}", self.limit);
                return Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, text)));
            }
        }
    }
}

impl AsyncRead for RawConnection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let moved = Pin::new(&mut self.stream).poll_read(cx, buf);
        self.idle.watch(cx, moved)
    }
}

impl AsyncWrite for RawConnection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let moved = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.idle.watch(cx, moved)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let moved = Pin::new(&mut self.stream).poll_flush(cx);
        self.idle.watch(cx, moved)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let moved = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.idle.watch(cx, moved)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let moved = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.idle.watch(cx, moved)
    }
}

impl std::fmt::Debug for RawConnection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RawConnection")
            .field("peer", &self.peer)
            .field("adapter", &self.adapter)
            .finish_non_exhaustive()
    }
}
