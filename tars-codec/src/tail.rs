//! The end of a buffer that is being written: the `unsafe` code of writing.
//!
//! A `Vec` keeps its length in memory, so that every `extend_from_slice` is a load, a test, a store of the bytes and
//! a store of the length, each waiting for the one before. [`Tail`] keeps the place to write as a pointer that the
//! optimizer can hold in a register through the whole of a struct, and stores the length once, at the end. That is
//! worth a factor of two and more in encoding (docs/DESIGN.md has the numbers).

#![allow(unsafe_code)]

use alloc::vec::Vec;
use core::{marker::PhantomData, ptr};

use crate::{Error, ErrorKind, Result, WireType};

/// Room that is made behind a text for what follows it: a number or a record of a few then needs no test of its own.
const AHEAD: usize = 32;

/// A buffer, and the first thing that went wrong in what was written to it.
#[derive(Debug)]
pub(crate) struct Target<'a> {
    buf: &'a mut Vec<u8>,
    error: Option<Error>,
}

/// Appends to a vector whose length is stored by [`finish`](Self::finish) only.
///
/// Invariant, for the `buf` of `out`: `buf.as_ptr() + buf.len() <= at <= end == buf.as_ptr() + buf.capacity()`, all in
/// the one allocation of `buf`, and every byte before `at` is initialized. `granted` bytes at least are between `at` and
/// `end`. While a tail lives nothing else touches `buf`.
///
/// While a [`local`](Self::local) copy writes, the tail it was taken from is detached: `at` and `end` are null, and it
/// takes no bytes. It stays so if the copy does not come back, because code of the caller panicked.
///
/// Nothing has to be dropped, or a copy could not be kept in registers where a panic may unwind.
///
/// Two of them cannot be exchanged, for none has the lifetime of another:
///
/// ```compile_fail
/// use tars_codec::write;
/// write(&mut Vec::new(), |a| write(&mut Vec::new(), |b| std::mem::swap(a, b)));
/// ```
#[derive(Debug)]
pub(crate) struct Tail<'a> {
    at: *mut u8,
    end: *mut u8,
    /// Room that has been tested for already. Where the writes of a struct are inlined, the compiler knows this
    /// number at each of them, and one test is left for all.
    granted: usize,
    out: *mut Target<'a>,
    exclusive: PhantomData<&'a mut Target<'a>>,
}

impl<'a> Target<'a> {
    #[inline(always)]
    pub(crate) fn new(buf: &'a mut Vec<u8>) -> Self {
        Self { buf, error: None }
    }
}

impl<'a> Tail<'a> {
    #[inline(always)]
    pub(crate) fn new(out: &'a mut Target<'_>) -> Self {
        let room = out.buf.spare_capacity_mut();
        let (at, room) = (room.as_mut_ptr().cast::<u8>(), room.len());
        // SAFETY: the spare capacity is `room` bytes from `at` on.
        let end = unsafe { at.add(room) };
        Self {
            at,
            end,
            granted: 0,
            out: ptr::from_mut(out).cast(),
            exclusive: PhantomData,
        }
    }

    /// Bytes written by this tail and those it came from.
    #[inline(always)]
    pub(crate) fn len(&self) -> usize {
        if self.at.is_null() {
            return 0;
        }
        // SAFETY: `out` is borrowed exclusively for 'a.
        let buf = unsafe { &*(*self.out).buf };
        self.at.addr() - buf.as_ptr().addr() - buf.len() // the length is not above `at`
    }

    /// Keeps what is wrong, if it is the first.
    #[inline(always)]
    pub(crate) fn fail(&mut self, kind: ErrorKind) {
        let len = self.len();
        // SAFETY: `out` is borrowed exclusively for 'a.
        let error = unsafe { &mut (*self.out).error };
        keep(error, kind, len);
    }

