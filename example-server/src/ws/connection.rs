//! One WebSocket connection on its socket: a task that reads, answers and writes.
//!
//! A turn reads what the socket has, handles every complete message in order and then writes all
//! answers, together with what others queued meanwhile, in one system call. Between turns the task
//! holds no buffer.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::close::CloseCode;
use super::message::{Assembler, Event, Message};
use super::outbox::{Outbox, Writing};
use super::scratch::Scratch;
use crate::component::fd_store::Fd;
use crate::message::{Answer, MessageHandler};

/// How long a closing peer has to read what is queued and to close its side.
pub const CLOSE_TIMEOUT: Duration = Duration::from_secs(3);
/// No more input is read while this much output is unwritten: TCP then slows the peer down, and a
/// peer that never reads cannot make the server work for it.
const READ_PAUSE: usize = 64 * 1024;

/// What a connection may do.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The largest message in bytes.
    pub max_message: usize,
    /// Answers that are being worked on in the background, for example by an RPC.
    pub max_pending: usize,
}

/// A WebSocket connection after its handshake.
pub struct Connection {
    fd: Fd,
    stream: TcpStream,
    outbox: Arc<Outbox>,
    writing: Writing,
    assembler: Assembler,
    handler: Arc<dyn MessageHandler>,
    pending: JoinSet<Message>,
    max_pending: usize,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection")
            .field("fd", &self.fd)
            .finish_non_exhaustive()
    }
}

/// How the conversation ended.
#[derive(Debug, PartialEq, Eq)]
pub enum End {
    /// The peer closed; our close frame is its answer.
    PeerClosed,
    /// We close: the peer's answer is waited for.
    Closing,
    /// The peer broke the protocol: what else it sends cannot be read.
    Failed,
    /// The socket is gone.
    Gone,
}

impl Connection {
    /// A connection whose outgoing frames come from `outbox`.
    pub fn new(
        fd: Fd,
        stream: TcpStream,
        outbox: Arc<Outbox>,
        handler: Arc<dyn MessageHandler>,
        limits: Limits,
    ) -> Self {
        Self {
            fd,
            stream,
            outbox,
            writing: Writing::default(),
            assembler: Assembler::new(limits.max_message),
            handler,
            pending: JoinSet::new(),
            max_pending: limits.max_pending,
        }
    }

    /// Talks until one side closes. `early` are bytes that came together with the handshake.
    pub async fn run(&mut self, mut early: Vec<u8>) -> End {
        let mut next = self.handle_input(&mut early).await;
        drop(early);
        loop {
            if let Some(end) = next {
                return end;
            }
            if self.flush().is_err() {
                return End::Gone;
            }
            if self.outbox.is_closing() {
                return End::Closing;
            }
            let may_read = self.outbox.unwritten() < READ_PAUSE;
            next = tokio::select! {
                () = self.outbox.changed() => None,
                ready = self.stream.readable(), if may_read => match ready {
                    Ok(()) => self.read_turn().await,
                    Err(_) => Some(End::Gone),
                },
                ready = self.stream.writable(), if self.writing.is_pending() => {
                    ready.is_err().then_some(End::Gone)
                }
                Some(done) = self.pending.join_next() => {
                    let message = done.unwrap_or_else(|failure| {
                        tracing::error!(fd = %self.fd, %failure, "an answer failed");
                        Message::Text("Error: internal error".to_owned())
                    });
                    self.outbox.push(message.encode());
                    None
                }
            };
        }
    }

    /// Finishes the close handshake and the TCP connection, for at most [`CLOSE_TIMEOUT`].
    pub async fn finish(mut self, end: End) {
        self.pending.abort_all();
        if end != End::Gone {
            // Nothing is left to do for a peer that does not finish in time.
            let _ = tokio::time::timeout(CLOSE_TIMEOUT, self.close(end)).await;
        }
    }

    async fn close(&mut self, end: End) -> io::Result<()> {
        self.flush()?;
        while self.writing.is_pending() {
            self.stream.writable().await?;
            self.flush()?;
        }
        if end == End::Closing {
            self.await_close().await?;
        }
        self.stream.shutdown().await?;
        if end == End::Failed {
            // A socket closed with unread input is reset, which can destroy the close frame on its
            // way. Only a peer that did not close yet can have sent any.
            while self.read(|_| ()).await?.is_some() {}
        }
        Ok(())
    }

    /// Reads up to the peer's close frame; messages are not answered any more.
    async fn await_close(&mut self) -> io::Result<()> {
        let mut assembler = std::mem::replace(&mut self.assembler, Assembler::new(0));
        let mut has_close = |mut input: &mut [u8]| loop {
            match assembler.next_event(&mut input) {
                // What cannot be read any further contains no close frame either.
                Ok(Some(Event::Close(_))) | Err(_) => return true,
                Ok(Some(_)) => {}
                Ok(None) => return false,
            }
        };
        while self.read(&mut has_close).await? == Some(false) {}
        Ok(())
    }

    /// Waits for input and looks at it; `None` at the end of the stream.
    ///
    /// The buffer is taken when there is input: a server that goes down waits for many peers.
    async fn read<T>(&self, mut look: impl FnMut(&mut [u8]) -> T) -> io::Result<Option<T>> {
        loop {
            self.stream.readable().await?;
            let mut scratch = Scratch::take();
            match self.stream.try_read(&mut scratch) {
                Ok(0) => return Ok(None),
                Ok(count) => return Ok(Some(look(&mut scratch[..count]))),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Reads once and handles what came.
    async fn read_turn(&mut self) -> Option<End> {
        let mut scratch = Scratch::take();
        match self.stream.try_read(&mut scratch) {
            Ok(0) => Some(End::Gone),
            Ok(count) => self.handle_input(&mut scratch[..count]).await,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => None,
            Err(_) => Some(End::Gone),
        }
    }

    async fn handle_input(&mut self, mut input: &mut [u8]) -> Option<End> {
        loop {
            match self.assembler.next_event(&mut input) {
                Ok(Some(Event::Message(message))) => {
                    self.handle_message(message).await;
                    // One read can hold thousands of broadcasts; others have their turn in between.
                    tokio::task::consume_budget().await;
                }
                Ok(Some(Event::Ping(payload))) => self.outbox.push_pong(&payload),
                Ok(Some(Event::Pong)) => {}
                Ok(Some(Event::Close(code))) => {
                    self.outbox.close(code, "");
                    return Some(End::PeerClosed);
                }
                Ok(None) => return None,
                Err(violation) => {
                    tracing::info!(fd = %self.fd, %violation, "closed: it broke the protocol");
                    self.outbox
                        .close(Some(violation.close_code()), &violation.to_string());
                    return Some(End::Failed);
                }
            }
        }
    }

    async fn handle_message(&mut self, message: Message) {
        let answer = match self.handler.on_message(self.fd, message).await {
            Answer::Now(answer) => answer,
            Answer::Later(answer) if self.pending.len() < self.max_pending => {
                self.pending.spawn(answer);
                return;
            }
            Answer::Later(_) => Message::Text(format!(
                "Error: {} answers are pending on this connection, wait for one",
                self.max_pending
            )),
        };
        self.outbox.push(answer.encode());
    }

    /// Writes what is queued, as far as the socket takes it.
    fn flush(&mut self) -> io::Result<bool> {
        let stream = &self.stream;
        self.writing
            .flush(&self.outbox, |slices| stream.try_write_vectored(slices))
    }
}

/// Tells a peer that comes while the server goes down.
pub(crate) fn close_going_away(outbox: &Outbox) {
    outbox.close(Some(CloseCode::GOING_AWAY), "server is going away");
}
