//! A byte stream that is read and written by one task.

use std::{
    future::poll_fn,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::BytesMut;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite},
    time::timeout,
};
use tokio_util::io::poll_read_buf;

mod alarm;
mod busy_poll;
mod clock;
mod datagram;
pub(crate) mod dial;

pub(crate) use alarm::Alarm;
pub(crate) use busy_poll::BusyPoll;
pub(crate) use clock::{FOREVER, after, now};
pub(crate) use datagram::MAX_DATAGRAM;

/// A stream of bytes in both directions: a TCP connection, one end of [`tokio::io::duplex`], ..
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin + 'static {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin + 'static> Stream for S {}

/// A stream, and whether it may hold back bytes that were written.
pub(crate) struct Socket<S> {
    stream: S,
    unflushed: bool,
}

/// What one turn moved. Not both are zero.
#[derive(Debug)]
pub(crate) struct Moved {
    pub(crate) written: usize,
    /// `Some(0)` is the end of the stream.
    pub(crate) read: Option<usize>,
}

impl<S: Stream> Socket<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self {
            stream,
            unflushed: false,
        }
    }

    /// Writes what it can of `output` and reads what there is into `input`, until either has moved something.
    ///
    /// Reading and writing at once is what keeps two peers that both have much to send from waiting for each
    /// other forever. Dropping the future loses nothing.
    pub(crate) async fn exchange(
        &mut self,
        mut input: Option<&mut BytesMut>,
        output: &[u8],
    ) -> io::Result<Moved> {
        poll_fn(|cx| {
            let read = match &mut input {
                Some(input) => match poll_read_buf(Pin::new(&mut self.stream), cx, *input) {
                    Poll::Ready(n) => Some(n?),
                    Poll::Pending => None,
                },
                None => None,
            };
            let written = match self.poll_write(cx, output) {
                Poll::Ready(Ok(n)) => n,
                // What the peer sent before it closed still counts; the error comes again.
                Poll::Ready(Err(_)) if read.is_some_and(|n| n > 0) => 0,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => 0,
            };
            if written == 0 && read.is_none() {
                return Poll::Pending;
            }
            Poll::Ready(Ok(Moved { written, read }))
        })
        .await
    }

    /// Writes what the socket takes of `output` without waiting.
    pub(crate) async fn write_now(&mut self, output: &[u8]) -> io::Result<usize> {
        poll_fn(|cx| match self.poll_write(cx, output) {
            Poll::Ready(written) => Poll::Ready(written),
            Poll::Pending => Poll::Ready(Ok(0)),
        })
        .await
    }

    /// Writes, or flushes when there is nothing to write.
    fn poll_write(&mut self, cx: &mut Context<'_>, output: &[u8]) -> Poll<io::Result<usize>> {
        let stream = Pin::new(&mut self.stream);
        if !output.is_empty() {
            let n = ready!(stream.poll_write(cx, output))?;
            if n == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.unflushed = true;
            return Poll::Ready(Ok(n));
        }
        if self.unflushed {
            ready!(stream.poll_flush(cx))?;
            self.unflushed = false;
        }
        Poll::Ready(Ok(0))
    }

    /// Tells the peer that nothing more comes. Errors do not matter any more.
    pub(crate) async fn shutdown(&mut self) {
        let _ = poll_fn(|cx| Pin::new(&mut self.stream).poll_shutdown(cx)).await;
    }

    /// Tells the peer that nothing more comes, and waits until it does so, too, or `peer_is_done` already. To close a
    /// socket that has bytes unread makes the system forget bytes that the peer has not received.
    pub(crate) async fn close(&mut self, peer_is_done: bool) {
        self.shutdown().await;
        if peer_is_done {
            return;
        }
        let all = async {
            let mut rest = [0; 1024];
            while let Ok(1..) = self.stream.read(&mut rest).await {}
        };
        let _ = timeout(LINGER, all).await;
    }
}

/// How long a peer has to close its side after the other.
const LINGER: Duration = Duration::from_secs(1);