    /// Makes the written bytes part of the vector, if nothing is wrong.
    #[inline(always)]
    pub(crate) fn finish(self) -> Result<()> {
        let written = self.len();
        // SAFETY: `out` is borrowed exclusively for 'a.
        let out = unsafe { &mut *self.out };
        if let Some(error) = out.error.take() {
            return Err(error);
        }
        if self.at.is_null() {
            return Err(Error::new(ErrorKind::BrokenWriter, 0));
        }
        // SAFETY: the bytes before `at` are initialized, and `at` is within the capacity.
        unsafe { out.buf.set_len(out.buf.len() + written) };
        Ok(())
    }

    /// A copy to write through for a while; [`adopt`](Self::adopt) takes over what it wrote.
    ///
    /// A copy that is a local variable lives in registers; one behind a reference does not.
    #[inline(always)]
    pub(crate) fn local(&mut self) -> Tail<'_> {
        let (at, end) = (self.at, self.end);
        (self.at, self.end, self.granted) = (ptr::null_mut(), ptr::null_mut(), 0);
        Tail {
            at,
            end,
            granted: 0,
            out: self.out.cast(),
            exclusive: PhantomData,
        }
    }

    /// Goes on where the [`local`](Self::local) copy stopped.
    #[inline(always)]
    pub(crate) fn adopt(&mut self, State { at, end }: State) {
        (self.at, self.end) = (at, end);
    }

    /// What [`adopt`](Self::adopt) takes.
    #[inline(always)]
    pub(crate) fn state(&self) -> State {
        State {
            at: self.at,
            end: self.end,
        }
    }

    /// Makes sure that there is room for `n` bytes, so that the writes of as many need no test of their own.
    #[inline(always)]
    pub(crate) fn grant(&mut self, n: usize) {
        if self.granted < n {
            self.granted = 0;
            self.reserve(n);
            self.granted = n;
        }
    }

    /// Takes back what has been granted and not used: the compiler then knows it where ways meet that used more and less.
    #[inline(always)]
    pub(crate) fn revoke(&mut self) {
        self.granted = 0;
    }

    /// Appends `head`, then `bytes`.
    #[inline(always)]
    pub(crate) fn put<const H: usize, const N: usize>(&mut self, head: [u8; H], bytes: [u8; N]) {
        self.claim(H + N);
        // SAFETY: `claim` made room for H + N bytes.
        unsafe { self.write(head, bytes) };
    }

    /// Appends an integer in the narrowest form that holds it, behind the head that `head` gives for the form. It
    /// must fit in `W` bytes; of one that does not, the lower bytes are written.
    #[inline(always)]
    pub(crate) fn put_int<const H: usize, const W: usize>(
        &mut self,
        value: i64,
        head: impl Fn(WireType) -> [u8; H],
    ) {
        self.claim(H + W);
        // SAFETY: `claim` made room for H + W bytes, and no form that is written has more.
        unsafe {
            if W <= 2 || i64::from(value as i16) == value {
                if W == 1 || i64::from(value as i8) == value {
                    if value == 0 {
                        self.write(head(WireType::Zero), []);
                    } else {
                        self.write(head(WireType::Int1), (value as i8).to_be_bytes());
                    }
                } else {
                    self.write(head(WireType::Int2), (value as i16).to_be_bytes());
                }
            } else if W == 4 || i64::from(value as i32) == value {
                self.write(head(WireType::Int4), (value as i32).to_be_bytes());
            } else {
                self.write(head(WireType::Int8), value.to_be_bytes());
            }
        }
    }

    /// Appends integers in their narrowest forms, with tag 0. Without a branch on the widths: where they are mixed,
    /// that takes a third of the time, and where they are not, twice as much.
    #[inline(always)]
    pub(crate) fn put_ints<const N: usize>(&mut self, values: [i64; N]) {
        const FORMS: [(WireType, u8); 65] = {
            let mut forms = [(WireType::Int8, 8); 65];
            let mut zeros = 33;
            while zeros <= 64 {
                forms[zeros] = match zeros {
                    57.. => (WireType::Int1, 1),
                    49.. => (WireType::Int2, 2),
                    _ => (WireType::Int4, 4),
                };
                zeros += 1;
            }
            forms
        };
        self.claim(N * 9);
        for value in values {
            // Zeros before the first bit that differs from the sign.
            let zeros = (value ^ (value >> 63)).leading_zeros() as usize;
            let (ty, width) = match value {
                0 => (WireType::Zero, 0),
                _ => FORMS[zeros],
            };
            let payload = value << ((64 - 8 * u32::from(width)) & 63);
            // SAFETY: `claim` made room for nine bytes each, of which at most as many become part of the buffer as are
            // written.
            unsafe {
                self.at.write(ty as u8);
                self.at
                    .add(1)
                    .cast::<[u8; 8]>()
                    .write(payload.to_be_bytes());
                self.at = self.at.add(1 + usize::from(width));
            }
        }
    }

    /// Appends `head`, then `bytes`.
    #[inline(always)]
    pub(crate) fn put_with_slice<const H: usize>(&mut self, head: [u8; H], bytes: &[u8]) {
        self.make_room(H + bytes.len());
        // SAFETY: `make_room` did for both, and `bytes` is not in that room, since it is borrowed while the
        // buffer is borrowed exclusively.
        unsafe {
            self.write(head, []);
            self.write_slice(bytes);
        }
    }

    /// Appends `head`, then the first `len` of `bytes`, or all of them if they are fewer. One move for all lengths.
    #[inline(always)]
    pub(crate) fn put_with_first<const H: usize, const N: usize>(
        &mut self,
        head: [u8; H],
        bytes: &[u8; N],
        len: usize,
    ) {
        self.make_room(H + N);
        // SAFETY: `make_room` did for H + N bytes; of these, at most as many become part of the buffer as are written.
        unsafe {
            let start = self.at;
            self.write(head, *bytes);
            self.at = start.add(H + len.min(N));
        }
    }

    /// # Safety
    /// There is room for H + N bytes.
    #[inline(always)]
    unsafe fn write<const H: usize, const N: usize>(&mut self, head: [u8; H], bytes: [u8; N]) {
        // SAFETY: as the caller says.
        unsafe {
            self.at.cast::<[u8; H]>().write_unaligned(head);
            self.at.add(H).cast::<[u8; N]>().write_unaligned(bytes);
            self.at = self.at.add(H + N);
        }
    }

    /// Appends bytes.
    #[inline(always)]
    pub(crate) fn put_slice(&mut self, bytes: &[u8]) {
        self.put_with_slice([], bytes);
    }

    /// # Safety
    /// There is room for `bytes`, and they are not in it.
    #[inline(always)]
    unsafe fn write_slice(&mut self, bytes: &[u8]) {
        let (from, len) = (bytes.as_ptr(), bytes.len());
        // SAFETY: as the caller says. Two moves that overlap in the middle cover 8 to 16 bytes, two smaller ones 4 to
        // 7; calling memcpy for these takes longer than the copy.
        unsafe {
            if len < 8 {
                if len < 4 {
                    ptr::copy_nonoverlapping(from, self.at, len);
                } else {
                    let (first, last) = (
                        from.cast::<[u8; 4]>().read(),
                        from.add(len - 4).cast::<[u8; 4]>().read(),
                    );
                    self.at.cast::<[u8; 4]>().write(first);
                    self.at.add(len - 4).cast::<[u8; 4]>().write(last);
                }
            } else if len <= 16 {
                let (first, last) = (
                    from.cast::<[u8; 8]>().read(),
                    from.add(len - 8).cast::<[u8; 8]>().read(),
                );
                self.at.cast::<[u8; 8]>().write(first);
                self.at.add(len - 8).cast::<[u8; 8]>().write(last);
            } else {
                ptr::copy_nonoverlapping(from, self.at, len);
            }
            self.at = self.at.add(len);
        }
    }

    /// Overwrites bytes that this tail wrote, `from` counting like [`len`](Self::len). Bytes that were not written
    /// are left alone.
    pub(crate) fn patch(&mut self, from: usize, bytes: &[u8]) {
        let written = self.len();
        if from
            .checked_add(bytes.len())
            .is_none_or(|end| end > written)
        {
            return;
        }
        // SAFETY: the range lies within the `written` bytes before `at`.
        let to = unsafe { self.at.sub(written - from) };
        // SAFETY: as above, and `bytes` is borrowed from elsewhere.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), to, bytes.len()) };
    }

    /// Moves the last `len` bytes back by `by`, leaving what was there before in the gap.
    pub(crate) fn shift(&mut self, len: usize, by: usize) {
        if len > self.len() {
            return;
        }
        self.reserve(by);
        // SAFETY: `len` bytes before `at` are initialized, and `reserve` made room for `by` bytes after it. The gap
        // keeps initialized bytes, for it either lies before `at` or, where by > len, is zeroed first.
        unsafe {
            let from = self.at.sub(len);
            self.at.write_bytes(0, by);
            ptr::copy(from, from.add(by), len);
            self.at = self.at.add(by);
        }
    }

    /// Forgets the last `n` bytes.
    pub(crate) fn pop(&mut self, n: usize) {
        if n <= self.len() {
            // SAFETY: that many bytes were written before `at`.
            self.at = unsafe { self.at.sub(n) };
        }
    }

    /// Makes room for `n` bytes, of what has been granted if that is enough.
    #[inline(always)]
    fn claim(&mut self, n: usize) {
        match self.granted.checked_sub(n) {
            Some(left) => self.granted = left,
            None => self.reserve(n),
        }
    }

    /// Makes room for `n` bytes, and grants what is [`AHEAD`] of them.
    #[inline(always)]
    fn make_room(&mut self, n: usize) {
        self.granted = 0;
        self.reserve(n + AHEAD);
        self.granted = AHEAD;
    }

    /// Makes room for `n` bytes from `at` on, beside what has been granted.
    #[inline(always)]
    fn reserve(&mut self, n: usize) {
        let n = n.saturating_add(self.granted);
        if self.end.addr() - self.at.addr() < n {
            // SAFETY: `out` is borrowed exclusively for 'a.
            (self.at, self.end) = unsafe { grow(self.out, self.at, n) };
        }
    }
}

