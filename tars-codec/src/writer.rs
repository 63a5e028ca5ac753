//! Appending values to a buffer.

use alloc::vec::Vec;

use crate::{
    Encode, ErrorKind, Result, WireType,
    tail::{State, Tail, Target},
    wire::EXTENDED_TAG,
};

/// Appends values to a `Vec<u8>`: [`write()`] gives one.
///
/// A fault (a fixed array that is too long, a string above 2 GiB) is kept and reported by [`write()`], so that the calls in
/// between need no test.
#[derive(Debug)]
pub struct Writer<'a> {
    tail: Tail<'a>,
}

/// Appends to `buf` what `fill` writes, and gives back what `fill` returns.
///
/// ```
/// let mut buf = Vec::new();
/// tars_codec::write(&mut buf, |w| {
///     w.put(0, &7_i32);
///     w.put(1, "seven");
/// })?;
/// assert_eq!(buf, [0x00, 7, 0x16, 5, b's', b'e', b'v', b'e', b'n']);
/// # Ok::<(), tars_codec::Error>(())
/// ```
///
/// # Errors
/// The first fault of the writer; `buf` then is as it was, as it is when `fill` panics. What `fill` itself returns, be it an
/// error, is not looked at: what it has written is written.
#[inline(always)]
pub fn write<R>(buf: &mut Vec<u8>, fill: impl FnOnce(&mut Writer<'_>) -> R) -> Result<R> {
    let mut out = Target::new(buf);
    let mut w = Writer::new(&mut out);
    let filled = fill(&mut w);
    w.finish()?;
    Ok(filled)
}

/// Where a length stands that is still to be filled in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LenAt(usize);

impl<'a> Writer<'a> {
    #[inline(always)]
    pub(crate) fn new(out: &'a mut Target<'_>) -> Self {
        Self {
            tail: Tail::new(out),
        }
    }

    #[inline(always)]
    pub(crate) fn finish(self) -> Result<()> {
        self.tail.finish()
    }

    /// Writes a value with its head.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub fn put<T: Encode + ?Sized>(&mut self, tag: u8, value: &T) {
        value.encode(self, tag);
    }

    /// Writes an `optional` field without a default in the IDL: not at all if it [is zero, false or
    /// empty](Encode::is_default).
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub fn optional<T: Encode>(&mut self, tag: u8, value: &T) {
        if !value.is_default() {
            value.encode(self, tag);
        }
    }

    /// Reports a fault; the first one counts.
    #[inline(always)]
    pub fn fail(&mut self, kind: ErrorKind) {
        self.tail.fail(kind);
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
        self.tail.len()
    }

    /// Whether nothing has been written yet.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Writes bytes that are encoded already, such as the body of a packet.
    #[inline(always)]
    pub fn append(&mut self, encoded: &[u8]) {
        self.tail.put_slice(encoded);
    }

    /// Overwrites bytes that were written, `from` counting like [`len`](Self::len).
    pub(crate) fn patch(&mut self, from: usize, bytes: &[u8]) {
        self.tail.patch(from, bytes);
    }

    /// Writes a byte vector (SimpleList) whose content is what `fill` writes.
    pub fn put_nested(&mut self, tag: u8, fill: impl FnOnce(&mut Self)) {
        self.head(tag, WireType::SimpleList);
        self.head(0, WireType::Int1);
        let start = self.begin_len();
        fill(self);
        let len = self.len().saturating_sub(start.0 + 2);
        self.end_len(start, "byte vector", len);
    }

    /// Leaves room for a length that is only known when what it counts has been written.
    pub(crate) fn begin_len(&mut self) -> LenAt {
        let at = LenAt(self.len());
        self.tail.put([WireType::Int1 as u8], [0]);
        at
    }

    /// Fills a length in, as wide as its value needs. Most fit the two bytes that were left; for others, what
    /// stands behind moves.
    pub(crate) fn end_len(&mut self, LenAt(at): LenAt, what: &'static str, len: usize) {
        let behind = self.len().saturating_sub(at + 2);
        if len == 0 && behind == 0 {
            self.tail.pop(2);
            self.int::<4>(0, 0);
        } else if let Ok(short) = i8::try_from(len) {
            self.patch(at + 1, &short.to_be_bytes());
        } else if let Ok(medium) = i16::try_from(len) {
            self.tail.shift(behind, 1);
            self.patch(at, &[WireType::Int2 as u8]);
            self.patch(at + 1, &medium.to_be_bytes());
        } else if let Some(wire_len) = self.wire_len(what, len) {
            self.tail.shift(behind, 3);
            self.patch(at, &[WireType::Int4 as u8]);
            self.patch(at + 1, &wire_len.to_be_bytes());
        }
    }

    /// A writer for a while, whose place to write can be in registers throughout a loop.
    /// [`go_on`](Self::go_on) takes back what [`stop`](Self::stop) gives.
    #[inline(always)]
    pub(crate) fn local(&mut self) -> Writer<'_> {
        Writer {
            tail: self.tail.local(),
        }
    }

    #[inline(always)]
    pub(crate) fn stop(self) -> State {
        self.tail.state()
    }

    #[inline(always)]
    pub(crate) fn go_on(&mut self, stopped: State) {
        self.tail.adopt(stopped);
    }

    /// Makes sure of room for what is written next, which then needs no tests of its own.
    #[inline(always)]
    pub(crate) fn grant(&mut self, n: usize) {
        self.tail.grant(n);
    }

    #[inline(always)]
    pub(crate) fn head(&mut self, tag: u8, ty: WireType) {
        self.scalar(tag, ty, []);
    }

    /// An integer of at most `W` bytes in the narrowest form that holds it.
    #[inline(always)]
    pub(crate) fn int<const W: usize>(&mut self, tag: u8, value: i64) {
        if tag < EXTENDED_TAG {
            self.tail.put_int::<1, W>(value, |ty| [tag << 4 | ty as u8]);
        } else {
            self.tail
                .put_int::<2, W>(value, |ty| [EXTENDED_TAG << 4 | ty as u8, tag]);
        }
    }

    /// Integers with tag 0.
    #[inline(always)]
    pub(crate) fn numbers<const N: usize>(&mut self, values: [i64; N]) {
        self.tail.put_ints(values);
    }

    #[inline(always)]
    pub(crate) fn append_array<const N: usize>(&mut self, bytes: [u8; N]) {
        self.tail.put([], bytes);
    }

    /// Head and payload.
    #[inline(always)]
    pub(crate) fn scalar<const N: usize>(&mut self, tag: u8, ty: WireType, bytes: [u8; N]) {
        if tag < EXTENDED_TAG {
            self.tail.put([tag << 4 | ty as u8], bytes);
        } else {
            self.tail.put([EXTENDED_TAG << 4 | ty as u8, tag], bytes);
        }
    }

    #[inline(always)]
    pub(crate) fn string(&mut self, tag: u8, bytes: &[u8]) {
        match u8::try_from(bytes.len()) {
            Ok(len) if tag < EXTENDED_TAG => {
                let head = [tag << 4 | WireType::String1 as u8, len];
                self.tail.put_with_slice(head, bytes);
            }
            Ok(len) => {
                let head = [EXTENDED_TAG << 4 | WireType::String1 as u8, tag, len];
                self.tail.put_with_slice(head, bytes);
            }
            Err(_) => {
                self.tail.revoke();
                if let Some(len) = self.wire_len("string", bytes.len()) {
                    self.scalar(tag, WireType::String4, len.to_be_bytes());
                    self.append(bytes);
                }
            }
        }
    }

    /// The string that the first `len` of `bytes` are.
    #[inline(always)]
    pub(crate) fn short_string<const N: usize>(&mut self, tag: u8, bytes: &[u8; N], len: u8) {
        let ty = WireType::String1 as u8;
        if tag < EXTENDED_TAG {
            self.tail
                .put_with_first([tag << 4 | ty, len], bytes, len.into());
        } else {
            self.tail
                .put_with_first([EXTENDED_TAG << 4 | ty, tag, len], bytes, len.into());
        }
    }

    #[inline]
    pub(crate) fn byte_vector(&mut self, tag: u8, bytes: &[u8]) {
        self.head(tag, WireType::SimpleList);
        let Some(len) = self.wire_len("byte vector", bytes.len()) else {
            return;
        };
        let element = WireType::Int1 as u8;
        self.tail
            .put_int::<2, 4>(i64::from(len), |ty| [element, ty as u8]);
        self.append(bytes);
    }

    /// Head and count of a list or map. The count has tag 0, and so its head is the byte behind that of the container.
    #[inline(always)]
    pub(crate) fn container(&mut self, tag: u8, of: WireType, what: &'static str, len: usize) {
        let Some(len) = self.wire_len(what, len) else {
            return;
        };
        if tag < EXTENDED_TAG {
            let head = tag << 4 | of as u8;
            self.tail
                .put_int::<2, 4>(i64::from(len), |ty| [head, ty as u8]);
        } else {
            let head = EXTENDED_TAG << 4 | of as u8;
            self.tail
                .put_int::<3, 4>(i64::from(len), |ty| [head, tag, ty as u8]);
        }
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
