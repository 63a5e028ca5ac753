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
    /// Messages that a server sent by itself. They are dropped today.
    pub pushes: Counter,
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
}
