//! What the clients of a communicator have done.

use crate::Counter;

/// Counters of all connections of a [`Communicator`](crate::Communicator).
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Stats {
    /// Calls that were handed to a connection.
    pub calls: Counter,
    /// Answers that found their call.
    pub answers: Counter,
    /// Answers that nobody waited for: late ones, mostly.
    pub stray_answers: Counter,
    /// Messages that a server sent by itself.
    pub pushes: Counter,
    /// Those that a subscription had no room for.
    pub pushes_dropped: Counter,
    /// Calls that timed out.
    pub timeouts: Counter,
    /// Calls that were given up by their caller before an answer came.
    pub abandoned: Counter,
    /// Calls that were refused because a queue was full.
    pub refused: Counter,
    /// Connections that were made.
    pub connects: Counter,
    /// Attempts to connect that failed.
    pub connect_failures: Counter,
    /// Connections that the peer closed, or that broke.
    pub closed_by_peer: Counter,
    /// Connections that were closed because of a frame or packet that cannot be decoded.
    pub closed_malformed: Counter,
    /// Connections that were closed because the peer took no bytes.
    pub closed_stalled: Counter,
    /// Connections that were closed because the peer did not answer a ping.
    pub closed_silent: Counter,
    /// Connections that were closed because nobody used them.
    pub closed_idle: Counter,
    /// Pings that were sent to silent peers.
    pub pings: Counter,
    /// Endpoints that were ejected because their calls failed.
    pub ejected: Counter,
    /// Ejected endpoints that came back.
    pub restored: Counter,
    /// Calls that were tried again at another endpoint.
    pub retries: Counter,
    /// Calls that would have been tried again, but for the budget of retries.
    pub retries_denied: Counter,
    /// Answers of the registry.
    pub resolved: Counter,
    /// Questions to the registry that failed.
    pub resolve_failures: Counter,
}
