//! Whether an endpoint should get calls, by how the last ones ended. As TarsCpp judges; the clock is passed in.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use crate::net::FOREVER;

/// When an endpoint is ejected: gets no calls as long as others are there. The defaults are TarsCpp's.
///
/// A call fails in this sense when no answer comes, or one that says that the call waited in the server's queue for
/// too long. Any other answer shows that the server is well, also one that says that the servant failed. Oneway calls
/// have no answer: they say only whether an endpoint can be connected to. That is enough where no other calls are made.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct HealthConfig {
    /// Failures and calls are counted over that long. Default 60 s.
    pub window: Duration,
    /// Fewer failures in a window eject nobody. Default 2.
    pub window_failures: u32,
    /// The part of the calls of a window that must have failed, too. Default 0.5.
    pub window_ratio: f64,
    /// So many failures in a row eject, if they came over [`row_time`](Self::row_time). Default 5.
    pub row_failures: u32,
    /// Default 5 s.
    pub row_time: Duration,
    /// So many attempts to connect that fail in a row eject. A connection that the peer ends soon and without a word, or
    /// on which it says nothing that could be understood, is one of them. Default 5.
    pub connect_failures: u32,
    /// An ejected endpoint gets one call after that long, and somewhat more by chance; if it is answered, the endpoint
    /// is back. One that could not be connected to is also back when a oneway call was sent. Of another, oneway calls
    /// find out only if they are all that is made: one is sent there after about twice that long, and brings it back.
    /// Default 30 s.
    pub probe_after: Duration,
}

impl Default for HealthConfig {
    fn default() -> Self {
        Self {
            window: Duration::from_secs(60),
            window_failures: 2,
            window_ratio: 0.5,
            row_failures: 5,
            row_time: Duration::from_secs(5),
            connect_failures: 5,
            probe_after: Duration::from_secs(30),
        }
    }
}

/// Why an endpoint was ejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Ejection {
    /// Too large a part of its calls failed.
    #[error("{failures} of {calls} calls failed")]
    Ratio {
        /// Calls of the window that failed.
        failures: u32,
        /// All calls of the window.
        calls: u32,
    },
    /// Its calls failed, one after the other.
    #[error("{0} calls failed in a row")]
    Row(u32),
    /// It could not be connected to.
    #[error("{0} attempts to connect failed in a row")]
    Connect(u32),
}

/// The judge of one endpoint.
#[derive(Debug)]
pub(crate) struct Health {
    config: HealthConfig,
    calls: u32,
    failures: u32,
    window_end: Option<Instant>,
    row: u32,
    row_from: Option<Instant>,
    connects: u32,
    ejected: Option<Ejection>,
    /// When a call that has an answer failed last.
    failed_at: Option<Instant>,
}

impl Health {
    pub(crate) fn new(config: HealthConfig) -> Self {
        Self {
            config,
            calls: 0,
            failures: 0,
            window_end: None,
            row: 0,
            row_from: None,
            connects: 0,
            ejected: None,
            failed_at: None,
        }
    }

    /// Calls were answered. True if this brings an ejected endpoint back.
    pub(crate) fn succeeded(&mut self, calls: u32) -> bool {
        if self.ejected.is_some() {
            *self = Self::new(self.config.clone());
            return true;
        }
        self.calls = self.calls.saturating_add(calls);
        self.row = 0;
        false
    }

    /// Calls were sent that have no answer. True if this brings an ejected endpoint back: one that could not be
    /// connected to is there again. Of one that did not answer it says nothing, unless nobody asks any more.
    pub(crate) fn sent_oneway(&mut self, now: Instant) -> bool {
        let is_quiet =
            |since: Instant| now.saturating_duration_since(since) >= self.config.probe_after;
        let is_back = match self.ejected {
            None => false,
            Some(Ejection::Connect(_)) => true,
            Some(Ejection::Row(_) | Ejection::Ratio { .. }) => self.failed_at.is_none_or(is_quiet),
        };
        if is_back {
            *self = Self {
                // The peer may be about to close. That one connected counts when the connection has been of use.
                connects: self.connects,
                ..Self::new(self.config.clone())
            };
        }
        is_back
    }

