//! What a server has done.

use std::sync::Arc;

use crate::{Counter, codes};

/// Counters of a whole [`Server`](crate::server::Server), or of one of its adapters.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Stats {
    /// Connections that exist now.
    pub open: Counter,
    /// Connections that were accepted.
    pub accepted: Counter,
    /// Connections that were closed at once because there were too many, in all or from their address.
    pub refused: Counter,
    /// Connections that were closed at once, and datagrams that were dropped, because their address is not allowed, or
    /// is one that cannot be answered.
    pub denied: Counter,
    /// Attempts to accept that failed: out of file descriptors, mostly.
    pub accept_errors: Counter,
    /// TLS handshakes that failed or took too long.
    pub handshakes_failed: Counter,

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
    /// .. because their timeout, or that of the queue, was over before they began: -6.
    pub expired: Counter,
    /// .. because too many waited: -9.
    pub overloads: Counter,
    /// .. because the servant panicked: -99.
    pub panics: Counter,
    /// .. because a [`Responder`](crate::server::Responder) was dropped: -99.
    pub unanswered: Counter,
    /// .. because their connection had gone before they began; they are not run.
    pub abandoned: Counter,
    /// Pushes that were taken for sending.
    pub pushes: Counter,

    /// Connections that the peer closed.
    pub closed_by_peer: Counter,
    /// Connections that the application closed.
    pub closed_by_servant: Counter,
    /// Connections that broke.
    pub closed_broken: Counter,
    /// Connections that were closed, and datagrams that were dropped, because of a frame whose length is wrong.
    pub closed_bad_frame: Counter,
    /// Connections that were closed, and datagrams that were dropped, because of a packet that cannot be decoded.
    pub closed_bad_packet: Counter,
    /// Connections that were closed because the peer did not take its answers.
    pub closed_stalled: Counter,
    /// Connections that were closed because a request, or the first byte of all, took too long to come.
    pub closed_slow: Counter,
    /// Connections that were closed because nothing went on.
    pub closed_idle: Counter,
    /// Connections that were closed because the server shut down.
    pub closed_drained: Counter,
    /// Connections that were cut because they were not done when the time to drain was over.
    pub aborted: Counter,
}

/// Counts for an adapter and for its server.
#[derive(Debug, Clone)]
pub(super) struct Tally {
    pub(super) server: Arc<Stats>,
    pub(super) adapter: Arc<Stats>,
}

impl Tally {
    pub(super) fn count(&self, which: impl Fn(&Stats) -> &Counter) {
        self.add(1, which);
    }

    pub(super) fn add(&self, n: u64, which: impl Fn(&Stats) -> &Counter) {
        which(&self.server).add(n);
        which(&self.adapter).add(n);
    }

    /// Counts a request that has ended in an error. (Panics and the like are counted where they are noticed.)
    pub(super) fn count_failure(&self, code: i32) {
        self.count(|s| &s.failed);
        match code {
            codes::SERVER_DECODE => self.count(|s| &s.decode_errors),
            codes::NO_FUNCTION => self.count(|s| &s.unknown_functions),
            codes::NO_SERVANT => self.count(|s| &s.unknown_servants),
            codes::QUEUE_TIMEOUT => self.count(|s| &s.expired),
            codes::OVERLOAD => self.count(|s| &s.overloads),
            _ => {}
        }
    }

    /// Counts a connection as open until the guard is dropped, however its task ends.
    pub(super) fn open(&self) -> Open {
        self.count(|s| &s.accepted);
        self.count(|s| &s.open);
        Open(self.clone())
    }
}

#[derive(Debug)]
pub(super) struct Open(Tally);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.server.open.decrement();
        self.0.adapter.open.decrement();
    }
}
