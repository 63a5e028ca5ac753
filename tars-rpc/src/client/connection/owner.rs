//! The task that owns a connection: it connects, writes, reads, and ends calls.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::{sync::mpsc, time::timeout};
use tracing::{debug, warn};

use super::{Config, Connector, Failure, Outcome, Stats, Submission};
use crate::{
    Disconnect, Endpoint,
    client::{BoxedStream, backoff::Backoff, slot::Answerer},
    net::{Alarm, Socket, after, now},
    protocol::client::{ClientConnection, Event, Refusal, Request},
};

/// Calls that are taken from the queue at once, to be written at once.
const BATCH: usize = 1024;

pub(super) struct Owner {
    endpoint: Arc<Endpoint>,
    config: Arc<Config>,
    connector: Arc<dyn Connector>,
    down: Arc<AtomicBool>,
    mail: Mail,
    calls: CallsInFlight,
}

/// What callers send.
pub(super) struct Mail {
    submissions: mpsc::Receiver<Submission>,
    cancelled: mpsc::UnboundedReceiver<i32>,
    batch: Vec<Submission>,
    alarm: Alarm,
    has_callers: bool,
}

/// What [`Mail::next`] found.
enum News {
    /// `Mail::batch` has calls.
    Calls,
    Cancelled(i32),
    /// Time to look at the clock.
    Alarm,
    /// There are no callers any more; said once.
    NoCallers,
}

impl Mail {
    pub(super) fn new(
        submissions: mpsc::Receiver<Submission>,
        cancelled: mpsc::UnboundedReceiver<i32>,
    ) -> Self {
        Self {
            submissions,
            cancelled,
            batch: Vec::new(),
            alarm: Alarm::default(),
            has_callers: true,
        }
    }

    async fn next(&mut self, wake_at: Option<Instant>) -> News {
        tokio::select! {
            n = self.submissions.recv_many(&mut self.batch, BATCH), if self.has_callers => {
                if n > 0 {
                    return News::Calls;
                }
                self.has_callers = false;
                News::NoCallers
            }
            Some(id) = self.cancelled.recv() => News::Cancelled(id),
            () = self.alarm.ring(wake_at) => News::Alarm,
        }
    }
}

/// How a connection ended.
enum End {
    NoCallers,
    Lost {
        cause: Disconnect,
        /// It had been of use, so another attempt at once is worthwhile.
        worked: bool,
    },
}

impl Owner {
    pub(super) fn new(
        endpoint: Arc<Endpoint>,
        config: Arc<Config>,
        connector: Arc<dyn Connector>,
        stats: Arc<Stats>,
        down: Arc<AtomicBool>,
        mail: Mail,
    ) -> Self {
        let calls = CallsInFlight {
            protocol: ClientConnection::new(config.limits()),
            stats,
        };
        Self {
            endpoint,
            config,
            connector,
            down,
            mail,
            calls,
        }
    }

    /// Idle, connecting, connected, refusing, and idle again, until there are no callers.
    pub(super) async fn run(mut self) {
        let mut backoff = Backoff::new(self.config.backoff_first, self.config.backoff_last);
        while self.first_call().await {
            let failure = match self.connect().await {
                None => return,
                Some(Err(source)) => self.unreachable(source),
                Some(Ok(stream)) => match self.talk(Socket::new(stream)).await {
                    End::NoCallers => return,
                    End::Lost { cause, worked } => {
                        let failure = self.lost(cause);
                        if worked {
                            backoff.reset();
                            continue;
                        }
                        failure
                    }
                },
            };
            if !self.refuse(backoff.next(), failure).await {
                return;
            }
        }
    }

    /// Waits for a reason to connect. False when there are no callers any more.
    async fn first_call(&mut self) -> bool {
        loop {
            match self.mail.next(None).await {
                News::NoCallers => return false,
                News::Calls => {
                    self.calls.start_all(&mut self.mail.batch);
                    if !self.calls.protocol.is_idle() {
                        return true;
                    }
                }
                News::Cancelled(_) | News::Alarm => {}
            }
        }
    }

