//! One timer for a task whose next deadline changes all the time.

use std::{
    future::{Future, pending, poll_fn},
    pin::Pin,
    task::{Context, Poll, ready},
    time::Instant,
};

use tokio::time::{Sleep, sleep_until};

/// A timer that is set anew only when it would ring too late: deadlines mostly move backwards in time, and then it
/// rings early, once, which its owner takes as a moment to look at the clock.
#[derive(Debug, Default)]
pub(crate) struct Alarm {
    sleep: Option<Pin<Box<Sleep>>>,
    armed: Option<Instant>,
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
            Some(sleep) => {
                if self.armed.is_none_or(|armed| when < armed) {
                    sleep.as_mut().reset(when.into());
                    self.armed = Some(when);
                }
                sleep
            }
            None => {
                self.armed = Some(when);
                self.sleep.insert(Box::pin(sleep_until(when.into())))
            }
        };
        ready!(sleep.as_mut().poll(cx));
        self.armed = None;
        Poll::Ready(())
    }
}
