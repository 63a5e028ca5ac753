//! One connection of a client, and its requests.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use tars_codec::RequestPacket;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, warn};

use super::{
    Limits, Reply, Request, Stats,
    handler::{Handler, Outcome, Panicked},
    servants::Servants,
};
use crate::{
    Error, Result, Version, codes,
    net::{Alarm, Socket, Stream, after, now},
    protocol::{
        PING, Violation,
        server::{ReplyTo, ServerConnection},
    },
};

/// What all connections of a server share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) servants: Servants,
    pub(crate) limits: Limits,
    pub(crate) stats: Arc<Stats>,
}

/// How long the handlers of one turn may run where they are. The others become tasks, which other threads can take.
const INLINE: Duration = Duration::from_millis(1);

/// Why a connection is closed.
#[derive(Debug)]
enum Reason {
    ByPeer,
    Drained,
    Violation(Violation),
    Broken(std::io::Error),
    Stalled(Duration),
}

struct Connection {
    shared: Arc<Shared>,
    peer: SocketAddr,
    protocol: ServerConnection,
    /// Handlers that wait for something.
    running: JoinSet<(ReplyTo, Outcome)>,
    waiting: Queue,
    /// Why no more requests are read. The answers to those that were are still sent.
    ending: Option<Reason>,
}

/// Serves a connection until it is closed and its handlers have ended.
pub(crate) async fn serve(
    shared: Arc<Shared>,
    stream: impl Stream,
    peer: SocketAddr,
    drain: CancellationToken,
) {
    let mut connection = Connection {
        protocol: ServerConnection::new(shared.limits.max_frame),
        running: JoinSet::new(),
        waiting: Queue::default(),
        ending: None,
        shared,
        peer,
    };
    let reason = connection.talk(Socket::new(stream), drain).await;
    connection.closed(&reason);
    // Handlers run to their end, and count as this connection's until then.
    while connection.running.join_next().await.is_some() {}
}

impl Connection {
    async fn talk(&mut self, mut socket: Socket<impl Stream>, drain: CancellationToken) -> Reason {
        let drained = drain.cancelled_owned();
        tokio::pin!(drained);
        let mut alarm = Alarm::default();
        let stall = self.shared.limits.write_stall;
        let mut stalled_at = None;
        loop {
            let turn = now();
            self.start_waiting(turn);
            self.take_requests(turn);
            let unsent = self.protocol.unsent();
            if self.running.is_empty()
                && self.waiting.is_empty()
                && unsent == 0
                && let Some(reason) = self.ending.take()
            {
                socket.shutdown().await;
                return reason;
            }
            if unsent == 0 {
                stalled_at = None;
            } else {
                stalled_at.get_or_insert_with(|| after(stall));
            }
            let receive = self.wants_requests();
            let (input, output) = self.protocol.buffers(receive);
            tokio::select! {
                moved = socket.exchange(input, output) => match moved {
                    Err(error) => return Reason::Broken(error),
                    Ok(moved) => {
                        if moved.written > 0 {
                            stalled_at = None;
                            self.protocol.sent(moved.written);
                        }
                        match moved.read {
                            Some(0) => self.ending = Some(Reason::ByPeer),
                            Some(n) => self.protocol.received(n),
                            None => {}
                        }
                    }
                },
                Some(ended) = self.running.join_next() => {
                    self.ended(ended);
                    while let Some(ended) = self.running.try_join_next() {
                        self.ended(ended);
                    }
                }
                () = &mut drained, if self.ending.is_none() => self.ending = Some(Reason::Drained),
                () = alarm.ring(stalled_at) => {}
            }
            if stalled_at.is_some_and(|at| at <= now()) {
                return Reason::Stalled(stall);
            }
        }
    }

    fn wants_requests(&self) -> bool {
        self.ending.is_none() && self.has_room()
    }

    /// A peer that does not take its answers gets no more of them.
    fn has_room(&self) -> bool {
        self.protocol.unsent() < self.shared.limits.max_unsent
    }

    /// Takes up all requests that are there.
    fn take_requests(&mut self, arrived: Instant) {
        while self.has_room() {
            match self.protocol.next_request() {
                Ok(Some(packet)) => self.take_request(packet, arrived),
                Ok(None) => break,
                Err(violation) => {
                    self.ending = Some(Reason::Violation(violation));
                    break;
                }
            }
        }
    }

    fn take_request(&mut self, packet: RequestPacket, arrived: Instant) {
        self.shared.stats.requests.increment();
        let to = ReplyTo::from(&packet);
        let limits = &self.shared.limits;
        if self.running.len() < limits.max_in_flight {
            let deadline = deadline(&packet, arrived);
            self.run(to, packet, deadline, arrived);
        } else if self.waiting.has_room(packet.body.len(), limits) {
            let deadline = deadline(&packet, arrived);
            self.waiting.push(to, packet, deadline);
        } else {
            let text = format!("too many requests wait on the connection of {}", self.peer);
            self.reply(&to, Err(Error::new(codes::OVERLOAD, text)));
        }
    }

    /// Runs what waited, as far as there is room now.
    fn start_waiting(&mut self, turn: Instant) {
        while self.running.len() < self.shared.limits.max_in_flight && self.has_room() {
            let Some(Waiting {
                to,
                packet,
                deadline,
            }) = self.waiting.pop()
            else {
                return;
            };
            if deadline.is_some_and(|deadline| deadline <= turn) {
                let text = format!(
                    "{}.{} waited for longer than its timeout of {} ms",
                    packet.servant, packet.func, packet.timeout
                );
                self.reply(&to, Err(Error::new(codes::QUEUE_TIMEOUT, text)));
            } else {
                self.run(to, packet, deadline, turn);
            }
        }
    }