    /// A call that has an answer failed. Says why, if this ejects the endpoint.
    pub(crate) fn failed(&mut self, now: Instant) -> Option<Ejection> {
        self.failed_at = Some(now);
        if self.ejected.is_some() {
            return None;
        }
        self.calls = self.calls.saturating_add(1);
        self.failures = self.failures.saturating_add(1);
        if self.row == 0 {
            self.row_from = Some(now);
        }
        self.row = self.row.saturating_add(1);
        let since = |from: Option<Instant>| from.map(|from| now.saturating_duration_since(from));
        if self.row >= self.config.row_failures
            && since(self.row_from) >= Some(self.config.row_time)
        {
            return self.eject(Ejection::Row(self.row));
        }
        match self.window_end {
            Some(end) if now >= end => {
                let ratio = f64::from(self.failures) / f64::from(self.calls);
                if self.failures >= self.config.window_failures && ratio >= self.config.window_ratio
                {
                    return self.eject(Ejection::Ratio {
                        failures: self.failures,
                        calls: self.calls,
                    });
                }
                self.calls = 1;
                self.failures = 1;
                self.window_end = Some(now + self.config.window.min(FOREVER));
            }
            Some(_) => {}
            None => {
                // What came before the first failure, perhaps days ago, says nothing about now.
                self.calls = 1;
                self.window_end = Some(now + self.config.window.min(FOREVER));
            }
        }
        None
    }

    /// A connection was of use.
    pub(crate) fn connection_worked(&mut self) {
        self.connects = 0;
    }

    /// An attempt to connect failed, or the connection ended before it was of use. Says why, if this ejects the
    /// endpoint, or is now the reason: then a oneway call will show that it is back.
    pub(crate) fn connect_failed(&mut self) -> Option<Ejection> {
        self.connects = self.connects.saturating_add(1);
        let is_said = matches!(self.ejected, Some(Ejection::Connect(_)));
        if is_said || self.connects < self.config.connect_failures {
            return None;
        }
        self.eject(Ejection::Connect(self.connects))
    }

    fn eject(&mut self, why: Ejection) -> Option<Ejection> {
        self.ejected = Some(why);
        self.ejected
    }
}

/// What those who choose an endpoint see of its health.
#[derive(Debug)]
pub(crate) struct Gate {
    /// 0 when open; otherwise when a call may try it, in milliseconds after `epoch`.
    closed_until: AtomicU64,
    epoch: Instant,
    probe_after: Duration,
    why: Mutex<Option<Ejection>>,
}

impl Gate {
    pub(crate) fn new(probe_after: Duration, epoch: Instant) -> Self {
        Self {
            closed_until: AtomicU64::new(0),
            epoch,
            probe_after,
            why: Mutex::new(None),
        }
    }

    pub(crate) fn is_open(&self) -> bool {
        self.closed_until.load(Ordering::Relaxed) == 0
    }

    pub(crate) fn open(&self) {
        self.closed_until.store(0, Ordering::Relaxed);
        *self.why() = None;
    }

    pub(crate) fn close(&self, why: Ejection, now: Instant) {
        *self.why() = Some(why);
        let until = self.next_probe(now);
        self.closed_until.store(until, Ordering::Relaxed);
    }

    /// Lets one caller through when it is time to try the endpoint again.
    pub(crate) fn admits_probe(&self, now: Instant) -> bool {
        let until = self.closed_until.load(Ordering::Relaxed);
        until != 0
            && self.millis(now) >= until
            && self
                .closed_until
                .compare_exchange(
                    until,
                    self.next_probe(now),
                    Ordering::Relaxed,
                    Ordering::Relaxed,
                )
                .is_ok()
    }

    /// As [`admits_probe`](Self::admits_probe), for a caller that wants no answer. What its call would show is little
    /// of one that did not answer, whose probe is left to others, if any come.
    pub(crate) fn admits_oneway_probe(&self, now: Instant) -> bool {
        let until = self.closed_until.load(Ordering::Relaxed);
        let late = || {
            let now = now.checked_sub(self.probe_after);
            now.is_some_and(|now| self.millis(now) >= until)
        };
        until != 0
            && self.millis(now) >= until
            && (matches!(*self.why(), Some(Ejection::Connect(_))) || late())
            && self.admits_probe(now)
    }

