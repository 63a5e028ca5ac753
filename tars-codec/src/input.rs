//! What a reader reads, and what reading may cost.

use alloc::vec::Vec;
use core::{
    cell::{Cell, RefCell},
    ops::Range,
};

use bytes::Bytes;

use crate::{Cursor, Error, ErrorKind, Limits, Reader, Result, reader::Index};

/// Bytes to read values from, within [`Limits`].
///
/// Holds what all readers of these bytes share: the limits, and how much of them is used up. After an error the
/// count is off, so an input is not to be read on from there.
#[derive(Debug)]
pub struct Input<'a> {
    bytes: &'a [u8],
    /// The memory that `bytes` is, if byte vectors may share it.
    backing: Option<&'a Bytes>,
    limits: Limits,
    /// What is left of `limits.memory`.
    budget: Cell<usize>,
    /// The structs that are being read whose fields are not in order, from the outside in.
    indexes: RefCell<Vec<Index>>,
    /// What went wrong first in the struct that is being read.
    fault: RefCell<Option<Error>>,
    /// Whether something did. It is asked at the end of each struct.
    has_fault: Cell<bool>,
}

impl<'a> Input<'a> {
    /// Reads with the default limits; byte vectors are copied.
    #[inline]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            backing: None,
            limits: Limits::DEFAULT,
            budget: Cell::new(Limits::DEFAULT.memory),
            indexes: RefCell::new(Vec::new()),
            fault: RefCell::new(None),
            has_fault: Cell::new(false),
        }
    }

    /// Reads with the default limits; byte vectors share the memory of `bytes`.
    #[inline]
    pub fn shared(bytes: &'a Bytes) -> Self {
        Self {
            backing: Some(bytes),
            ..Self::new(bytes)
        }
    }

    /// The same bytes within other limits.
    #[inline]
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self {
            limits,
            budget: Cell::new(limits.memory),
            ..self
        }
    }

    /// A reader at the first byte.
    #[inline]
    pub fn reader(&self) -> Reader<'_> {
        Reader::new(self.bytes, self)
    }

    /// The same for values that borrow from the bytes, and may outlive the input.
    #[inline]
    pub fn cursor(&self) -> Cursor<'_, 'a> {
        Cursor::new(self.bytes, self)
    }

    /// A reader at a byte where a field begins; at the end, when there is no such byte.
    #[inline]
    pub fn reader_at(&self, offset: usize) -> Reader<'_> {
        Reader::new(self.bytes(offset..self.bytes.len()), self)
    }

    /// What is left of [`Limits::memory`], in bytes.
    pub fn memory_left(&self) -> usize {
        self.budget.get()
    }

    /// Where a rest of the bytes begins, from the first byte.
    pub(crate) fn offset(&self, rest: &[u8]) -> usize {
        rest.as_ptr().addr() - self.bytes.as_ptr().addr()
    }

    /// A part of the bytes; the end of them, when there is no such part.
    pub(crate) fn bytes(&self, range: Range<usize>) -> &'a [u8] {
        self.bytes.get(range).unwrap_or_else(|| self.end())
    }

    /// Notes where the fields of a struct are, under a number that is not 0.
    pub(crate) fn push_index(&self, index: Index) -> u16 {
        let mut indexes = self.indexes.borrow_mut();
        indexes.push(index);
        u16::try_from(indexes.len()).unwrap_or_default() // at most `Limits::depth`
    }

    /// Forgets what was noted last.
    pub(crate) fn pop_index(&self) {
        self.indexes.borrow_mut().pop();
    }

    /// Asks what was noted under a number.
    pub(crate) fn index<R>(&self, number: u16, ask: impl FnOnce(&Index) -> R) -> Option<R> {
        let at = usize::from(number).checked_sub(1)?;
        self.indexes.borrow().get(at).map(ask)
    }

    /// Keeps an error, unless there is one. What is left to read then: nothing.
    #[cold]
    #[inline(never)]
    pub(crate) fn fail(&self, error: Error) -> &'a [u8] {
        self.has_fault.set(true);
        self.fault.borrow_mut().get_or_insert(error);
        self.end()
    }

    /// Whether an error is kept.
    #[inline(always)]
    pub(crate) fn has_fault(&self) -> bool {
        self.has_fault.get()
    }

    /// The error that is kept.
    pub(crate) fn fault(&self) -> Option<Error> {
        self.fault.borrow().clone()
    }

    /// The error that is kept, which is forgotten.
    pub(crate) fn take_fault(&self) -> Option<Error> {
        self.has_fault.set(false);
        self.fault.take()
    }

    /// The bytes behind the last one: none.
    pub(crate) fn end(&self) -> &'a [u8] {
        &self.bytes[self.bytes.len()..]
    }

    #[inline]
    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    #[inline]
    pub(crate) fn backing(&self) -> Option<&'a Bytes> {
        self.backing
    }

    /// Accounts for memory that a value is going to allocate.
    #[inline]
    pub(crate) fn charge(&self, bytes: usize) -> Result<(), ErrorKind> {
        let left = self.budget.get();
        match left.checked_sub(bytes) {
            Some(rest) => {
                self.budget.set(rest);
                Ok(())
            }
            None => Err(ErrorKind::OutOfBudget {
                needed: bytes,
                left,
            }),
        }
    }
}

impl Error {
    /// A fault where `reader` stands.
    #[inline(always)]
    pub(crate) fn at(reader: Reader<'_>, kind: ErrorKind) -> Self {
        let (rest, input, _) = reader.parts();
        Self::before(rest, input, kind)
    }

    /// Out of line, and without the rest of the reader, whose parts so can stay in registers.
    #[cold]
    #[inline(never)]
    fn before(rest: &[u8], input: &Input<'_>, kind: ErrorKind) -> Self {
        Self::new(kind, input.offset(rest))
    }
}
