//! Taking values from bytes.
//!
//! The functions on the way of a good value are inlined into the decoder of each struct, and what is rare is out
//! of line and takes the reader by value: its two words then stay in registers all the way through a struct. That
//! made decoding a third faster than a reader behind a reference (docs/DESIGN.md has the numbers).

use alloc::{borrow::ToOwned, string::String};

use bytes::Bytes;

use crate::{Decode, Error, ErrorKind, Head, Input, Result, WireType, wire::EXTENDED_TAG};

/// A cursor over an [`Input`].
///
/// A `Reader` stands in the fields of one struct (or in the arguments of a call, which have the same form).
/// Fields nearly always come in the order of their tags, so generated code first asks for each in turn with
/// [`next_if`](Self::next_if), then loops over what is left with [`next_field`](Self::next_field), which is where
/// fields out of order, repeated or unknown end up.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    rest: &'a [u8],
    input: &'a Input<'a>,
}

impl<'a> Reader<'a> {
    #[inline]
    pub(crate) fn new(rest: &'a [u8], input: &'a Input<'a>) -> Self {
        Self { rest, input }
    }

    /// Bytes that are left.
    #[inline]
    pub fn left(&self) -> usize {
        self.rest.len()
    }

    /// Whether no byte is left.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Where the reader stands, from the first byte.
    pub fn offset(&self) -> usize {
        self.input.len() - self.rest.len()
    }

    /// Reads the next field if it has this tag; otherwise nothing is taken.
    ///
    /// # Errors
    /// The field has the tag, but not a value of type `T`.
    #[inline(always)]
    pub fn next_if<T: Decode>(&mut self, tag: u8) -> Result<Option<T>> {
        let Some(ty) = self.take_head_if(tag) else {
            return Ok(None);
        };
        match T::decode(self, ty) {
            Ok(value) => Ok(Some(value)),
            Err(error) => Err(error.at_tag(tag)),
        }
    }

    /// Takes the head of the next field. `None` at the end of the struct, which is taken as well.
    ///
    /// The caller then reads the value with [`fill`](Self::fill) or passes over it with [`skip`](Self::skip).
    ///
    /// # Errors
    /// The bytes end inside of the struct, or an unknown wire type.
    #[inline(always)]
    pub fn next_field(&mut self) -> Result<Option<Head>> {
        match self.rest {
            [STRUCT_END, rest @ ..] if self.input.in_struct() => {
                self.rest = rest;
                Ok(None)
            }
            [] if !self.input.in_struct() => Ok(None),
            _ => {
                let (head, reader) = self.late_head()?;
                *self = reader;
                Ok(Some(head))
            }
        }
    }

    /// Reads the value of a field into `slot`, or passes over it when the slot is filled: the first one counts.
    ///
    /// # Errors
    /// The value is not of type `T`.
    #[inline(always)]
    pub fn fill<T: Decode>(&mut self, head: Head, slot: &mut Option<T>) -> Result<()> {
        if slot.is_some() {
            return self.skip(head);
        }
        let (value, reader) = self.late_value(head)?;
        *slot = Some(value);
        *self = reader;
        Ok(())
    }

    /// Passes over the value of a field.
    ///
    /// # Errors
    /// The bytes end early, an unknown wire type, or nesting beyond the limit.
    #[inline(always)]
    pub fn skip(&mut self, head: Head) -> Result<()> {
        *self = self.after(head)?;
        Ok(())
    }

    /// The value of a `require` field.
    ///
    /// # Errors
    /// There was none.
    #[inline]
    pub fn require<T>(&self, value: Option<T>, tag: u8) -> Result<T> {
        match value {
            Some(value) => Ok(value),
            None => Err(Error::at(*self, ErrorKind::Missing).at_tag(tag)),
        }
    }

    /// Refuses a container or string that is longer than its declaration (`T a[N]`, `string:N`).
    ///
    /// # Errors
    /// `len` is above `max`.
    #[inline]
    pub fn check_max(&self, tag: u8, what: &'static str, len: usize, max: usize) -> Result<()> {
        self.check_len(what, len, max).map_err(|e| e.at_tag(tag))
    }

    /// An error for a value of another type than the field.
    #[inline]
    pub fn mismatch(&self, expected: &'static str, found: WireType) -> Error {
        Error::at(*self, ErrorKind::TypeMismatch { expected, found })
    }

    #[inline(always)]
    fn take_head_if(&mut self, tag: u8) -> Option<WireType> {
        let (first, rest) = match self.rest {
            [first, rest @ ..] if tag < EXTENDED_TAG && first >> 4 == tag => (first, rest),
            [first, second, rest @ ..]
                if tag >= EXTENDED_TAG && first >> 4 == EXTENDED_TAG && *second == tag =>
            {
                (first, rest)
            }
            _ => return None,
        };
        match WireType::from_nibble(*first) {
            // The end of a struct looks like a field with tag 0; an unknown type is for `next_field` to report.
            None | Some(WireType::StructEnd) => None,
            ty => {
                self.rest = rest;
                ty
            }
        }
    }

