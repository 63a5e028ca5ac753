//! The connection to one endpoint, as its callers see it.

use std::{
    io,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use tars_codec::{self as codec, ResponsePacket};
use tokio::sync::{
    Semaphore,
    mpsc::{self, error::TrySendError},
};

use self::owner::{Mail, Owner};
use super::{
    CallOptions, Config, Connector, Stats,
    slot::{Answerer, Waiter, slot},
};
use crate::{Call, Disconnect, Endpoint, Error, Full, net::after};

mod owner;

/// The answer to a call, `None` for a oneway call that was sent.
type Outcome = Result<Option<ResponsePacket>, Failure>;

/// Why a call has no answer, without what only its caller knows.
#[derive(Debug, Clone)]
enum Failure {
    Timeout,
    Full(Full),
    Connect {
        retry_in: Duration,
        source: Arc<io::Error>,
    },
    Lost(Disconnect),
    Encode(codec::Error),
}

impl Failure {
    fn set_retry_in(&mut self, time: Duration) {
        if let Self::Connect { retry_in, .. } = self {
            *retry_in = time;
        }
    }
}

/// A call on its way to the owner of the connection.
struct Submission {
    servant: Arc<str>,
    func: &'static str,
    options: Arc<CallOptions>,
    body: Vec<u8>,
    deadline: Instant,
    answerer: Answerer<Outcome>,
    /// Gives the bytes of `body` back to the bound on queued bytes.
    _share: Share,
}

/// The handle of a connection. The connection is made at the first call, by a task that owns it from then on and
/// ends when the last handle is gone.
#[derive(Debug)]
pub(crate) struct Connection {
    endpoint: Arc<Endpoint>,
    config: Arc<Config>,
    connector: Arc<dyn Connector>,
    stats: Arc<Stats>,
    /// The endpoint does not answer, and the owner waits before the next attempt.
    down: Arc<AtomicBool>,
    queued_bytes: Arc<AtomicUsize>,
    mailbox: OnceLock<Mailbox>,
}

#[derive(Debug)]
struct Mailbox {
    queue: mpsc::Sender<Submission>,
    cancels: mpsc::UnboundedSender<i32>,
}

impl Connection {
    pub(crate) fn new(
        endpoint: Endpoint,
        config: Arc<Config>,
        connector: Arc<dyn Connector>,
        stats: Arc<Stats>,
    ) -> Self {
        Self {
            endpoint: Arc::new(endpoint),
            config,
            connector,
            stats,
            down: Arc::default(),
            queued_bytes: Arc::default(),
            mailbox: OnceLock::new(),
        }
    }

    /// Whether calls are refused because the endpoint does not answer.
    pub(crate) fn is_down(&self) -> bool {
        self.down.load(Ordering::Relaxed)
    }

    /// Makes a call, whose body is encoded already, and waits for its end.
    pub(crate) async fn call(
        &self,
        call: &Call,
        options: &Arc<CallOptions>,
        body: Vec<u8>,
    ) -> Result<Option<ResponsePacket>, Error> {
        let timeout = options.timeout_or(self.config.timeout);
        let outcome = match self.submit(call, options, body, timeout) {
            Ok(waiter) => waiter
                .await
                .unwrap_or(Err(Failure::Lost(Disconnect::RuntimeGone))),
            Err(failure) => Err(failure),
        };
        outcome.map_err(|failure| self.error(failure, call.clone(), timeout))
    }

    fn submit(
        &self,
        call: &Call,
        options: &Arc<CallOptions>,
        body: Vec<u8>,
        timeout: Duration,
    ) -> Result<Waiter<Outcome>, Failure> {
        let share = self
            .share(body.len())
            .inspect_err(|_| self.stats.refused.increment())?;
        let mailbox = self.mailbox.get_or_init(|| self.spawn_owner());
        let (answerer, waiter) = slot(mailbox.cancels.clone());
        let submission = Submission {
            servant: Arc::clone(&call.servant),
            func: call.func,
            options: Arc::clone(options),
            body,
            deadline: after(timeout),
            answerer,
            _share: share,
        };
        match mailbox.queue.try_send(submission) {
            Ok(()) => {
                self.stats.calls.increment();
                Ok(waiter)
            }
            Err(TrySendError::Full(_)) => {
                self.stats.refused.increment();
                Err(Failure::Full(Full::Queue(self.config.max_queue)))
            }
            Err(TrySendError::Closed(_)) => Err(Failure::Lost(Disconnect::RuntimeGone)),
        }
    }

    /// Room for so many bytes in the queue. Alone, a call may have more than the limit.
    fn share(&self, bytes: usize) -> Result<Share, Failure> {
        let limit = self.config.max_queued_bytes;
        let before = self.queued_bytes.fetch_add(bytes, Ordering::Relaxed);
        let share = Share {
            bytes,
            of: Arc::clone(&self.queued_bytes),
        };
        if before > 0 && before.saturating_add(bytes) > limit {
            return Err(Failure::Full(Full::Bytes(limit)));
        }
        Ok(share)
    }

    fn spawn_owner(&self) -> Mailbox {
        let (queue, submissions) =
            mpsc::channel(self.config.max_queue.clamp(1, Semaphore::MAX_PERMITS));
        let (cancels, cancelled) = mpsc::unbounded_channel();
        let owner = Owner::new(
            Arc::clone(&self.endpoint),
            Arc::clone(&self.config),
            Arc::clone(&self.connector),
            Arc::clone(&self.stats),
            Arc::clone(&self.down),
            Mail::new(submissions, cancelled),
        );
        tokio::spawn(owner.run());
        Mailbox { queue, cancels }
    }

    fn error(&self, failure: Failure, call: Call, after: Duration) -> Error {
        let endpoint = Arc::clone(&self.endpoint);
        match failure {
            Failure::Timeout => Error::Timeout {
                call,
                endpoint,
                after,
            },
            Failure::Full(full) => Error::QueueFull {
                call,
                endpoint,
                full,
            },
            Failure::Connect { retry_in, source } => Error::Connect {
                call,
                endpoint,
                retry_in,
                source,
            },
            Failure::Lost(cause) => Error::Disconnected {
                call,
                endpoint,
                cause,
            },
            Failure::Encode(source) => Error::Encode { call, source },
        }
    }
}

/// Bytes that count against the bound of the queue until this is dropped.
#[derive(Debug)]
struct Share {
    bytes: usize,
    of: Arc<AtomicUsize>,
}

impl Drop for Share {
    fn drop(&mut self) {
        self.of.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}
