//! Frames (RFC 6455, section 5): the header parser, masking and the encoder, without IO.

use bytes::{BufMut, Bytes, BytesMut};

use super::close::{CloseCode, Violation};

/// The largest payload of a control frame.
pub const MAX_CONTROL: usize = 125;
/// The largest header this server writes: two bytes and a 64-bit length.
pub const MAX_SERVER_HEADER: usize = 10;
/// The largest header a client writes: the same and its mask.
const MAX_CLIENT_HEADER: usize = 14;

/// What a frame carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpCode {
    /// A further part of a fragmented message.
    Continuation,
    /// Text, or its first part.
    Text,
    /// Bytes, or their first part.
    Binary,
    /// The sender sends nothing after this.
    Close,
    /// To be answered with a pong of the same payload.
    Ping,
    /// The answer to a ping, or a sign of life.
    Pong,
}

impl OpCode {
    fn from_bits(bits: u8) -> Result<Self, Violation> {
        Ok(match bits {
            0x0 => Self::Continuation,
            0x1 => Self::Text,
            0x2 => Self::Binary,
            0x8 => Self::Close,
            0x9 => Self::Ping,
            0xA => Self::Pong,
            _ => return Err(Violation::UnknownOpCode(bits)),
        })
    }

    const fn bits(self) -> u8 {
        match self {
            Self::Continuation => 0x0,
            Self::Text => 0x1,
            Self::Binary => 0x2,
            Self::Close => 0x8,
            Self::Ping => 0x9,
            Self::Pong => 0xA,
        }
    }

    /// Whether the frame is about the connection and not a part of a message.
    pub const fn is_control(self) -> bool {
        self.bits() & 0x8 != 0
    }
}

/// The header of a client's frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameHeader {
    /// Whether this is the last frame of its message.
    pub fin: bool,
    /// What the frame carries.
    pub opcode: OpCode,
    /// The length of its payload.
    pub len: u64,
    /// What the payload is masked with.
    pub mask: [u8; 4],
}

/// A header while it arrives, in any chunking.
#[derive(Debug, Default)]
pub struct HeaderParser {
    bytes: [u8; MAX_CLIENT_HEADER],
    filled: usize,
}

impl HeaderParser {
    /// Takes bytes of the header from the front of `input` until the header is complete.
    ///
    /// What can be known from the first two bytes is checked with the first two bytes.
    pub fn advance(&mut self, input: &mut &mut [u8]) -> Result<Option<FrameHeader>, Violation> {
        if !self.fill(2, input) {
            return Ok(None);
        }
        let [first, second] = [self.bytes[0], self.bytes[1]];
        let fin = first & 0x80 != 0;
        if first & 0x70 != 0 {
            return Err(Violation::ReservedBit);
        }
        let opcode = OpCode::from_bits(first & 0x0F)?;
        if second & 0x80 == 0 {
            return Err(Violation::Unmasked);
        }
        let short = second & 0x7F;
        if opcode.is_control() && !fin {
            return Err(Violation::FragmentedControl);
        }
        if opcode.is_control() && usize::from(short) > MAX_CONTROL {
            return Err(Violation::LongControl);
        }
        let length_end = match short {
            126 => 4,
            127 => 10,
            _ => 2,
        };
        if !self.fill(length_end + 4, input) {
            return Ok(None);
        }
        let extended = &self.bytes[2..length_end];
        let len = if extended.is_empty() {
            u64::from(short)
        } else {
            extended
                .iter()
                .fold(0, |len, &byte| len << 8 | u64::from(byte))
        };
        let shortest = match short {
            126 => len > 125,
            127 => len > 0xFFFF && len >> 63 == 0,
            _ => true,
        };
        if !shortest {
            return Err(Violation::LengthForm);
        }
        let mut mask = [0; 4];
        mask.copy_from_slice(&self.bytes[length_end..length_end + 4]);
        self.filled = 0;
        Ok(Some(FrameHeader {
            fin,
            opcode,
            len,
            mask,
        }))
    }

    /// Moves bytes of `input` until `target` bytes are here. Says whether they are.
    fn fill(&mut self, target: usize, input: &mut &mut [u8]) -> bool {
        let missing = target.saturating_sub(self.filled).min(input.len());
        self.bytes[self.filled..self.filled + missing].copy_from_slice(take(input, missing));
        self.filled += missing;
        self.filled >= target
    }
}

/// Splits `count` bytes off the front of `input`.
pub(super) fn take<'a>(input: &mut &'a mut [u8], count: usize) -> &'a mut [u8] {
    let (front, rest) = std::mem::take(input).split_at_mut(count);
    *input = rest;
    front
}

/// Removes (or applies) `mask`, whose first byte belongs to the first byte of `payload`.
///
/// Returns the mask for the bytes that follow.
pub fn apply_mask(payload: &mut [u8], mut mask: [u8; 4]) -> [u8; 4] {
    let half = u32::from_ne_bytes(mask);
    let [a, b, c, d] = half.to_ne_bytes();
    let word = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let len = payload.len();
    let (words, rest) = payload.as_chunks_mut::<8>();
    for chunk in words {
        *chunk = (u64::from_ne_bytes(*chunk) ^ word).to_ne_bytes();
    }
    for (byte, key) in rest.iter_mut().zip(mask.iter().cycle()) {
        *byte ^= key;
    }
    mask.rotate_left(len % 4);
    mask
}