    /// Connects, and keeps the deadlines of calls meanwhile. `None`: there are no callers.
    async fn connect(&mut self) -> Option<io::Result<BoxedStream>> {
        let limit = self.config.connect_timeout;
        let connecting = timeout(limit, self.connector.connect(Arc::clone(&self.endpoint)));
        tokio::pin!(connecting);
        loop {
            let wake_at = self.calls.protocol.next_deadline();
            tokio::select! {
                connected = &mut connecting => {
                    return Some(connected.unwrap_or_else(|_| {
                        let text = format!("no connection within {limit:?}");
                        Err(io::Error::new(io::ErrorKind::TimedOut, text))
                    }));
                }
                news = self.mail.next(wake_at) => match news {
                    News::NoCallers => return None,
                    news => self.calls.handle(news, &mut self.mail.batch),
                },
            }
        }
    }

    /// Moves bytes until the connection breaks, or nobody calls any more and all is sent.
    async fn talk(&mut self, mut socket: Socket<BoxedStream>) -> End {
        self.calls.stats.connects.increment();
        debug!(peer = %self.endpoint, "connected");
        let connected_at = now();
        let mut stalled_at = None;
        let mut has_callers = true;
        let mut has_read = false;
        // A peer that accepts and then does nothing right must not be called in a tight loop.
        let lived_long = || now().duration_since(connected_at) > self.config.backoff_last;
        let lost = |cause: Disconnect, answered: bool| End::Lost {
            worked: answered || lived_long(),
            cause,
        };
        loop {
            if !has_callers && self.calls.protocol.is_idle() {
                socket.shutdown().await;
                return End::NoCallers;
            }
            let stall = self.config.write_stall;
            if self.calls.protocol.has_output() {
                stalled_at.get_or_insert_with(|| after(stall));
            } else {
                stalled_at = None;
            }
            let wake_at = earliest(self.calls.protocol.next_deadline(), stalled_at);
            let (input, output) = self.calls.protocol.buffers();
            tokio::select! {
                moved = socket.exchange(Some(input), output) => match moved {
                    Err(error) => return lost(Disconnect::Io(Arc::new(error)), has_read),
                    Ok(moved) => {
                        if moved.written > 0 {
                            stalled_at = None;
                            self.calls.sent(moved.written);
                        }
                        match moved.read {
                            Some(0) => return lost(Disconnect::Closed, has_read),
                            Some(n) => {
                                has_read = true;
                                if let Err(cause) = self.calls.received(n) {
                                    return lost(cause, false);
                                }
                            }
                            None => {}
                        }
                    }
                },
                news = self.mail.next(wake_at) => match news {
                    News::NoCallers => has_callers = false,
                    news => self.calls.handle(news, &mut self.mail.batch),
                },
            }
            if stalled_at.is_some_and(|at| at <= now()) {
                return lost(Disconnect::Stalled(stall), false);
            }
        }
    }

    /// Fails the calls of now, and all calls for a while. False when there are no callers any more.
    async fn refuse(&mut self, time: Duration, mut failure: Failure) -> bool {
        let until = after(time);
        failure.set_retry_in(time);
        self.calls.fail_all(&failure);
        self.down.store(true, Ordering::Relaxed);
        let mut has_callers = true;
        while has_callers && now() < until {
            match self.mail.next(Some(until)).await {
                News::Calls => {
                    failure.set_retry_in(until.saturating_duration_since(now()));
                    for submission in self.mail.batch.drain(..) {
                        submission.answerer.finish(Err(failure.clone()));
                    }
                }
                News::NoCallers => has_callers = false,
                News::Cancelled(_) | News::Alarm => {}
            }
        }
        self.down.store(false, Ordering::Relaxed);
        has_callers
    }

    fn unreachable(&self, source: io::Error) -> Failure {
        self.calls.stats.connect_failures.increment();
        warn!(peer = %self.endpoint, error = %source, "cannot connect");
        Failure::Connect {
            retry_in: Duration::ZERO,
            source: Arc::new(source),
        }
    }

