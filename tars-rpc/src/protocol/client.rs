//! The client's side of a connection: calls in, frames out; bytes in, finished calls out.

use std::{
    collections::{HashSet, VecDeque},
    mem,
    time::{Duration, Instant},
};

use bytes::BytesMut;
use tars_codec::{
    self as codec, Attributes, PACKET_NORMAL, PACKET_ONEWAY, RequestHead, ResponsePacket,
};

use super::{
    PING, Version, Violation, answer,
    buffer::{Input, Output},
    calls::Calls,
    deadlines::Deadlines,
};
use crate::Full;

#[cfg(test)]
mod tests;

/// Bounds of a connection.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    /// Largest frame that is taken, in bytes.
    pub(crate) max_frame: usize,
    /// Largest frame that is sent, in bytes.
    pub(crate) max_request: usize,
    /// Calls that wait for an answer.
    pub(crate) max_pending: usize,
    /// Bytes that wait to be sent; a call is taken as long as fewer wait.
    pub(crate) max_unsent: usize,
}

/// A call to make.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Request<'a> {
    pub(crate) version: Version,
    pub(crate) servant: &'a str,
    pub(crate) func: &'a str,
    /// The bits of [`extra`](super::extra).
    pub(crate) message_type: i32,
    pub(crate) context: &'a Attributes,
    pub(crate) status: &'a Attributes,
    pub(crate) body: &'a [u8],
    pub(crate) oneway: bool,
    pub(crate) deadline: Instant,
}

/// Why a call was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    Full(Full),
    Expired,
    Encode(codec::Error),
}

/// What came in.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Event<T> {
    /// The answer to a call, its body undecoded.
    Answer(T, ResponsePacket),
    /// The answer to a ping.
    Pong,
    /// An answer that nobody waits for: the call timed out or was given up, or there never was one.
    Stray(i32),
    /// Something that the server sent by itself.
    Push(ResponsePacket),
}

/// One connection, and the calls on it, each with a `T` that stands for the caller.
///
/// Every `T` that [`start`](Self::start) has taken comes back exactly once: in an [`Event::Answer`], or from
/// [`cancel`](Self::cancel), [`expired`](Self::expired), [`sent_oneway`](Self::sent_oneway) or
/// [`close`](Self::close).
#[derive(Debug)]
pub(crate) struct ClientConnection<T> {
    calls: Calls<Call<T>>,
    deadlines: Deadlines,
    /// Calls without an answer, by the position of the end of their frame.
    oneway: VecDeque<(u64, i32)>,
    /// The id of the last ping, and the position of the end of its frame.
    ping: Option<(i32, u64)>,
    input: Input,
    output: Output,
    limits: Limits,
}

#[derive(Debug)]
struct Call<T> {
    caller: T,
    deadline: Instant,
    /// The position at which its frame begins.
    begin: u64,
}

