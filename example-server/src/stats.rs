//! What operators want to count: connections that ended for a reason, and those that were not taken.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counts since the start.
#[derive(Debug, Default)]
pub struct Stats {
    /// Connections closed because the peer broke the WebSocket protocol; each reason is logged.
    pub violations: Count,
    /// Connections closed because the peer did not read what it was sent.
    pub slow_consumers: Count,
    /// Upgrades refused: a foreign origin, too many connections, a server that goes down.
    pub refused: Count,
}

/// A number that only grows.
#[derive(Default)]
pub struct Count(AtomicU64);

impl Count {
    /// The number.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    pub(crate) fn increment(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl fmt::Debug for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}
