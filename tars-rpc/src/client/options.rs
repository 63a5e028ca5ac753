//! Settings of a client, and of single calls.

use std::time::Duration;

use tars_codec::Attributes;

use crate::{
    Version,
    protocol::{MAX_FRAME, client::Limits},
};

/// Settings of a [`Communicator`](crate::Communicator), for all of its connections.
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
    /// Calls to one endpoint that wait to be taken up by its connection. Default 65,536.
    pub max_queue: usize,
    /// Calls to one endpoint that wait for their answer; at most 16 Mi. Default 65,536.
    pub max_pending: usize,
    /// Bytes of requests to one endpoint that wait in the queue, and again that wait to be sent. A request above it
    /// is taken when nothing else waits. Default 64 MiB.
    pub max_queued_bytes: usize,
    /// The largest answer, in bytes with its length. A larger one closes the connection. Default 100 MiB.
    pub max_frame: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(3),
            connect_timeout: Duration::from_millis(1500),
            backoff_first: Duration::from_millis(100),
            backoff_last: Duration::from_secs(5),
            write_stall: Duration::from_secs(10),
            max_queue: 1 << 16,
            max_pending: 1 << 16,
            max_queued_bytes: 64 << 20,
            max_frame: MAX_FRAME,
        }
    }
}

impl Config {
    pub(crate) fn limits(&self) -> Limits {
        Limits {
            max_frame: self.max_frame,
            max_pending: self.max_pending,
            max_unsent: self.max_queued_bytes,
        }
    }
}

/// Options of a call, or of all calls through a proxy: [`ServantProxy::with`](crate::client::ServantProxy::with).
///
/// ```
/// use std::time::Duration;
/// use tars_rpc::client::CallOptions;
///
/// let options = CallOptions::new()
///     .timeout(Duration::from_millis(500))
///     .context("trace", "1a2b");
/// ```
#[derive(Debug, Clone, Default)]
pub struct CallOptions {
    timeout: Option<Duration>,
    context: Attributes,
    status: Attributes,
    oneway: bool,
    version: Version,
}

impl CallOptions {
    /// The defaults: the communicator's timeout, no context, no status, an answer, and version 1 of the protocol.
    pub fn new() -> Self {
        Self::default()
    }

    /// How long to wait for the answer. The server learns of it, and does not begin a call that is past it.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Adds an entry to the context, which the servant sees.
    #[must_use]
    pub fn context(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.context.insert(key.into(), value.into());
        self
    }

    /// Adds an entry to the status, which is the framework's.
    #[must_use]
    pub fn status(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.status.insert(key.into(), value.into());
        self
    }

    /// Wants no answer: a call is done when its bytes have been given to the operating system, and its
    /// [`Reply`](crate::client::Reply) is empty. Whether the servant runs it is not known.
    #[must_use]
    pub fn oneway(mut self) -> Self {
        self.oneway = true;
        self
    }

    /// The version of the protocol to call in.
    ///
    /// ```
    /// use tars_rpc::{Version, client::CallOptions};
    ///
    /// let options = CallOptions::new().version(Version::Tup);
    /// ```
    #[must_use]
    pub fn version(mut self, version: Version) -> Self {
        self.version = version;
        self
    }

    pub(crate) fn protocol(&self) -> Version {
        self.version
    }

    pub(crate) fn timeout_or(&self, default: Duration) -> Duration {
        self.timeout.unwrap_or(default)
    }

    pub(crate) fn attributes(&self) -> (&Attributes, &Attributes) {
        (&self.context, &self.status)
    }

    pub(crate) fn is_oneway(&self) -> bool {
        self.oneway
    }
}
