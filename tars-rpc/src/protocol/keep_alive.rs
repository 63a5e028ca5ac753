//! When to ask a silent peer whether it is there, and when to give a connection up.

use std::time::{Duration, Instant};

/// Times of a connection. `None` is never.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Times {
    /// A peer that was silent for this long, or half of it, is asked with a ping.
    pub(crate) ping_after: Option<Duration>,
    /// How long it may stay silent after that.
    pub(crate) ping_timeout: Duration,
    /// A connection without calls for this long, and up to a quarter more, is closed.
    pub(crate) idle: Option<Duration>,
}

/// What has to be done now.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Due {
    Nothing,
    /// Send a ping.
    Ping,
    /// Nothing came since the ping. A peer that has answered pings before is gone; of another, which may not know
    /// them, this says little.
    Silent {
        answered_before: bool,
    },
    /// There were no calls for too long.
    Idle,
}

/// Looks at the connection every now and then; what happens in between only leaves a mark, which costs the busy
/// connection no look at the clock.
#[derive(Debug)]
pub(crate) struct KeepAlive {
    times: Times,
    heard: bool,
    used: bool,
    used_at: Instant,
    pinged_at: Option<Instant>,
    knows_ping: bool,
    /// The peer ignores pings, so it is asked no more until it says something.
    ignores_ping: bool,
    next_look: Option<Instant>,
}

impl KeepAlive {
    pub(crate) fn new(times: Times, now: Instant) -> Self {
        let mut new = Self {
            times,
            heard: false,
            used: true,
            used_at: now,
            pinged_at: None,
            knows_ping: false,
            ignores_ping: false,
            next_look: None,
        };
        new.look_again(now);
        new
    }

    /// Bytes came, or the peer has taken some.
    pub(crate) fn heard(&mut self) {
        self.heard = true;
    }

    /// A call began.
    pub(crate) fn used(&mut self) {
        self.used = true;
    }

    /// The ping waits behind other bytes, or did until now: the peer could not answer it yet. Whether it takes any is
    /// judged elsewhere.
    pub(crate) fn ping_waits(&mut self, now: Instant) {
        if let Some(at) = &mut self.pinged_at {
            *at = now;
        }
    }

    /// The answer to a ping came.
    pub(crate) fn ping_answered(&mut self) {
        self.knows_ping = true;
    }

    /// When to call [`look`](Self::look).
    pub(crate) fn next_look(&self) -> Option<Instant> {
        self.next_look
    }

    /// What is due; `busy` says that calls are under way.
    pub(crate) fn look(&mut self, now: Instant, busy: bool) -> Due {
        if self.next_look.is_none_or(|at| at > now) {
            return Due::Nothing;
        }
        let due = self.due(now, busy);
        self.look_again(now);
        due
    }

    fn due(&mut self, now: Instant, busy: bool) -> Due {
        if self.used || busy {
            self.used = false;
            self.used_at = now;
        }
        let unused = now.saturating_duration_since(self.used_at);
        if self.times.idle.is_some_and(|idle| unused >= idle) {
            return Due::Idle;
        }
        if self.heard {
            self.heard = false;
            self.ignores_ping = false;
            self.pinged_at = None;
            return Due::Nothing;
        }
        match self.pinged_at {
            Some(at) if now.saturating_duration_since(at) >= self.times.ping_timeout => {
                self.pinged_at = None;
                self.ignores_ping = true;
                Due::Silent {
                    answered_before: self.knows_ping,
                }
            }
            Some(_) => Due::Nothing,
            None if self.times.ping_after.is_some() && !self.ignores_ping => {
                self.pinged_at = Some(now);
                Due::Ping
            }
            None => Due::Nothing,
        }
    }

