//! The socket under a WebSocket: TCP, plain or with TLS, without waiting and without buffers.

use std::io::{self, IoSlice, Read as _, Write as _};
use std::net::Shutdown;
use std::sync::Arc;
use std::task::{Context, Poll};

use socket2::SockRef;
use tokio::net::TcpStream;
use tokio_rustls::rustls::ServerConnection;
use tokio_rustls::server::TlsStream;

/// Ciphertext that may wait for the socket; what is beyond stays in the connection's queue.
const TLS_BUFFER: usize = 64 * 1024;

/// A connected socket.
#[derive(Debug)]
pub struct Socket {
    stream: Arc<TcpStream>,
    tls: Option<Box<Tls>>,
}

#[derive(Debug)]
struct Tls {
    session: ServerConnection,
    /// Decrypted bytes may wait, of which the socket knows nothing.
    may_hold_input: bool,
}

impl From<TcpStream> for Socket {
    fn from(stream: TcpStream) -> Self {
        Self {
            stream: Arc::new(stream),
            tls: None,
        }
    }
}

impl From<TlsStream<TcpStream>> for Socket {
    fn from(stream: TlsStream<TcpStream>) -> Self {
        let (stream, mut session) = stream.into_inner();
        session.set_buffer_limit(Some(TLS_BUFFER));
        let tls = Tls {
            session,
            may_hold_input: true,
        };
        Self {
            stream: Arc::new(stream),
            tls: Some(Box::new(tls)),
        }
    }
}

impl Socket {
    /// The socket for others who write to it, which is not possible with TLS.
    pub(super) fn plain(&self) -> Option<Arc<TcpStream>> {
        self.tls.is_none().then(|| Arc::clone(&self.stream))
    }

    /// Waits until [`try_read`](Self::try_read) is worth a try.
    pub(super) fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &self.tls {
            Some(tls) if tls.may_hold_input => Poll::Ready(Ok(())),
            _ => self.stream.poll_read_ready(cx),
        }
    }

    /// Waits until [`try_write`](Self::try_write) or [`try_flush`](Self::try_flush) is.
    pub(super) fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.poll_write_ready(cx)
    }

    /// Reads what is there. 0 is the end.
    pub(super) fn try_read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.tls {
            None => self.stream.try_read(buffer),
            Some(tls) => tls.try_read(&self.stream, buffer),
        }
    }

    /// Writes as much as is taken.
    pub(super) fn try_write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.tls {
            None => self.stream.try_write(bytes),
            Some(tls) => tls.try_write(&self.stream, bytes),
        }
    }

    /// Whether something that was written waits here.
    pub(super) fn is_pending(&self) -> bool {
        let tls = self.tls.as_ref();
        tls.is_some_and(|tls| tls.session.wants_write())
    }

    /// Writes what waits here, as much as is taken.
    pub(super) fn try_flush(&mut self) -> io::Result<()> {
        match &mut self.tls {
            None => Ok(()),
            Some(tls) => tls.try_flush(&self.stream),
        }
    }

    /// Says that nothing more will be written.
    pub(super) async fn shutdown(&mut self) -> io::Result<()> {
        if let Some(tls) = &mut self.tls {
            tls.session.send_close_notify();
            while tls.session.wants_write() {
                tls.try_flush(&self.stream)?;
                if tls.session.wants_write() {
                    self.stream.writable().await?;
                }
            }
        }
        SockRef::from(&*self.stream).shutdown(Shutdown::Write)
    }
}

impl Tls {
    fn try_read(&mut self, stream: &TcpStream, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.session.reader().read(buffer) {
                Ok(count) => {
                    self.may_hold_input = count == buffer.len();
                    return Ok(count);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                // Closed without saying so.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(0),
                Err(error) => return Err(error),
            }
            self.may_hold_input = false;
            self.session.read_tls(&mut Raw(stream))?;
            let processed = self.session.process_new_packets();
            // Also the alert that says what was wrong.
            self.try_flush(stream)?;
            processed.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        }
    }

    fn try_write(&mut self, stream: &TcpStream, bytes: &[u8]) -> io::Result<usize> {
        self.try_flush(stream)?;
        let count = self.session.writer().write(bytes)?;
        if count == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        self.try_flush(stream)?;
        Ok(count)
    }

    fn try_flush(&mut self, stream: &TcpStream) -> io::Result<()> {
        while self.session.wants_write() {
            match self.session.write_tls(&mut Raw(stream)) {
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// The TCP socket as rustls uses it.
struct Raw<'a>(&'a TcpStream);

impl io::Read for Raw<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.try_read(buffer)
    }
}

impl io::Write for Raw<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.try_write(bytes)
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.try_write_vectored(slices)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
