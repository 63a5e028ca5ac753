//! Where a caller waits for the end of its call, and the owner of the connection puts it.

use std::{
    future::Future,
    mem,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicI32, Ordering},
    },
    task::{Context, Poll, Waker},
};

/// Makes the two ends of a slot, for a caller that is woken so.
pub(crate) fn slot<T>(waker: &Waker) -> (Answerer<T>, Waiter<T>) {
    let slot = Arc::new(Slot {
        id: AtomicI32::new(NONE),
        abandoned: AtomicBool::new(false),
        state: Mutex::new(State::Waiting(waker.clone())),
    });
    let answerer = Answerer(Some(Arc::clone(&slot)));
    (answerer, Waiter(Some(slot)))
}

/// No call has this id.
const NONE: i32 = 0;

#[derive(Debug)]
struct Slot<T> {
    /// Under which id the connection knows the call. The owner alone writes and reads it.
    id: AtomicI32,
    /// The caller has gone.
    abandoned: AtomicBool,
    /// The lock is held for a few instructions by two tasks at most.
    state: Mutex<State<T>>,
}

#[derive(Debug)]
enum State<T> {
    Waiting(Waker),
    /// `None` if the other end was dropped without an answer, and after the answer was taken.
    Done(Option<T>),
}

impl<T> Slot<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn finish(&self, outcome: Option<T>) {
        self.id.store(NONE, Ordering::Relaxed);
        let before = mem::replace(&mut *self.lock(), State::Done(outcome));
        if let State::Waiting(waker) = before
            && !self.abandoned.load(Ordering::Relaxed)
        {
            waker.wake();
        }
    }
}

/// The owner's end. Dropping it ends the call as well, so a call cannot be forgotten.
#[derive(Debug)]
pub(crate) struct Answerer<T>(Option<Arc<Slot<T>>>);

impl<T> Answerer<T> {
    /// Whether the caller is still there.
    pub(crate) fn is_wanted(&self) -> bool {
        let slot = self.0.as_ref();
        slot.is_some_and(|slot| !slot.abandoned.load(Ordering::Relaxed))
    }

    /// Notes under which id the call is known, for when its caller gives it up.
    pub(crate) fn register(&self, id: i32) {
        if let Some(slot) = &self.0 {
            slot.id.store(id, Ordering::Relaxed);
        }
    }

    /// Ends the call.
    pub(crate) fn finish(mut self, outcome: T) {
        if let Some(slot) = self.0.take() {
            slot.finish(Some(outcome));
        }
    }
}

impl<T> Drop for Answerer<T> {
    fn drop(&mut self) {
        if let Some(slot) = self.0.take() {
            slot.finish(None);
        }
    }
}

/// The caller's end: a future of the outcome, `None` if the other end is gone.
///
/// Who drops it before has to tell the owner, by what [`give_up`](Self::give_up) gives.
#[derive(Debug)]
pub(crate) struct Waiter<T>(Option<Arc<Slot<T>>>);

impl<T> Waiter<T> {
    /// Nobody waits any more. `None` if the call has ended.
    pub(crate) fn give_up(&mut self) -> Option<GivenUp<T>> {
        let slot = self.0.take()?;
        slot.abandoned.store(true, Ordering::Relaxed);
        Some(GivenUp(slot))
    }
}

impl<T> Future for Waiter<T> {
    type Output = Option<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        let Some(slot) = &self.0 else {
            return Poll::Ready(None);
        };
        let outcome = match &mut *slot.lock() {
            State::Waiting(waker) => {
                waker.clone_from(cx.waker());
                return Poll::Pending;
            }
            State::Done(outcome) => outcome.take(),
        };
        self.0 = None;
        Poll::Ready(outcome)
    }
}

/// A call whose caller has gone.
#[derive(Debug)]
pub(crate) struct GivenUp<T>(Arc<Slot<T>>);

impl<T> GivenUp<T> {
    /// For its owner: the id under which the call waits for an answer, if it does.
    pub(crate) fn id(&self) -> Option<i32> {
        let id = self.0.id.load(Ordering::Relaxed);
        (id != NONE).then_some(id)
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use super::*;

    fn poll<T>(waiter: &mut Waiter<T>) -> Poll<Option<T>> {
        pin!(waiter).poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn an_answer_arrives_once() {
        let (answerer, mut waiter) = slot(Waker::noop());
        assert!(poll(&mut waiter).is_pending());
        answerer.register(7);
        answerer.finish("answer");
        assert_eq!(poll(&mut waiter), Poll::Ready(Some("answer")));
        let given_up = waiter.give_up();
        assert!(given_up.is_none(), "it ended, there is nothing to give up");
    }

    #[test]
    fn an_answerer_that_is_dropped_ends_the_call() {
        let (answerer, mut waiter) = slot::<()>(Waker::noop());
        drop(answerer);
        assert_eq!(poll(&mut waiter), Poll::Ready(None));
    }

    #[test]
    fn a_caller_that_goes_leaves_the_id() {
        let (answerer, mut waiter) = slot(Waker::noop());
        assert!(answerer.is_wanted());
        answerer.register(7);
        let given_up = waiter.give_up().unwrap();
        assert_eq!(given_up.id(), Some(7));
        answerer.finish(());
        assert_eq!(given_up.id(), None, "ended meanwhile");
    }

    #[test]
    fn a_caller_that_goes_before_its_call_begins_is_noticed() {
        let (answerer, mut waiter) = slot::<()>(Waker::noop());
        let given_up = waiter.give_up().unwrap();
        assert!(!answerer.is_wanted());
        assert_eq!(given_up.id(), None);
    }
}
