//! The calls on a connection: the protocol, with callers that wait in slots, and what their ends say of the endpoint.

use std::{sync::Arc, time::Instant};

use tracing::{debug, info, warn};

use super::{Failure, Outcome, Shared, Submission, inbox::Batch};
use crate::{
    Disconnect,
    client::{
        health::{Ejection, Health},
        slot::Answerer,
    },
    codes,
    net::now,
    protocol::client::{ClientConnection, Event, Refusal, Request},
};

/// Who waits for the end of a call.
pub(super) struct Caller {
    answerer: Answerer<Outcome>,
    is_oneway: bool,
}

pub(super) struct CallsInFlight {
    pub(super) protocol: ClientConnection<Caller>,
    shared: Arc<Shared>,
    health: Health,
    /// A servant that the endpoint has.
    pub(super) servant: Option<Arc<str>>,
}

impl CallsInFlight {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self {
            protocol: ClientConnection::new(shared.config.limits(shared.endpoint.transport)),
            health: Health::new(shared.config.health.clone()),
            shared,
            servant: None,
        }
    }

    /// Starts the calls of a batch, and forgets those that were given up.
    pub(super) fn take(&mut self, batch: &mut Batch) {
        let now = now();
        self.shared.stats.calls.add(batch.calls.len() as u64);
        if let Some(Submission { servant, .. }) = batch.calls.back() {
            self.servant = Some(Arc::clone(servant));
        }
        for submission in batch.calls.drain(..) {
            if submission.answerer.is_wanted() {
                self.start(submission, now);
            } else {
                self.shared.stats.abandoned.increment();
            }
        }
        for call in batch.given_up.drain(..) {
            if let Some(id) = call.id()
                && self.protocol.cancel(id).is_some()
            {
                self.shared.stats.abandoned.increment();
            }
        }
        batch.shrink();
    }

    /// Ends the calls of a batch, which cannot be made.
    pub(super) fn refuse(&mut self, batch: &mut Batch, failure: &Failure) {
        self.shared.stats.calls.add(batch.calls.len() as u64);
        for submission in batch.calls.drain(..) {
            submission.answerer.finish(Err(failure.with(false)));
        }
        batch.given_up.clear();
        batch.shrink();
    }

    fn start(&mut self, submission: Submission, now: Instant) {
        let (context, status) = submission.options.attributes();
        let request = Request {
            version: submission.options.protocol(),
            servant: &submission.servant,
            func: submission.func,
            message_type: submission.options.message_type(),
            context,
            status,
            body: &submission.body,
            oneway: submission.options.is_oneway(),
            deadline: submission.deadline,
        };
        let caller = Caller {
            answerer: submission.answerer,
            is_oneway: request.oneway,
        };
        match self.protocol.start(&request, now, caller) {
            Ok(id) => {
                if let Some(caller) = self.protocol.caller(id) {
                    caller.answerer.register(id);
                }
            }
            Err((refusal, caller)) => caller.answerer.finish(Err(match refusal {
                Refusal::Full(full) => {
                    self.shared.stats.refused.increment();
                    Failure::Full(full)
                }
                Refusal::Expired => {
                    self.shared.stats.timeouts.increment();
                    Failure::Timeout { sent: false }
                }
                Refusal::Encode(error) => Failure::Encode(error),
            })),
        }
    }

    /// Ends the calls whose time is over; `sent` says whether they were given to a connection.
    pub(super) fn expire(&mut self, sent: bool) {
        let now = now();
        while let Some(caller) = self.protocol.expired(now) {
            self.shared.stats.timeouts.increment();
            caller.answerer.finish(Err(Failure::Timeout { sent }));
            self.call_failed(caller.is_oneway, now);
        }
    }

    pub(super) fn sent(&mut self, n: usize) {
        self.protocol.sent(n);
        let mut oneway = false;
        while let Some(caller) = self.protocol.sent_oneway() {
            oneway = true;
            caller.answerer.finish(Ok(None));
        }
        if oneway && !self.shared.gate.is_open() && self.health.sent_oneway(now()) {
            self.restored();
        }
    }

    /// What the peer has sent. True if a ping was answered.
    pub(super) fn received(&mut self, n: usize) -> Result<bool, Disconnect> {
        self.protocol.received(n);
        let mut answers = 0;
        let mut late = 0;
        let mut pong = false;
        while let Some(event) = self.protocol.next_event()? {
            match event {
                Event::Answer(caller, answer) => {
                    answers += 1;
                    late += u32::from(answer.ret == codes::QUEUE_TIMEOUT);
                    caller.answerer.finish(Ok(Some(answer)));
                }
                Event::Pong => pong = true,
                Event::Stray(id) => {
                    self.shared.stats.stray_answers.increment();
                    debug!(id, "an answer that nobody waits for");
                }
                Event::Push(packet) => {
                    self.shared.stats.pushes.increment();
                    let endpoint = &self.shared.endpoint;
                    self.shared
                        .tell_subscribers(|hub| hub.push(endpoint, &packet));
                }
            }
        }
        if answers > 0 {
            self.shared.stats.answers.add(u64::from(answers));
            self.answered(answers, late);
        }
        Ok(pong)
    }

    pub(super) fn fail_all(&mut self, failure: &Failure) {
        for (caller, sent) in self.protocol.close() {
            caller.answerer.finish(Err(failure.with(sent)));
            if let Failure::Lost { .. } = failure {
                self.call_failed(caller.is_oneway, now());
            }
        }
    }

    /// Calls were answered; `late` of them had waited in the queue of the server for too long.
    fn answered(&mut self, answers: u32, late: u32) {
        for _ in 0..late {
            self.failed(now());
        }
        if answers > late && self.health.succeeded(answers - late) {
            self.restored();
        }
    }

    fn restored(&self) {
        self.shared.gate.open();
        self.shared.stats.restored.increment();
        info!(peer = %self.shared.endpoint, "the endpoint is back");
    }

    /// A call has no answer. Where all calls are oneway, no answer would ever outweigh those that failed.
    fn call_failed(&mut self, is_oneway: bool, now: Instant) {
        if !is_oneway {
            self.failed(now);
        }
    }

    fn failed(&mut self, now: Instant) {
        if let Some(why) = self.health.failed(now) {
            self.eject(why, now);
        }
    }

    pub(super) fn connection_worked(&mut self) {
        self.health.connection_worked();
    }

    pub(super) fn connect_failed(&mut self) {
        if let Some(why) = self.health.connect_failed() {
            self.eject(why, now());
        }
    }

    fn eject(&self, why: Ejection, now: Instant) {
        // There may just be another reason.
        if self.shared.gate.is_open() {
            self.shared.stats.ejected.increment();
        }
        self.shared.gate.close(why, now);
        warn!(peer = %self.shared.endpoint, reason = %why, "endpoint ejected");
    }
}