impl<T> ClientConnection<T> {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            calls: Calls::new(limits.max_pending),
            deadlines: Deadlines::default(),
            oneway: VecDeque::new(),
            ping: None,
            input: Input::new(limits.max_frame),
            output: Output::default(),
            limits,
        }
    }

    /// Whether no call is under way and nothing waits to be sent.
    pub(crate) fn is_idle(&self) -> bool {
        self.calls.is_empty() && self.output.is_empty()
    }

    /// How many calls are under way.
    pub(crate) fn in_flight(&self) -> usize {
        self.calls.len()
    }

    /// Writes the frame of a call; gives its id. A call that is refused leaves no trace.
    pub(crate) fn start(
        &mut self,
        request: &Request<'_>,
        now: Instant,
        caller: T,
    ) -> Result<i32, (Refusal, T)> {
        let timeout = request.deadline.saturating_duration_since(now);
        let refusal = if timeout.is_zero() {
            Some(Refusal::Expired)
        } else if self.calls.is_full() {
            Some(Refusal::Full(Full::Pending(self.limits.max_pending)))
        } else if self.output.len() >= self.limits.max_unsent {
            Some(Refusal::Full(Full::Bytes(self.limits.max_unsent)))
        } else {
            None
        };
        if let Some(refusal) = refusal {
            return Err((refusal, caller));
        }
        let id = self.calls.vacant_id();
        let begin = self.output.end();
        if let Err(error) = self.write(request, id, timeout) {
            return Err((Refusal::Encode(error), caller));
        }
        let deadline = request.deadline;
        let call = Call {
            caller,
            deadline,
            begin,
        };
        self.calls.insert(id, call);
        self.deadlines.insert(deadline, id);
        if request.oneway {
            self.oneway.push_back((self.output.end(), id));
        }
        Ok(id)
    }

    fn write(&mut self, request: &Request<'_>, id: i32, timeout: Duration) -> codec::Result<()> {
        let head = RequestHead {
            version: request.version.number(),
            packet_type: if request.oneway {
                PACKET_ONEWAY
            } else {
                PACKET_NORMAL
            },
            message_type: request.message_type,
            request_id: id,
            servant: request.servant,
            func: request.func,
            timeout: milliseconds(timeout),
            context: request.context,
            status: request.status,
        };
        let buf = self.output.buffer();
        let start = buf.len();
        head.write_frame(buf, |w| w.append(request.body))?;
        let len = buf.len() - start;
        if len > self.limits.max_request {
            buf.truncate(start);
            let kind = codec::ErrorKind::TooLong {
                what: "request",
                len,
                max: self.limits.max_request,
            };
            return Err(codec::Error::new(kind, 0));
        }
        Ok(())
    }

    /// Asks the peer for a sign of life, in the name of a servant that it has.
    pub(crate) fn ping(&mut self, servant: &str, timeout: Duration) {
        let none = Attributes::new();
        let head = RequestHead {
            version: Version::Tars.number(),
            packet_type: PACKET_NORMAL,
            message_type: 0,
            request_id: self.calls.vacant_id(),
            servant,
            func: PING,
            timeout: milliseconds(timeout),
            context: &none,
            status: &none,
        };
        // It holds nothing that could fail to be encoded.
        if head.write_frame(self.output.buffer(), |_| {}).is_ok() {
            self.ping = Some((head.request_id, self.output.end()));
        }
    }

    /// Whether the last ping waits to be sent, behind other bytes.
    pub(crate) fn ping_waits(&self) -> bool {
        self.ping
            .is_some_and(|(_, end)| end > self.output.position())
    }

    /// Forgets a call. Its frame is sent all the same, or the server would see half a frame.
    pub(crate) fn cancel(&mut self, id: i32) -> Option<T> {
        let call = self.calls.remove(id)?;
        let calls = &self.calls;
        let is_waiting = |id| calls.get(id).is_some();
        self.deadlines.remove(call.deadline, id, is_waiting);
        Some(call.caller)
    }

    /// Who waits for a call.
    pub(crate) fn caller(&self, id: i32) -> Option<&T> {
        self.calls.get(id).map(|call| &call.caller)
    }

    /// The earliest deadline of a call.
    pub(crate) fn next_deadline(&mut self) -> Option<Instant> {
        self.first_deadline().map(|(at, _)| at)
    }

    fn first_deadline(&mut self) -> Option<(Instant, i32)> {
        let calls = &self.calls;
        self.deadlines.first(|id| calls.get(id).is_some())
    }

    /// Takes a call whose deadline is past.
    pub(crate) fn expired(&mut self, now: Instant) -> Option<T> {
        let (at, id) = self.first_deadline()?;
        if at > now { None } else { self.cancel(id) }
    }

    /// Bytes to send, and where to append bytes that came; report both.
    pub(crate) fn buffers(&mut self) -> (&mut BytesMut, &[u8]) {
        (self.input.space(), self.output.unsent())
    }

    /// Forgets the frames of calls that have ended, of which nothing may have been sent: on a new connection.
    pub(crate) fn forget_ended(&mut self) {
        let oneway = mem::take(&mut self.oneway).into_iter().map(|(_, id)| id);
        let oneway: HashSet<_> = oneway.collect();
        let mut calls: Vec<_> = self.calls.iter_mut().collect();
        calls.sort_unstable_by_key(|(_, call)| call.begin);
        let mut end = 0;
        for (id, call) in calls {
            let begin = mem::replace(&mut call.begin, end);
            end = self.output.move_frame(begin, end);
            if oneway.contains(&id) {
                self.oneway.push_back((end, id));
            }
        }
        self.output.truncate(end);
    }

    /// Whether bytes wait to be sent.
    pub(crate) fn has_output(&self) -> bool {
        !self.output.is_empty()
    }

    /// Notes that the first `n` bytes are sent.
    pub(crate) fn sent(&mut self, n: usize) {
        self.output.advance(n);
    }

    /// Takes a call without an answer whose frame is sent.
    pub(crate) fn sent_oneway(&mut self) -> Option<T> {
        while let Some((end, id)) = self.oneway.front().copied() {
            if end > self.output.position() {
                return None;
            }
            self.oneway.pop_front();
            if let Some(caller) = self.cancel(id) {
                return Some(caller);
            }
        }
        None
    }

    /// Notes that `n` bytes were appended.
    pub(crate) fn received(&mut self, n: usize) {
        self.input.received(n);
    }

    /// What the received bytes say next; `None` until more of them come.
    ///
    /// # Errors
    /// The peer does not keep to the protocol; close the connection.
    pub(crate) fn next_event(&mut self) -> Result<Option<Event<T>>, Violation> {
        let Some(packet) = self.input.next_packet().map_err(Violation::Frame)? else {
            return Ok(None);
        };
        let answer = answer::decode(&packet).map_err(Violation::Packet)?;
        let id = answer.request_id;
        Ok(Some(match self.cancel(id) {
            Some(caller) => Event::Answer(caller, answer),
            None if id == 0 => Event::Push(answer),
            None if self.ping.is_some_and(|(ping, _)| ping == id) => {
                self.ping = None;
                Event::Pong
            }
            None => Event::Stray(id),
        }))
    }

    /// Gives all calls back, each with whether any byte of it was sent, and forgets all bytes, ready for another
    /// connection.
    pub(crate) fn close(&mut self) -> impl Iterator<Item = (T, bool)> + use<T> {
        let sent = self.output.position();
        self.deadlines.clear();
        self.oneway.clear();
        self.ping = None;
        self.input.clear();
        self.output.clear();
        self.calls
            .drain()
            .map(move |call| (call.caller, call.begin < sent))
    }
}

/// Whole milliseconds for `iTimeout`, where 0 would mean no timeout.
fn milliseconds(timeout: Duration) -> i32 {
    let of_second = timeout.subsec_nanos().div_ceil(1_000_000);
    let all = timeout
        .as_secs()
        .saturating_mul(1000)
        .saturating_add(of_second.into());
    i32::try_from(all).unwrap_or(i32::MAX)
}