    /// Why it is closed, and how long it still is.
    pub(crate) fn ejection(&self, now: Instant) -> Option<(Ejection, Duration)> {
        let why = (*self.why())?;
        let until = self.closed_until.load(Ordering::Relaxed);
        let left = until.saturating_sub(self.millis(now));
        Some((why, Duration::from_millis(left)))
    }

    /// Clients that ejected an endpoint at the same time must not all come back to it at the same time.
    fn next_probe(&self, now: Instant) -> u64 {
        let after = self
            .probe_after
            .min(FOREVER)
            .mul_f64(1.0 + fastrand::f64() / 4.0);
        let after = u64::try_from(after.as_millis()).unwrap_or(u64::MAX);
        self.millis(now).saturating_add(after).max(1)
    }

    fn millis(&self, now: Instant) -> u64 {
        let since = now.saturating_duration_since(self.epoch);
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }

    fn why(&self) -> std::sync::MutexGuard<'_, Option<Ejection>> {
        self.why.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Clocked {
        health: Health,
        now: Instant,
    }

    impl Clocked {
        fn new() -> Self {
            Self {
                health: Health::new(HealthConfig::default()),
                now: Instant::now(),
            }
        }

        /// A failure so many milliseconds after the last one.
        fn fail_after(&mut self, ms: u64) -> Option<Ejection> {
            self.now += Duration::from_millis(ms);
            self.health.failed(self.now)
        }
    }

    #[test]
    fn times_without_end_are_times() {
        let start = Instant::now();
        let mut health = Health::new(HealthConfig {
            window: Duration::MAX,
            row_time: Duration::MAX,
            ..HealthConfig::default()
        });
        for _ in 0..100 {
            assert_eq!(health.failed(start), None);
        }
        let gate = Gate::new(Duration::MAX, start);
        gate.close(Ejection::Row(5), start);
        assert!(!gate.admits_probe(start));
    }

    #[test]
    fn five_failures_in_a_row_over_five_seconds() {
        for (between, ejected) in [(1249, false), (1250, true), (1251, true)] {
            let mut h = Clocked::new();
            for _ in 0..4 {
                assert_eq!(h.fail_after(between), None);
            }
            let fifth = ejected.then_some(Ejection::Row(5));
            assert_eq!(h.fail_after(between), fifth, "{between} ms between two");
        }
    }

    #[test]
    fn many_failures_at_once_are_one_event() {
        let mut h = Clocked::new();
        for _ in 0..1000 {
            assert_eq!(h.fail_after(0), None);
        }
        assert_eq!(h.fail_after(4999), None);
        assert_eq!(h.fail_after(1), Some(Ejection::Row(1002)));
    }

    #[test]
    fn an_answer_ends_a_row() {
        let mut h = Clocked::new();
        for _ in 0..4 {
            h.fail_after(2000);
        }
        h.health.succeeded(1);
        for _ in 0..4 {
            assert_eq!(h.fail_after(2000), None);
        }
    }

    /// Failures and answers in turn, up to the end of the window.
    fn window(answers: u32, failures: u32) -> Option<Ejection> {
        let mut h = Clocked::new();
        h.health.succeeded(1_000_000); // long ago
        for n in 0..failures {
            let last = if n + 1 == failures { 60_000 } else { 0 };
            h.health.succeeded(if n == 0 {
                0
            } else {
                answers / (failures - 1).max(1)
            });
            if let Some(why) = h.fail_after(last) {
                return Some(why);
            }
        }
        None
    }

    #[test]
    fn half_of_the_calls_of_a_window_and_at_least_two() {
        assert_eq!(window(0, 1), None, "one is not enough");
        assert_eq!(
            window(0, 2),
            Some(Ejection::Ratio {
                failures: 2,
                calls: 2
            })
        );
        assert_eq!(
            window(10, 11),
            Some(Ejection::Ratio {
                failures: 11,
                calls: 21
            })
        );
        assert_eq!(window(20, 11), None, "a third");
    }

