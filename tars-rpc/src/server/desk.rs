//! The requests of a connection: which run, which wait, which are refused.

use std::{
    collections::VecDeque,
    future::{pending, poll_fn},
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use tars_codec::RequestPacket;
use tokio::{
    sync::OwnedSemaphorePermit,
    task::{JoinError, JoinSet},
};
use tokio_util::sync::PollSemaphore;
use tracing::error;

use self::target::Target;
use super::{
    Reply, Request,
    adapter::Shared,
    handler::{Handler, Outcome, Panicked},
    link::{Answerer, Link, Mail},
    load::{Charge, Meter, Share},
    request::Origin,
};
use crate::{
    Error, Result, codes,
    net::now,
    protocol::server::{Answer, Extras, ReplyTo},
};

mod answers;
mod target;

pub(super) use answers::{Answers, Nowhere};

/// How long the handlers of one turn may run where they are. The others become tasks, which other threads can take.
const INLINE: Duration = Duration::from_millis(1);

/// How much of its adapter's limits one connection may use.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    pub(super) in_flight: usize,
    pub(super) queue: usize,
    pub(super) bytes: usize,
}

/// What it takes to answer a request.
#[derive(Debug)]
pub(super) struct Ticket {
    to: ReplyTo,
    peer: SocketAddr,
    serial: u64,
}

type Ended = (Ticket, Charge, Outcome);

pub(super) struct Desk {
    shared: Arc<Shared>,
    link: Arc<Link>,
    /// Handlers that wait for something.
    running: JoinSet<Ended>,
    /// Their requests, and those that a responder has still to answer.
    in_flight: Arc<Meter>,
    waiting: VecDeque<Waiting>,
    /// How many may wait.
    max_waiting: usize,
    /// Bytes of the requests that are in flight or wait.
    bytes: Arc<Meter>,
    /// The right to run a handler. Requests that end at once use the same one after another; it is given back at the
    /// end of the turn.
    slot: Option<OwnedSemaphorePermit>,
    /// The place among the connections that wait for a slot.
    line: Option<PollSemaphore>,
    /// The number of the last request.
    serial: u64,
    /// Not in the shared counters yet.
    requests: u64,
    succeeded: u64,
}

struct Waiting {
    ticket: Ticket,
    packet: RequestPacket,
    target: Target,
    arrived: Instant,
    _place: Share,
    bytes: [Share; 2],
}

/// What has happened to requests.
#[allow(clippy::large_enum_variant)] // there is one at a time, which is handled at once
pub(super) enum Event {
    Ended(Result<Ended, JoinError>),
    Slot(Option<OwnedSemaphorePermit>),
    Mail,
}

impl Desk {
    pub(super) fn new(shared: Arc<Shared>, part: Part) -> Self {
        Self {
            link: Arc::new(Link::new(Arc::clone(&shared))),
            shared,
            running: JoinSet::new(),
            in_flight: Arc::new(Meter::new(part.in_flight)),
            waiting: VecDeque::new(),
            max_waiting: part.queue,
            bytes: Arc::new(Meter::new(part.bytes)),
            slot: None,
            line: None,
            serial: 0,
            requests: 0,
            succeeded: 0,
        }
    }

    /// Whether no request runs or waits, or has an answer that is to come.
    pub(super) fn is_idle(&self) -> bool {
        self.running.is_empty()
            && self.waiting.is_empty()
            && (!self.link.is_in_use() || self.link.is_settled())
    }

    /// When the first of the waiting requests has waited for too long.
    pub(super) fn wake_at(&self) -> Option<Instant> {
        let first = self.waiting.front()?;
        first.arrived.checked_add(self.shared.limits.queue_timeout)
    }

