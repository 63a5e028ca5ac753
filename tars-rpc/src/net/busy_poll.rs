//! Looking for bytes without letting the thread sleep.

use std::time::{Duration, Instant};

use tokio::task::yield_now;

/// For a while after [`expect`](Self::expect), a connection that has nothing to do looks again and again.
#[derive(Debug)]
pub(crate) struct BusyPoll {
    time: Duration,
    /// Of the clock of the machine, also where a test has stopped that of the runtime: it would never get there.
    until: Option<Instant>,
}

impl BusyPoll {
    pub(crate) fn new(time: Duration) -> Self {
        Self { time, until: None }
    }

    /// Bytes may come soon.
    pub(crate) fn expect(&mut self) {
        if !self.time.is_zero() {
            self.until = Instant::now().checked_add(self.time);
        }
    }

    /// Whether to go on looking.
    pub(crate) fn goes_on(&mut self) -> bool {
        self.until = self.until.filter(|until| Instant::now() < *until);
        self.until.is_some()
    }

    /// Lets other tasks run, and the runtime look at its sockets.
    pub(crate) async fn turn() {
        yield_now().await;
    }
}