/// An unfragmented server frame, ready to be written to any number of connections.
pub fn encode(opcode: OpCode, payload: &[u8]) -> Bytes {
    let mut frame = BytesMut::with_capacity(MAX_SERVER_HEADER + payload.len());
    frame.put_u8(0x80 | opcode.bits());
    match payload.len() {
        len @ 0..=125 => frame.put_u8(len as u8),
        len @ 126..=0xFFFF => {
            frame.put_u8(126);
            frame.put_u16(len as u16);
        }
        len => {
            frame.put_u8(127);
            frame.put_u64(len as u64);
        }
    }
    frame.put_slice(payload);
    frame.freeze()
}

/// A close frame. A reason that does not fit is cut at a character.
pub fn encode_close(code: Option<CloseCode>, reason: &str) -> Bytes {
    let Some(code) = code else {
        return encode(OpCode::Close, &[]);
    };
    let end = floor_char_boundary(reason, MAX_CONTROL - 2);
    let mut payload = Vec::with_capacity(2 + end);
    payload.extend_from_slice(&code.get().to_be_bytes());
    payload.extend_from_slice(&reason.as_bytes()[..end]);
    encode(OpCode::Close, &payload)
}

/// The last character boundary at or before `index`. (`str` has it too, but only since Rust 1.91.)
fn floor_char_boundary(text: &str, index: usize) -> usize {
    if index >= text.len() {
        return text.len();
    }
    (0..=index)
        .rev()
        .find(|&at| text.is_char_boundary(at))
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(bytes: &[u8]) -> Result<Option<FrameHeader>, Violation> {
        let mut bytes = bytes.to_vec();
        HeaderParser::default().advance(&mut bytes.as_mut_slice())
    }

    #[test]
    fn lengths_at_each_border() {
        for (len, header) in [
            (0, 2),
            (125, 2),
            (126, 4),
            (127, 4),
            (65535, 4),
            (65536, 10),
        ] {
            let frame = encode(OpCode::Binary, &vec![7; len]);
            assert_eq!(frame.len(), header + len);
            let mut masked = frame[..header].to_vec();
            masked[1] |= 0x80;
            masked.extend([1, 2, 3, 4]);
            let expected = FrameHeader {
                fin: true,
                opcode: OpCode::Binary,
                len: len as u64,
                mask: [1, 2, 3, 4],
            };
            assert_eq!(parse(&masked), Ok(Some(expected)));
        }
    }

    #[test]
    fn what_two_bytes_tell_is_refused_after_two_bytes() {
        let cases: [(&[u8], Violation); 8] = [
            (&[0xC1, 0x80], Violation::ReservedBit),
            (&[0xA1, 0x80], Violation::ReservedBit),
            (&[0x91, 0x80], Violation::ReservedBit),
            (&[0x83, 0x80], Violation::UnknownOpCode(3)),
            (&[0x8B, 0x80], Violation::UnknownOpCode(11)),
            (&[0x81, 0x00], Violation::Unmasked),
            (&[0x09, 0x80], Violation::FragmentedControl),
            (&[0x89, 0xFE], Violation::LongControl),
        ];
        for (bytes, violation) in cases {
            assert_eq!(parse(bytes), Err(violation));
        }
    }

    #[test]
    fn a_length_in_a_longer_form_than_needed_is_refused() {
        let in_16_bits = [0x82, 0xFE, 0, 125, 0, 0, 0, 0];
        let in_64_bits = [0x82, 0xFF, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0, 0, 0, 0];
        let negative = [0x82, 0xFF, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(parse(&in_16_bits), Err(Violation::LengthForm));
        assert_eq!(parse(&in_64_bits), Err(Violation::LengthForm));
        assert_eq!(parse(&negative), Err(Violation::LengthForm));
    }

    #[test]
    fn a_mask_goes_on_where_the_last_chunk_ended() {
        let mask = [0xA1, 0xB2, 0xC3, 0xD4];
        let plain: Vec<u8> = (0..100).collect();
        let mut whole = plain.clone();
        apply_mask(&mut whole, mask);
        for split in 0..=plain.len() {
            let mut parts = plain.clone();
            let (front, back) = parts.split_at_mut(split);
            apply_mask(back, apply_mask(front, mask));
            assert_eq!(parts, whole);
        }
    }

    #[test]
    fn a_long_close_reason_is_cut_at_a_character() {
        let frame = encode_close(Some(CloseCode::NORMAL), &"\u{623f}".repeat(50));
        let reason = std::str::from_utf8(&frame[4..]).unwrap();
        assert_eq!(reason.chars().count(), 41);
        assert_eq!(encode_close(None, "ignored").as_ref(), [0x88, 0]);
    }
}
