//! Close codes (RFC 6455, section 7.4) and the violations that lead to one.

use std::fmt;

/// The status code of a close frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CloseCode(u16);

impl CloseCode {
    /// The purpose of the connection has been fulfilled.
    pub const NORMAL: Self = Self(1000);
    /// The server is going down.
    pub const GOING_AWAY: Self = Self(1001);
    /// The peer broke the protocol.
    pub const PROTOCOL_ERROR: Self = Self(1002);
    /// The data does not fit its type: text that is not UTF-8.
    pub const INVALID_DATA: Self = Self(1007);
    /// The peer does what the server does not permit; here: it sends too many messages.
    pub const POLICY_VIOLATION: Self = Self(1008);
    /// The message is larger than the server takes.
    pub const TOO_BIG: Self = Self(1009);
    /// The server failed; here, as elsewhere: the peer shows no sign of life.
    pub const INTERNAL_ERROR: Self = Self(1011);
    /// Try again later; here: the peer did not read what it was sent.
    pub const TRY_AGAIN_LATER: Self = Self(1013);

    /// The code as a peer sent it, if a peer may send it.
    ///
    /// 1004, 1005, 1006 and 1015 are reserved for local use, 1016 to 2999 are unassigned.
    pub fn from_wire(code: u16) -> Option<Self> {
        matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999).then_some(Self(code))
    }

    /// The number on the wire.
    pub const fn get(self) -> u16 {
        self.0
    }
}

impl fmt::Display for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a peer did against the protocol. The connection is failed with [`Violation::close_code`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Violation {
    /// A reserved bit is set although no extension was negotiated.
    #[error("reserved bit set")]
    ReservedBit,
    /// An opcode that RFC 6455 does not define.
    #[error("unknown opcode {0}")]
    UnknownOpCode(u8),
    /// A client frame without a mask.
    #[error("frame is not masked")]
    Unmasked,
    /// A length that does not use the shortest form, or has its highest bit set.
    #[error("length is not in its shortest form")]
    LengthForm,
    /// A control frame of more than one frame.
    #[error("fragmented control frame")]
    FragmentedControl,
    /// A control frame with more than 125 bytes.
    #[error("control frame longer than 125 bytes")]
    LongControl,
    /// A continuation frame outside a fragmented message.
    #[error("nothing to continue")]
    NothingToContinue,
    /// A new message inside a fragmented one.
    #[error("message inside a fragmented message")]
    InterruptedMessage,
    /// A close frame of one byte.
    #[error("close frame of one byte")]
    ShortClose,
    /// A close code that may not be sent.
    #[error("close code {0} may not be sent")]
    CloseCode(u16),
    /// Text, or the reason of a close, that is not UTF-8.
    #[error("text is not UTF-8")]
    NotUtf8,
    /// A message over the limit.
    #[error("message larger than {limit} bytes")]
    TooBig {
        /// The limit in bytes.
        limit: usize,
    },
}

impl Violation {
    /// The code to close the connection with.
    pub fn close_code(self) -> CloseCode {
        match self {
            Self::NotUtf8 => CloseCode::INVALID_DATA,
            Self::TooBig { .. } => CloseCode::TOO_BIG,
            _ => CloseCode::PROTOCOL_ERROR,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_a_peer_may_send() {
        let valid = [
            1000, 1001, 1002, 1003, 1007, 1008, 1011, 1014, 3000, 3999, 4000, 4999,
        ];
        let invalid = [
            0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535,
        ];
        assert!(
            valid
                .iter()
                .all(|&code| CloseCode::from_wire(code).is_some())
        );
        assert!(
            invalid
                .iter()
                .all(|&code| CloseCode::from_wire(code).is_none())
        );
    }
}
