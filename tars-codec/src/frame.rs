//! Frames: a packet behind its length, in a stream of bytes.

use core::fmt;

use bytes::{Buf, Bytes, BytesMut};

/// Length of the length, which counts itself.
const HEADER: usize = 4;

/// Cuts a stream of bytes into packets.
///
/// A frame is a 4-byte big-endian length, itself included, and the packet.
///
/// ```
/// use bytes::BytesMut;
/// use tars_codec::FrameSplitter;
///
/// let splitter = FrameSplitter::default();
/// let mut stream = BytesMut::from(&[0, 0, 0, 6, 0x0c, 0x1c, 0, 0][..]);
/// assert_eq!(splitter.split(&mut stream)?.as_deref(), Some(&[0x0c, 0x1c][..]));
/// assert_eq!(splitter.split(&mut stream)?, None); // the rest of the next frame has not come yet
/// # Ok::<(), tars_codec::FrameError>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct FrameSplitter {
    max: usize,
}

impl FrameSplitter {
    /// The largest frame by default, as in TarsCpp: 100 MiB with its length.
    pub const DEFAULT_MAX: usize = 100 << 20;

    /// Takes frames of up to `max` bytes, the length included.
    pub const fn new(max: usize) -> Self {
        Self { max }
    }

    /// Takes the next packet off the front of `stream`; `None` until all of it is there.
    ///
    /// # Errors
    /// The length is out of range: the stream cannot be read any further.
    pub fn split(&self, stream: &mut BytesMut) -> Result<Option<Bytes>, FrameError> {
        let Some(header) = stream.first_chunk::<HEADER>() else {
            return Ok(None);
        };
        let len = u32::from_be_bytes(*header);
        let size = usize::try_from(len).unwrap_or(usize::MAX);
        if size <= HEADER || size > self.max {
            return Err(FrameError { len, max: self.max });
        }
        if stream.len() < size {
            return Ok(None);
        }
        let mut frame = stream.split_to(size);
        frame.advance(HEADER);
        Ok(Some(frame.freeze()))
    }
}

impl Default for FrameSplitter {
    fn default() -> Self {
        Self::new(Self::DEFAULT_MAX)
    }
}

/// A frame whose length is less than 5 bytes or above the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameError {
    /// The length that came.
    pub len: u32,
    /// The limit.
    pub max: usize,
}

impl core::error::Error for FrameError {}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "a frame of {} bytes; a frame has from 5 to {} bytes, its length included",
            self.len, self.max
        )
    }
}