    #[test]
    fn windows_are_judged_one_by_one() {
        let mut h = Clocked::new();
        assert_eq!(h.fail_after(0), None);
        h.health.succeeded(100);
        assert_eq!(h.fail_after(60_000), None, "2 of 102");
        h.health.succeeded(1);
        let ejected = Some(Ejection::Ratio {
            failures: 2,
            calls: 3,
        });
        assert_eq!(h.fail_after(60_000), ejected);
    }

    #[test]
    fn five_failed_connects() {
        let mut h = Clocked::new();
        for _ in 0..4 {
            assert_eq!(h.health.connect_failed(), None);
        }
        h.health.connection_worked();
        for _ in 0..4 {
            assert_eq!(h.health.connect_failed(), None);
        }
        assert_eq!(h.health.connect_failed(), Some(Ejection::Connect(5)));
        assert_eq!(h.health.connect_failed(), None, "said once");
        assert!(h.health.succeeded(1), "it is back");
        assert!(!h.health.succeeded(1));
    }

    #[test]
    fn a_oneway_call_shows_that_one_can_connect_and_no_more() {
        let mut h = Clocked::new();
        assert!(!h.health.sent_oneway(h.now));
        while h.health.connect_failed().is_none() {}
        assert!(h.health.sent_oneway(h.now), "it is back");
        assert!(!h.health.sent_oneway(h.now));
        h.health.connection_worked();
        while h.fail_after(1000).is_none() {}
        assert!(!h.health.sent_oneway(h.now));
        assert!(h.health.succeeded(1));
    }

    #[test]
    fn a_oneway_call_is_enough_where_no_others_are_made() {
        let mut h = Clocked::new();
        while h.fail_after(1000).is_none() {}
        h.fail_after(29_000); // a probe
        for (after, is_back) in [(29_999, false), (1, true)] {
            h.now += Duration::from_millis(after);
            assert_eq!(h.health.sent_oneway(h.now), is_back);
        }
    }

    #[test]
    fn one_that_does_not_answer_and_then_is_gone_cannot_be_connected_to() {
        let mut h = Clocked::new();
        while h.fail_after(1000).is_none() {}
        for _ in 0..4 {
            assert_eq!(h.health.connect_failed(), None);
        }
        assert_eq!(h.health.connect_failed(), Some(Ejection::Connect(5)));
        assert!(h.health.sent_oneway(h.now), "it is back");
    }

    #[test]
    fn a_oneway_call_says_nothing_of_a_peer_that_closes_at_once() {
        let mut h = Clocked::new();
        while h.health.connect_failed().is_none() {}
        assert!(h.health.sent_oneway(h.now), "it may be back");
        assert_eq!(h.health.connect_failed(), Some(Ejection::Connect(6)));
        assert!(h.health.sent_oneway(h.now));
        h.health.connection_worked();
        assert_eq!(h.health.connect_failed(), None);
    }

    #[test]
    fn oneway_calls_leave_a_probe_to_others_for_as_long_again() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let gate = Gate::new(Duration::from_secs(30), start);
        gate.close(Ejection::Row(5), at(0));
        assert!(!gate.admits_oneway_probe(at(59)));
        assert!(gate.admits_oneway_probe(at(68)));
        assert!(!gate.admits_probe(at(68)), "one at a time");
        gate.close(Ejection::Connect(5), at(100));
        assert!(!gate.admits_oneway_probe(at(129)));
        assert!(gate.admits_oneway_probe(at(138)));
    }

    #[test]
    fn one_probe_at_a_time() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let gate = Gate::new(Duration::from_secs(30), start);
        assert!(gate.is_open() && !gate.admits_probe(at(0)));
        gate.close(Ejection::Row(5), at(10));
        assert!(!gate.is_open() && !gate.admits_probe(at(39)));
        assert!(gate.admits_probe(at(48)));
        assert!(!gate.admits_probe(at(48)));
        let (why, left) = gate.ejection(at(50)).unwrap();
        assert_eq!(why, Ejection::Row(5));
        assert!((28..36).contains(&left.as_secs()), "{left:?}");
        gate.open();
        assert!(gate.is_open() && gate.ejection(at(50)).is_none());
    }
}
