//! The server's side of a connection: bytes in, requests out; answers in, frames out.

use bytes::BytesMut;
use tars_codec::{
    self as codec, Attributes, PACKET_NORMAL, RequestHead, RequestPacket, ResponseHead,
};

use super::{
    MAX_FRAME, STATUS_CODE, STATUS_DESC, Version, Violation,
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
    fn of(request: &RequestPacket) -> Self {
        match Version::new(request.version) {
            Some(version) if version.is_tup() => Self::Request {
                version,
                servant: request.servant.as_str().into(),
                func: request.func.as_str().into(),
            },
            Some(version) => Self::Response(version),
            // Whoever it is, version 1 is what it most likely understands.
            None => Self::Response(Version::Tars),
        }
    }
}

impl From<&RequestPacket> for ReplyTo {
    fn from(request: &RequestPacket) -> Self {
        Self {
            request_id: request.request_id,
            message_type: request.message_type,
            oneway: request.is_oneway(),
            shape: Shape::of(request),
        }
    }
}

impl ServerConnection {
    pub(crate) fn new(max_frame: usize) -> Self {
        Self {
            input: Input::new(max_frame),
            output: Output::default(),
        }
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

    /// Writes the answer of a call that succeeded.
    ///
    /// # Errors
    /// It is larger than any peer takes; nothing is written.
    pub(crate) fn answer(&mut self, to: &ReplyTo, body: &[u8]) -> codec::Result<()> {
        self.write(to, codes::OK, "", body)
    }

    /// Writes the answer of a call that failed.
    pub(crate) fn fail(&mut self, to: &ReplyTo, code: i32, message: &str) {
        if self.write(to, code, message, &[]).is_err() {
            // A text of 100 MiB: the code has to do.
            let _ = self.write(to, code, "", &[]);
        }
    }

    fn write(&mut self, to: &ReplyTo, ret: i32, desc: &str, body: &[u8]) -> codec::Result<()> {
        let buf = self.output.buffer();
        let start = buf.len();
        to.write_frame(buf, ret, desc, body)?;
        let len = buf.len() - start;
        if len > MAX_FRAME {
            buf.truncate(start);
            let kind = codec::ErrorKind::TooLong {
                what: "answer",
                len,
                max: MAX_FRAME,
            };
            return Err(codec::Error::new(kind, 0));
        }
        Ok(())
    }
}

/// A TUP body without values.
const EMPTY_MAP: &[u8] = &[0x08, 0x0c];

impl ReplyTo {
    fn write_frame(
        &self,
        buf: &mut Vec<u8>,
        ret: i32,
        desc: &str,
        body: &[u8],
    ) -> codec::Result<()> {
        static NONE: Attributes = Attributes::new();
        match &self.shape {
            Shape::Response(version) => {
                let head = ResponseHead {
                    version: version.number(),
                    packet_type: PACKET_NORMAL,
                    request_id: self.request_id,
                    message_type: self.message_type,
                    ret,
                    status: &NONE,
                    result_desc: desc,
                    context: &NONE,
                };
                head.write_frame(buf, |w| w.append(body))
            }
            Shape::Request {
                version,
                servant,
                func,
            } => {
                let mut status = Attributes::new();
                if ret != codes::OK {
                    status.insert(STATUS_CODE.to_owned(), ret.to_string());
                    status.insert(STATUS_DESC.to_owned(), desc.to_owned());
                }
                // Tars.js decodes the body even of an answer that is an error, and insists on a map.
                let body = if body.is_empty() { EMPTY_MAP } else { body };
                let head = RequestHead {
                    version: version.number(),
                    packet_type: PACKET_NORMAL,
                    message_type: self.message_type,
                    request_id: self.request_id,
                    servant,
                    func,
                    timeout: 0,
                    context: &NONE,
                    status: &status,
                };
                head.write_frame(buf, |w| w.append(body))
            }
        }
    }
}
