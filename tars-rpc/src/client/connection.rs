//! The connection to one endpoint, as its callers see it.

use std::{
    future::Future,
    io,
    ops::Deref,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use bytes::Bytes;
use tars_codec::{self as codec, ResponsePacket};
use tokio::sync::{
    Semaphore,
    mpsc::{self, error::TrySendError},
};

use self::owner::{Mail, Owner};
use super::{
    CallOptions, Config, Connector, Stats,
    health::Gate,
    pushes::Hub,
    slot::{Answerer, Waiter, slot},
};
use crate::{Call, Disconnect, Endpoint, Error, Full, net::now};

mod calls;
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
    Lost {
        cause: Disconnect,
        sent: bool,
    },
    Encode(codec::Error),
}

impl Failure {
    /// The same for another call.
    fn with(&self, call_was_sent: bool) -> Self {
        let mut failure = self.clone();
        if let Self::Lost { sent, .. } = &mut failure {
            *sent = call_was_sent;
        }
        failure
    }

    fn set_retry_in(&mut self, time: Duration) {
        if let Self::Connect { retry_in, .. } = self {
            *retry_in = time;
        }
    }
}

/// The encoded arguments of a call.
#[derive(Debug, Clone)]
pub(crate) enum Body {
    Owned(Vec<u8>),
    /// Another attempt may need them again.
    Shared(Bytes),
}

impl Body {
    pub(crate) fn share(self) -> Bytes {
        match self {
            Self::Owned(bytes) => bytes.into(),
            Self::Shared(bytes) => bytes,
        }
    }
}

impl Deref for Body {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Owned(bytes) => bytes,
            Self::Shared(bytes) => bytes,
        }
    }
}

/// How long a call may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    pub(crate) deadline: Instant,
    /// How long that was at the beginning, for error messages.
    pub(crate) timeout: Duration,
}

/// A call on its way to the owner of the connection.
struct Submission {
    servant: Arc<str>,
    func: &'static str,
    options: Arc<CallOptions>,
    body: Body,
    deadline: Instant,
    answerer: Answerer<Outcome>,
    /// Gives the bytes of `body` back to the bound on queued bytes.
    _share: Share,
}

/// The handle of a connection. The connection is made at the first call, by a task that owns it from then on and
/// ends when the last handle is gone.
#[derive(Debug)]
pub(crate) struct Connection {
    shared: Arc<Shared>,
    queued_bytes: Arc<AtomicUsize>,
    mailbox: OnceLock<Mailbox>,
}

