//! The connection to one endpoint, as its callers see it.

use std::{
    future::Future,
    io, mem,
    ops::Deref,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Waker, ready},
    time::{Duration, Instant},
};

use bytes::Bytes;
use tars_codec::{self as codec, ResponsePacket};

use self::{
    inbox::{Inbox, Refusal},
    owner::Owner,
};
use super::{
    CallOptions, Config, Connector, Stats,
    health::Gate,
    pushes::Hub,
    slot::{Answerer, Waiter, slot},
};
use crate::{Call, Disconnect, Endpoint, Error, Full, net::now};

mod calls;
mod inbox;
mod owner;

/// The answer to a call, `None` for a oneway call that was sent.
type Outcome = Result<Option<ResponsePacket>, Failure>;

/// Why a call has no answer, without what only its caller knows.
#[derive(Debug, Clone)]
enum Failure {
    Timeout {
        sent: bool,
    },
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
#[derive(Debug)]
struct Submission {
    servant: Arc<str>,
    func: &'static str,
    options: Arc<CallOptions>,
    body: Body,
    deadline: Instant,
    answerer: Answerer<Outcome>,
}

/// The handle of a connection. The connection is made at the first call, by a task that owns it from then on and
/// ends when the last handle is gone.
#[derive(Debug)]
pub(crate) struct Connection {
    shared: Arc<Shared>,
    inbox: OnceLock<Arc<Inbox>>,
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
            inbox: OnceLock::new(),
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

    /// The servant of these subscriptions is no longer here: they get nothing more, and are told so if a call was made
    /// here, which may have subscribed. The connection may be there still, for another servant.
    pub(crate) fn detach(&self, hub: &Arc<Hub>) {
        let mut hubs = self.shared.hubs();
        let n = hubs.len();
        hubs.retain(|other| other.as_ptr() != Arc::as_ptr(hub));
        let was_attached = hubs.len() < n;
        drop(hubs);
        if was_attached && self.inbox.get().is_some() {
            let missed = hub.disconnected(&self.shared.endpoint);
            self.shared.stats.pushes_dropped.add(missed);
        }
    }

    /// Makes a call, whose body is encoded already; the future submits it, and waits for its end.
    pub(crate) fn call<'a>(
        &'a self,
        call: &'a Call,
        options: &'a Arc<CallOptions>,
        body: Body,
        patience: Patience,
    ) -> InFlight<'a> {
        InFlight {
            stage: Stage::New(body),
            connection: self,
            call,
            options,
            patience,
        }
    }

    /// Hands a call to the owner, for a caller that is woken so.
    fn submit(
        &self,
        call: &Call,
        options: &Arc<CallOptions>,
        body: Body,
        deadline: Instant,
        waker: &Waker,
    ) -> Result<Waiter<Outcome>, Failure> {
        let inbox = self.inbox.get_or_init(|| self.spawn_owner());
        let (answerer, waiter) = slot(waker);
        let submission = Submission {
            servant: Arc::clone(&call.servant),
            func: call.func,
            options: Arc::clone(options),
            body,
            deadline,
            answerer,
        };
        match inbox.submit(submission) {
            Ok(()) => Ok(waiter),
            Err(Refusal::Full(full)) => {
                self.shared.stats.refused.increment();
                Err(Failure::Full(full))
            }
            Err(Refusal::Gone) => Err(Failure::Lost {
                cause: Disconnect::RuntimeGone,
                sent: false,
            }),
        }
    }

    fn spawn_owner(&self) -> Arc<Inbox> {
        let Config {
            max_queue,
            max_queued_bytes,
            ..
        } = *self.shared.config;
        let inbox = Arc::new(Inbox::new(max_queue, max_queued_bytes));
        tokio::spawn(Owner::new(Arc::clone(&self.shared), Arc::clone(&inbox)).run());
        inbox
    }

    #[cold]
    fn error(&self, failure: Failure, call: Call, after: Duration) -> Error {
        let endpoint = Arc::clone(&self.shared.endpoint);
        match failure {
            Failure::Timeout { sent } => Error::Timeout {
                call,
                endpoint,
                after,
                sent,
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

impl Drop for Connection {
    fn drop(&mut self) {
        if let Some(inbox) = self.inbox.get() {
            inbox.callers_gone();
        }
    }
}

/// A call that waits for its end. (Written by hand, since each `async fn` on the way of an answer moves it once
/// more.)
pub(crate) struct InFlight<'a> {
    stage: Stage,
    connection: &'a Connection,
    call: &'a Call,
    options: &'a Arc<CallOptions>,
    patience: Patience,
}

enum Stage {
    /// Not submitted, since that takes the waker of who waits.
    New(Body),
    Submitted(Waiter<Outcome>),
    Over,
}

impl InFlight<'_> {
    #[cold]
    fn fail(&self, failure: Failure) -> Poll<Result<Option<ResponsePacket>, Error>> {
        let call = self.call.clone();
        Poll::Ready(Err(self.connection.error(
            failure,
            call,
            self.patience.timeout,
        )))
    }
}

impl Future for InFlight<'_> {
    type Output = Result<Option<ResponsePacket>, Error>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.stage {
            Stage::Submitted(waiter) => match ready!(Pin::new(waiter).poll(cx)) {
                Some(Ok(answer)) => Poll::Ready(Ok(answer)),
                Some(Err(failure)) => self.fail(failure),
                None => self.fail(Failure::Lost {
                    cause: Disconnect::RuntimeGone,
                    sent: true,
                }),
            },
            stage => {
                let Stage::New(body) = mem::replace(stage, Stage::Over) else {
                    return Poll::Pending; // it has ended, and is not to be polled
                };
                let deadline = self.patience.deadline;
                let submitted =
                    self.connection
                        .submit(self.call, self.options, body, deadline, cx.waker());
                match submitted {
                    Ok(waiter) => {
                        self.stage = Stage::Submitted(waiter);
                        Poll::Pending
                    }
                    Err(failure) => self.fail(failure),
                }
            }
        }
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        if let Stage::Submitted(waiter) = &mut self.stage
            && let Some(given_up) = waiter.give_up()
            && let Some(inbox) = self.connection.inbox.get()
        {
            inbox.give_up(given_up);
        }
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
