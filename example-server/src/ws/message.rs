//! From frames to messages, without IO: fragmentation, control frames in between, UTF-8, limits.

use super::close::{CloseCode, Violation};
use super::frame::{self, FrameHeader, HeaderParser, OpCode};

/// A whole message, as received or to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// Text.
    Text(String),
    /// Bytes.
    Binary(Vec<u8>),
}

impl Message {
    /// The payload, whatever its kind.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Binary(bytes) => bytes,
        }
    }

    /// The message as one frame.
    pub fn encode(&self) -> bytes::Bytes {
        let opcode = match self {
            Self::Text(_) => OpCode::Text,
            Self::Binary(_) => OpCode::Binary,
        };
        frame::encode(opcode, self.as_bytes())
    }
}

/// Something complete that the peer sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A message.
    Message(Message),
    /// A ping, to be answered with a pong of the same payload.
    Ping(Vec<u8>),
    /// A pong.
    Pong,
    /// The peer closes, with its code if it gave one.
    Close(Option<CloseCode>),
}

/// Turns the bytes of a connection into events.
///
/// It holds the part of a message that has arrived and never reserves what a header only promises,
/// so a connection costs what its peer has really sent, up to the limit.
#[derive(Debug)]
pub struct Assembler {
    max_message: usize,
    header: HeaderParser,
    frame: Option<FrameInProgress>,
    message: Option<Partial>,
    control: Vec<u8>,
}

#[derive(Debug)]
struct FrameInProgress {
    fin: bool,
    opcode: OpCode,
    remaining: u64,
    mask: [u8; 4],
}

/// A message of which some frames have arrived.
#[derive(Debug)]
enum Partial {
    Text(PartialText),
    Binary(Vec<u8>),
}

impl Partial {
    fn len(&self) -> usize {
        match self {
            Self::Text(text) => text.text.len() + text.tail.len,
            Self::Binary(bytes) => bytes.len(),
        }
    }
}

impl Assembler {
    /// An assembler for messages of at most `max_message` bytes.
    pub fn new(max_message: usize) -> Self {
        Self {
            max_message,
            header: HeaderParser::default(),
            frame: None,
            message: None,
            control: Vec::new(),
        }
    }

    /// Takes bytes from the front of `input` until an event is complete or the input is used up.
    ///
    /// The payload is unmasked in place. After an error the connection cannot be read any further.
    pub fn next_event(&mut self, input: &mut &mut [u8]) -> Result<Option<Event>, Violation> {
        loop {
            let mut frame = match self.frame.take() {
                Some(frame) => frame,
                None => match self.header.advance(input)? {
                    Some(header) => self.begin(header)?,
                    None => return Ok(None),
                },
            };
            let available = usize::try_from(frame.remaining)
                .unwrap_or(usize::MAX)
                .min(input.len());
            let payload = frame::take(input, available);
            frame.mask = frame::apply_mask(payload, frame.mask);
            frame.remaining -= available as u64;
            if frame.opcode.is_control() {
                self.control.extend_from_slice(payload);
            } else {
                match &mut self.message {
                    Some(Partial::Text(text)) => text.push(payload)?,
                    Some(Partial::Binary(bytes)) => bytes.extend_from_slice(payload),
                    None => return Err(Violation::NothingToContinue),
                }
            }
            if frame.remaining > 0 {
                self.frame = Some(frame);
                return Ok(None);
            }
            if let Some(event) = self.complete(&frame)? {
                return Ok(Some(event));
            }
        }
    }

