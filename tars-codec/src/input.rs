//! What a reader reads, and what reading may cost.

use core::cell::Cell;

use bytes::Bytes;

use crate::{Error, ErrorKind, Limits, Reader, Result};

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
    /// Structs that are open. 0: the end of the bytes is the end of the fields.
    open_structs: Cell<u16>,
    /// Structs and containers that are open.
    depth: Cell<u16>,
    /// What is left of `limits.memory`.
    budget: Cell<usize>,
}

impl<'a> Input<'a> {
    /// Reads with the default limits; byte vectors are copied.
    #[inline]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            backing: None,
            limits: Limits::DEFAULT,
            open_structs: Cell::new(0),
            depth: Cell::new(0),
            budget: Cell::new(Limits::DEFAULT.memory),
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

    /// A reader at a byte where a field begins; at the end, when there is no such byte.
    #[inline]
    pub fn reader_at(&self, offset: usize) -> Reader<'_> {
        Reader::new(self.bytes.get(offset..).unwrap_or_default(), self)
    }

    /// What is left of [`Limits::memory`], in bytes.
    pub fn memory_left(&self) -> usize {
        self.budget.get()
    }

    /// Bytes in all.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    #[inline]
    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    #[inline]
    pub(crate) fn backing(&self) -> Option<&'a Bytes> {
        self.backing
    }

    #[inline]
    pub(crate) fn in_struct(&self) -> bool {
        self.open_structs.get() != 0
    }

    /// Enters a struct or container.
    #[inline]
    pub(crate) fn nest(&self) -> Result<(), ErrorKind> {
        let depth = self.depth.get();
        if depth >= self.limits.depth {
            return Err(ErrorKind::TooDeep {
                max: self.limits.depth,
            });
        }
        self.depth.set(depth + 1);
        Ok(())
    }

    #[inline]
    pub(crate) fn unnest(&self) {
        self.depth.set(self.depth.get().saturating_sub(1));
    }

    #[inline]
    pub(crate) fn nest_struct(&self) -> Result<(), ErrorKind> {
        self.nest()?;
        self.open_structs.set(self.open_structs.get() + 1); // at most `depth`
        Ok(())
    }

    #[inline]
    pub(crate) fn unnest_struct(&self) {
        self.open_structs
            .set(self.open_structs.get().saturating_sub(1));
        self.unnest();
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
    /// A fault where `reader` stands. Out of line, and by value, so that the reader itself can stay in registers.
    #[cold]
    #[inline(never)]
    pub(crate) fn at(reader: Reader<'_>, kind: ErrorKind) -> Self {
        Self::new(kind, reader.offset())
    }
}
