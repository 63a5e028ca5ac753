//! Settings of a communicator.

use std::time::Duration;

use super::{Balance, HealthConfig};
use crate::{
    Transport,
    net::{FOREVER, MAX_DATAGRAM},
    protocol::{MAX_FRAME, client::Limits, keep_alive::Times},
};

/// Settings of a [`Communicator`](crate::Communicator), for all of its proxies and connections.
///
/// ```
/// use std::time::Duration;
/// use tars_rpc::client::{Balance, Config};
///
/// let mut config = Config::default();
/// config.timeout = Duration::from_secs(10);
/// config.balance = Balance::Random;
/// config.health.probe_after = Duration::from_secs(10);
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Config {
    /// How long a call waits for its answer. Default 3 s, TarsCpp's `sync-invoke-timeout`.
    pub timeout: Duration,
    /// How long an attempt to connect may take. Default 1.5 s.
    pub connect_timeout: Duration,
    /// How long calls are refused after an attempt to connect has failed; doubles with each failure. Default 100 ms.
    pub backoff_first: Duration,
    /// The longest such time. A server that is back is found after that at the latest. Default 5 s.
    pub backoff_last: Duration,
    /// A connection whose peer takes no bytes for that long is closed. Default 10 s.
    pub write_stall: Duration,
    /// A peer that was silent for that long, or half of it, is asked by `tars_ping` whether it is there. That also
    /// keeps it from closing the connection, which servers do after 60 s of silence. `None`: never. Default 30 s.
    pub keep_alive: Option<Duration>,
    /// A peer that has answered pings before, and says nothing for that long after one was sent, is gone: the calls on
    /// the connection fail, and the next one connects anew. One that never did, as TarsPHP, is not judged by that. A
    /// ping waits behind a large request: a peer that takes nothing of it is judged by
    /// [`write_stall`](Self::write_stall). Default 5 s.
    pub keep_alive_timeout: Duration,
    /// A connection that had no calls for that long is closed, unless somebody waits for
    /// [pushes](crate::client::ServantProxy::pushes). The next call connects anew. `None`: never. Default 5 min.
    pub idle: Option<Duration>,
    /// Calls to one endpoint that wait to be taken up by its connection; at least 1. Default 65,536.
    pub max_queue: usize,
    /// Calls to one endpoint that wait for their answer; at least 1, at most 16 Mi. Default 65,536.
    pub max_pending: usize,
    /// Bytes of requests to one endpoint that wait in the queue, and again that wait to be sent. A request above it
    /// is taken when nothing else waits. Default 64 MiB.
    pub max_queued_bytes: usize,
    /// The largest answer, in bytes with its length. A larger one closes the connection. Default 100 MiB.
    pub max_frame: usize,
    /// Messages that a server sent by itself and that wait to be taken, for each subscription. Default 1,024.
    pub max_pushes: usize,
    /// Which endpoint gets a call.
    pub balance: Balance,
    /// Which endpoints get no calls.
    pub health: HealthConfig,
    /// At how many other endpoints a call is tried that was [surely not run](crate::Error::is_not_run), or that is
    /// declared [idempotent](crate::client::CallOptions::idempotent). Default 2.
    pub retries: u32,
    /// How many retries each call to a servant earns, so that a servant that is down gets no multiple of its load.
    /// Default 0.1.
    pub retry_ratio: f64,
    /// How many retries may be saved up, and are there at the beginning. Default 100.
    pub retry_burst: u32,
    /// How often the registry is asked for the endpoints of a servant. Default 60 s, TarsCpp's
    /// `refresh-endpoint-interval`.
    pub refresh: Duration,
    /// For how long after sending a request a connection looks for the answer without letting its thread sleep: for
    /// calls that take microseconds. It costs that much processor time at each call that takes
    /// longer, so it is for a few connections and processors to spare. Default: none; 50 us is much.
    pub busy_poll: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(3),
            connect_timeout: Duration::from_millis(1500),
            backoff_first: Duration::from_millis(100),
            backoff_last: Duration::from_secs(5),
            write_stall: Duration::from_secs(10),
            keep_alive: Some(Duration::from_secs(30)),
            keep_alive_timeout: Duration::from_secs(5),
            idle: Some(Duration::from_secs(300)),
            max_queue: 1 << 16,
            max_pending: 1 << 16,
            max_queued_bytes: 64 << 20,
            max_frame: MAX_FRAME,
            max_pushes: 1024,
            balance: Balance::default(),
            health: HealthConfig::default(),
            retries: 2,
            retry_ratio: 0.1,
            retry_burst: 100,
            refresh: Duration::from_secs(60),
            busy_poll: Duration::ZERO,
        }
    }
}

impl Config {
    pub(crate) fn limits(&self, transport: Transport) -> Limits {
        Limits {
            max_request: match transport {
                Transport::Udp => MAX_DATAGRAM,
                Transport::Tcp | Transport::Ssl => MAX_FRAME,
            },
            max_frame: self.max_frame,
            // With none, no call would ever be made.
            max_pending: self.max_pending.max(1),
            max_unsent: self.max_queued_bytes.max(1),
        }
    }

    pub(crate) fn times(&self) -> Times {
        Times {
            ping_after: self.keep_alive.map(|time| time.min(FOREVER)),
            ping_timeout: self.keep_alive_timeout.min(FOREVER),
            idle: self.idle.map(|time| time.min(FOREVER)),
        }
    }
}
