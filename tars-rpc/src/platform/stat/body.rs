//! The numbers of calls that are counted together.

use std::time::Duration;

use crate::platform::StatMicMsgBody;

/// Upper bounds of the classes of `intervalCount`, in milliseconds. A call of the last bound or more is in none.
pub const BOUNDS: [i32; 9] = [5, 10, 50, 100, 200, 500, 1000, 2000, 3000];

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// After that many milliseconds.
    Success(i32),
    Timeout,
    Failure,
}

impl End {
    pub(crate) fn new(code: i32, elapsed: Duration) -> Self {
        match code {
            crate::codes::OK => {
                Self::Success(i32::try_from(elapsed.as_millis()).unwrap_or(i32::MAX))
            }
            crate::codes::INVOKE_TIMEOUT => Self::Timeout,
            _ => Self::Failure,
        }
    }
}

/// The same as [`StatMicMsgBody`], without a map: calls are counted here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    count: i32,
    timeouts: i32,
    failures: i32,
    classes: [i32; BOUNDS.len()],
    total: i64,
    max: i32,
    min: i32,
}

impl Tally {
    pub(crate) fn count(&mut self, end: End) {
        let millis = match end {
            End::Success(millis) => {
                self.min = if self.count == 0 {
                    millis
                } else {
                    self.min.min(millis)
                };
                self.max = self.max.max(millis);
                self.total = self.total.saturating_add(i64::from(millis));
                self.count = self.count.saturating_add(1);
                millis
            }
            // As in TarsCpp, a call that failed has taken no time.
            End::Timeout => {
                self.timeouts = self.timeouts.saturating_add(1);
                0
            }
            End::Failure => {
                self.failures = self.failures.saturating_add(1);
                0
            }
        };
        let class = BOUNDS.iter().position(|bound| millis < *bound);
        if let Some(calls) = class.and_then(|class| self.classes.get_mut(class)) {
            *calls = calls.saturating_add(1);
        }
    }

    pub(crate) fn body(&self) -> StatMicMsgBody {
        StatMicMsgBody {
            count: self.count,
            timeout_count: self.timeouts,
            exec_count: self.failures,
            interval_count: BOUNDS.into_iter().zip(self.classes).collect(),
            total_rsp_time: self.total,
            max_rsp_time: self.max,
            min_rsp_time: self.min,
        }
    }
}

/// Adds the calls of `other`, for implementations of [`StatStore`](super::StatStore).
///
/// ```
/// use tars_rpc::platform::{StatMicMsgBody, stat::add};
///
/// let mut body = StatMicMsgBody { count: 1, total_rsp_time: 7, max_rsp_time: 7, min_rsp_time: 7, ..Default::default() };
/// add(&mut body, &StatMicMsgBody { count: 1, total_rsp_time: 3, max_rsp_time: 3, min_rsp_time: 3, ..Default::default() });
/// assert_eq!((body.count, body.total_rsp_time, body.max_rsp_time, body.min_rsp_time), (2, 10, 7, 3));
/// ```
pub fn add(body: &mut StatMicMsgBody, other: &StatMicMsgBody) {
    if other.count > 0 {
        body.min_rsp_time = match body.count {
            0 => other.min_rsp_time,
            _ => body.min_rsp_time.min(other.min_rsp_time),
        };
        body.max_rsp_time = body.max_rsp_time.max(other.max_rsp_time);
    }
    body.count = body.count.saturating_add(other.count);
    body.timeout_count = body.timeout_count.saturating_add(other.timeout_count);
    body.exec_count = body.exec_count.saturating_add(other.exec_count);
    body.total_rsp_time = body.total_rsp_time.saturating_add(other.total_rsp_time);
    for (bound, calls) in &other.interval_count {
        let sum = body.interval_count.entry(*bound).or_default();
        *sum = sum.saturating_add(*calls);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codes;

    fn tally(ends: &[End]) -> StatMicMsgBody {
        let mut tally = Tally::default();
        ends.iter().for_each(|end| tally.count(*end));
        tally.body()
    }

    #[test]
    fn a_call_is_in_the_class_whose_bound_it_is_below() {
        for (millis, class) in [
            (0, Some(5)),
            (4, Some(5)),
            (5, Some(10)),
            (9, Some(10)),
            (10, Some(50)),
            (2000, Some(3000)),
            (2999, Some(3000)),
            (3000, None),
            (i32::MAX, None),
        ] {
            let body = tally(&[End::Success(millis)]);
            let found = body.interval_count.iter().find(|(_, calls)| **calls == 1);
            assert_eq!(found.map(|(bound, _)| *bound), class, "{millis}");
            assert_eq!(body.interval_count.len(), BOUNDS.len(), "all are present");
        }
    }

    /// The calls and the report of a TarsCpp client to an endpoint that nobody listens on.
    #[test]
    fn calls_that_failed_took_no_time() {
        let body = tally(&[End::Failure; 3]);
        assert_eq!((body.count, body.timeout_count, body.exec_count), (0, 0, 3));
        assert_eq!(
            (body.total_rsp_time, body.max_rsp_time, body.min_rsp_time),
            (0, 0, 0)
        );
        assert_eq!(body.interval_count[&5], 3);
    }

    #[test]
    fn codes_tell_how_a_call_ended() {
        let took = Duration::from_micros(7_900);
        assert_eq!(End::new(codes::OK, took), End::Success(7));
        assert_eq!(End::new(codes::INVOKE_TIMEOUT, took), End::Timeout);
        assert_eq!(End::new(codes::QUEUE_TIMEOUT, took), End::Failure);
        assert_eq!(End::new(1, took), End::Failure);
        assert_eq!(End::new(codes::OK, Duration::MAX), End::Success(i32::MAX));
    }

    #[test]
    fn sums_are_those_of_all_calls() {
        let calls = [
            End::Success(12),
            End::Timeout,
            End::Success(3),
            End::Failure,
            End::Success(40),
        ];
        let together = tally(&calls);
        assert_eq!((together.min_rsp_time, together.max_rsp_time), (3, 40));
        for cut in 0..=calls.len() {
            let (before, after) = calls.split_at(cut);
            let mut sum = tally(before);
            add(&mut sum, &tally(after));
            assert_eq!(sum, together, "cut at {cut}");
        }
    }
}