    /// Checks a header against what came before it.
    fn begin(&mut self, header: FrameHeader) -> Result<FrameInProgress, Violation> {
        match (header.opcode, &self.message) {
            (OpCode::Continuation, None) => return Err(Violation::NothingToContinue),
            (OpCode::Text | OpCode::Binary, Some(_)) => return Err(Violation::InterruptedMessage),
            (OpCode::Text, None) => self.message = Some(Partial::Text(PartialText::default())),
            (OpCode::Binary, None) => self.message = Some(Partial::Binary(Vec::new())),
            _ => {}
        }
        if !header.opcode.is_control() {
            let held = self.message.as_ref().map_or(0, Partial::len);
            let room = self.max_message.saturating_sub(held);
            if header.len > room as u64 {
                return Err(Violation::TooBig {
                    limit: self.max_message,
                });
            }
        }
        let FrameHeader {
            fin,
            opcode,
            len,
            mask,
        } = header;
        Ok(FrameInProgress {
            fin,
            opcode,
            remaining: len,
            mask,
        })
    }

    /// What the end of a frame completes, if anything.
    fn complete(&mut self, frame: &FrameInProgress) -> Result<Option<Event>, Violation> {
        Ok(match frame.opcode {
            OpCode::Ping => Some(Event::Ping(std::mem::take(&mut self.control))),
            OpCode::Pong => {
                self.control = Vec::new();
                Some(Event::Pong)
            }
            OpCode::Close => Some(Event::Close(parse_close(&std::mem::take(
                &mut self.control,
            ))?)),
            OpCode::Continuation | OpCode::Text | OpCode::Binary if !frame.fin => None,
            OpCode::Continuation | OpCode::Text | OpCode::Binary => match self.message.take() {
                Some(Partial::Text(text)) => Some(Event::Message(Message::Text(text.finish()?))),
                Some(Partial::Binary(bytes)) => Some(Event::Message(Message::Binary(bytes))),
                None => None,
            },
        })
    }
}

/// The code of a close frame's payload.
fn parse_close(payload: &[u8]) -> Result<Option<CloseCode>, Violation> {
    match payload {
        [] => Ok(None),
        [_] => Err(Violation::ShortClose),
        [high, low, reason @ ..] => {
            let number = u16::from_be_bytes([*high, *low]);
            let code = CloseCode::from_wire(number).ok_or(Violation::CloseCode(number))?;
            std::str::from_utf8(reason).map_err(|_| Violation::NotUtf8)?;
            Ok(Some(code))
        }
    }
}

/// Text while it arrives: what is valid so far, and the bytes of a character cut by a chunk.
///
/// Every byte is validated once and a wrong one is found as soon as it arrives.
#[derive(Debug, Default)]
struct PartialText {
    text: String,
    tail: Tail,
}

/// The first one to three bytes of a character.
#[derive(Debug, Default, Clone, Copy)]
struct Tail {
    bytes: [u8; 4],
    len: usize,
}

impl PartialText {
    fn push(&mut self, mut chunk: &[u8]) -> Result<(), Violation> {
        while self.tail.len > 0
            && let Some((&byte, rest)) = chunk.split_first()
        {
            chunk = rest;
            let mut tail = self.tail;
            tail.bytes[tail.len] = byte;
            tail.len += 1;
            match std::str::from_utf8(&tail.bytes[..tail.len]) {
                Ok(character) => {
                    self.text.push_str(character);
                    tail.len = 0;
                }
                Err(error) if error.error_len().is_none() => {}
                Err(_) => return Err(Violation::NotUtf8),
            }
            self.tail = tail;
        }
        match std::str::from_utf8(chunk) {
            Ok(valid) => self.text.push_str(valid),
            Err(error) if error.error_len().is_none() => {
                let (valid, cut) = chunk.split_at(error.valid_up_to());
                self.text
                    .push_str(std::str::from_utf8(valid).map_err(|_| Violation::NotUtf8)?);
                self.tail.bytes[..cut.len()].copy_from_slice(cut);
                self.tail.len = cut.len();
            }
            Err(_) => return Err(Violation::NotUtf8),
        }
        Ok(())
    }

    fn finish(self) -> Result<String, Violation> {
        if self.tail.len > 0 {
            Err(Violation::NotUtf8)
        } else {
            Ok(self.text)
        }
    }
}

#[cfg(test)]
#[path = "message_tests.rs"]
mod tests;