    /// Begins a turn: runs what waited, as far as there is room now, and refuses what has waited for too long.
    pub(super) fn begin(&mut self, turn: Instant, answers: &mut impl Answers) {
        while self.may_run() && answers.has_room() && !self.waiting.is_empty() && self.take_slot() {
            let Some(next) = self.waiting.pop_front() else {
                return;
            };
            if self.is_late(&next, turn) {
                self.refuse_late(next, answers);
            } else {
                let Waiting {
                    ticket,
                    packet,
                    target,
                    bytes,
                    arrived,
                    ..
                } = next;
                let waited = turn.saturating_duration_since(arrived);
                let place = Some((bytes, waited));
                self.run(ticket, packet, &target, place, turn, answers);
            }
        }
        while self.wake_at().is_some_and(|at| at <= turn) {
            if let Some(late) = self.waiting.pop_front() {
                self.refuse_late(late, answers);
            }
        }
    }

    /// Ends a turn, before this task waits.
    pub(super) fn end_turn(&mut self) {
        self.slot = None;
        if self.waiting.is_empty() {
            self.line = None;
        }
        let tally = &self.shared.tally;
        if self.requests > 0 {
            tally.add(self.requests, |s| &s.requests);
            self.requests = 0;
        }
        if self.succeeded > 0 {
            tally.add(self.succeeded, |s| &s.succeeded);
            self.succeeded = 0;
        }
    }

    /// Whether there may be an [`event`](Self::event).
    pub(super) fn expects_events(&self) -> bool {
        !self.running.is_empty() || !self.waiting.is_empty() || self.link.is_in_use()
    }

    /// Waits for something to [`handle`](Self::handle). Dropping the future loses nothing.
    pub(super) async fn event(&mut self, has_room: bool) -> Event {
        let wants_slot = has_room && !self.waiting.is_empty() && self.may_run();
        if !wants_slot {
            // A slot that came now would be kept from others.
            self.line = None;
        }
        let wants_mail = has_room && self.link.is_in_use();
        tokio::select! {
            Some(ended) = self.running.join_next() => Event::Ended(ended),
            slot = next_slot(&mut self.line, &self.shared), if wants_slot => Event::Slot(slot),
            () = self.link.mail(), if wants_mail => Event::Mail,
            else => pending().await,
        }
    }

    /// Takes an event. True if the application wants the connection closed.
    pub(super) fn handle(&mut self, event: Event, answers: &mut impl Answers) -> bool {
        match event {
            Event::Slot(slot) => self.slot = slot,
            Event::Ended(ended) => {
                self.ended(ended, answers);
                while let Some(ended) = self.running.try_join_next() {
                    self.ended(ended, answers);
                }
            }
            Event::Mail => {
                while answers.has_room()
                    && let Some(mail) = self.link.take_mail()
                {
                    match mail {
                        Mail::Push { to, frame } => answers.push(to, &frame),
                        Mail::Answer(late) => {
                            let result = late.result.and_then(Reply::finish);
                            self.reply(late.peer, &late.to, result, &late.extras, answers);
                        }
                    }
                }
                return self.link.take_close();
            }
        }
        false
    }

    /// Takes up a request that came at `arrived`, the begin of the turn.
    pub(super) fn take(
        &mut self,
        packet: RequestPacket,
        peer: SocketAddr,
        arrived: Instant,
        answers: &mut impl Answers,
    ) {
        self.requests += 1;
        self.serial += 1;
        let ticket = Ticket {
            to: ReplyTo::from(&packet),
            peer,
            serial: self.serial,
        };
        let target = match Target::resolve(&self.shared.servants, &packet, arrived) {
            Ok(target) => target,
            Err(result) => return self.reply_at_once(&ticket, result, answers),
        };
        let bytes = size(&packet);
        if !self.bytes.has(bytes) || !self.shared.load.bytes.has(bytes) {
            return self.refuse(&ticket, "bytes of requests are held", answers);
        }
        if self.waiting.is_empty() && self.may_run() && self.take_slot() {
            return self.run(ticket, packet, &target, None, arrived, answers);
        }
        if self.waiting.len() >= self.max_waiting {
            return self.refuse(&ticket, "requests wait", answers);
        }
        let load = &self.shared.load;
        let (Some(place), Some(share)) = (load.waiting.take_one(), load.bytes.take(bytes)) else {
            return self.refuse(&ticket, "requests wait", answers);
        };
        let bytes = [share, self.bytes.force(bytes)];
        self.waiting.push_back(Waiting {
            ticket,
            packet,
            target,
            arrived,
            _place: place,
            bytes,
        });
    }

