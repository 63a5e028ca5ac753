//! How many calls may be tried again.

use std::sync::atomic::{AtomicI64, Ordering};

/// Parts of a retry, so that a call can earn less than one.
const PARTS: f64 = 1000.0;

/// A purse into which each call pays a little, and from which each retry is paid. When everything fails, there are no
/// more retries than that part of the calls.
#[derive(Debug)]
pub(crate) struct Budget {
    parts: AtomicI64,
    most: i64,
    earned: i64,
}

impl Budget {
    pub(crate) fn new(ratio: f64, burst: u32) -> Self {
        let most = i64::from(burst) * PARTS as i64;
        Self {
            parts: AtomicI64::new(most),
            most,
            earned: (ratio.clamp(0.0, 1000.0) * PARTS) as i64,
        }
    }

    /// A call was made.
    pub(crate) fn earn(&self) {
        // A full purse is left alone; it may hold a little more than the most.
        if self.parts.load(Ordering::Relaxed) < self.most {
            self.parts.fetch_add(self.earned, Ordering::Relaxed);
        }
    }

    /// Pays for a retry, if there is enough.
    pub(crate) fn spend(&self) -> bool {
        let price = PARTS as i64;
        let pay = |parts| (parts >= price).then(|| parts - price);
        self.parts
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, pay)
            .is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenth_of_the_calls_after_the_burst() {
        let budget = Budget::new(0.1, 3);
        let retries = (0..1000).filter(|_| {
            budget.earn();
            budget.spend()
        });
        let retries = retries.count();
        assert!((102..=103).contains(&retries), "{retries}");
    }

    #[test]
    fn savings_are_bounded() {
        let budget = Budget::new(0.5, 2);
        for _ in 0..1000 {
            budget.earn();
        }
        assert_eq!((0..10).filter(|_| budget.spend()).count(), 2);
    }

    #[test]
    fn nothing_is_no_retries() {
        let budget = Budget::new(0.0, 0);
        budget.earn();
        assert!(!budget.spend());
    }
}
