//! The queue of frames to one connection: bounded in bytes, filled by anybody.
//!
//! Who writes: the connection's task what comes of its own turns, a [`Flusher`] what others say. When the socket
//! does not take everything, and always with TLS, whose state is the task's, it is the task.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use tokio::net::TcpStream;

use super::close::CloseCode;
use super::flusher::Flusher;
use super::frame;
pub use super::queue::cost_of_message;
use super::queue::{self, Kind, Queue};
use crate::services::SlowConsumer;

/// A connection's outgoing frames.
///
/// A frame counts, with what it costs to hold it, from the moment it is queued until the socket has
/// taken its last byte. A message that would exceed the limit shows that the peer reads slower than
/// it is written to; what becomes of it says the policy.
#[derive(Debug)]
pub struct Outbox {
    limit: usize,
    policy: SlowConsumer,
    flusher: Arc<Flusher>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    queue: Queue,
    /// Where the flusher writes.
    socket: Option<Arc<TcpStream>>,
    /// It is in the flusher's list.
    listed: bool,
    /// The socket did not take everything: the task waits for it.
    blocked: bool,
    /// A close frame is queued; nothing comes after it.
    closing: bool,
    /// It is time to look whether the peer lives.
    look: bool,
    /// Something came that the connection's task has not seen.
    changed: bool,
    /// The task, while it waits for that.
    waiting: Option<Waker>,
}

/// What a connection has to know for its next turn.
#[derive(Debug, Clone, Copy)]
pub(super) struct Turn {
    /// A close frame is queued.
    pub(super) closing: bool,
    /// Frames wait for the socket.
    pub(super) blocked: bool,
    /// So much is unwritten that the peer should not be read from: it would ask for more.
    pub(super) behind: bool,
    /// It is time to look whether the peer lives. It is said once.
    pub(super) look: bool,
}

/// No more input is read while this much output is unwritten: TCP then slows the peer down, and a
/// peer that never reads cannot make the server work for it.
const READ_PAUSE: usize = 64 * 1024;

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pushed {
    /// It is queued.
    Queued,
    /// The connection is closing and takes no more frames.
    Closing,
    /// So many messages were dropped, this one or older ones.
    Dropped(usize),
    /// It did not fit, and the connection is closed for it.
    Overflow,
}

impl Outbox {
    /// An empty queue of at most `limit` bytes.
    pub(crate) fn new(limit: usize, policy: SlowConsumer, flusher: Arc<Flusher>) -> Self {
        Self {
            limit,
            policy,
            flusher,
            state: Mutex::default(),
        }
    }

    /// Queues a message, or does with a peer that does not keep up what the policy says.
    pub fn push(self: &Arc<Self>, frame: Bytes) -> Pushed {
        let mut state = self.lock();
        if state.closing {
            return Pushed::Closing;
        }
        let mut pushed = Pushed::Queued;
        let cost = queue::cost(&frame);
        let fits = |queue: &Queue| queue.cost().saturating_add(cost) <= self.limit;
        if !fits(&state.queue) {
            pushed = match self.policy {
                SlowConsumer::DropNewest => return Pushed::Dropped(1),
                SlowConsumer::DropOldest => {
                    let allowed = self.limit.saturating_sub(cost);
                    let dropped = state.queue.drop_oldest(allowed);
                    if !fits(&state.queue) {
                        return Pushed::Dropped(dropped + 1);
                    }
                    Pushed::Dropped(dropped)
                }
                SlowConsumer::Close => {
                    // What waits was not read anyway. What is half written goes out first.
                    state.queue.clear();
                    state.close(Some(CloseCode::TRY_AGAIN_LATER), "slow consumer");
                    wake(state);
                    return Pushed::Overflow;
                }
            };
        }
        state.queue.push(frame, Kind::Message);
        if state.socket.is_none() {
            wake(state);
        } else if !state.blocked && !std::mem::replace(&mut state.listed, true) {
            drop(state);
            self.flusher.add(Arc::clone(self));
        }
        pushed
    }

    /// Queues an answer past the limit. A connection's messages are not answered while much is unwritten, so what can
    /// exceed it is one answer, the greetings it waits for, and what is short: pongs and refusals for one read.
    pub fn push_answer(&self, frame: Bytes) {
        let mut state = self.lock();
        if !state.closing {
            state.queue.push(frame, Kind::Answer);
            wake(state);
        }
    }

    /// Queues a pong, which is an answer.
    pub fn push_pong(&self, payload: &[u8]) {
        self.push_answer(frame::encode(frame::OpCode::Pong, payload));
    }

    /// Queues a ping.
    pub fn push_ping(&self) {
        self.push_answer(frame::encode(frame::OpCode::Ping, &[]));
    }

