//! Bounds of an adapter and its connections.

use std::time::Duration;

use crate::protocol::MAX_FRAME;

/// What an adapter is willing to hold, and for how long. Where nothing else is said, 0 is a limit as others are: there
/// may be none. The five times of a connection must not be zero, also where none needs them (a handshake without TLS),
/// and [`Duration::MAX`] is no limit.
///
/// ```
/// use std::time::Duration;
/// use tars_rpc::server::Limits;
///
/// let mut limits = Limits::default();
/// limits.max_frame = 1 << 20;
/// limits.queue_timeout = Duration::from_secs(5);
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Limits {
    /// Connections of the adapter, `maxconns` in a Tars configuration. One more is closed at once. Default 10,000.
    pub max_connections: usize,
    /// Connections from one IP address. One more is closed at once. Default: as many as there may be at all.
    pub max_connections_per_address: usize,
    /// Requests of the adapter whose handlers run at the same time, or that a [`Responder`](super::Responder) has still
    /// to answer; at least 1. Default 10,000.
    pub max_in_flight: usize,
    /// Requests of the adapter that wait for one of those to end, `queuecap`. One more is answered with
    /// [`OVERLOAD`](crate::codes::OVERLOAD). Default 10,000.
    pub max_queue: usize,
    /// How long a request may wait, `queuetimeout`. It is answered with
    /// [`QUEUE_TIMEOUT`](crate::codes::QUEUE_TIMEOUT) then, or when the caller's own timeout is over. With zero, none
    /// waits. Default 60 s.
    pub queue_timeout: Duration,
    /// Bytes of requests of the adapter that run or wait: their bodies, contexts and names. One more is answered with
    /// [`OVERLOAD`](crate::codes::OVERLOAD), unless it is the only one. Default 256 MiB.
    pub max_request_bytes: usize,

    /// [`max_in_flight`](Self::max_in_flight) of a single connection; at least 1. Requests that are
    /// [deferred](super::Context::defer) count until they are answered: one that would have them answered waits behind
    /// them if it comes on the same connection, as it does from a client of this crate, which has one for each endpoint.
    /// Default 1,024.
    pub max_in_flight_per_connection: usize,
    /// [`max_queue`](Self::max_queue) of a single connection. Default 4,096.
    pub max_queue_per_connection: usize,
    /// [`max_request_bytes`](Self::max_request_bytes) of a single connection. Default 64 MiB.
    pub max_request_bytes_per_connection: usize,
    /// The largest request, in bytes with its length. A larger one closes the connection. Default 100 MiB, as
    /// TarsCpp; an adapter that strangers reach wants far less, since each of its connections may hold one.
    pub max_frame: usize,
    /// Bytes of answers of a connection that wait to be sent, and again of pushes; at least 1. A peer that has not taken
    /// so much is not read from, and gets no more pushes. Default 1 MiB.
    pub max_unsent: usize,

    /// How long a TLS handshake may take. Default 5 s.
    pub handshake_timeout: Duration,
    /// How long a new connection may be silent. Default 30 s.
    pub header_timeout: Duration,
    /// How long a request may take from its first byte to its last. Default 60 s.
    pub body_timeout: Duration,
    /// After how long without traffic, and without a request that runs, a connection is closed. The `-t` of an
    /// endpoint takes its place. Default 10 min.
    pub idle_timeout: Duration,
    /// A connection whose peer takes no bytes for that long is closed. Default 10 s.
    pub write_stall: Duration,
    /// For how long after bytes came or went a connection looks for the next request without letting its thread sleep:
    /// for callers that call again within microseconds. A connection that falls silent costs that much processor time
    /// each time. Default: none; 50 us is much.
    pub busy_poll: Duration,
}

impl Limits {
    /// With 0 handlers or bytes nothing would ever be answered.
    pub(super) fn sane(mut self) -> Self {
        self.max_in_flight = self.max_in_flight.max(1);
        self.max_in_flight_per_connection = self.max_in_flight_per_connection.max(1);
        self.max_unsent = self.max_unsent.max(1);
        self
    }

    /// The name of a time that is zero, which would close each connection at once.
    pub(super) fn zero_time(&self) -> Option<&'static str> {
        let times = [
            ("handshake_timeout", self.handshake_timeout),
            ("header_timeout", self.header_timeout),
            ("body_timeout", self.body_timeout),
            ("idle_timeout", self.idle_timeout),
            ("write_stall", self.write_stall),
        ];
        let zero = times.into_iter().find(|(_, time)| time.is_zero());
        zero.map(|(name, _)| name)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_connections: 10_000,
            max_connections_per_address: usize::MAX,
            max_in_flight: 10_000,
            max_queue: 10_000,
            queue_timeout: Duration::from_secs(60),
            max_request_bytes: 256 << 20,
            max_in_flight_per_connection: 1024,
            max_queue_per_connection: 4096,
            max_request_bytes_per_connection: 64 << 20,
            max_frame: MAX_FRAME,
            max_unsent: 1 << 20,
            handshake_timeout: Duration::from_secs(5),
            header_timeout: Duration::from_secs(30),
            body_timeout: Duration::from_secs(60),
            idle_timeout: Duration::from_secs(600),
            write_stall: Duration::from_secs(10),
            busy_poll: Duration::ZERO,
        }
    }
}
