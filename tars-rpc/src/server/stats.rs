//! What a server has done.

use crate::{Counter, codes};

/// Counters of a [`Server`](crate::server::Server).
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Stats {
    /// Connections that exist now.
    pub open: Counter,
    /// Connections that were accepted.
    pub accepted: Counter,
    /// Connections that were closed at once because there were too many.
    pub refused: Counter,
    /// Requests that came.
    pub requests: Counter,
    /// Requests that ended well; with [`failed`](Self::failed), all that have ended.
    pub succeeded: Counter,
    /// Requests that ended in an error, those below included.
    pub failed: Counter,
    /// .. because an argument was missing or wrong, or the version is unknown: -1.
    pub decode_errors: Counter,
    /// .. because the servant has no such function: -3.
    pub unknown_functions: Counter,
    /// .. because there is no such servant: -4.
    pub unknown_servants: Counter,
    /// .. because their timeout was over before they began: -6.
    pub expired: Counter,
    /// .. because too many waited: -9.
    pub overloads: Counter,
    /// .. because the servant panicked: -99.
    pub panics: Counter,
    /// Connections that the peer closed.
    pub closed_by_peer: Counter,
    /// Connections that broke.
    pub closed_broken: Counter,
    /// Connections that were closed because of a frame whose length is out of range.
    pub closed_bad_frame: Counter,
    /// Connections that were closed because of a packet that cannot be decoded.
    pub closed_bad_packet: Counter,
    /// Connections that were closed because the peer did not take its answers.
    pub closed_stalled: Counter,
    /// Connections that were closed because the server shut down.
    pub closed_drained: Counter,
}

impl Stats {
    /// Counts a request that has ended in an error. (Panics are counted where they are caught.)
    pub(super) fn count_failure(&self, code: i32) {
        self.failed.increment();
        match code {
            codes::SERVER_DECODE => self.decode_errors.increment(),
            codes::NO_FUNCTION => self.unknown_functions.increment(),
            codes::NO_SERVANT => self.unknown_servants.increment(),
            codes::QUEUE_TIMEOUT => self.expired.increment(),
            codes::OVERLOAD => self.overloads.increment(),
            _ => {}
        }
    }
}
