//! What callers leave for the owner of a connection.

use std::{
    collections::VecDeque,
    mem,
    sync::{Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use super::{Outcome, Submission};
use crate::{Full, client::slot::GivenUp};

/// Calls that are taken at once, to be written at once.
const BATCH: usize = 1024;

/// Memory for so many calls is kept.
const FEW: usize = 8;

/// Calls on their way to the owner, within bounds.
///
/// One lock, held for a few instructions, and one wake for all calls that come before the owner looks: cheaper than a
/// channel, which has each of its senders touch several words that the others touch as well.
#[derive(Debug)]
pub(super) struct Inbox {
    state: Mutex<State>,
    max_calls: usize,
    max_bytes: usize,
}

#[derive(Debug, Default)]
struct State {
    batch: Batch,
    /// Of the bodies of the calls.
    bytes: usize,
    /// Of the owner, while it waits.
    waker: Option<Waker>,
    callers_gone: bool,
    owner_gone: bool,
}

/// What an owner has taken.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) calls: VecDeque<Submission>,
    /// Calls of earlier batches, or of this one.
    pub(super) given_up: Vec<GivenUp<Outcome>>,
}

/// Why a call is not taken.
#[derive(Debug)]
pub(super) enum Refusal {
    Full(Full),
    /// There is no owner any more.
    Gone,
}

impl Inbox {
    pub(super) fn new(max_calls: usize, max_bytes: usize) -> Self {
        Self {
            state: Mutex::default(),
            max_calls: max_calls.max(1),
            max_bytes,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Leaves a call. Alone, one may have more bytes than the limit.
    pub(super) fn submit(&self, submission: Submission) -> Result<(), Refusal> {
        let len = submission.body.len();
        let mut state = self.lock();
        if state.owner_gone {
            return Err(Refusal::Gone);
        }
        if state.batch.calls.len() >= self.max_calls {
            return Err(Refusal::Full(Full::Queue(self.max_calls)));
        }
        let bytes = state.bytes.saturating_add(len);
        if state.bytes > 0 && bytes > self.max_bytes {
            return Err(Refusal::Full(Full::Bytes(self.max_bytes)));
        }
        state.bytes = bytes;
        state.batch.calls.push_back(submission);
        wake(state);
        Ok(())
    }

    /// Tells the owner of a call that nobody waits for any more.
    pub(super) fn give_up(&self, call: GivenUp<Outcome>) {
        let mut state = self.lock();
        if !state.owner_gone {
            state.batch.given_up.push(call);
            wake(state);
        }
    }

    /// There are no callers any more.
    pub(super) fn callers_gone(&self) {
        let mut state = self.lock();
        state.callers_gone = true;
        wake(state);
    }

    /// The owner is gone, and whatever waits for it ends.
    pub(super) fn owner_gone(&self) {
        let mut state = self.lock();
        state.owner_gone = true;
        let rest = mem::take(&mut state.batch);
        drop(state);
        drop(rest); // wakes callers
    }

    /// Takes what is there. False if there are no callers, and never will be.
    pub(super) fn poll_take(&self, cx: &mut Context<'_>, batch: &mut Batch) -> Poll<bool> {
        let mut state = self.lock();
        state.take(batch);
        if !batch.is_empty() {
            return Poll::Ready(true);
        }
        if state.callers_gone {
            return Poll::Ready(false);
        }
        match &mut state.waker {
            Some(waker) => waker.clone_from(cx.waker()),
            none => *none = Some(cx.waker().clone()),
        }
        Poll::Pending
    }

    /// Takes what has come since.
    pub(super) fn take_more(&self, batch: &mut Batch) {
        self.lock().take(batch);
    }
}

/// Wakes the owner if it waits.
fn wake(mut state: MutexGuard<'_, State>) {
    let waker = state.waker.take();
    drop(state);
    if let Some(waker) = waker {
        waker.wake();
    }
}

impl State {
    fn take(&mut self, batch: &mut Batch) {
        if batch.given_up.is_empty() {
            mem::swap(&mut batch.given_up, &mut self.batch.given_up);
        } else {
            batch.given_up.append(&mut self.batch.given_up);
        }
        if self.batch.calls.is_empty() {
            return;
        }
        if batch.calls.is_empty() && self.batch.calls.len() <= BATCH {
            mem::swap(&mut batch.calls, &mut self.batch.calls);
            self.bytes = 0;
            let capacity = self.batch.calls.capacity();
            if capacity > FEW && batch.calls.len() < capacity / 8 {
                // A burst is over, and an idle connection shall be small again.
                self.batch.calls.shrink_to(capacity / 2);
            }
            return;
        }
        let n = BATCH.saturating_sub(batch.calls.len());
        let n = n.min(self.batch.calls.len());
        for call in self.batch.calls.drain(..n) {
            self.bytes = self.bytes.saturating_sub(call.body.len());
            batch.calls.push_back(call);
        }
    }
}

impl Batch {
    fn is_empty(&self) -> bool {
        self.calls.is_empty() && self.given_up.is_empty()
    }

    /// To be called when all of it is done: what a burst took goes back.
    pub(super) fn shrink(&mut self) {
        self.calls.shrink_to(BATCH);
        self.given_up.shrink_to(BATCH);
    }
}
