//! The proxy of a servant.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use super::{Args, CallOptions, Connection, Reply};
use crate::{Call, Error, Result};

/// A servant somewhere else. Cheap to clone, and to be shared by tasks.
///
/// Generated clients (`XServant`) have one; so can code that knows function names and parameters by itself. Calls
/// through one proxy run at the same time on one connection, and may end in any order. With several endpoints, each
/// call goes to the next of them that is not known to be down.
///
/// ```no_run
/// use std::time::Duration;
/// use tars_rpc::{Communicator, Result, client::CallOptions};
///
/// # async fn run() -> Result<()> {
/// let proxy = Communicator::new().string_to_proxy("PHPTest.PHPServer.obj@tcp -h 127.0.0.1 -p 15380")?;
/// let hasty = proxy.with(CallOptions::new().timeout(Duration::from_millis(200)));
/// hasty.call("tars_ping", |_| {}).await?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct ServantProxy {
    target: Arc<Target>,
    options: Arc<CallOptions>,
}

struct Target {
    servant: Arc<str>,
    /// At least one.
    connections: Vec<Arc<Connection>>,
    next: AtomicUsize,
}

impl ServantProxy {
    /// `None` without connections.
    pub(crate) fn new(servant: &str, connections: Vec<Arc<Connection>>) -> Option<Self> {
        if connections.is_empty() {
            return None;
        }
        Some(Self {
            target: Arc::new(Target {
                servant: servant.into(),
                connections,
                next: AtomicUsize::new(0),
            }),
            options: Arc::default(),
        })
    }

    /// The name of the servant.
    pub fn servant(&self) -> &str {
        &self.target.servant
    }

    /// The same servant with other options for its calls; those of `self` are not kept.
    #[must_use]
    pub fn with(&self, options: CallOptions) -> Self {
        Self {
            target: Arc::clone(&self.target),
            options: Arc::new(options),
        }
    }

    /// Calls a function. `args` is run once, at the first poll.
    ///
    /// Dropping the future gives the call up: nobody waits for its answer any more, but the servant may run it.
    /// Must be called within a tokio runtime, whose end is the end of the connection.
    ///
    /// # Errors
    /// No connection, no answer in time, a full queue, or an answer that says that the call failed. Only
    /// [`Error::Connect`], [`Error::QueueFull`] and [`Error::Encode`] mean that the servant has surely not run it.
    pub async fn call(&self, func: &'static str, args: impl FnOnce(&mut Args)) -> Result<Reply> {
        let call = Call {
            servant: Arc::clone(&self.target.servant),
            func,
        };
        let mut encoded = Args::new(self.options.protocol());
        args(&mut encoded);
        let body = match encoded.finish() {
            Ok(body) => body,
            Err(source) => return Err(Error::Encode { call, source }),
        };
        let Some(connection) = self.target.choose() else {
            return Err(Error::NoEndpoint {
                object: self.target.servant.to_string(),
                reason: "the address names none".to_owned(),
            });
        };
        let answer = connection.call(&call, &self.options, body).await?;
        Reply::new(call, self.options.protocol(), answer)
    }
}

impl Target {
    /// The next connection in turn that is not down; the next one, if all are.
    fn choose(&self) -> Option<&Connection> {
        if let [only] = self.connections.as_slice() {
            return Some(only);
        }
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        let (before, after) = self
            .connections
            .split_at_checked(turn % self.connections.len())?;
        let mut in_turn = after.iter().chain(before);
        let first = in_turn.clone().next()?;
        Some(in_turn.find(|c| !c.is_down()).unwrap_or(first))
    }
}

impl fmt::Debug for ServantProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServantProxy")
            .field("servant", &self.target.servant)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