    /// Queues a close frame behind everything else. The first close wins.
    pub fn close(&self, code: Option<CloseCode>, reason: &str) {
        let mut state = self.lock();
        state.close(code, reason);
        wake(state);
    }

    /// Whether a close frame has been queued.
    pub fn is_closing(&self) -> bool {
        self.lock().closing
    }

    /// Whether frames wait for the socket.
    pub(super) fn is_blocked(&self) -> bool {
        self.lock().blocked
    }

    /// The cost of what is queued and not written yet.
    pub fn unwritten(&self) -> usize {
        self.lock().queue.cost()
    }

    /// Makes the connection look whether its peer lives.
    ///
    /// Not a timer of the connection: that would be asked in each of its turns.
    pub fn look_for_life(&self) {
        let mut state = self.lock();
        state.look = true;
        wake(state);
    }

    /// What the next turn has to know.
    pub(super) fn turn(&self) -> Turn {
        let mut state = self.lock();
        Turn {
            closing: state.closing,
            blocked: state.blocked,
            behind: self.has_too_much(&state),
            look: std::mem::take(&mut state.look),
        }
    }

    /// [`Turn::behind`].
    pub(super) fn is_behind(&self) -> bool {
        self.has_too_much(&self.lock())
    }

    fn has_too_much(&self, state: &State) -> bool {
        // Where messages may be dropped, they keep nobody from asking.
        let unwritten = match self.policy {
            SlowConsumer::Close => state.queue.cost(),
            SlowConsumer::DropNewest | SlowConsumer::DropOldest => state.queue.cost_of_answers(),
        };
        unwritten >= READ_PAUSE
    }

    /// Ready when something came since it was last ready, or everything was last written; else the
    /// task is woken when something comes.
    pub(super) fn poll_changed(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.lock();
        if std::mem::take(&mut state.changed) {
            return Poll::Ready(());
        }
        match &mut state.waiting {
            Some(waiting) => waiting.clone_from(cx.waker()),
            none => *none = Some(cx.waker().clone()),
        }
        Poll::Pending
    }

    /// From now on others may write to the socket what is queued by [`push`](Self::push).
    pub(super) fn attach(&self, socket: Arc<TcpStream>) {
        self.lock().socket = Some(socket);
    }

    /// Nobody but the task has the socket any more: it closes when the task drops it.
    pub(super) fn detach(&self) {
        self.lock().socket = None;
    }

    /// Writes until nothing is queued or `write` would block. Says whether a peer that was behind took something.
    pub(super) fn flush(
        &self,
        mut write: impl FnMut(&[u8]) -> io::Result<usize>,
    ) -> io::Result<bool> {
        let mut was_blocked = false;
        let mut wrote = false;
        loop {
            // Who queues something waits for one write at most.
            let mut state = self.lock();
            state.changed = false;
            was_blocked |= std::mem::take(&mut state.blocked);
            if state.queue.is_empty() {
                return Ok(was_blocked && wrote);
            }
            match state.queue.write(&mut write) {
                Ok(()) if state.queue.is_empty() => return Ok(was_blocked),
                Ok(()) => wrote = true,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    state.blocked = true;
                    return Ok(was_blocked && wrote);
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// What the flusher does with an outbox of its list: writes until nothing is queued, and says how much it was.
    /// What the socket does not take, and why it takes nothing at all, is the task's business.
    pub(super) fn flush_listed(&self) -> usize {
        let mut written = 0;
        loop {
            let mut state = self.lock();
            state.listed = false;
            let State {
                queue,
                socket: Some(socket),
                blocked: false,
                ..
            } = &mut *state
            else {
                return written;
            };
            if queue.is_empty() {
                return written;
            }
            let before = queue.cost();
            match queue.write(|bytes| socket.try_write(bytes)) {
                Ok(()) => {
                    written += before - queue.cost();
                    if queue.is_empty() {
                        return written;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => {
                    state.blocked = true;
                    wake(state);
                    return written;
                }
            }
        }
    }

    /// A panic elsewhere leaves the queue whole: every change of it is complete before it unlocks.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Wakes the connection's task, once for all that comes until it waits again.
fn wake(mut state: MutexGuard<'_, State>) {
    state.changed = true;
    let waiting = state.waiting.take();
    drop(state);
    if let Some(task) = waiting {
        task.wake();
    }
}

impl State {
    fn close(&mut self, code: Option<CloseCode>, reason: &str) {
        if !self.closing {
            self.closing = true;
            self.queue
                .push(frame::encode_close(code, reason), Kind::Answer);
        }
    }
}

#[cfg(test)]
#[path = "outbox_tests.rs"]
mod tests;
