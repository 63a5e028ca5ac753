//! The end of a buffer that is being written: the only `unsafe` code of the workspace.
//!
//! A `Vec` keeps its length in memory, so that every `extend_from_slice` is a load, a test, a store of the bytes and
//! a store of the length, each waiting for the one before. [`Tail`] keeps the place to write as a pointer that the
//! optimizer can hold in a register through the whole of a struct, and stores the length once, at the end. That is
//! worth a factor of two and more in encoding (docs/DESIGN.md has the numbers).

#![allow(unsafe_code)]

use alloc::vec::Vec;
use core::{marker::PhantomData, ptr};

/// Appends to a vector whose length is stored by [`finish`](Self::finish) only.
///
/// Invariant: `buf.as_ptr() + buf.len() <= at <= end == buf.as_ptr() + buf.capacity()`, all in the one allocation
/// of `buf`, and every byte before `at` is initialized. While a tail lives nothing else touches `buf`.
///
/// While a [`local`](Self::local) copy writes, the tail it was taken from is detached: `at` and `end` are null, and it
/// takes no bytes. It stays so if the copy does not come back, because code of the caller panicked or put another
/// writer in its place.
#[derive(Debug)]
pub(crate) struct Tail<'a> {
    at: *mut u8,
    end: *mut u8,
    buf: *mut Vec<u8>,
    exclusive: PhantomData<&'a mut Vec<u8>>,
}

impl<'a> Tail<'a> {
    pub(crate) fn new(buf: &'a mut Vec<u8>) -> Self {
        let room = buf.spare_capacity_mut();
        let (at, room) = (room.as_mut_ptr().cast::<u8>(), room.len());
        // SAFETY: the spare capacity is `room` bytes from `at` on.
        let end = unsafe { at.add(room) };
        Self {
            at,
            end,
            buf,
            exclusive: PhantomData,
        }
    }

    /// Bytes written by this tail and those it came from.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        if self.is_detached() {
            return 0;
        }
        // SAFETY: `buf` is borrowed exclusively for 'a, and its length is not above `at`.
        let (base, start) = unsafe { ((*self.buf).as_ptr().addr(), (*self.buf).len()) };
        self.at.addr() - base - start
    }

    /// Whether a local copy did not come back.
    #[inline]
    pub(crate) fn is_detached(&self) -> bool {
        self.at.is_null()
    }

    /// Makes the written bytes part of the vector.
    pub(crate) fn finish(self) {
        let written = self.len();
        // SAFETY: the bytes before `at` are initialized, and `at` is within the capacity.
        unsafe {
            let buf = &mut *self.buf;
            buf.set_len(buf.len() + written);
        }
    }

    /// A copy to write through for a while; [`adopt`](Self::adopt) takes over what it wrote.
    ///
    /// A copy that is a local variable lives in registers; one behind a reference does not.
    #[inline(always)]
    pub(crate) fn local(&mut self) -> Tail<'_> {
        let (at, end) = (self.at, self.end);
        (self.at, self.end) = (ptr::null_mut(), ptr::null_mut());
        Tail {
            at,
            end,
            buf: self.buf,
            exclusive: PhantomData,
        }
    }

    /// Goes on where a [`local`](Self::local) copy stopped. The tail of another buffer is not taken.
    #[inline(always)]
    pub(crate) fn adopt(&mut self, state: State) {
        if ptr::eq(state.buf, self.buf) {
            (self.at, self.end) = (state.at, state.end);
        }
    }

    /// What [`adopt`](Self::adopt) takes.
    #[inline(always)]
    pub(crate) fn state(&self) -> State {
        State {
            at: self.at,
            end: self.end,
            buf: self.buf,
        }
    }

    /// Appends `head`, then `bytes`.
    #[inline(always)]
    pub(crate) fn put<const H: usize, const N: usize>(&mut self, head: [u8; H], bytes: [u8; N]) {
        self.reserve(H + N);
        // SAFETY: `reserve` made room for H + N bytes from `at` on.
        unsafe {
            self.at.cast::<[u8; H]>().write_unaligned(head);
            self.at.add(H).cast::<[u8; N]>().write_unaligned(bytes);
            self.at = self.at.add(H + N);
        }
    }

    /// Appends bytes.
    #[inline(always)]
    pub(crate) fn put_slice(&mut self, bytes: &[u8]) {
        self.reserve(bytes.len());
        let (from, len) = (bytes.as_ptr(), bytes.len());
        // SAFETY: `reserve` made room for `len` bytes from `at` on, and `bytes` is not in that room, since it is
        // borrowed while the buffer is borrowed exclusively. Two moves that overlap in the middle cover 8 to 16
        // bytes, two smaller ones 4 to 7; calling memcpy for these takes longer than the copy.
        unsafe {
            match len {
                8..=16 => {
                    let (first, last) = (
                        from.cast::<[u8; 8]>().read(),
                        from.add(len - 8).cast::<[u8; 8]>().read(),
                    );
                    self.at.cast::<[u8; 8]>().write(first);
                    self.at.add(len - 8).cast::<[u8; 8]>().write(last);
                }
                4..=7 => {
                    let (first, last) = (
                        from.cast::<[u8; 4]>().read(),
                        from.add(len - 4).cast::<[u8; 4]>().read(),
                    );
                    self.at.cast::<[u8; 4]>().write(first);
                    self.at.add(len - 4).cast::<[u8; 4]>().write(last);
                }
                _ => ptr::copy_nonoverlapping(from, self.at, len),
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

    /// Makes room for `n` bytes from `at` on.
    #[inline(always)]
    fn reserve(&mut self, n: usize) {
        if self.end.addr() - self.at.addr() < n {
            assert!(
                !self.is_detached(),
                "this writer is of no use any more: an `Encode` that it ran has panicked or replaced it"
            );
            // SAFETY: `buf` is borrowed exclusively for 'a.
            (self.at, self.end) = unsafe { grow(&mut *self.buf, self.at, n) };
        }
    }
}

/// The place to write, and the buffer it is in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct State {
    at: *mut u8,
    end: *mut u8,
    buf: *mut Vec<u8>,
}

/// Out of line and without a reference to the tail, whose pointers so stay in registers.
///
/// # Safety
/// `at` is a [`Tail::at`] of `buf`.
#[cold]
#[inline(never)]
unsafe fn grow(buf: &mut Vec<u8>, at: *mut u8, n: usize) -> (*mut u8, *mut u8) {
    let start = buf.len();
    let len = at.addr() - buf.as_ptr().addr();
    // SAFETY: by the invariant of `Tail`, `len` bytes are initialized and within the capacity. `reserve` only keeps
    // bytes below the length, so it has to be told.
    unsafe { buf.set_len(len) };
    buf.reserve(n);
    let at = buf.spare_capacity_mut().as_mut_ptr().cast::<u8>();
    // SAFETY: as far as the capacity goes.
    let end = unsafe { buf.as_mut_ptr().add(buf.capacity()) };
    buf.truncate(start);
    (at, end)
}
