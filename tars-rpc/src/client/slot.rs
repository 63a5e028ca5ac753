//! Where a caller waits for the end of its call, and the owner of the connection puts it.

use std::{
    future::Future,
    mem,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use tokio::sync::mpsc;

/// Makes the two ends of a slot. A call that its caller gives up is reported to `cancels` by its id.
pub(crate) fn slot<T>(cancels: mpsc::UnboundedSender<i32>) -> (Answerer<T>, Waiter<T>) {
    let slot = Arc::new(Slot(Mutex::new(State::Waiting {
        id: None,
        waker: None,
    })));
    let answerer = Answerer(Some(Arc::clone(&slot)));
    (answerer, Waiter { slot, cancels })
}

/// The lock is held for a few instructions by two tasks at most.
#[derive(Debug)]
struct Slot<T>(Mutex<State<T>>);

#[derive(Debug)]
enum State<T> {
    Waiting {
        /// The id under which the connection knows the call, from when it does.
        id: Option<i32>,
        waker: Option<Waker>,
    },
    /// `None` if the other end was dropped without an answer, and after the answer was taken.
    Done(Option<T>),
    /// The caller has gone.
    Abandoned,
}

impl<T> Slot<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn finish(&self, outcome: Option<T>) {
        let mut state = self.lock();
        let State::Waiting { waker, .. } = &mut *state else {
            return;
        };
        let waker = waker.take();
        *state = State::Done(outcome);
        drop(state);
        if let Some(waker) = waker {
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
        self.0
            .as_ref()
            .is_some_and(|slot| Arc::strong_count(slot) > 1)
    }

    /// Tells the caller under which id its call is known. False if the caller has gone, and so will not report it.
    #[must_use]
    pub(crate) fn register(&self, call: i32) -> bool {
        match self.0.as_ref().map(|slot| slot.lock()).as_deref_mut() {
            Some(State::Waiting { id, .. }) => {
                *id = Some(call);
                true
            }
            Some(State::Done(_)) => true,
            Some(State::Abandoned) | None => false,
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

/// The caller's end: a future of the outcome, `None` if the other end is gone. Dropping it gives the call up.
#[derive(Debug)]
pub(crate) struct Waiter<T> {
    slot: Arc<Slot<T>>,
    cancels: mpsc::UnboundedSender<i32>,
}

impl<T> Future for Waiter<T> {
    type Output = Option<T>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        match &mut *self.slot.lock() {
            State::Waiting { waker, .. } => {
                match waker {
                    Some(waker) => waker.clone_from(cx.waker()),
                    None => *waker = Some(cx.waker().clone()),
                }
                Poll::Pending
            }
            State::Done(outcome) => Poll::Ready(outcome.take()),
            State::Abandoned => Poll::Ready(None),
        }
    }
}

impl<T> Drop for Waiter<T> {
    fn drop(&mut self) {
        let state = mem::replace(&mut *self.slot.lock(), State::Abandoned);
        if let State::Waiting { id: Some(id), .. } = state {
            // The owner forgets the call; if it has gone itself, so have its calls.
            let _ = self.cancels.send(id);
        }
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
        let (cancels, mut cancelled) = mpsc::unbounded_channel();
        let (answerer, mut waiter) = slot(cancels);
        assert!(poll(&mut waiter).is_pending());
        assert!(answerer.register(7));
        answerer.finish("answer");
        assert_eq!(poll(&mut waiter), Poll::Ready(Some("answer")));
        drop(waiter);
        assert!(
            cancelled.try_recv().is_err(),
            "it ended, there is nothing to give up"
        );
    }

    #[test]
    fn an_answerer_that_is_dropped_ends_the_call() {
        let (answerer, mut waiter) = slot::<()>(mpsc::unbounded_channel().0);
        drop(answerer);
        assert_eq!(poll(&mut waiter), Poll::Ready(None));
    }

    #[test]
    fn a_caller_that_goes_reports_its_id() {
        let (cancels, mut cancelled) = mpsc::unbounded_channel();
        let (answerer, waiter) = slot::<()>(cancels);
        assert!(answerer.is_wanted() && answerer.register(7));
        drop(waiter);
        assert_eq!(cancelled.try_recv(), Ok(7));
        answerer.finish(());
    }

    #[test]
    fn a_caller_that_goes_before_it_has_an_id_is_noticed_when_it_gets_one() {
        let (cancels, mut cancelled) = mpsc::unbounded_channel();
        let (answerer, waiter) = slot::<()>(cancels);
        drop(waiter);
        assert!(!answerer.is_wanted() && !answerer.register(7));
        assert!(cancelled.try_recv().is_err());
    }
}