    #[cold]
    #[inline(never)]
    fn late_head(mut self) -> Result<(Head, Self)> {
        let start = self;
        let head = self.head()?;
        if head.ty == WireType::StructEnd {
            return if self.input.in_struct() {
                // Its tag is not 0, as TarsCpp writes it, and does not matter.
                Err(Error::at(
                    start,
                    ErrorKind::ContainerTag {
                        found: head.tag,
                        expected: 0,
                    },
                ))
            } else {
                Err(Error::at(start, ErrorKind::StrayStructEnd))
            };
        }
        Ok((head, self))
    }

    #[cold]
    #[inline(never)]
    fn late_value<T: Decode>(mut self, head: Head) -> Result<(T, Self)> {
        match T::decode(&mut self, head.ty) {
            Ok(value) => Ok((value, self)),
            Err(error) => Err(error.at_tag(head.tag)),
        }
    }

    #[cold]
    #[inline(never)]
    fn after(mut self, head: Head) -> Result<Self> {
        match self.skip_value(head.ty) {
            Ok(()) => Ok(self),
            Err(error) => Err(error.at_tag(head.tag)),
        }
    }

    #[inline(always)]
    fn head(&mut self) -> Result<Head> {
        let [first] = self.array()?;
        let Some(ty) = WireType::from_nibble(first) else {
            let kind = ErrorKind::UnknownWireType(first & 0x0f);
            return Err(Error::new(kind, self.offset() - 1));
        };
        let tag = match first >> 4 {
            EXTENDED_TAG => {
                let [tag] = self.array()?;
                tag
            }
            short => short,
        };
        Ok(Head { tag, ty })
    }

    /// The type of an element of a container, whose tag is fixed.
    #[inline(always)]
    pub(crate) fn element(&mut self, expected: u8) -> Result<WireType> {
        match self.take_head_if(expected) {
            Some(ty) => Ok(ty),
            None => Err(self.wrong_element(expected)),
        }
    }

    #[cold]
    #[inline(never)]
    fn wrong_element(mut self, expected: u8) -> Error {
        let start = self;
        match self.head() {
            Ok(Head {
                ty: WireType::StructEnd,
                tag,
            }) if tag == expected => start.mismatch("an element", WireType::StructEnd),
            Ok(head) => Error::at(
                start,
                ErrorKind::ContainerTag {
                    found: head.tag,
                    expected,
                },
            ),
            Err(error) => error,
        }
    }

