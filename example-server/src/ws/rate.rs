//! How many messages a second a connection may send: a token bucket that holds a second's worth.

use tokio::time::Instant;

/// The rule.
#[derive(Debug, Clone, Copy)]
pub struct Rate {
    /// Messages a second, and as many at once; 0 is no limit.
    pub per_second: u32,
    /// Refusals before the connection is closed.
    pub max_refusals: u32,
}

/// What a message meets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Pass,
    Refuse,
    /// It was refused too often.
    Close,
}

/// How much of its rate a connection has used.
#[derive(Debug)]
pub(super) struct Bucket {
    tokens: f64,
    filled: Instant,
    refusals: u32,
}

impl Bucket {
    pub(super) fn new(rate: Rate) -> Self {
        Self {
            tokens: rate.per_second.into(),
            filled: Instant::now(),
            refusals: 0,
        }
    }

    /// Takes a token for a message that comes now.
    pub(super) fn take(&mut self, rate: Rate) -> Verdict {
        if rate.per_second == 0 {
            return Verdict::Pass;
        }
        let now = Instant::now();
        let (size, passed) = (f64::from(rate.per_second), now - self.filled);
        self.filled = now;
        self.tokens += passed.as_secs_f64() * size;
        if self.tokens >= size {
            // Full: the peer has kept to it.
            self.tokens = size;
            self.refusals = 0;
        }
        if self.tokens >= 1.0 {
            self.tokens -= 1.0;
            return Verdict::Pass;
        }
        self.refusals += 1;
        if self.refusals > rate.max_refusals {
            Verdict::Close
        } else {
            Verdict::Refuse
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const RATE: Rate = Rate {
        per_second: 10,
        max_refusals: 3,
    };

    fn take(bucket: &mut Bucket, count: usize) -> Vec<Verdict> {
        (0..count).map(|_| bucket.take(RATE)).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_then_the_rate_then_the_end() {
        let mut bucket = Bucket::new(RATE);
        assert_eq!(take(&mut bucket, 10), [Verdict::Pass; 10]);
        assert_eq!(take(&mut bucket, 1), [Verdict::Refuse]);
        tokio::time::advance(Duration::from_millis(100)).await;
        assert_eq!(take(&mut bucket, 2), [Verdict::Pass, Verdict::Refuse]);
        assert_eq!(take(&mut bucket, 2), [Verdict::Refuse, Verdict::Close]);
    }

    #[tokio::test(start_paused = true)]
    async fn who_keeps_to_it_begins_anew() {
        let mut bucket = Bucket::new(RATE);
        for _ in 0..5 {
            assert_eq!(take(&mut bucket, 10), [Verdict::Pass; 10]);
            assert_eq!(take(&mut bucket, 3), [Verdict::Refuse; 3]);
            tokio::time::advance(Duration::from_secs(1)).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn no_limit() {
        let none = Rate {
            per_second: 0,
            max_refusals: 0,
        };
        let mut bucket = Bucket::new(none);
        assert!((0..100_000).all(|_| bucket.take(none) == Verdict::Pass));
    }
}
