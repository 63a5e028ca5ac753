//! One WebSocket connection on its socket: a task that reads, answers and writes.
//!
//! A turn reads what the socket has, handles every complete message in order and then writes all
//! answers, together with what others queued meanwhile, in one system call. Between turns the task
//! holds no buffer.

use std::collections::VecDeque;
use std::future::{Future as _, poll_fn};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::task::coop;
use tokio_util::task::AbortOnDropHandle;

use super::close::CloseCode;
use super::message::{Assembler, Event, Message};
use super::outbox::{Outbox, Turn};
use super::rate::{Bucket, Rate, Verdict};
use super::scratch::Scratch;
use super::socket::Socket;
use crate::component::fd_store::Fd;
use crate::message::{Answer, MessageHandler};
use crate::metrics::Metrics;

/// How long a closing peer has to read what is queued and to close its side.
pub const CLOSE_TIMEOUT: Duration = Duration::from_secs(3);

/// What a connection may do.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The largest message in bytes.
    pub max_message: usize,
    /// Answers that are being worked on in the background, for example by an RPC.
    pub max_pending: usize,
    /// How often it may send.
    pub rate: Rate,
    /// How often it is made to look for life, and silence after which it sends a ping.
    pub ping_interval: Duration,
    /// Silence after which it is closed.
    pub idle_timeout: Duration,
}

impl From<&crate::services::Limits> for Limits {
    fn from(limits: &crate::services::Limits) -> Self {
        Self {
            max_message: limits.max_message_size,
            max_pending: limits.max_pending_answers,
            rate: Rate {
                per_second: limits.messages_per_second,
                max_refusals: limits.max_refusals,
            },
            ping_interval: Duration::from_millis(limits.ping_interval_ms),
            idle_timeout: Duration::from_millis(limits.idle_timeout_ms),
        }
    }
}

/// What all connections share.
pub struct Shared {
    /// What they may do.
    pub limits: Limits,
    /// Who answers their messages.
    pub handler: Arc<dyn MessageHandler>,
    /// Where it is counted what happens to them.
    pub metrics: Arc<Metrics>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared")
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

/// A WebSocket connection after its handshake.
pub struct Connection {
    fd: Fd,
    socket: Socket,
    outbox: Arc<Outbox>,
    assembler: Assembler,
    shared: Arc<Shared>,
    /// Answers that are being worked on, in the order in which they will be sent.
    pending: VecDeque<AbortOnDropHandle<Message>>,
    bucket: Bucket,
    /// Something came, or a peer that was behind took something, since `silence` was last looked at.
    heard: bool,
    silence: Duration,
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

/// Why a task that waited goes on.
struct Woken {
    /// The socket has input, or its end.
    readable: bool,
}

impl Connection {
    /// A connection whose outgoing frames come from `outbox`.
    pub fn new(fd: Fd, socket: Socket, outbox: Arc<Outbox>, shared: Arc<Shared>) -> Self {
        if let Some(socket) = socket.plain() {
            outbox.attach(socket);
        }
        Self {
            fd,
            socket,
            outbox,
            assembler: Assembler::new(shared.limits.max_message),
            pending: VecDeque::new(),
            bucket: Bucket::new(shared.limits.rate),
            heard: true,
            silence: Duration::ZERO,
            shared,
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
            let turn = self.outbox.turn();
            if turn.closing {
                return End::Closing;
            }
            if turn.look {
                self.look_for_life();
                continue;
            }
            next = match poll_fn(|cx| self.poll_woken(cx, turn)).await {
                Ok(Woken { readable: true }) => self.read_turn().await,
                Ok(Woken { readable: false }) => None,
                Err(_) => Some(End::Gone),
            };
        }
    }