    #[inline(always)]
    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let Some((bytes, rest)) = self.rest.split_first_chunk() else {
            return Err(self.unexpected_end(N));
        };
        self.rest = rest;
        Ok(*bytes)
    }

    #[inline(always)]
    pub(crate) fn take(&mut self, n: usize) -> Result<&'a [u8]> {
        let Some((bytes, rest)) = self.rest.split_at_checked(n) else {
            return Err(self.unexpected_end(n));
        };
        self.rest = rest;
        Ok(bytes)
    }

    #[inline]
    fn unexpected_end(&self, needed: usize) -> Error {
        Error::at(
            *self,
            ErrorKind::UnexpectedEnd {
                needed,
                left: self.left(),
            },
        )
    }

    /// An integer of any width.
    #[inline(always)]
    pub(crate) fn int(&mut self, ty: WireType) -> Result<i64> {
        Ok(match ty {
            WireType::Zero => 0,
            WireType::Int1 => i64::from(i8::from_be_bytes(self.array()?)),
            WireType::Int2 => i64::from(i16::from_be_bytes(self.array()?)),
            WireType::Int4 => i64::from(i32::from_be_bytes(self.array()?)),
            WireType::Int8 => i64::from_be_bytes(self.array()?),
            _ => return Err(self.mismatch("an integer", ty)),
        })
    }

    /// The bytes of a string.
    #[inline(always)]
    pub(crate) fn string(&mut self, ty: WireType) -> Result<&'a [u8]> {
        let len = match ty {
            WireType::String1 => {
                let [len] = self.array()?;
                usize::from(len)
            }
            WireType::String4 => {
                let len = u32::from_be_bytes(self.array()?);
                usize::try_from(len).unwrap_or(usize::MAX)
            }
            _ => return Err(self.mismatch("a string", ty)),
        };
        self.check_len("string", len, self.input.limits().string)?;
        self.take(len)
    }

    /// Bytes that were taken from this reader as text.
    #[inline(always)]
    pub(crate) fn text(&self, bytes: &[u8]) -> Result<String> {
        let text = self.utf8(bytes)?;
        self.charge(text.len())?;
        Ok(text.to_owned())
    }

    /// The same without a copy.
    #[inline(always)]
    pub(crate) fn utf8<'b>(&self, bytes: &'b [u8]) -> Result<&'b str> {
        match core::str::from_utf8(bytes) {
            Ok(text) => Ok(text),
            Err(_) => {
                let start = self.offset().saturating_sub(bytes.len());
                Err(Error::new(ErrorKind::InvalidUtf8, start))
            }
        }
    }

    /// The bytes of a SimpleList whose first head has been taken.
    #[inline]
    pub(crate) fn simple_list(&mut self) -> Result<&'a [u8]> {
        let ty = self.element(0)?;
        if ty != WireType::Int1 {
            return Err(self.mismatch("bytes", ty));
        }
        let len = self.len("byte vector", self.input.limits().string)?;
        self.take(len)
    }

    /// Shares or copies bytes that were taken from this reader.
    #[inline]
    pub(crate) fn share(&self, bytes: &[u8]) -> Result<Bytes> {
        match self.input.backing() {
            Some(backing) => Ok(backing.slice_ref(bytes)),
            None => {
                self.charge(bytes.len())?;
                Ok(Bytes::copy_from_slice(bytes))
            }
        }
    }

    /// Enters a list or map; gives its count, for whose elements at least `min` bytes each are left and whose
    /// memory is accounted for. [`end_container`](Self::end_container) leaves it.
    #[inline]
    pub(crate) fn begin_container(
        &mut self,
        what: &'static str,
        min: usize,
        memory: usize,
    ) -> Result<usize> {
        let count = self.len(what, self.input.limits().count)?;
        self.check_len(what, count, self.left() / min.max(1))?;
        self.charge(count.saturating_mul(memory))?;
        self.input.nest().map_err(|kind| Error::at(*self, kind))?;
        Ok(count)
    }

    #[inline]
    pub(crate) fn end_container(&self) {
        self.input.unnest();
    }

    #[inline(always)]
    pub(crate) fn begin_struct(&self) -> Result<()> {
        self.input
            .nest_struct()
            .map_err(|kind| Error::at(*self, kind))
    }

    #[inline(always)]
    pub(crate) fn end_struct(&self) {
        self.input.unnest_struct();
    }

    #[inline(always)]
    pub(crate) fn charge(&self, bytes: usize) -> Result<()> {
        self.input
            .charge(bytes)
            .map_err(|kind| Error::at(*self, kind))
    }

    /// A length or count: an integer with tag 0.
    #[inline(always)]
    fn len(&mut self, what: &'static str, max: usize) -> Result<usize> {
        let ty = self.element(0)?;
        let len = self.int(ty)?;
        let Ok(len) = usize::try_from(len) else {
            return Err(Error::at(*self, ErrorKind::NegativeLength(len)));
        };
        self.check_len(what, len, max)?;
        Ok(len)
    }

    #[inline(always)]
    pub(crate) fn check_len(&self, what: &'static str, len: usize, max: usize) -> Result<()> {
        if len > max {
            return Err(Error::at(*self, ErrorKind::TooLong { what, len, max }));
        }
        Ok(())
    }

    /// Recursion is as deep as the limit allows, and every step takes at least a byte.
    fn skip_value(&mut self, ty: WireType) -> Result<()> {
        match ty {
            WireType::Zero => {}
            WireType::Int1 => drop(self.take(1)?),
            WireType::Int2 => drop(self.take(2)?),
            WireType::Int4 | WireType::Float => drop(self.take(4)?),
            WireType::Int8 | WireType::Double => drop(self.take(8)?),
            WireType::String1 | WireType::String4 => drop(self.string(ty)?),
            WireType::SimpleList => drop(self.simple_list()?),
            WireType::List => {
                for _ in 0..self.begin_container("list", 1, 0)? {
                    let ty = self.element(0)?;
                    self.skip_value(ty)?;
                }
                self.end_container();
            }
            WireType::Map => {
                for _ in 0..self.begin_container("map", 2, 0)? {
                    let key = self.element(0)?;
                    self.skip_value(key)?;
                    let value = self.element(1)?;
                    self.skip_value(value)?;
                }
                self.end_container();
            }
            WireType::StructBegin => {
                self.begin_struct()?;
                while let Some(head) = self.next_field()? {
                    self.skip_value(head.ty)?;
                }
                self.end_struct();
            }
            WireType::StructEnd => return Err(Error::at(*self, ErrorKind::StrayStructEnd)),
        }
        Ok(())
    }
}

/// Tag 0, type StructEnd.
const STRUCT_END: u8 = WireType::StructEnd as u8;
