//! The server's side of a connection: bytes in, requests out; answers in, frames out.

use std::borrow::Cow;

use bytes::BytesMut;
use tars_codec::{
    self as codec, Attributes, PACKET_NORMAL, RequestHead, RequestPacket, ResponseHead,
};

use super::{
    MAX_FRAME, STATUS_CODE, STATUS_DESC, STATUS_FUNC, Version, Violation,
    buffer::{Input, Output},
};
use crate::codes;

#[cfg(test)]
mod tests;

/// One connection.
#[derive(Debug)]
pub(crate) struct ServerConnection {
    input: Input,
    output: Output,
    max_unsent: usize,
}

/// What an answer repeats from its request.
#[derive(Debug, Clone)]
pub(crate) struct ReplyTo {
    request_id: i32,
    message_type: i32,
    /// Nobody waits for the answer.
    pub(crate) oneway: bool,
    shape: Shape,
}

/// What an answer carries beside its values.
#[derive(Debug, Clone, Default)]
pub(crate) struct Extras {
    pub(crate) context: Attributes,
    pub(crate) status: Attributes,
}

impl Extras {
    pub(crate) const NONE: &Self = &Self {
        context: Attributes::new(),
        status: Attributes::new(),
    };
}

/// What is said to a request.
#[derive(Debug)]
pub(crate) struct Answer<'a> {
    pub(crate) ret: i32,
    pub(crate) desc: &'a str,
    pub(crate) body: &'a [u8],
    pub(crate) extras: &'a Extras,
}

impl<'a> Answer<'a> {
    /// To a call that succeeded.
    pub(crate) fn ok(body: &'a [u8], extras: &'a Extras) -> Self {
        Self {
            ret: codes::OK,
            desc: "",
            body,
            extras,
        }
    }

    /// To a call that failed.
    pub(crate) fn failed(ret: i32, desc: &'a str, extras: &'a Extras) -> Self {
        Self {
            ret,
            desc,
            body: &[],
            extras,
        }
    }
}

/// Which packet an answer is.
#[derive(Debug, Clone)]
enum Shape {
    /// A `ResponsePacket`.
    Response(Version),
    /// A `RequestPacket`, as TUP wants it, which names servant and function again.
    Request {
        version: Version,
        servant: Box<str>,
        func: Box<str>,
    },
}

impl Shape {
    fn of(version: Version, servant: &str, func: &str) -> Self {
        if version.is_tup() {
            Self::Request {
                version,
                servant: servant.into(),
                func: func.into(),
            }
        } else {
            Self::Response(version)
        }
    }
}

impl ReplyTo {
    pub(crate) fn new(
        request_id: i32,
        message_type: i32,
        oneway: bool,
        version: Version,
        (servant, func): (&str, &str),
    ) -> Self {
        Self {
            request_id,
            message_type,
            oneway,
            shape: Shape::of(version, servant, func),
        }
    }
}

impl From<&RequestPacket> for ReplyTo {
    fn from(request: &RequestPacket) -> Self {
        // Whoever speaks another version: version 1 is what it most likely understands.
        let version = Version::new(request.version).unwrap_or(Version::Tars);
        Self {
            request_id: request.request_id,
            message_type: request.message_type,
            oneway: request.is_oneway(),
            shape: Shape::of(version, &request.servant, &request.func),
        }
    }
}

impl ServerConnection {
    pub(crate) fn new(max_frame: usize, max_unsent: usize) -> Self {
        Self {
            input: Input::new(max_frame),
            output: Output::default(),
            max_unsent,
        }
    }

    /// Whether the peer takes its answers. One that does not gets no more of them.
    pub(crate) fn has_room(&self) -> bool {
        self.unsent() < self.max_unsent
    }

    /// Where to append bytes that came, if more are wanted, and bytes to send; report both.
    pub(crate) fn buffers(&mut self, receive: bool) -> (Option<&mut BytesMut>, &[u8]) {
        (receive.then(|| self.input.space()), self.output.unsent())
    }

    /// Notes that `n` bytes were appended.
    pub(crate) fn received(&mut self, n: usize) {
        self.input.received(n);
    }

    /// Notes that the first `n` bytes are sent.
    pub(crate) fn sent(&mut self, n: usize) {
        self.output.advance(n);
    }

