//! Datagrams as a stream of frames.

use std::{
    io,
    ops::Range,
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::UdpSocket,
};

/// The most bytes that a UDP datagram over IPv4 has.
pub(crate) const MAX_DATAGRAM: usize = 65_507;

/// A connected UDP socket. Each write sends the first frame of the bytes, which begin with a whole one; what is read
/// is whole frames. Datagrams that are no frame are dropped.
#[derive(Debug)]
pub(crate) struct DatagramStream {
    socket: UdpSocket,
    datagram: Box<[u8]>,
    /// What of it has not been read.
    unread: Range<usize>,
}

impl DatagramStream {
    pub(crate) fn new(socket: UdpSocket) -> Self {
        Self {
            socket,
            datagram: vec![0; MAX_DATAGRAM + 1].into(),
            unread: 0..0,
        }
    }
}

/// The length of the frame with which the bytes begin.
fn frame_len(bytes: &[u8]) -> Option<usize> {
    let len = u32::from_be_bytes(*bytes.first_chunk()?);
    usize::try_from(len).ok()
}

impl AsyncRead for DatagramStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        while this.unread.is_empty() {
            let mut datagram = ReadBuf::new(&mut this.datagram);
            ready!(this.socket.poll_recv(cx, &mut datagram))?;
            let bytes = datagram.filled();
            if frame_len(bytes) == Some(bytes.len()) {
                this.unread = 0..bytes.len();
            }
        }
        let n = buf.remaining().min(this.unread.len());
        let next = this.unread.start..this.unread.start + n;
        buf.put_slice(this.datagram.get(next).unwrap_or_default());
        this.unread.start += n;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for DatagramStream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let frame = frame_len(bytes).and_then(|len| bytes.get(..len));
        let Some(frame) = frame.filter(|frame| frame.len() <= MAX_DATAGRAM) else {
            let text = format!("not a frame that fits into a datagram of {MAX_DATAGRAM} bytes");
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidInput, text)));
        };
        self.socket.poll_send(cx, frame)
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
