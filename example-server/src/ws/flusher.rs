//! Who writes messages to those who only listen: one task for many connections.
//!
//! A message to a room is queued to each member. To wake the task of each for one small write costs more than all
//! the rest beside the write itself; so the members are listed here, and one task writes to all of them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio_util::task::AbortOnDropHandle;

use super::outbox::Outbox;

/// After so many bytes others have their turn. A small write costs as much as one of [`AT_LEAST`], so these are 64 of
/// them, a third of a millisecond.
const TURN: usize = 64 * AT_LEAST;
const AT_LEAST: usize = 4096;

/// One [`Flusher`] for each thread of the runtime, each with its share of the connections.
#[derive(Debug)]
pub(crate) struct Flushers {
    all: Vec<Arc<Flusher>>,
    _tasks: Vec<AbortOnDropHandle<()>>,
}

/// The outboxes that wait to be written by one task.
#[derive(Debug, Default)]
pub(crate) struct Flusher {
    list: Mutex<List>,
    wake: Notify,
}

#[derive(Debug, Default)]
struct List {
    outboxes: Vec<Arc<Outbox>>,
    /// Nobody writes any more.
    closed: bool,
}

impl Flushers {
    /// Begins as many as the runtime has threads.
    pub(crate) fn start() -> Self {
        let runtime = tokio::runtime::Handle::current();
        let threads = runtime.metrics().num_workers();
        let all: Vec<Arc<Flusher>> = (0..threads).map(|_| Arc::default()).collect();
        let tasks = all.iter().map(|flusher| {
            let flusher = Arc::clone(flusher);
            AbortOnDropHandle::new(runtime.spawn(async move { flusher.run().await }))
        });
        Self {
            _tasks: tasks.collect(),
            all,
        }
    }

    /// The one of a connection.
    pub(crate) fn of(&self, number: u64) -> Arc<Flusher> {
        let index = number % self.all.len() as u64;
        Arc::clone(&self.all[index as usize])
    }
}

impl Drop for Flushers {
    /// An outbox has its flusher, so a list that nobody empties would keep both.
    fn drop(&mut self) {
        for flusher in &self.all {
            let mut list = flusher.lock();
            list.closed = true;
            let outboxes = std::mem::take(&mut list.outboxes);
            drop(list);
            drop(outboxes);
        }
    }
}

impl Flusher {
    /// Has an outbox written. It is in the list once: it says itself whether it is.
    pub(super) fn add(&self, outbox: Arc<Outbox>) {
        let mut list = self.lock();
        if list.closed {
            return;
        }
        list.outboxes.push(outbox);
        let is_first = list.outboxes.len() == 1;
        drop(list);
        if is_first {
            self.wake.notify_one();
        }
    }

    async fn run(&self) {
        let mut outboxes = Vec::new();
        loop {
            self.wake.notified().await;
            // What else the sockets have at this moment comes first, and into the same writes.
            tokio::task::yield_now().await;
            std::mem::swap(&mut self.lock().outboxes, &mut outboxes);
            let mut turn = 0;
            for outbox in outboxes.drain(..) {
                turn += outbox.flush_listed().max(AT_LEAST);
                if turn >= TURN {
                    tokio::task::yield_now().await;
                    turn = 0;
                }
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, List> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
