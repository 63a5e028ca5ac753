//! What the requests of an adapter use of what its limits allow.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Limits;

/// The load of an adapter, over all of its connections.
#[derive(Debug)]
pub(super) struct Load {
    /// One for each handler that may run.
    pub(super) slots: Arc<Semaphore>,
    /// Requests that wait.
    pub(super) waiting: Arc<Meter>,
    /// Bytes of requests that run or wait.
    pub(super) bytes: Arc<Meter>,
}

impl Load {
    pub(super) fn new(limits: &Limits) -> Self {
        let slots = limits.max_in_flight.min(Semaphore::MAX_PERMITS);
        Self {
            slots: Arc::new(Semaphore::new(slots)),
            waiting: Arc::new(Meter::new(limits.max_queue)),
            bytes: Arc::new(Meter::new(limits.max_request_bytes)),
        }
    }
}

/// What a running request uses until it is answered.
#[derive(Debug)]
pub(super) struct Charge {
    /// Of the adapter.
    pub(super) _slot: Option<OwnedSemaphorePermit>,
    /// Of its connection.
    pub(super) _in_flight: Share,
    /// Of both.
    pub(super) _bytes: [Share; 2],
}

/// Something of which there is only so much.
#[derive(Debug)]
pub(super) struct Meter {
    used: AtomicUsize,
    max: usize,
}

impl Meter {
    pub(super) fn new(max: usize) -> Self {
        Self {
            used: AtomicUsize::new(0),
            max,
        }
    }

    /// Takes 1 if there is so much left.
    pub(super) fn take_one(self: &Arc<Self>) -> Option<Share> {
        self.take_if(1, |used| used < self.max)
    }

    /// Takes `n` if there is so much left, or if nothing is used.
    pub(super) fn take(self: &Arc<Self>, n: usize) -> Option<Share> {
        self.take_if(n, |used| self.leaves(used, n))
    }

    /// Whether [`take`](Self::take) would succeed just now.
    pub(super) fn has(&self, n: usize) -> bool {
        self.leaves(self.used.load(Ordering::Relaxed), n)
    }

    /// Takes `n`, also beyond the limit.
    pub(super) fn force(self: &Arc<Self>, n: usize) -> Share {
        self.used.fetch_add(n, Ordering::Relaxed);
        Share {
            n,
            of: Arc::clone(self),
        }
    }

    /// How much is taken.
    pub(super) fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    fn leaves(&self, used: usize, n: usize) -> bool {
        used == 0 || used.saturating_add(n) <= self.max
    }

    fn take_if(self: &Arc<Self>, n: usize, has: impl Fn(usize) -> bool) -> Option<Share> {
        self.used
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |used| {
                has(used).then(|| used.saturating_add(n))
            })
            .ok()?;
        Some(Share {
            n,
            of: Arc::clone(self),
        })
    }
}

/// A part of a [`Meter`], given back when it is dropped.
#[derive(Debug)]
pub(super) struct Share {
    n: usize,
    of: Arc<Meter>,
}

impl Drop for Share {
    fn drop(&mut self) {
        self.of.used.fetch_sub(self.n, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_up_to_the_limit_and_gives_back() {
        let meter = Arc::new(Meter::new(10));
        let most = meter.take(9).unwrap();
        assert!(meter.has(1) && !meter.has(2));
        assert!(meter.take(2).is_none());
        let last = meter.take(1).unwrap();
        assert!(meter.take(1).is_none() && meter.take_one().is_none());
        drop((most, last));
        let alone = meter.take(1000).unwrap();
        assert_eq!(meter.used(), 1000);
        assert!(meter.take(1).is_none());
        drop(alone);
        let none = Arc::new(Meter::new(0));
        assert!(none.take_one().is_none());
    }
}