    /// Ready when there is something to do: to write what came into the outbox or what the socket
    /// takes again, or to read from a peer that is not behind. Answers that are there go into the outbox.
    ///
    /// All of them are asked in each turn, so that none can starve another.
    fn poll_woken(&mut self, cx: &mut Context<'_>, turn: Turn) -> Poll<io::Result<Woken>> {
        // A peer and a room that never pause would keep the thread from all others.
        let budget = ready!(coop::poll_proceed(cx));
        while let Poll::Ready(answer) = poll_first(&mut self.pending, cx) {
            self.outbox.push_answer(answer.encode());
        }
        let mut writable = false;
        if (turn.blocked || self.socket.is_pending())
            && let Poll::Ready(ready) = self.socket.poll_writable(cx)
        {
            ready?;
            writable = true;
        }
        let mut readable = false;
        if !turn.behind
            && let Poll::Ready(ready) = self.socket.poll_readable(cx)
        {
            ready?;
            readable = true;
        }
        if self.outbox.poll_changed(cx).is_ready() || readable || writable {
            budget.made_progress();
            Poll::Ready(Ok(Woken { readable }))
        } else {
            Poll::Pending
        }
    }

    /// Pings a silent peer, closes one that stays silent.
    fn look_for_life(&mut self) {
        let Limits {
            ping_interval,
            idle_timeout,
            ..
        } = self.shared.limits;
        if std::mem::take(&mut self.heard) {
            self.silence = Duration::ZERO;
            return;
        }
        self.silence += ping_interval;
        if self.silence >= idle_timeout {
            self.shared.metrics.idle_closed.inc();
            tracing::info!(fd = %self.fd, "closed: no sign of life");
            self.outbox
                .close(Some(CloseCode::INTERNAL_ERROR), "no sign of life");
        } else {
            self.outbox.push_ping();
        }
    }

    /// Finishes the close handshake and the TCP connection, for at most [`CLOSE_TIMEOUT`].
    pub async fn finish(mut self, end: End) {
        self.pending.clear();
        if end != End::Gone {
            // Nothing is left to do for a peer that does not finish in time.
            let _ = tokio::time::timeout(CLOSE_TIMEOUT, self.close(end)).await;
        }
    }

