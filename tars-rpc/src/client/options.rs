//! Options of single calls.

use std::time::{Duration, Instant};

use tars_codec::Attributes;

use super::balance::By;
use crate::{
    Version,
    net::{after, now},
    protocol::extra::{DYED, GRID, HASH, SET_NAME, TRACE},
    server,
    trace_parent::TRACEPARENT,
};

/// The rest of a trace, of which W3C says no more than that it travels along.
const TRACESTATE: &str = "tracestate";

/// Options of a call, or of all calls through a proxy: [`ServantProxy::with`](crate::client::ServantProxy::with).
///
/// ```
/// use std::time::Duration;
/// use tars_rpc::client::CallOptions;
///
/// let options = CallOptions::new()
///     .timeout(Duration::from_millis(500))
///     .timeout_of("rebuildIndex", Duration::from_secs(60))
///     .context("user", "ted");
/// ```
#[derive(Debug, Clone, Default)]
pub struct CallOptions {
    timeout: Option<Duration>,
    timeouts: Vec<(String, Duration)>,
    deadline: Option<Instant>,
    context: Attributes,
    status: Attributes,
    message_type: i32,
    oneway: bool,
    idempotent: bool,
    version: Version,
    by: Option<By>,
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

    /// How long to wait for the answer of this function, whatever [`timeout`](Self::timeout) says.
    #[must_use]
    pub fn timeout_of(mut self, func: impl Into<String>, timeout: Duration) -> Self {
        let func = func.into();
        self.timeouts.retain(|(other, _)| *other != func);
        self.timeouts.push((func, timeout));
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
    /// let options = CallOptions::new().version(Version::Tars);
    /// ```
    #[must_use]
    pub fn version(mut self, version: Version) -> Self {
        self.version = version;
        self
    }

    /// Calls with the same hash go to the same endpoint: the number of it is `hash` modulo the number of endpoints.
    /// When one comes or goes, most hashes move; [`consistent_hash`](Self::consistent_hash) moves few.
    #[must_use]
    pub fn hash(mut self, hash: u64) -> Self {
        self.by = Some(By::Modulo(hash));
        self.message_type |= HASH;
        self
    }

    /// Calls with the same hash go to the same endpoint. When one of ten comes or goes, a tenth of the hashes move.
    ///
    /// Clients of this library agree on the endpoint of a hash. TarsCpp places endpoints by the whole text of their
    /// address, and so elsewhere.
    #[must_use]
    pub fn consistent_hash(mut self, hash: u64) -> Self {
        self.by = Some(By::Ring(hash));
        self.message_type |= HASH;
        self
    }

    /// The key by which routers of the platform choose a grid: `STATUS_GRID_KEY`.
    #[must_use]
    pub fn routekey(self, key: impl Into<String>) -> Self {
        self.extra(GRID, key.into())
    }

    /// Dyes the call, and the calls that its servant makes for it: servers log them apart, under this key
    /// (`STATUS_DYED_KEY`).
    #[must_use]
    pub fn dyed(self, key: impl Into<String>) -> Self {
        self.extra(DYED, key.into())
    }

    /// Has the call traced by the Tars platform under this key (`STATUS_TRACE_KEY`).
    #[must_use]
    pub fn trace(self, key: impl Into<String>) -> Self {
        self.extra(TRACE, key.into())
    }

    /// The set of the servant that is called, `NAME.AREA.GROUP`: a server of another set answers with
    /// [`WRONG_SET`](crate::codes::WRONG_SET).
    #[must_use]
    pub fn set_name(self, set: impl Into<String>) -> Self {
        self.extra(SET_NAME, set.into())
    }

    fn extra(mut self, (key, bit): (&str, i32), value: String) -> Self {
        self.status.insert(key.to_owned(), value);
        self.message_type |= bit;
        self
    }

    /// Declares that it does no harm if the call is run twice. Then it is tried at another endpoint, too, when it may
    /// have been run: when the connection broke. A timeout is never followed by another attempt, since there is no
    /// time left for one.
    #[must_use]
    pub fn idempotent(mut self) -> Self {
        self.idempotent = true;
        self
    }

    /// Makes the call a part of what a servant does for its own caller: dyeing and tracing go on, and no answer is
    /// waited for when that caller waits no more.
    ///
    /// ```
    /// use tars_rpc::{Result, client::{CallOptions, ServantProxy}, server};
    ///
    /// async fn greet(cx: &server::Context, names: &ServantProxy) -> Result<()> {
    ///     let names = names.with(CallOptions::new().inherit(cx));
    ///     names.call("count", |_| {}).await?;
    ///     Ok(())
    /// }
    /// ```
    #[must_use]
    pub fn inherit(mut self, of: &server::Context) -> Self {
        for extra in [DYED, TRACE] {
            if of.message_type() & extra.1 != 0
                && let Some(key) = of.status().get(extra.0)
            {
                self = self.extra(extra, key.clone());
            }
        }
        for key in [TRACEPARENT, TRACESTATE] {
            if let Some(value) = of.context().get(key) {
                self.context.insert(key.to_owned(), value.clone());
            }
        }
        self.deadline = self.deadline.into_iter().chain(of.deadline()).min();
        self
    }

    pub(crate) fn protocol(&self) -> Version {
        self.version
    }

    /// When the answer of a call that begins now has to be there, and how long that is.
    pub(crate) fn deadline(&self, func: &str, default: Duration) -> (Instant, Duration) {
        let special = self.timeouts.iter().find(|(of, _)| of == func);
        let special = special.map(|(_, timeout)| *timeout);
        let timeout = special.or(self.timeout).unwrap_or(default);
        match self.deadline {
            None => (after(timeout), timeout),
            Some(deadline) => {
                let left = deadline.saturating_duration_since(now());
                (deadline.min(after(timeout)), timeout.min(left))
            }
        }
    }

    pub(crate) fn attributes(&self) -> (&Attributes, &Attributes) {
        (&self.context, &self.status)
    }

    pub(crate) fn message_type(&self) -> i32 {
        self.message_type
    }

    pub(crate) fn is_oneway(&self) -> bool {
        self.oneway
    }

    pub(crate) fn is_idempotent(&self) -> bool {
        self.idempotent
    }

    pub(crate) fn by(&self) -> Option<By> {
        self.by
    }
}
