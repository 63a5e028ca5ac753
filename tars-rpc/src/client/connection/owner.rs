//! The task that owns a connection: it connects, writes, reads, and ends calls.

use std::{
    future::poll_fn,
    io,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use tokio::{
    runtime::{Handle, RuntimeFlavor},
    task::{coop::cooperative, yield_now},
    time::timeout,
};
use tracing::{debug, warn};

use super::{
    Failure, Shared,
    calls::CallsInFlight,
    inbox::{Batch, Inbox},
};
use crate::{
    Disconnect, Transport,
    client::{BoxedStream, backoff::Backoff},
    net::{Alarm, BusyPoll, Socket, after, now},
    protocol::keep_alive::{Due, KeepAlive},
};

/// With fewer calls in flight, a call is written at once. With more, others are about to come.
const EAGER: usize = 8;

pub(super) struct Owner {
    shared: Arc<Shared>,
    mail: Mail,
    calls: CallsInFlight,
}

/// What callers leave, and the clock.
struct Mail {
    inbox: Arc<Inbox>,
    batch: Batch,
    alarm: Alarm,
    has_callers: bool,
    /// Whether the runtime lets a task that was woken run before those that were ready earlier.
    is_hasty: bool,
}

/// What [`Mail::next`] found.
enum News {
    /// `Mail::batch` has calls, or calls that were given up.
    Mail,
    /// Time to look at the clock.
    Alarm,
    /// There are no callers any more; said once.
    NoCallers,
}

impl Mail {
    fn new(inbox: Arc<Inbox>) -> Self {
        Self {
            inbox,
            batch: Batch::default(),
            alarm: Alarm::default(),
            has_callers: true,
            is_hasty: Handle::current().runtime_flavor() == RuntimeFlavor::MultiThread,
        }
    }

    /// Lets the other tasks of this thread run, and takes the calls that they make. Woken by the first of many
    /// callers, this task would else write its call alone.
    async fn gather(&mut self) {
        if self.is_hasty {
            yield_now().await;
            self.inbox.take_more(&mut self.batch);
        }
    }

    async fn next(&mut self, wake_at: Option<Instant>) -> News {
        let (inbox, batch) = (&self.inbox, &mut self.batch);
        tokio::select! {
            is_mail = cooperative(poll_fn(|cx| inbox.poll_take(cx, batch))), if self.has_callers => {
                if is_mail {
                    return News::Mail;
                }
                self.has_callers = false;
                News::NoCallers
            }
            () = self.alarm.ring(wake_at) => News::Alarm,
        }
    }
}

impl Drop for Mail {
    fn drop(&mut self) {
        self.inbox.owner_gone();
    }
}

/// How a connection ended.
enum End {
    NoCallers,
    /// Nobody has called for a while.
    Idle {
        worked: bool,
    },
    Lost {
        cause: Disconnect,
        /// It had been of use, so another attempt at once is worthwhile.
        worked: bool,
    },
}

impl Owner {
    pub(super) fn new(shared: Arc<Shared>, inbox: Arc<Inbox>) -> Self {
        Self {
            calls: CallsInFlight::new(Arc::clone(&shared)),
            shared,
            mail: Mail::new(inbox),
        }
    }

    /// Idle, connecting, connected, refusing, and idle again, until there are no callers.
    pub(super) async fn run(mut self) {
        let config = &self.shared.config;
        let mut backoff = Backoff::new(config.backoff_first, config.backoff_last);
        while self.mail.has_callers && self.first_call().await {
            let failure = match self.connect().await {
                None => return,
                Some(Err(source)) => self.unreachable(source),
                Some(Ok(stream)) => match self.talk_over(stream).await {
                    // Nor are there subscriptions: those of a servant that has moved were told then.
                    End::NoCallers => return,
                    End::Idle { worked } => {
                        // The next connection begins with no half a frame of this one. There are no calls.
                        drop(self.calls.protocol.close());
                        if worked {
                            self.calls.connection_worked();
                            backoff.reset();
                        }
                        continue;
                    }
                    End::Lost { cause, worked } => {
                        let failure = self.lost(cause);
                        if worked {
                            self.calls.connection_worked();
                            backoff.reset();
                            continue;
                        }
                        self.calls.connect_failed();
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
                News::Mail => {
                    self.calls.take(&mut self.mail.batch);
                    if !self.calls.protocol.is_idle() {
                        return true;
                    }
                }
                News::Alarm => {}
            }
        }
    }

    /// Connects, and keeps the deadlines of calls meanwhile. `None`: there are no callers.
    async fn connect(&mut self) -> Option<io::Result<BoxedStream>> {
        let limit = self.shared.config.connect_timeout;
        let endpoint = Arc::clone(&self.shared.endpoint);
        let connecting = timeout(limit, self.shared.connector.connect(endpoint));
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
                    News::Mail => self.calls.take(&mut self.mail.batch),
                    News::Alarm => self.calls.expire(false),
                },
            }
        }
    }

    async fn talk_over(&mut self, stream: BoxedStream) -> End {
        self.shared.stats.connects.increment();
        debug!(peer = %self.shared.endpoint, "connected");
        // To these calls it was said that they are not sent.
        self.calls.protocol.forget_ended();
        self.shared.connected.store(true, Ordering::Relaxed);
        let mut socket = Socket::new(stream);
        let end = self.talk(&mut socket).await;
        self.shared.connected.store(false, Ordering::Relaxed);
        if !matches!(end, End::Lost { .. }) {
            debug!(peer = %self.shared.endpoint, "no calls, closed");
            // What a peer behind TLS does not take is not waited for when there are calls again.
            tokio::select! {
                biased;
                _ = timeout(self.shared.config.write_stall, socket.shutdown()) => {}
                _ = self.mail.next(None) => {}
            }
        }
        end
    }

    /// Moves bytes until the connection breaks, or nobody calls any more and all is sent.
    async fn talk(&mut self, socket: &mut Socket<BoxedStream>) -> End {
        let connected_at = now();
        let mut stalled_at = None;
        let mut has_callers = true;
        let mut has_read = false;
        let mut is_full = false;
        let is_stream = self.shared.endpoint.transport != Transport::Udp;
        let times = self.shared.config.times();
        let mut keep_alive = KeepAlive::new(times, connected_at);
        let mut busy_poll = BusyPoll::new(self.shared.config.busy_poll);
        let backoff_last = self.shared.config.backoff_last;
        // A peer that accepts and then does nothing right must not be called in a tight loop.
        let lived_long = || now().duration_since(connected_at) > backoff_last;
        let lost = |cause: Disconnect, answered: bool| End::Lost {
            worked: answered || lived_long(),
            cause,
        };
        loop {
            if !has_callers && self.calls.protocol.is_idle() {
                return End::NoCallers;
            }
            let stall = self.shared.config.write_stall;
            if self.calls.protocol.has_output() {
                stalled_at.get_or_insert_with(|| after(stall));
            } else {
                stalled_at = None;
            }
            let wake_at = earliest([
                self.calls.protocol.next_deadline(),
                stalled_at,
                keep_alive.next_look(),
            ]);
            let is_busy = !self.calls.protocol.is_idle() && busy_poll.goes_on();
            let (input, output) = self.calls.protocol.buffers();
            tokio::select! {
                moved = socket.exchange(Some(input), output) => match moved {
                    Err(error) => return lost(Disconnect::Io(Arc::new(error)), has_read),
                    Ok(moved) => {
                        if moved.written > 0 {
                            stalled_at = None;
                            let ping_waited = self.calls.protocol.ping_waits();
                            self.calls.sent(moved.written);
                            if ping_waited && !self.calls.protocol.ping_waits() {
                                keep_alive.ping_waits(now());
                            }
                            busy_poll.expect();
                            // A full socket has room again when the peer has taken something.
                            if is_full {
                                keep_alive.heard();
                            }
                            is_full = is_stream && self.calls.protocol.has_output();
                        }
                        match moved.read {
                            Some(0) => return lost(Disconnect::Closed, has_read),
                            Some(n) => {
                                has_read = true;
                                keep_alive.heard();
                                match self.calls.received(n) {
                                    Ok(true) => keep_alive.ping_answered(),
                                    Ok(false) => {}
                                    Err(cause) => return lost(cause, false),
                                }
                            }
                            None => {}
                        }
                    }
                },
                () = BusyPoll::turn(), if is_busy => {}
                news = self.mail.next(wake_at) => match news {
                    News::NoCallers => has_callers = false,
                    News::Mail => {
                        let brings_calls = !self.mail.batch.calls.is_empty();
                        if brings_calls {
                            keep_alive.used();
                            if self.calls.protocol.in_flight() >= EAGER {
                                self.mail.gather().await;
                            }
                        }
                        self.calls.take(&mut self.mail.batch);
                    }
                    News::Alarm => {
                        self.calls.expire(true);
                        if self.calls.protocol.ping_waits() {
                            keep_alive.ping_waits(now());
                        }
                        let due = keep_alive.look(now(), self.is_of_use());
                        if let Some(end) = self.keep_alive(due, has_read || lived_long()) {
                            return end;
                        }
                    }
                },
            }
            if stalled_at.is_some_and(|at| at <= now()) {
                return lost(Disconnect::Stalled(stall), false);
            }
        }
    }

    /// Whether somebody waits for something that may come.
    fn is_of_use(&self) -> bool {
        !self.calls.protocol.is_idle() || self.shared.has_subscribers()
    }

    /// Does what is due on a connection on which nothing happens.
    fn keep_alive(&mut self, due: Due, worked: bool) -> Option<End> {
        let timeout = self.shared.config.keep_alive_timeout;
        match due {
            Due::Nothing => None,
            Due::Ping => {
                if let Some(servant) = &self.calls.servant {
                    self.shared.stats.pings.increment();
                    self.calls.protocol.ping(servant, timeout);
                }
                None
            }
            Due::Silent {
                answered_before: true,
            } => Some(End::Lost {
                cause: Disconnect::Silent(timeout),
                worked,
            }),
            // Perhaps it is gone. To connect anew costs little; to wait for an answer that never comes, much.
            Due::Silent { .. } | Due::Idle => {
                if self.is_of_use() {
                    return None;
                }
                self.shared.stats.closed_idle.increment();
                Some(End::Idle { worked })
            }
        }
    }

    /// Fails the calls of now, and all calls for a while. False when there are no callers any more.
    async fn refuse(&mut self, time: Duration, mut failure: Failure) -> bool {
        let until = after(time);
        failure.set_retry_in(time);
        self.calls.fail_all(&failure);
        self.shared.down.store(true, Ordering::Relaxed);
        let mut has_callers = self.mail.has_callers;
        while has_callers && now() < until {
            match self.mail.next(Some(until)).await {
                News::Mail => {
                    failure.set_retry_in(until.saturating_duration_since(now()));
                    self.calls.refuse(&mut self.mail.batch, &failure);
                }
                News::NoCallers => has_callers = false,
                News::Alarm => {}
            }
        }
        self.shared.down.store(false, Ordering::Relaxed);
        has_callers
    }

    fn unreachable(&mut self, source: io::Error) -> Failure {
        self.shared.stats.connect_failures.increment();
        warn!(peer = %self.shared.endpoint, error = %source, "cannot connect");
        self.calls.connect_failed();
        Failure::Connect {
            retry_in: Duration::ZERO,
            source: Arc::new(source),
        }
    }

    /// Ends all calls of a connection that broke.
    fn lost(&mut self, cause: Disconnect) -> Failure {
        let Shared {
            stats, endpoint, ..
        } = &*self.shared;
        match cause {
            Disconnect::BadFrame(_) | Disconnect::BadPacket(_) => &stats.closed_malformed,
            Disconnect::Stalled(_) => &stats.closed_stalled,
            Disconnect::Silent(_) => &stats.closed_silent,
            _ => &stats.closed_by_peer,
        }
        .increment();
        match cause {
            Disconnect::Closed => debug!(peer = %endpoint, "the peer closed the connection"),
            _ => warn!(peer = %endpoint, reason = %cause, "connection closed"),
        }
        self.tell_of_end();
        let failure = Failure::Lost { cause, sent: false };
        self.calls.fail_all(&failure);
        failure
    }

    fn tell_of_end(&self) {
        let endpoint = &self.shared.endpoint;
        self.shared
            .tell_subscribers(|hub| hub.disconnected(endpoint));
    }
}

fn earliest(times: [Option<Instant>; 3]) -> Option<Instant> {
    times.into_iter().flatten().min()
}
