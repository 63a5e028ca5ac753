//! So many a second, and no more.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Admits so many a second. Who was silent may have one second's at once.
#[derive(Debug)]
pub(crate) struct Pace {
    pub(crate) per_second: u32,
    /// Between two at full rate.
    interval: Duration,
    /// When all that was taken is paid back: it is taken from the future, up to a second of it.
    paid: Mutex<Option<Instant>>,
}

impl Pace {
    /// None with 0.
    pub(crate) fn new(per_second: u32) -> Self {
        Self {
            per_second,
            interval: Duration::from_secs(1) / per_second.max(1),
            paid: Mutex::default(),
        }
    }

    pub(crate) fn admits(&self, now: Instant) -> bool {
        let mut paid = self.paid.lock().unwrap_or_else(PoisonError::into_inner);
        let next = paid.map_or(now, |paid| paid.max(now)) + self.interval;
        let admits = self.per_second > 0 && next <= now + Duration::from_secs(1);
        if admits {
            *paid = Some(next);
        }
        admits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_at_once_and_then_the_pace() {
        for rate in [1, 10, 333] {
            let pace = Pace::new(rate);
            let start = Instant::now();
            let admitted = |at: Duration| (0..1000).filter(|_| pace.admits(start + at)).count();
            assert_eq!(admitted(Duration::ZERO), rate as usize);
            assert_eq!(admitted(pace.interval), 1);
            assert_eq!(admitted(pace.interval * 3 / 2), 0);
            assert_eq!(
                admitted(Duration::from_secs(100)),
                rate as usize,
                "no more is saved"
            );
        }
        assert!(!Pace::new(0).admits(Instant::now()));
    }
}