    fn may_run(&self) -> bool {
        self.in_flight.has(1)
    }

    fn take_slot(&mut self) -> bool {
        if self.slot.is_none() {
            let slots = Arc::clone(&self.shared.load.slots);
            self.slot = slots.try_acquire_owned().ok();
        }
        self.slot.is_some()
    }

    fn is_late(&self, waiting: &Waiting, now: Instant) -> bool {
        let waited = now.saturating_duration_since(waiting.arrived);
        waited >= self.shared.limits.queue_timeout || waiting.target.is_late(now)
    }

    fn refuse_late(&mut self, late: Waiting, answers: &mut impl Answers) {
        let text = format!(
            "{}.{} waited in the queue of {} for too long: its timeout is {} ms, that of the queue {} ms",
            late.packet.servant,
            late.packet.func,
            self.shared.name,
            late.packet.timeout,
            self.shared.limits.queue_timeout.as_millis(),
        );
        let error = Error::new(codes::QUEUE_TIMEOUT, text);
        self.reply_at_once(&late.ticket, Err(error), answers);
    }

    fn refuse(&mut self, ticket: &Ticket, what: &str, answers: &mut impl Answers) {
        let text = format!(
            "too many {what} by {} or its connection of {}",
            self.shared.name, ticket.peer
        );
        self.reply_at_once(ticket, Err(Error::new(codes::OVERLOAD, text)), answers);
    }

    /// Runs a request for which there is a slot, in the turn that began at `turn`. One that has waited has its
    /// shares of the bytes already.
    fn run(
        &mut self,
        ticket: Ticket,
        packet: RequestPacket,
        target: &Target,
        waited: Option<([Share; 2], Duration)>,
        turn: Instant,
        answers: &mut impl Answers,
    ) {
        let now = now();
        if target.is_late(now) {
            let text = format!(
                "{}.{} came too late: the handlers before it took its timeout of {} ms",
                packet.servant, packet.func, packet.timeout
            );
            let error = Error::new(codes::QUEUE_TIMEOUT, text);
            return self.reply_at_once(&ticket, Err(error), answers);
        }
        let bytes = size(&packet);
        let serial = ticket.serial;
        let origin = Origin {
            link: Arc::clone(&self.link),
            serial,
            peer: ticket.peer,
            deadline: target.deadline,
            waited: waited.as_ref().map_or(Duration::ZERO, |(_, time)| *time),
        };
        let shares = waited.map(|(shares, _)| shares);
        let request = match Request::new(packet, target.version, origin) {
            Ok(request) => request,
            Err(error) => return self.reply_at_once(&ticket, Err(error), answers),
        };
        self.link.begin(serial);
        let in_time = now.saturating_duration_since(turn) < INLINE;
        let outcome = match Handler::start(&*target.servant, request) {
            Ok(handler) if in_time => handler.run_inline(),
            Ok(handler) => Err(handler),
            Err(panicked) => Ok(Err(panicked)),
        };
        let slot = &mut self.slot;
        let of_adapter = &self.shared.load.bytes;
        let charge = || Charge {
            _slot: slot.take(),
            _in_flight: self.in_flight.force(1),
            _bytes: shares.unwrap_or_else(|| [of_adapter.force(bytes), self.bytes.force(bytes)]),
        };
        match outcome {
            Ok(outcome) => {
                let answerer = self.link.ended_at_once(serial, charge);
                self.finish(&ticket, outcome, answerer, answers);
            }
            Err(handler) => {
                self.link.suspend(serial);
                let charge = charge();
                self.running
                    .spawn(async move { (ticket, charge, handler.await) });
            }
        }
    }

