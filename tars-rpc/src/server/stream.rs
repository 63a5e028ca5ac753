//! A connection that speaks Tars over a stream of bytes.

use std::{
    io,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use tars_codec as codec;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use super::{
    Limits,
    adapter::Shared,
    desk::{Answers, Desk, Part},
};
use crate::{
    net::{Alarm, BusyPoll, Moved, Socket, Stream, now},
    protocol::{
        Violation,
        server::{Answer, ReplyTo, ServerConnection},
    },
};

/// After so many requests of a turn their answers are written, though there are more requests; then after twice as
/// many, and so on.
const FIRST_WRITE: usize = 16;

/// Why a connection is closed.
#[derive(Debug)]
enum Reason {
    ByPeer,
    ByServant,
    Drained,
    Violation(Violation),
    Broken(io::Error),
    Stalled,
    Slow(&'static str),
    Idle,
}

impl Answers for ServerConnection {
    fn answer(&mut self, _: SocketAddr, to: &ReplyTo, answer: &Answer<'_>) -> codec::Result<()> {
        Self::answer(self, to, answer)
    }

    fn push(&mut self, _: SocketAddr, frame: &[u8]) {
        Self::push(self, frame);
    }

    fn has_room(&self) -> bool {
        Self::has_room(self)
    }
}

struct Conversation {
    shared: Arc<Shared>,
    peer: SocketAddr,
    protocol: ServerConnection,
    desk: Desk,
    watch: Watch,
    /// Why no more requests are read. The answers to those that were are still sent.
    ending: Option<Reason>,
}

/// Serves a connection until it is closed and its handlers have ended.
pub(super) async fn serve(
    shared: Arc<Shared>,
    stream: impl Stream,
    peer: SocketAddr,
    idle: Duration,
    drain: CancellationToken,
) {
    let limits = &shared.limits;
    let part = Part {
        in_flight: limits.max_in_flight_per_connection,
        queue: limits.max_queue_per_connection,
        bytes: limits.max_request_bytes_per_connection,
    };
    let mut conversation = Conversation {
        protocol: ServerConnection::new(limits.max_frame, limits.max_unsent),
        desk: Desk::new(Arc::clone(&shared), part),
        watch: Watch::new(idle),
        ending: None,
        shared,
        peer,
    };
    let mut socket = Socket::new(stream);
    let reason = conversation.talk(&mut socket, drain).await;
    conversation.closed(&reason);
    if matches!(reason, Reason::Broken(_) | Reason::Stalled) {
        drop(socket);
        // Handlers run to their end, and count as this connection's until then.
        conversation.desk.close().await;
    } else {
        conversation.desk.close().await;
        let limit = conversation.shared.limits.write_stall;
        let gone = matches!(reason, Reason::ByPeer);
        // The peer has its answers, or will not take them.
        let _ = timeout(limit, socket.close(gone)).await;
    }
}

impl Conversation {
    /// Moves bytes until there is a reason to close. Unless it broke or stalled, all is answered and sent then.
    async fn talk(&mut self, socket: &mut Socket<impl Stream>, drain: CancellationToken) -> Reason {
        let drained = drain.cancelled_owned();
        tokio::pin!(drained);
        let mut alarm = Alarm::default();
        let mut busy_poll = BusyPoll::new(self.shared.limits.busy_poll);
        loop {
            let turn = now();
            self.desk.begin(turn, &mut self.protocol);
            self.take_requests(turn, socket).await;
            self.desk.end_turn();
            let due = match self.look_at_the_clock(turn) {
                Ok(due) => due,
                Err(reason) => return reason,
            };
            if self.protocol.unsent() == 0
                && self.ending.is_some()
                && self.desk.is_idle()
                && let Some(reason) = self.ending.take()
            {
                return reason;
            }
            let wake_at = due.into_iter().chain(self.desk.wake_at()).min();
            let receive = self.wants_requests();
            let has_room = self.protocol.has_room();
            let expects_events = self.desk.expects_events();
            let is_busy = receive && busy_poll.goes_on();
            let (input, output) = self.protocol.buffers(receive);
            tokio::select! {
                moved = socket.exchange(input, output) => match moved {
                    Err(error) => return Reason::Broken(error),
                    Ok(moved) => {
                        self.moved(&moved);
                        busy_poll.expect();
                    }
                },
                () = BusyPoll::turn(), if is_busy => {}
                event = self.desk.event(has_room), if expects_events => {
                    let close = self.desk.handle(event, &mut self.protocol);
                    if close {
                        // In a drain, too, in which the handlers have not been told.
                        self.desk.begin_to_end();
                        self.ending.get_or_insert(Reason::ByServant);
                    }
                }
                () = &mut drained, if self.ending.is_none() => self.end(Reason::Drained),
                () = alarm.ring(wake_at) => {}
            }
        }
    }

    /// Reads no more requests. Those that were read are still answered.
    fn end(&mut self, reason: Reason) {
        // In a drain the peer is there and waits: handlers that give up without a peer go on.
        if !matches!(reason, Reason::Drained) {
            self.desk.begin_to_end();
        }
        self.ending = Some(reason);
    }

    fn moved(&mut self, moved: &Moved) {
        if moved.written > 0 {
            self.protocol.sent(moved.written);
            self.watch.stalled = None;
            self.watch.quiet = None;
        }
        match moved.read {
            Some(0) => self.end(Reason::ByPeer),
            Some(n) => {
                self.protocol.received(n);
                self.watch.silent = false;
                self.watch.quiet = None;
            }
            None => {}
        }
    }

    fn wants_requests(&self) -> bool {
        self.ending.is_none() && self.protocol.has_room()
    }

    /// Takes up all requests that are there. When there are many, answers go out meanwhile, so that the peer works on
    /// them at the same time.
    async fn take_requests(&mut self, arrived: Instant, socket: &mut Socket<impl Stream>) {
        let mut taken = 0_usize;
        let mut write_at = FIRST_WRITE;
        while self.protocol.has_room() {
            match self.protocol.next_request() {
                Ok(Some(packet)) => {
                    self.watch.frame = None;
                    self.desk
                        .take(packet, self.peer, arrived, &mut self.protocol);
                    taken += 1;
                    if taken >= write_at && self.protocol.unsent() > 0 {
                        let (_, output) = self.protocol.buffers(false);
                        let written = socket.write_now(output).await;
                        // What the peer sent before it closed still counts; the error comes again.
                        write_at = written.as_ref().map_or(usize::MAX, |_| write_at * 2);
                        self.moved(&Moved {
                            written: written.unwrap_or(0),
                            read: None,
                        });
                    }
                }
                Ok(None) => break,
                Err(violation) => {
                    self.end(Reason::Violation(violation));
                    break;
                }
            }
        }
    }

    /// Keeps the time limits: what is too much next, or why the connection ends at once. A peer that does not take its
    /// answers is not waited for.
    fn look_at_the_clock(&mut self, now: Instant) -> Result<Option<Instant>, Reason> {
        let reading = self.wants_requests();
        let watch = &mut self.watch;
        watch.stalled = (self.protocol.unsent() > 0).then(|| watch.stalled.unwrap_or(now));
        watch.frame =
            (reading && self.protocol.is_within_frame()).then(|| watch.frame.unwrap_or(now));
        watch.quiet = (reading && self.protocol.unsent() == 0 && self.desk.is_idle())
            .then(|| watch.quiet.unwrap_or(now));
        let Some((at, what)) = watch.due(&self.shared.limits) else {
            return Ok(None);
        };
        if at > now {
            return Ok(Some(at));
        }
        match what {
            Due::Stalled => return Err(Reason::Stalled),
            Due::Silent => self.end(Reason::Slow("nothing came")),
            Due::Frame => self.end(Reason::Slow("a request did not come to its end")),
            Due::Idle => self.end(Reason::Idle),
        }
        self.watch.frame = None;
        self.watch.quiet = None;
        Ok(None)
    }

    fn closed(&self, reason: &Reason) {
        let (peer, adapter) = (self.peer, &*self.shared.name);
        let tally = &self.shared.tally;
        match reason {
            Reason::ByPeer => {
                tally.count(|s| &s.closed_by_peer);
                debug!(adapter, %peer, "the peer closed the connection");
            }
            Reason::ByServant => {
                tally.count(|s| &s.closed_by_servant);
                debug!(adapter, %peer, "the application closed the connection");
            }
            Reason::Drained => {
                tally.count(|s| &s.closed_drained);
                debug!(adapter, %peer, "connection drained");
            }
            Reason::Violation(Violation::Frame(error)) => {
                tally.count(|s| &s.closed_bad_frame);
                warn!(adapter, %peer, reason = %error, "connection closed: bad frame");
            }
            Reason::Violation(Violation::Packet(error)) => {
                tally.count(|s| &s.closed_bad_packet);
                warn!(adapter, %peer, reason = %error, "connection closed: bad packet");
            }
            Reason::Broken(error) => {
                tally.count(|s| &s.closed_broken);
                debug!(adapter, %peer, reason = %error, "connection broken");
            }
            Reason::Stalled => {
                tally.count(|s| &s.closed_stalled);
                let time = self.shared.limits.write_stall;
                warn!(adapter, %peer, "connection closed: the peer took none of its answers for {time:?}");
            }
            Reason::Slow(what) => {
                tally.count(|s| &s.closed_slow);
                warn!(adapter, %peer, "connection closed: {what} in time");
            }
            Reason::Idle => {
                tally.count(|s| &s.closed_idle);
                debug!(adapter, %peer, "connection closed: nothing went on");
            }
        }
    }
}

/// Since when something goes on that may not go on for ever.
#[derive(Debug)]
struct Watch {
    opened: Instant,
    /// Nothing has ever come.
    silent: bool,
    /// Bytes wait, and none is taken.
    stalled: Option<Instant>,
    /// A request has begun, and its end has not come.
    frame: Option<Instant>,
    /// Nothing moves, runs or waits.
    quiet: Option<Instant>,
    /// For how long that may be so.
    idle: Duration,
}

#[derive(Debug, Clone, Copy)]
enum Due {
    Stalled,
    Silent,
    Frame,
    Idle,
}

impl Watch {
    fn new(idle: Duration) -> Self {
        Self {
            opened: now(),
            silent: true,
            stalled: None,
            frame: None,
            quiet: None,
            idle,
        }
    }

    /// What is too much next, and when.
    fn due(&self, limits: &Limits) -> Option<(Instant, Due)> {
        let mut first = None;
        let mut earlier = |since: Option<Instant>, limit, what| {
            if let Some(at) = since.and_then(|since| since.checked_add(limit))
                && first.is_none_or(|(other, _)| at < other)
            {
                first = Some((at, what));
            }
        };
        earlier(self.stalled, limits.write_stall, Due::Stalled);
        earlier(self.frame, limits.body_timeout, Due::Frame);
        earlier(self.quiet, self.idle, Due::Idle);
        if self.silent && self.quiet.is_some() {
            earlier(Some(self.opened), limits.header_timeout, Due::Silent);
        }
        first
    }
}