    async fn close(&mut self, end: End) -> io::Result<()> {
        self.flush()?;
        while self.outbox.is_blocked() || self.socket.is_pending() {
            poll_fn(|cx| self.socket.poll_writable(cx)).await?;
            self.flush()?;
        }
        if end == End::Closing {
            self.await_close().await?;
        }
        self.socket.shutdown().await?;
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
    async fn read<T>(&mut self, mut look: impl FnMut(&mut [u8]) -> T) -> io::Result<Option<T>> {
        loop {
            poll_fn(|cx| self.socket.poll_readable(cx)).await?;
            let mut scratch = Scratch::take();
            match self.socket.try_read(&mut scratch) {
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
        match self.socket.try_read(&mut scratch) {
            Ok(0) => Some(End::Gone),
            Ok(count) => {
                self.heard = true;
                self.handle_input(&mut scratch[..count]).await
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => None,
            Err(_) => Some(End::Gone),
        }
    }

    async fn handle_input(&mut self, mut input: &mut [u8]) -> Option<End> {
        loop {
            match self.assembler.next_event(&mut input) {
                Ok(Some(Event::Message(message))) => {
                    match self.bucket.take(self.shared.limits.rate) {
                        Verdict::Pass => {
                            if let Some(end) = self.handle_message(message).await {
                                return Some(end);
                            }
                        }
                        Verdict::Refuse => self.refuse_message(),
                        Verdict::Close => return Some(self.close_flood()),
                    }
                    // One read can hold thousands of broadcasts; others have their turn in between.
                    tokio::task::consume_budget().await;
                }
                Ok(Some(Event::Ping(payload))) => match self.bucket.take(self.shared.limits.rate) {
                    Verdict::Pass => self.outbox.push_pong(&payload),
                    Verdict::Refuse => {
                        self.shared.metrics.rate_limited.inc();
                    }
                    Verdict::Close => return Some(self.close_flood()),
                },
                Ok(Some(Event::Pong)) => {}
                Ok(Some(Event::Close(code))) => {
                    self.outbox.close(code, "");
                    return Some(End::PeerClosed);
                }
                Ok(None) => return None,
                Err(violation) => {
                    self.shared.metrics.violations.inc();
                    tracing::info!(fd = %self.fd, %violation, "closed: it broke the protocol");
                    self.outbox
                        .close(Some(violation.close_code()), &violation.to_string());
                    return Some(End::Failed);
                }
            }
        }
    }

    fn refuse_message(&self) {
        self.shared.metrics.rate_limited.inc();
        let refusal = Message::Text(format!(
            "Error: too many messages, at most {} a second",
            self.shared.limits.rate.per_second
        ));
        self.outbox.push_answer(refusal.encode());
    }

    fn close_flood(&self) -> End {
        self.shared.metrics.rate_limit_closed.inc();
        tracing::info!(fd = %self.fd, "closed: it went on sending too many messages");
        self.outbox
            .close(Some(CloseCode::POLICY_VIOLATION), "too many messages");
        End::Failed
    }

    async fn handle_message(&mut self, message: Message) -> Option<End> {
        match self.shared.handler.on_message(self.fd, message).await {
            Answer::Now(answer) => {
                self.outbox.push_answer(answer.encode());
                return self.wait_while_behind().await;
            }
            Answer::Later(answer) => {
                while self.pending.len() >= self.shared.limits.max_pending {
                    if let Some(end) = self.wait_for_an_answer().await {
                        return Some(end);
                    }
                }
                let answer = AbortOnDropHandle::new(tokio::spawn(answer));
                self.pending.push_back(answer);
            }
        }
        None
    }

    /// Waits until the peer has taken what it asked for: one read can ask for thousands of long answers.
    async fn wait_while_behind(&mut self) -> Option<End> {
        while self.outbox.is_behind() {
            if self.flush().is_err() {
                return Some(End::Gone);
            }
            // With all written there would be nothing to wait for.
            if self.outbox.is_behind()
                && let Some(end) = self.wait_for_an_answer().await
            {
                return Some(end);
            }
        }
        None
    }

    /// Waits until something happened, an answer perhaps; meanwhile nothing is read.
    async fn wait_for_an_answer(&mut self) -> Option<End> {
        if self.flush().is_err() {
            return Some(End::Gone);
        }
        let turn = self.outbox.turn();
        if turn.closing {
            return Some(End::Closing);
        }
        if turn.look {
            self.look_for_life();
            return None;
        }
        let turn = Turn {
            behind: true,
            ..turn
        };
        let woken = poll_fn(|cx| self.poll_woken(cx, turn)).await;
        woken.is_err().then_some(End::Gone)
    }

    /// Writes what is queued, as far as the socket takes it.
    fn flush(&mut self) -> io::Result<()> {
        let socket = &mut self.socket;
        socket.try_flush()?;
        self.heard |= self.outbox.flush(|bytes| socket.try_write(bytes))?;
        Ok(())
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.outbox.detach();
    }
}

/// The first of the answers that are being worked on, when it is there.
fn poll_first(
    pending: &mut VecDeque<AbortOnDropHandle<Message>>,
    cx: &mut Context<'_>,
) -> Poll<Message> {
    let Some(answer) = pending.front_mut() else {
        return Poll::Pending;
    };
    let answer = ready!(Pin::new(answer).poll(cx));
    pending.pop_front();
    if pending.is_empty() {
        // An idle connection holds nothing.
        *pending = VecDeque::new();
    }
    Poll::Ready(answer.unwrap_or_else(|failure| {
        tracing::error!(%failure, "an answer failed");
        Message::Text("Error: internal error".to_owned())
    }))
}

/// Tells a peer that comes while the server goes down.
pub(crate) fn close_going_away(outbox: &Outbox) {
    outbox.close(Some(CloseCode::GOING_AWAY), "server is going away");
}
