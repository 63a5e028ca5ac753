//! What handlers and the application leave for the task of a connection.

use std::{
    collections::{BTreeMap, VecDeque, btree_map::Entry},
    future::poll_fn,
    mem,
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering, fence},
    },
    task::{Poll, Waker},
};

use bytes::Bytes;
use tokio::sync::Notify;

use super::{PushError, Reply, adapter::Shared, load::Charge};
use crate::{
    Result,
    protocol::server::{Extras, ReplyTo},
};

/// One for each connection, and one for each UDP socket. Its task looks here only while somebody else holds it, so
/// that requests that need none of this pay nothing.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) shared: Arc<Shared>,
    pub(super) id: u64,
    /// The serial number of the request whose handler is polled by the connection's task just now, times two, and one
    /// more if it has a note. Spares the lock, and requests an entry in the table.
    current: AtomicU64,
    state: Mutex<State>,
    /// Something was left, and the task has not looked since.
    fresh: AtomicBool,
    ending: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// By the serial number of the request: those whose handler is a task or has left a note, and those that a
    /// responder answers.
    notes: BTreeMap<u64, Note>,
    mail: VecDeque<Mail>,
    /// Bytes of the pushes among them.
    pushed: usize,
    waker: Option<Waker>,
    close: bool,
    /// The connection ends as soon as its requests are answered.
    ending: bool,
    ended: bool,
}

/// What a handler says beside its result.
#[derive(Debug, Default)]
struct Note {
    extras: Extras,
    later: Later,
}

/// Who answers a request.
#[derive(Debug, Default)]
enum Later {
    /// The handler, by its result.
    #[default]
    No,
    /// A responder. The handler has not ended.
    Deferred,
    /// A responder. What the request uses is used until it does.
    Waiting { _charge: Charge },
    /// A responder has. The handler has not ended.
    Answered,
}

/// Who answers a request whose handler has ended.
#[derive(Debug)]
pub(super) enum Answerer {
    /// The handler, with its result and mostly nothing beside.
    Handler(Option<Box<Extras>>),
    Responder,
}

/// Something to send.
#[derive(Debug)]
pub(super) enum Mail {
    Answer(Late),
    Push { to: SocketAddr, frame: Bytes },
}

/// An answer of a responder.
#[derive(Debug)]
pub(super) struct Late {
    pub(super) peer: SocketAddr,
    pub(super) to: ReplyTo,
    pub(super) result: Result<Reply>,
    pub(super) extras: Extras,
}

static NEXT_ID: AtomicU64 = AtomicU64::new(1);

impl Link {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
            current: AtomicU64::new(0),
            state: Mutex::default(),
            fresh: AtomicBool::new(false),
            ending: Notify::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes a note about a request; `None` if it has ended, so that nobody would read it.
    fn note<T>(&self, serial: u64, write: impl FnOnce(&mut Note) -> T) -> Option<T> {
        let mut state = self.state();
        if !state.notes.contains_key(&serial) {
            let (was, noted) = (serial << 1, serial << 1 | 1);
            self.current
                .compare_exchange(was, noted, Ordering::AcqRel, Ordering::Acquire)
                .ok()?;
        }
        Some(write(state.notes.entry(serial).or_default()))
    }

    /// Adds to the answer of a request.
    pub(super) fn add(&self, serial: u64, write: impl FnOnce(&mut Extras)) {
        // To the answer of a request that has ended nothing can be added.
        let _ = self.note(serial, |note| write(&mut note.extras));
    }

    /// Leaves the answer of a request to a responder. False if it has one already, or is answered.
    pub(super) fn defer(&self, serial: u64) -> bool {
        let deferred = self.note(serial, |note| {
            let first = matches!(note.later, Later::No);
            if first {
                note.later = Later::Deferred;
            }
            first
        });
        deferred.unwrap_or(false)
    }

    /// Takes the answer of a responder; once for each request that was deferred. Gives it back if nobody can be told
    /// any more.
    pub(super) fn answer(
        &self,
        serial: u64,
        peer: SocketAddr,
        to: ReplyTo,
        result: Result<Reply>,
    ) -> Option<Late> {
        let mut state = self.state();
        let extras = match state.notes.get_mut(&serial) {
            Some(note) if matches!(note.later, Later::Deferred) => {
                note.later = Later::Answered;
                mem::take(&mut note.extras)
            }
            _ => state.notes.remove(&serial).unwrap_or_default().extras,
        };
        let late = Late {
            peer,
            to,
            result,
            extras,
        };
        if state.ended {
            return Some(late);
        }
        state.mail.push_back(Mail::Answer(late));
        self.wake(state);
        None
    }