    /// Takes the end of a handler that was a task.
    fn ended(&mut self, ended: Result<Ended, JoinError>, answers: &mut impl Answers) {
        match ended {
            Ok((ticket, charge, outcome)) => {
                let answerer = self.link.ended_late(ticket.serial, || charge);
                self.finish(&ticket, outcome, answerer, answers);
            }
            // Handlers do not panic out of their task, and nobody aborts them before the connection is dropped.
            Err(error) => error!(adapter = %self.shared.name, %error, "lost a handler"),
        }
    }

    /// Answers for a handler, unless a responder does.
    fn finish(
        &mut self,
        ticket: &Ticket,
        outcome: Outcome,
        answerer: Answerer,
        answers: &mut impl Answers,
    ) {
        let result = match outcome {
            Ok(result) => result,
            Err(panicked) => Err(self.panicked(ticket.peer, &panicked)),
        };
        if let Answerer::Handler(extras) = answerer {
            let result = result.and_then(Reply::finish);
            let extras = extras.as_deref().unwrap_or(Extras::NONE);
            self.reply(ticket.peer, &ticket.to, result, extras, answers);
        }
    }

    fn panicked(&self, peer: SocketAddr, panicked: &Panicked) -> Error {
        self.shared.tally.count(|s| &s.panics);
        error!(adapter = %self.shared.name, %peer, panic = panicked.0, "a servant panicked");
        Error::new(codes::UNKNOWN, "the servant panicked")
    }

    fn reply_at_once(
        &mut self,
        ticket: &Ticket,
        result: Result<Vec<u8>>,
        answers: &mut impl Answers,
    ) {
        self.reply(ticket.peer, &ticket.to, result, Extras::NONE, answers);
    }

    /// Answers, unless nobody wants an answer.
    fn reply(
        &mut self,
        peer: SocketAddr,
        to: &ReplyTo,
        result: Result<Vec<u8>>,
        extras: &Extras,
        answers: &mut impl Answers,
    ) {
        let result = result.and_then(|body| {
            if to.oneway {
                return Ok(());
            }
            answers
                .answer(peer, to, &Answer::ok(&body, extras))
                .map_err(Error::ServerEncode)
        });
        let Err(error) = result else {
            self.succeeded += 1;
            return;
        };
        let code = self.shared.count_failure(peer, &error);
        if to.oneway {
            return;
        }
        let text = error.to_string();
        if answers
            .answer(peer, to, &Answer::failed(code, &text, extras))
            .is_err()
        {
            // A text of 100 MiB: the code has to do. It always fits.
            let _ = answers.answer(peer, to, &Answer::failed(code, "", Extras::NONE));
        }
    }

    /// No more requests come. Handlers learn of it.
    pub(super) fn begin_to_end(&self) {
        self.link.begin_to_end();
    }

    /// Takes what is left when the connection has gone: waits for the handlers that run, and runs no more.
    pub(super) async fn close(&mut self) {
        let tally = &self.shared.tally;
        for _ in self.waiting.drain(..) {
            tally.count(|s| &s.failed);
            tally.count(|s| &s.abandoned);
        }
        for late in self.link.end() {
            self.shared.count_undelivered(&late);
        }
        while let Some(ended) = self.running.join_next().await {
            self.ended(ended, &mut Nowhere);
        }
        self.end_turn();
    }
}

/// What a request holds of its peer's bytes: of the body, and of what stands beside it, which is as long as the peer likes.
fn size(packet: &RequestPacket) -> usize {
    let beside = packet.context.iter().chain(&packet.status);
    let beside: usize = beside.map(|(key, value)| key.len() + value.len()).sum();
    packet.body.len() + packet.servant.len() + packet.func.len() + beside
}

impl Drop for Desk {
    /// However the connection ends, whoever holds it learns of it.
    fn drop(&mut self) {
        drop(self.link.end());
    }
}

/// Waits in line for a slot. `line` keeps the place when the future is dropped.
async fn next_slot(
    line: &mut Option<PollSemaphore>,
    shared: &Shared,
) -> Option<OwnedSemaphorePermit> {
    let line = line.get_or_insert_with(|| PollSemaphore::new(Arc::clone(&shared.load.slots)));
    poll_fn(|cx| line.poll_acquire(cx)).await
}
