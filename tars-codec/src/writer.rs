//! Appending values to a buffer.

use alloc::vec::Vec;

use crate::{Encode, Error, ErrorKind, Result, WireType, wire::EXTENDED_TAG};

/// Appends values to a `Vec<u8>`.
///
/// A fault (a fixed array that is too long, a string above 4 GiB) is kept and reported by
/// [`finish`](Self::finish), so that the calls in between need no test. A writer that is dropped unfinished takes
/// its bytes back.
#[derive(Debug)]
pub struct Writer<'a> {
    buf: &'a mut Vec<u8>,
    /// Length of `buf` when this writer began.
    start: usize,
    error: Option<Error>,
    finished: bool,
}

impl<'a> Writer<'a> {
    /// Writes behind what is in `buf`.
    pub fn new(buf: &'a mut Vec<u8>) -> Self {
        let start = buf.len();
        Self {
            buf,
            start,
            error: None,
            finished: false,
        }
    }

    /// Writes a value with its head.
    #[inline]
    pub fn put<T: Encode + ?Sized>(&mut self, tag: u8, value: &T) {
        value.encode(self, tag);
    }

    /// Ends writing.
    ///
    /// # Errors
    /// The first fault; the buffer then is as it was before this writer.
    pub fn finish(mut self) -> Result<()> {
        match self.error.take() {
            None => {
                self.finished = true;
                Ok(())
            }
            Some(error) => Err(error),
        }
    }

    /// Reports a fault; the first one counts.
    #[cold]
    pub fn fail(&mut self, kind: ErrorKind) {
        let offset = self.len();
        self.error.get_or_insert_with(|| Error::new(kind, offset));
    }

    /// Refuses a container or string that is longer than its declaration (`T a[N]`, `string:N`).
    #[inline]
    pub fn check_max(&mut self, what: &'static str, len: usize, max: usize) {
        if len > max {
            self.fail(ErrorKind::TooLong { what, len, max });
        }
    }

    /// Bytes written so far by this writer.
    pub fn len(&self) -> usize {
        self.buf.len() - self.start
    }

    /// Whether nothing has been written yet.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Writes bytes that are encoded already, such as the body of a packet.
    #[inline]
    pub fn append(&mut self, encoded: &[u8]) {
        self.buf.extend_from_slice(encoded);
    }

    /// Writes a byte vector (SimpleList) whose content is what `fill` writes.
    pub fn put_nested(&mut self, tag: u8, fill: impl FnOnce(&mut Self)) {
        self.head(tag, WireType::SimpleList);
        self.head(0, WireType::Int1);
        // The length is as wide as its value needs, and only known afterwards. Most bodies fit the two bytes of a
        // short length; for others the body moves.
        let at = self.buf.len();
        self.raw([0; 2]);
        let body = self.buf.len();
        fill(self);
        let len = self.buf.len() - body;
        match i8::try_from(len) {
            Ok(0) => {
                self.buf.truncate(at);
                self.int(0, 0);
            }
            Ok(short) => {
                if let Some(hole) = self.buf.get_mut(at..body) {
                    hole.copy_from_slice(&[WireType::Int1 as u8, short.to_be_bytes()[0]]);
                }
            }
            Err(_) => {
                let end = self.buf.len();
                let Some(wire_len) = self.wire_len("byte vector", len) else {
                    return;
                };
                self.int(0, i64::from(wire_len));
                let width = self.buf.len() - end;
                let mut head = [0_u8; 5];
                if let (Some(to), Some(from)) = (head.get_mut(..width), self.buf.get(end..)) {
                    to.copy_from_slice(from);
                }
                self.buf.truncate(end);
                self.buf.splice(at..body, head.into_iter().take(width));
            }
        }
    }

    #[inline]
    pub(crate) fn head(&mut self, tag: u8, ty: WireType) {
        if tag < EXTENDED_TAG {
            self.buf.push(tag << 4 | ty as u8);
        } else {
            self.raw([EXTENDED_TAG << 4 | ty as u8, tag]);
        }
    }

    #[inline]
    pub(crate) fn raw<const N: usize>(&mut self, bytes: [u8; N]) {
        self.buf.extend_from_slice(&bytes);
    }

    /// An integer in the narrowest form that holds it.
    #[inline]
    pub(crate) fn int(&mut self, tag: u8, value: i64) {
        if let Ok(value) = i8::try_from(value) {
            if value == 0 {
                self.head(tag, WireType::Zero);
            } else {
                self.scalar(tag, WireType::Int1, value.to_be_bytes());
            }
        } else if let Ok(value) = i16::try_from(value) {
            self.scalar(tag, WireType::Int2, value.to_be_bytes());
        } else if let Ok(value) = i32::try_from(value) {
            self.scalar(tag, WireType::Int4, value.to_be_bytes());
        } else {
            self.scalar(tag, WireType::Int8, value.to_be_bytes());
        }
    }

    #[inline]
    pub(crate) fn scalar<const N: usize>(&mut self, tag: u8, ty: WireType, bytes: [u8; N]) {
        self.head(tag, ty);
        self.raw(bytes);
    }

    #[inline]
    pub(crate) fn string(&mut self, tag: u8, bytes: &[u8]) {
        if let Ok(len) = u8::try_from(bytes.len()) {
            self.scalar(tag, WireType::String1, [len]);
        } else {
            let Some(len) = self.wire_len("string", bytes.len()) else {
                return;
            };
            self.scalar(tag, WireType::String4, len.to_be_bytes());
        }
        self.append(bytes);
    }

    #[inline]
    pub(crate) fn byte_vector(&mut self, tag: u8, bytes: &[u8]) {
        self.head(tag, WireType::SimpleList);
        self.head(0, WireType::Int1);
        let Some(len) = self.wire_len("byte vector", bytes.len()) else {
            return;
        };
        self.int(0, i64::from(len));
        self.append(bytes);
    }

    /// Head and count of a list or map.
    #[inline]
    pub(crate) fn container(&mut self, tag: u8, ty: WireType, what: &'static str, len: usize) {
        self.head(tag, ty);
        let Some(len) = self.wire_len(what, len) else {
            return;
        };
        self.int(0, i64::from(len));
    }

    /// Lengths are Tars ints: 2 GiB is the end.
    #[inline]
    fn wire_len(&mut self, what: &'static str, len: usize) -> Option<i32> {
        let wire = i32::try_from(len).ok();
        if wire.is_none() {
            self.fail(ErrorKind::TooLong {
                what,
                len,
                max: i32::MAX as usize,
            });
        }
        wire
    }
}

impl Drop for Writer<'_> {
    fn drop(&mut self) {
        if !self.finished {
            self.buf.truncate(self.start);
        }
    }
}
