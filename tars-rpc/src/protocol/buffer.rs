//! The bytes of a connection: received ones that wait to be whole packets, written ones that wait to be sent.

use bytes::{Bytes, BytesMut};
use tars_codec::{FrameError, FrameSplitter};

/// What a connection reads at first, and when little comes.
const SMALL: usize = 2 << 10;
/// More is not read at once, nor kept for sending when it has been sent. Less is kept when little is sent.
const LARGE: usize = 64 << 10;

/// Received bytes.
#[derive(Debug)]
pub(crate) struct Input {
    bytes: BytesMut,
    splitter: FrameSplitter,
    /// How much to make room for; follows what the peer sends.
    chunk: usize,
    /// Room that the present read has.
    room: usize,
}

impl Input {
    pub(crate) fn new(max_frame: usize) -> Self {
        Self {
            bytes: BytesMut::new(),
            splitter: FrameSplitter::new(max_frame),
            chunk: SMALL,
            room: 0,
        }
    }

    /// Where to append received bytes.
    pub(crate) fn space(&mut self) -> &mut BytesMut {
        // A burst is over: its block is too large for what is left to come.
        if self.bytes.is_empty() && self.bytes.capacity() > self.chunk * 4 {
            self.bytes = BytesMut::new();
        }
        // What is left behind the last packet will do, unless it is little: a new block costs an allocation.
        if self.bytes.capacity() - self.bytes.len() < self.chunk / 2 {
            self.bytes.reserve(self.chunk);
        }
        self.room = self.bytes.capacity() - self.bytes.len();
        &mut self.bytes
    }

    /// Notes that `n` bytes were appended.
    pub(crate) fn received(&mut self, n: usize) {
        if n >= self.room {
            self.chunk = (self.chunk * 2).min(LARGE);
        } else if n < self.chunk / 8 {
            self.chunk = (self.chunk / 2).max(SMALL);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The next whole packet.
    pub(crate) fn next_packet(&mut self) -> Result<Option<Bytes>, FrameError> {
        self.splitter.split(&mut self.bytes)
    }

    /// Forgets everything received.
    pub(crate) fn clear(&mut self) {
        self.bytes = BytesMut::new();
    }
}

/// Frames to send.
#[derive(Debug, Default)]
pub(crate) struct Output {
    bytes: Vec<u8>,
    /// How many of `bytes` are sent.
    sent: usize,
    /// How many bytes were sent before `bytes`.
    base: u64,
}

impl Output {
    /// Bytes that wait.
    pub(crate) fn unsent(&self) -> &[u8] {
        self.bytes.get(self.sent..).unwrap_or_default()
    }

    /// How many bytes wait.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len() - self.sent
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Where to append frames.
    pub(crate) fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// How many bytes were ever written.
    pub(crate) fn end(&self) -> u64 {
        self.base + self.bytes.len() as u64
    }

    /// How many bytes were ever sent.
    pub(crate) fn position(&self) -> u64 {
        self.base + self.sent as u64
    }

    /// Notes that the first `n` unsent bytes are sent.
    pub(crate) fn advance(&mut self, n: usize) {
        self.sent = (self.sent + n).min(self.bytes.len());
        if self.sent == self.bytes.len() {
            self.base += self.sent as u64;
            let used = self.bytes.len();
            self.sent = 0;
            self.bytes.clear();
            let capacity = self.bytes.capacity();
            if capacity > LARGE {
                self.bytes.shrink_to(LARGE);
            } else if capacity > SMALL && used < capacity / 8 {
                // A burst is over, and an idle connection shall be small again.
                self.bytes.shrink_to(capacity / 2);
            }
        } else if self.sent > LARGE && self.sent > self.bytes.len() / 2 {
            // A peer that is always a bit behind must not make the buffer grow; each byte moves at most once.
            self.bytes.drain(..self.sent);
            self.base += self.sent as u64;
            self.sent = 0;
        }
    }

    /// Moves the frame that begins at this position to an earlier one; gives the position of its end there. For a
    /// buffer of which nothing was ever sent.
    pub(crate) fn move_frame(&mut self, from: u64, to: u64) -> u64 {
        let (begin, place) = (from as usize, to as usize);
        let frame = self.bytes.get(begin..).unwrap_or_default();
        let len = frame
            .first_chunk()
            .map_or(0, |len| u32::from_be_bytes(*len));
        if begin != place {
            self.bytes.copy_within(begin..begin + len as usize, place);
        }
        to + u64::from(len)
    }

    /// Forgets what is behind this position. For a buffer of which nothing was ever sent.
    pub(crate) fn truncate(&mut self, position: u64) {
        self.bytes.truncate(position as usize);
    }

    /// Forgets what was not sent.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_does_not_stay_in_memory() {
        let mut output = Output::default();
        output.buffer().resize(1 << 20, 0);
        output.advance(1 << 20);
        assert!(output.bytes.capacity() <= LARGE);
        for _ in 0..5 {
            output.buffer().extend_from_slice(&[0; 50]);
            output.advance(50);
        }
        assert!(output.bytes.capacity() <= SMALL);
        assert_eq!(output.position(), (1 << 20) + 250);

        let mut input = Input::new(1 << 20);
        let mut receive = |mut n: usize| {
            while n > 0 {
                let space = input.space();
                let part = n.min(space.capacity());
                space.resize(part, 0);
                input.received(part);
                input.bytes.clear(); // as if they were whole packets
                n -= part;
            }
            input.space().capacity()
        };
        assert!(receive(1 << 20) > SMALL * 4);
        let last = (0..10).map(|_| receive(50)).last();
        assert!(last <= Some(SMALL * 4), "{last:?}");
    }
}
