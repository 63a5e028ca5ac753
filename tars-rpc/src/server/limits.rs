//! Bounds of a server.

use std::time::Duration;

use crate::protocol::MAX_FRAME;

/// What a server is willing to hold, and for how long.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Limits {
    /// The largest request, in bytes with its length. A larger one closes the connection. Default 100 MiB, as
    /// TarsCpp; a server that strangers reach wants far less.
    pub max_frame: usize,
    /// Connections. One more is closed at once. Default 10,000.
    pub max_connections: usize,
    /// Requests of one connection whose handlers wait for something; at least 1. Default 1,024.
    pub max_in_flight: usize,
    /// Requests of one connection that wait for one of those to end. One more is answered with
    /// [`OVERLOAD`](crate::codes::OVERLOAD). Default 4,096.
    pub max_queue: usize,
    /// Bytes of the bodies of those; one may be larger if it is alone. Default 16 MiB.
    pub max_queued_bytes: usize,
    /// Bytes of answers that wait to be sent. A peer that has not taken so much is not read from. Default 1 MiB.
    pub max_unsent: usize,
    /// A connection whose peer takes no bytes for that long is closed. Default 10 s.
    pub write_stall: Duration,
    /// How long handlers may run on when the server shuts down. Default 3 s, the time that `tarsnode` gives.
    pub drain: Duration,
}

impl Limits {
    /// With 0 handlers or bytes nothing would ever be answered.
    pub(crate) fn sane(mut self) -> Self {
        self.max_in_flight = self.max_in_flight.max(1);
        self.max_unsent = self.max_unsent.max(1);
        self
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_frame: MAX_FRAME,
            max_connections: 10_000,
            max_in_flight: 1024,
            max_queue: 4096,
            max_queued_bytes: 16 << 20,
            max_unsent: 1 << 20,
            write_stall: Duration::from_secs(10),
            drain: Duration::from_secs(3),
        }
    }
}
