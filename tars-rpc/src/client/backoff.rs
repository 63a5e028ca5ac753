//! How long to wait before the next attempt to connect.

use std::time::Duration;

use crate::net::FOREVER;

/// Doubles from `first` to `last`; each wait is between half of that and all of it, so that the clients of a server
/// that comes back do not all come at once.
#[derive(Debug)]
pub(crate) struct Backoff {
    first: Duration,
    last: Duration,
    next: Duration,
}

impl Backoff {
    pub(crate) fn new(first: Duration, last: Duration) -> Self {
        Self {
            first: first.min(FOREVER),
            last: last.min(FOREVER),
            next: first.min(last).min(FOREVER),
        }
    }

    /// The connection worked.
    pub(crate) fn reset(&mut self) {
        self.next = self.first;
    }

    /// How long to wait this time.
    pub(crate) fn next(&mut self) -> Duration {
        let most = self.next;
        self.next = (most * 2).min(self.last);
        most.mul_f64(0.5 + fastrand::f64() / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_up_to_the_last() {
        let ms = Duration::from_millis;
        let mut backoff = Backoff::new(ms(100), ms(300));
        for most in [100, 200, 300, 300] {
            let wait = backoff.next();
            assert!(
                wait >= ms(most) / 2 && wait <= ms(most),
                "{wait:?} of {most}"
            );
        }
        backoff.reset();
        assert!(backoff.next() <= ms(100));
    }
}