    /// Takes a frame to send.
    pub(super) fn push(&self, to: SocketAddr, frame: Bytes) -> Result<(), PushError> {
        let max = self.shared.limits.max_unsent;
        let mut state = self.state();
        if state.ended {
            return Err(PushError::Gone);
        }
        if state.pushed >= max {
            return Err(PushError::Full(max));
        }
        state.pushed += frame.len();
        state.mail.push_back(Mail::Push { to, frame });
        self.wake(state);
        Ok(())
    }

    /// Asks the task to close the connection.
    pub(super) fn close(&self) {
        let mut state = self.state();
        state.close = true;
        self.wake(state);
    }

    fn wake(&self, mut state: MutexGuard<'_, State>) {
        self.fresh.store(true, Ordering::Release);
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    pub(super) fn has_ended(&self) -> bool {
        self.state().ended
    }

    /// Whether the connection is closed, or ends as soon as its requests are answered.
    pub(super) fn is_ending(&self) -> bool {
        self.state().ending
    }

    /// Waits until [`is_ending`](Self::is_ending): the handlers of those requests may be what waits here.
    pub(super) async fn ending(&self) {
        let notified = self.ending.notified();
        tokio::pin!(notified);
        notified.as_mut().enable();
        if !self.state().ending {
            notified.await;
        }
    }
}

/// The side of the connection's task.
impl Link {
    /// The handler of a request is about to be polled by this task.
    pub(super) fn begin(&self, serial: u64) {
        self.current.store(serial << 1, Ordering::Release);
    }

    /// It has to wait, and becomes a task.
    pub(super) fn suspend(&self, serial: u64) {
        let mut state = self.state();
        state.notes.entry(serial).or_default();
        self.current.store(0, Ordering::Release);
    }

    /// It has ended without a wait: who answers?
    pub(super) fn ended_at_once(&self, serial: u64, charge: impl FnOnce() -> Charge) -> Answerer {
        if self.current.swap(0, Ordering::AcqRel) & 1 == 0 {
            return Answerer::Handler(None);
        }
        self.ended_late(serial, charge)
    }

    /// It has ended as a task: who answers?
    pub(super) fn ended_late(&self, serial: u64, charge: impl FnOnce() -> Charge) -> Answerer {
        let mut state = self.state();
        let Entry::Occupied(mut note) = state.notes.entry(serial) else {
            return Answerer::Handler(None);
        };
        match note.get().later {
            Later::No => Answerer::Handler(Some(Box::new(note.remove().extras))),
            Later::Deferred => {
                note.get_mut().later = Later::Waiting { _charge: charge() };
                Answerer::Responder
            }
            Later::Answered => {
                note.remove();
                Answerer::Responder
            }
            Later::Waiting { .. } => Answerer::Responder,
        }
    }

    /// Whether anything is left here, or may be by others who hold this.
    pub(super) fn is_in_use(self: &Arc<Self>) -> bool {
        if Arc::strong_count(self) > 1 {
            return true;
        }
        // Who has let go may have left something just before.
        fence(Ordering::Acquire);
        self.fresh.load(Ordering::Relaxed)
    }

    /// Waits for mail, or to be asked to close.
    pub(super) async fn mail(&self) {
        poll_fn(|cx| {
            let mut state = self.state();
            if !state.mail.is_empty() || state.close {
                return Poll::Ready(());
            }
            self.fresh.store(false, Ordering::Release);
            match &mut state.waker {
                Some(waker) => waker.clone_from(cx.waker()),
                none => *none = Some(cx.waker().clone()),
            }
            Poll::Pending
        })
        .await;
    }

    pub(super) fn take_mail(&self) -> Option<Mail> {
        let mut state = self.state();
        let mail = state.mail.pop_front();
        if let Some(Mail::Push { frame, .. }) = &mail {
            state.pushed -= frame.len();
        }
        mail
    }

    /// Whether the application has asked to close the connection; said once.
    pub(super) fn take_close(&self) -> bool {
        mem::take(&mut self.state().close)
    }

    /// Whether no request waits for a responder, and there is no mail.
    pub(super) fn is_settled(&self) -> bool {
        let state = self.state();
        state.notes.is_empty() && state.mail.is_empty()
    }

    /// The connection ends as soon as its requests are answered.
    pub(super) fn begin_to_end(&self) {
        self.state().ending = true;
        self.ending.notify_waiters();
    }

    /// The connection is closed: nothing is taken any more. Gives the answers that are not sent.
    pub(super) fn end(&self) -> impl Iterator<Item = Late> + use<> {
        let mut state = self.state();
        state.ended = true;
        state.pushed = 0;
        let mail = mem::take(&mut state.mail);
        drop(state);
        self.begin_to_end();
        mail.into_iter().filter_map(|mail| match mail {
            Mail::Answer(late) => Some(late),
            Mail::Push { .. } => None,
        })
    }
}