/// The place to write.
#[derive(Debug, Clone, Copy)]
pub(crate) struct State {
    at: *mut u8,
    end: *mut u8,
}

#[cold]
#[inline(never)]
fn keep(error: &mut Option<Error>, kind: ErrorKind, at: usize) {
    if error.is_none() {
        *error = Some(Error::new(kind, at));
    }
}

/// Out of line and without a reference to the tail, whose pointers so stay in registers.
///
/// # Safety
/// `at` is a [`Tail::at`] of `out`, which is not used by anything else meanwhile.
#[cold]
#[inline(never)]
unsafe fn grow(out: *mut Target<'_>, at: *mut u8, n: usize) -> (*mut u8, *mut u8) {
    assert!(
        !at.is_null(),
        "this writer is of no use any more: an `Encode` that it ran has panicked"
    );
    // SAFETY: the caller says so.
    let buf = unsafe { &mut *(*out).buf };
    let start = buf.len();
    let len = at.addr() - buf.as_ptr().addr();
    // SAFETY: by the invariant of `Tail`, `len` bytes are initialized and within the capacity. Only bytes below the
    // length are kept when the vector grows, so it has to be told.
    unsafe { buf.set_len(len) };
    let grown = buf.try_reserve(n);
    buf.truncate(start); // before anything can panic
    if let Err(error) = grown {
        panic!("no room to encode a value: {error}");
    }
    let first = buf.as_mut_ptr();
    // SAFETY: both are within the capacity.
    unsafe { (first.add(len), first.add(buf.capacity())) }
}