    /// Ends all calls of a connection that broke.
    fn lost(&mut self, cause: Disconnect) -> Failure {
        let stats = &self.calls.stats;
        match cause {
            Disconnect::BadFrame(_) | Disconnect::BadPacket(_) => &stats.closed_malformed,
            Disconnect::Stalled(_) => &stats.closed_stalled,
            _ => &stats.closed_by_peer,
        }
        .increment();
        match cause {
            Disconnect::Closed => debug!(peer = %self.endpoint, "the peer closed the connection"),
            _ => warn!(peer = %self.endpoint, reason = %cause, "connection closed"),
        }
        let failure = Failure::Lost(cause);
        self.calls.fail_all(&failure);
        failure
    }
}

/// The protocol, with callers that wait in slots.
struct CallsInFlight {
    protocol: ClientConnection<Answerer<Outcome>>,
    stats: Arc<Stats>,
}

impl CallsInFlight {
    fn handle(&mut self, news: News, batch: &mut Vec<Submission>) {
        match news {
            News::Calls => self.start_all(batch),
            News::Cancelled(id) => {
                if self.protocol.cancel(id).is_some() {
                    self.stats.abandoned.increment();
                }
            }
            News::Alarm => self.expire(),
            News::NoCallers => {}
        }
    }

    fn start_all(&mut self, batch: &mut Vec<Submission>) {
        let now = now();
        for submission in batch.drain(..) {
            if submission.answerer.is_wanted() {
                self.start(submission, now);
            } else {
                self.stats.abandoned.increment();
            }
        }
    }

    fn start(&mut self, submission: Submission, now: Instant) {
        let (context, status) = submission.options.attributes();
        let request = Request {
            version: submission.options.protocol(),
            servant: &submission.servant,
            func: submission.func,
            context,
            status,
            body: &submission.body,
            oneway: submission.options.is_oneway(),
            deadline: submission.deadline,
        };
        match self.protocol.start(&request, now, submission.answerer) {
            Ok(id) => {
                let caller = self.protocol.caller(id);
                if !caller.is_some_and(|caller| caller.register(id)) {
                    self.protocol.cancel(id);
                    self.stats.abandoned.increment();
                }
            }
            Err((refusal, answerer)) => answerer.finish(Err(match refusal {
                Refusal::Full(full) => {
                    self.stats.refused.increment();
                    Failure::Full(full)
                }
                Refusal::Expired => {
                    self.stats.timeouts.increment();
                    Failure::Timeout
                }
                Refusal::Encode(error) => Failure::Encode(error),
            })),
        }
    }

    fn expire(&mut self) {
        let now = now();
        while let Some(answerer) = self.protocol.expired(now) {
            self.stats.timeouts.increment();
            answerer.finish(Err(Failure::Timeout));
        }
    }

    fn sent(&mut self, n: usize) {
        self.protocol.sent(n);
        while let Some(answerer) = self.protocol.sent_oneway() {
            answerer.finish(Ok(None));
        }
    }

    fn received(&mut self, n: usize) -> Result<(), Disconnect> {
        self.protocol.received(n);
        while let Some(event) = self.protocol.next_event()? {
            match event {
                Event::Answer(answerer, answer) => {
                    self.stats.answers.increment();
                    answerer.finish(Ok(Some(answer)));
                }
                Event::Stray(id) => {
                    self.stats.stray_answers.increment();
                    debug!(id, "an answer that nobody waits for");
                }
                Event::Push(_) => self.stats.pushes.increment(),
            }
        }
        Ok(())
    }

    fn fail_all(&mut self, failure: &Failure) {
        for answerer in self.protocol.close() {
            answerer.finish(Err(failure.clone()));
        }
    }
}

fn earliest(a: Option<Instant>, b: Option<Instant>) -> Option<Instant> {
    a.into_iter().chain(b).min()
}