    /// Runs a request in the turn that began at `turn`.
    fn run(
        &mut self,
        to: ReplyTo,
        packet: RequestPacket,
        deadline: Option<Instant>,
        turn: Instant,
    ) {
        let handler = match self.start(packet, deadline) {
            Ok(handler) => handler,
            Err(result) => return self.reply(&to, result),
        };
        let in_time = now().saturating_duration_since(turn) < INLINE;
        match if in_time {
            handler.run_inline()
        } else {
            Err(handler)
        } {
            Ok(outcome) => self.finish(&to, outcome),
            Err(handler) => {
                self.running.spawn(async move { (to, handler.await) });
            }
        }
    }

    /// The handler of a request; or its answer, if it needs none.
    fn start(
        &self,
        packet: RequestPacket,
        deadline: Option<Instant>,
    ) -> Result<Handler, Result<Vec<u8>>> {
        let Some(version) = Version::new(packet.version) else {
            let text = format!(
                "protocol version {} is not supported; {} are",
                packet.version,
                Version::SPOKEN
            );
            return Err(Err(Error::new(codes::SERVER_DECODE, text)));
        };
        let Some(servant) = self.shared.servants.get(&packet.servant) else {
            let text = format!("there is no servant {}", packet.servant);
            return Err(Err(Error::new(codes::NO_SERVANT, text)));
        };
        if packet.func == PING {
            return Err(Ok(Vec::new()));
        }
        let request = Request::new(packet, version, self.peer, deadline).map_err(Err)?;
        Handler::start(&**servant, request).map_err(|panicked| Err(self.panicked(&panicked)))
    }

    /// Takes the end of a handler that was a task.
    fn ended(&mut self, ended: Result<(ReplyTo, Outcome), tokio::task::JoinError>) {
        match ended {
            Ok((to, outcome)) => self.finish(&to, outcome),
            // Handlers do not panic out of their task, and nobody aborts them before the connection is dropped.
            Err(error) => error!(peer = %self.peer, %error, "lost a handler"),
        }
    }

    fn finish(&mut self, to: &ReplyTo, outcome: Outcome) {
        let result = match outcome {
            Ok(result) => result.and_then(Reply::finish),
            Err(panicked) => Err(self.panicked(&panicked)),
        };
        self.reply(to, result);
    }

    fn panicked(&self, panicked: &Panicked) -> Error {
        self.shared.stats.panics.increment();
        error!(peer = %self.peer, panic = panicked.0, "a servant panicked");
        Error::new(codes::UNKNOWN, "the servant panicked")
    }

    /// Answers, unless nobody wants an answer.
    fn reply(&mut self, to: &ReplyTo, result: Result<Vec<u8>>) {
        let result = result.and_then(|body| {
            if to.oneway {
                return Ok(());
            }
            self.protocol.answer(to, &body).map_err(Error::ServerEncode)
        });
        let stats = &self.shared.stats;
        let Err(error) = result else {
            return stats.succeeded.increment();
        };
        let code = match error.code() {
            codes::OK => codes::UNKNOWN,
            code => code,
        };
        stats.count_failure(code);
        debug!(peer = %self.peer, code, %error, "a request failed");
        if !to.oneway {
            self.protocol.fail(to, code, &error.to_string());
        }
    }

    fn closed(&self, reason: &Reason) {
        let peer = self.peer;
        let stats = &self.shared.stats;
        match reason {
            Reason::ByPeer => {
                stats.closed_by_peer.increment();
                debug!(%peer, "the peer closed the connection");
            }
            Reason::Drained => {
                stats.closed_drained.increment();
                debug!(%peer, "connection drained");
            }
            Reason::Violation(Violation::Frame(error)) => {
                stats.closed_bad_frame.increment();
                warn!(%peer, reason = %error, "connection closed: bad frame");
            }
            Reason::Violation(Violation::Packet(error)) => {
                stats.closed_bad_packet.increment();
                warn!(%peer, reason = %error, "connection closed: bad packet");
            }
            Reason::Broken(error) => {
                stats.closed_broken.increment();
                debug!(%peer, reason = %error, "connection broken");
            }
            Reason::Stalled(time) => {
                stats.closed_stalled.increment();
                warn!(%peer, "connection closed: the peer took none of its answers for {time:?}");
            }
        }
    }
}

/// When the caller stops waiting. `iTimeout` counts from the arrival: clocks differ.
fn deadline(packet: &RequestPacket, arrived: Instant) -> Option<Instant> {
    let timeout = u64::try_from(packet.timeout).ok().filter(|ms| *ms > 0)?;
    arrived.checked_add(Duration::from_millis(timeout))
}

/// Requests that wait for a handler to end.
#[derive(Debug, Default)]
struct Queue {
    requests: VecDeque<Waiting>,
    bytes: usize,
}

#[derive(Debug)]
struct Waiting {
    to: ReplyTo,
    packet: RequestPacket,
    deadline: Option<Instant>,
}

impl Queue {
    fn has_room(&self, bytes: usize, limits: &Limits) -> bool {
        self.requests.len() < limits.max_queue
            && (self.bytes == 0 || self.bytes.saturating_add(bytes) <= limits.max_queued_bytes)
    }

    fn is_empty(&self) -> bool {
        self.requests.is_empty()
    }

    fn push(&mut self, to: ReplyTo, packet: RequestPacket, deadline: Option<Instant>) {
        self.bytes += packet.body.len();
        self.requests.push_back(Waiting {
            to,
            packet,
            deadline,
        });
    }

    fn pop(&mut self) -> Option<Waiting> {
        let request = self.requests.pop_front()?;
        self.bytes -= request.packet.body.len();
        Some(request)
    }
}