    fn look_again(&mut self, now: Instant) {
        let half = self.times.ping_after.map(|time| time / 2);
        let quarter = self.times.idle.map(|time| time / 4);
        let usual = half.into_iter().chain(quarter).min();
        let answer = self.pinged_at.map(|_| self.times.ping_timeout);
        let after = usual.into_iter().chain(answer).min();
        // Times of nothing must not make a loop.
        self.next_look = after.map(|after| now + after.max(Duration::from_millis(1)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const TIMES: Times = Times {
        ping_after: Some(Duration::from_secs(30)),
        ping_timeout: Duration::from_secs(5),
        idle: None,
    };

    /// What is due in each second up to `until`, if anything is. `act` runs before each look.
    fn dues(
        times: Times,
        until: u32,
        busy: bool,
        mut act: impl FnMut(u32, &mut KeepAlive),
    ) -> Vec<(u32, Due)> {
        let start = Instant::now();
        let mut keep_alive = KeepAlive::new(times, start);
        let mut dues = Vec::new();
        for second in 1..=until {
            act(second, &mut keep_alive);
            match keep_alive.look(start + second * SECOND, busy) {
                Due::Nothing => {}
                due => dues.push((second, due)),
            }
        }
        dues
    }

    #[test]
    fn a_peer_that_talks_is_not_asked() {
        let dues = dues(TIMES, 300, true, |second, k| {
            if second % 10 == 0 {
                k.heard();
            }
        });
        assert_eq!(dues, []);
    }

    #[test]
    fn a_silent_peer_is_asked_and_lives_as_long_as_it_answers() {
        let start = Instant::now();
        let mut keep_alive = KeepAlive::new(TIMES, start);
        let mut pings = 0;
        for second in 1..=300 {
            match keep_alive.look(start + second * SECOND, false) {
                Due::Nothing => {}
                Due::Ping => {
                    pings += 1;
                    keep_alive.ping_answered();
                    keep_alive.heard();
                }
                due => panic!("{due:?} after {second} s"),
            }
        }
        assert!((10..=20).contains(&pings), "{pings} in 300 s");
    }

    #[test]
    fn silence_after_a_ping_is_told_with_what_is_known_of_the_peer() {
        for knows in [false, true] {
            let dues = dues(TIMES, 100, true, |second, k| {
                if second == 1 && knows {
                    k.ping_answered();
                }
            });
            let silent = Due::Silent {
                answered_before: knows,
            };
            assert_eq!(dues, [(15, Due::Ping), (20, silent)]);
        }
    }

    #[test]
    fn a_ping_that_waits_to_be_sent_is_not_waited_for() {
        let dues = dues(TIMES, 100, true, |second, k| {
            k.ping_answered();
            if (15..=42).contains(&second) {
                k.ping_waits(Instant::now() + second * SECOND);
            }
        });
        let silent = Due::Silent {
            answered_before: true,
        };
        assert_eq!(dues, [(15, Due::Ping), (50, silent)]);
    }

    #[test]
    fn without_calls_the_connection_is_idle_and_pings_do_not_count() {
        let times = Times {
            idle: Some(40 * SECOND),
            ..TIMES
        };
        let first_idle = |dues: Vec<(u32, Due)>| {
            dues.iter()
                .find(|(_, due)| *due == Due::Idle)
                .map(|(second, _)| *second)
        };
        let unused = dues(times, 100, false, |_, k| k.heard());
        assert_eq!(
            first_idle(unused),
            Some(50),
            "seen at the first look, and 40 s later"
        );
        let used = dues(times, 100, false, |second, k| {
            k.heard();
            if second % 20 == 0 {
                k.used();
            }
        });
        assert_eq!(first_idle(used), None);
        let busy = dues(times, 100, true, |_, k| k.heard());
        assert_eq!(first_idle(busy), None);
    }

    #[test]
    fn without_times_it_never_looks() {
        let times = Times {
            ping_after: None,
            ping_timeout: SECOND,
            idle: None,
        };
        assert_eq!(KeepAlive::new(times, Instant::now()).next_look(), None);
        let nothing = Times {
            ping_after: Some(Duration::ZERO),
            ..times
        };
        let start = Instant::now();
        assert!(KeepAlive::new(nothing, start).next_look() > Some(start));
    }
}
