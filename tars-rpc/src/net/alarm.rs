//! One timer for a task whose next deadline changes all the time.

use std::{
    future::{Future, pending, poll_fn},
    pin::Pin,
    task::{Context, Poll, Waker, ready},
    time::Instant,
};

use tokio::time::{Sleep, sleep_until};

/// A timer that is set anew only when it would ring too late: deadlines mostly move backwards in time, and then it
/// rings early, once, which its owner takes as a moment to look at the clock.
#[derive(Debug, Default)]
pub(crate) struct Alarm {
    sleep: Option<Pin<Box<Sleep>>>,
    armed: Option<Instant>,
    /// Of the task that it wakes.
    waker: Option<Waker>,
}

impl Alarm {
    /// Waits until `when` or somewhat less; forever without a time.
    pub(crate) async fn ring(&mut self, when: Option<Instant>) {
        let Some(when) = when else {
            return pending().await;
        };
        poll_fn(|cx| self.poll_ring(cx, when)).await;
    }

    /// As [`ring`](Self::ring).
    pub(crate) fn poll_ring(&mut self, cx: &mut Context<'_>, when: Instant) -> Poll<()> {
        let sleep = match &mut self.sleep {
            Some(sleep) if self.armed.is_some_and(|armed| armed <= when) => {
                // It knows this task already, and a look is cheaper than a poll.
                if self.waker.as_ref().is_some_and(|w| w.will_wake(cx.waker()))
                    && !sleep.is_elapsed()
                {
                    return Poll::Pending;
                }
                sleep
            }
            Some(sleep) => {
                sleep.as_mut().reset(when.into());
                self.armed = Some(when);
                sleep
            }
            None => {
                self.armed = Some(when);
                self.sleep.insert(Box::pin(sleep_until(when.into())))
            }
        };
        match &mut self.waker {
            Some(waker) => waker.clone_from(cx.waker()),
            none => *none = Some(cx.waker().clone()),
        }
        ready!(sleep.as_mut().poll(cx));
        self.armed = None;
        Poll::Ready(())
    }
}