/// What the handle and the owner of a connection both see.
#[derive(Debug)]
pub(crate) struct Shared {
    endpoint: Arc<Endpoint>,
    config: Arc<Config>,
    connector: Arc<dyn Connector>,
    stats: Arc<Stats>,
    connected: AtomicBool,
    /// The endpoint does not answer, and the owner waits before the next attempt.
    down: AtomicBool,
    gate: Gate,
    hubs: Mutex<Vec<Weak<Hub>>>,
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
            shared: Arc::new(Shared {
                endpoint: Arc::new(endpoint),
                gate: Gate::new(config.health.probe_after, now()),
                config,
                connector,
                stats,
                connected: AtomicBool::new(false),
                down: AtomicBool::new(false),
                hubs: Mutex::default(),
            }),
            queued_bytes: Arc::default(),
            mailbox: OnceLock::new(),
        }
    }

    /// Whether there is a connection now.
    pub(crate) fn is_connected(&self) -> bool {
        self.shared.connected.load(Ordering::Relaxed)
    }

    /// Whether calls are refused because the endpoint does not answer.
    pub(crate) fn is_down(&self) -> bool {
        self.shared.down.load(Ordering::Relaxed)
    }

    /// Whether the endpoint is well enough for calls.
    pub(crate) fn gate(&self) -> &Gate {
        &self.shared.gate
    }

    /// Hands what the server sends by itself to these subscriptions, too.
    pub(crate) fn attach(&self, hub: &Arc<Hub>) {
        let mut hubs = self.shared.hubs();
        hubs.retain(|other| other.strong_count() > 0);
        if !hubs.iter().any(|other| other.as_ptr() == Arc::as_ptr(hub)) {
            hubs.push(Arc::downgrade(hub));
        }
    }

    /// Makes a call, whose body is encoded already; the future waits for its end.
    pub(crate) fn call<'a>(
        &'a self,
        call: &'a Call,
        options: &Arc<CallOptions>,
        body: Body,
        patience: Patience,
    ) -> InFlight<'a> {
        InFlight {
            submitted: self.submit(call, options, body, patience.deadline),
            connection: self,
            call,
            timeout: patience.timeout,
        }
    }

    fn submit(
        &self,
        call: &Call,
        options: &Arc<CallOptions>,
        body: Body,
        deadline: Instant,
    ) -> Result<Waiter<Outcome>, Failure> {
        let stats = &self.shared.stats;
        let share = self
            .share(body.len())
            .inspect_err(|_| stats.refused.increment())?;
        let mailbox = self.mailbox.get_or_init(|| self.spawn_owner());
        let (answerer, waiter) = slot(mailbox.cancels.clone());
        let submission = Submission {
            servant: Arc::clone(&call.servant),
            func: call.func,
            options: Arc::clone(options),
            body,
            deadline,
            answerer,
            _share: share,
        };
        match mailbox.queue.try_send(submission) {
            Ok(()) => {
                stats.calls.increment();
                Ok(waiter)
            }
            Err(TrySendError::Full(_)) => {
                stats.refused.increment();
                Err(Failure::Full(Full::Queue(self.shared.config.max_queue)))
            }
            Err(TrySendError::Closed(_)) => Err(Failure::Lost {
                cause: Disconnect::RuntimeGone,
                sent: false,
            }),
        }
    }

    /// Room for so many bytes in the queue. Alone, a call may have more than the limit.
    fn share(&self, bytes: usize) -> Result<Share, Failure> {
        let limit = self.shared.config.max_queued_bytes;
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
        let room = self.shared.config.max_queue;
        let (queue, submissions) = mpsc::channel(room.clamp(1, Semaphore::MAX_PERMITS));
        let (cancels, cancelled) = mpsc::unbounded_channel();
        let mail = Mail::new(submissions, cancelled);
        tokio::spawn(Owner::new(Arc::clone(&self.shared), mail).run());
        Mailbox { queue, cancels }
    }

    #[cold]
    fn error(&self, failure: Failure, call: Call, after: Duration) -> Error {
        let endpoint = Arc::clone(&self.shared.endpoint);
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
            Failure::Lost { cause, sent } => Error::Disconnected {
                call,
                endpoint,
                cause,
                sent,
            },
            Failure::Encode(source) => Error::Encode { call, source },
        }
    }
}

/// A call that waits for its end. (Written by hand, since each `async fn` on the way of an answer moves it once
/// more.)
pub(crate) struct InFlight<'a> {
    submitted: Result<Waiter<Outcome>, Failure>,
    connection: &'a Connection,
    call: &'a Call,
    timeout: Duration,
}

impl Future for InFlight<'_> {
    type Output = Result<Option<ResponsePacket>, Error>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let failure = match &mut self.submitted {
            Err(failure) => failure.clone(),
            Ok(waiter) => match ready!(Pin::new(waiter).poll(cx)) {
                Some(Ok(answer)) => return Poll::Ready(Ok(answer)),
                Some(Err(failure)) => failure,
                None => Failure::Lost {
                    cause: Disconnect::RuntimeGone,
                    sent: true,
                },
            },
        };
        let error = self
            .connection
            .error(failure, self.call.clone(), self.timeout);
        Poll::Ready(Err(error))
    }
}

impl Shared {
    fn hubs(&self) -> MutexGuard<'_, Vec<Weak<Hub>>> {
        self.hubs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether somebody waits for what the server sends by itself.
    fn has_subscribers(&self) -> bool {
        let mut hubs = self.hubs().clone().into_iter();
        hubs.any(|hub| hub.upgrade().is_some_and(|hub| hub.is_wanted()))
    }

    /// Tells all subscriptions something; counts those that had no room.
    fn tell_subscribers(&self, tell: impl Fn(&Hub) -> u64) {
        let hubs = self.hubs().clone();
        let missed = hubs.iter().filter_map(Weak::upgrade).map(|hub| tell(&hub));
        self.stats.pushes_dropped.add(missed.sum());
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