    /// How many bytes wait to be sent.
    pub(crate) fn unsent(&self) -> usize {
        self.output.len()
    }

    /// The next request; `None` until more bytes come. Of any version: the caller looks.
    ///
    /// # Errors
    /// The peer does not keep to the protocol; close the connection. What it sent is forgotten.
    pub(crate) fn next_request(&mut self) -> Result<Option<RequestPacket>, Violation> {
        let request = match self.input.next_packet() {
            Ok(None) => return Ok(None),
            Ok(Some(packet)) => codec::decode_bytes(&packet).map_err(Violation::Packet),
            Err(error) => Err(Violation::Frame(error)),
        };
        if request.is_err() {
            self.input.clear();
        }
        request.map(Some)
    }

    /// Whether a frame has begun and its end has not come.
    pub(crate) fn is_within_frame(&self) -> bool {
        !self.input.is_empty()
    }

    /// Writes an answer.
    ///
    /// # Errors
    /// It is larger than any peer takes; nothing is written.
    pub(crate) fn answer(&mut self, to: &ReplyTo, answer: &Answer<'_>) -> codec::Result<()> {
        to.append(self.output.buffer(), answer, MAX_FRAME)
    }

    /// Writes a whole frame.
    pub(crate) fn push(&mut self, frame: &[u8]) {
        self.output.buffer().extend_from_slice(frame);
    }
}

/// A TUP body without values.
const EMPTY_MAP: &[u8] = &[0x08, 0x0c];

impl ReplyTo {
    /// Appends the frame of an answer.
    ///
    /// # Errors
    /// It is longer than `max`, or cannot be encoded; nothing is appended.
    pub(crate) fn append(
        &self,
        buf: &mut Vec<u8>,
        answer: &Answer<'_>,
        max: usize,
    ) -> codec::Result<()> {
        let start = buf.len();
        self.write_frame(buf, answer)?;
        let len = buf.len() - start;
        if len > max {
            buf.truncate(start);
            let what = "answer";
            return Err(codec::Error::new(
                codec::ErrorKind::TooLong { what, len, max },
                0,
            ));
        }
        Ok(())
    }

    fn write_frame(&self, buf: &mut Vec<u8>, answer: &Answer<'_>) -> codec::Result<()> {
        let Extras { context, status } = answer.extras;
        match &self.shape {
            Shape::Response(version) => {
                let head = ResponseHead {
                    version: version.number(),
                    packet_type: PACKET_NORMAL,
                    request_id: self.request_id,
                    message_type: self.message_type,
                    ret: answer.ret,
                    status,
                    result_desc: answer.desc,
                    context,
                };
                head.write_frame(buf, |w| w.append(answer.body))
            }
            Shape::Request {
                version,
                servant,
                func,
            } => {
                let mut status = Cow::Borrowed(status);
                if answer.ret != codes::OK {
                    let status = status.to_mut();
                    status.insert(STATUS_CODE.to_owned(), answer.ret.to_string());
                    status.insert(STATUS_DESC.to_owned(), answer.desc.to_owned());
                }
                // Tars.js decodes the body even of an answer that is an error, and insists on a map.
                let body = if answer.body.is_empty() {
                    EMPTY_MAP
                } else {
                    answer.body
                };
                let head = RequestHead {
                    version: version.number(),
                    packet_type: PACKET_NORMAL,
                    message_type: self.message_type,
                    request_id: self.request_id,
                    servant,
                    func,
                    timeout: 0,
                    context,
                    status: &status,
                };
                head.write_frame(buf, |w| w.append(body))
            }
        }
    }
}

/// The frame of something that the server sends by itself: request id 0, the name of the function in the status.
///
/// # Errors
/// It is longer than any peer takes.
pub(crate) fn push_frame(func: &str, context: &Attributes, body: &[u8]) -> codec::Result<Vec<u8>> {
    let to = ReplyTo {
        request_id: 0,
        message_type: 0,
        oneway: false,
        shape: Shape::Response(Version::Tars),
    };
    let extras = Extras {
        context: context.clone(),
        status: Attributes::from([(STATUS_FUNC.to_owned(), func.to_owned())]),
    };
    let mut frame = Vec::new();
    let answer = Answer::ok(body, &extras);
    to.append(&mut frame, &answer, MAX_FRAME)?;
    Ok(frame)
}
