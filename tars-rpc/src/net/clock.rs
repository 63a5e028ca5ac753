//! The clock of the runtime, which tests can stop.

use std::time::{Duration, Instant};

/// A century. Longer times are cut to it: they would overflow the clock, and nobody waits for their end.
pub(crate) const FOREVER: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

/// Now.
pub(crate) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// So long from now.
pub(crate) fn after(time: Duration) -> Instant {
    now() + time.min(FOREVER)
}
