//! Taking values from bytes.

use bytes::Bytes;

use crate::{Decode, Error, ErrorKind, Head, Limits, Result, WireType, wire::EXTENDED_TAG};

/// A cursor over bytes, within [`Limits`].
///
/// A `Reader` stands in the fields of one struct (or in the arguments of a call, which have the same form).
/// Fields nearly always come in the order of their tags, so generated code first asks for each in turn with
/// [`next_if`](Self::next_if), then loops over what is left with [`next_field`](Self::next_field), which is where
/// fields out of order, repeated or unknown end up.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    rest: &'a [u8],
    /// Length of the whole input, for offsets.
    len: usize,
    /// The memory that `rest` is a part of, if byte vectors may share it.
    backing: Option<&'a Bytes>,
    /// Structs that are open. 0: the end of the bytes is the end of the fields.
    open: u16,
    /// Structs and containers that are open.
    depth: u16,
    /// What is left of `limits.memory`.
    budget: usize,
    limits: Limits,
}

impl<'a> Reader<'a> {
    /// Reads with the default limits; byte vectors are copied.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self::with_limits(bytes, Limits::DEFAULT)
    }

    /// Reads within `limits`; byte vectors are copied.
    pub fn with_limits(bytes: &'a [u8], limits: Limits) -> Self {
        Self {
            rest: bytes,
            len: bytes.len(),
            backing: None,
            open: 0,
            depth: 0,
            budget: limits.memory,
            limits,
        }
    }

    /// Reads within `limits`; byte vectors share the memory of `bytes`.
    pub fn shared(bytes: &'a Bytes, limits: Limits) -> Self {
        Self {
            backing: Some(bytes),
            ..Self::with_limits(bytes, limits)
        }
    }

    /// Bytes that are left.
    pub fn left(&self) -> usize {
        self.rest.len()
    }

    /// Whether no byte is left.
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Where the reader stands, from the first byte.
    pub fn offset(&self) -> usize {
        self.len - self.rest.len()
    }

    /// Reads the next field if it has this tag; otherwise nothing is taken.
    ///
    /// # Errors
    /// The field has the tag, but not a value of type `T`.
    #[inline]
    pub fn next_if<T: Decode>(&mut self, tag: u8) -> Result<Option<T>> {
        let Some(ty) = self.take_head_if(tag)? else {
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
    #[inline]
    pub fn next_field(&mut self) -> Result<Option<Head>> {
        if self.rest.is_empty() && self.open == 0 {
            return Ok(None);
        }
        let at = self.offset();
        let head = self.head()?;
        if head.ty != WireType::StructEnd {
            return Ok(Some(head));
        }
        if self.open == 0 {
            return Err(Error::new(ErrorKind::StrayStructEnd, at));
        }
        Ok(None)
    }

    /// Reads the value of a field into `slot`, or passes over it when the slot is filled: the first one counts.
    ///
    /// # Errors
    /// The value is not of type `T`.
    #[cold]
    pub fn fill<T: Decode>(&mut self, head: Head, slot: &mut Option<T>) -> Result<()> {
        if slot.is_some() {
            return self.skip(head);
        }
        *slot = Some(T::decode(self, head.ty).map_err(|e| e.at_tag(head.tag))?);
        Ok(())
    }

    /// Passes over the value of a field.
    ///
    /// # Errors
    /// The bytes end early, an unknown wire type, or nesting beyond the limit.
    #[cold]
    pub fn skip(&mut self, head: Head) -> Result<()> {
        self.skip_value(head.ty).map_err(|e| e.at_tag(head.tag))
    }

    /// The value of a `require` field.
    ///
    /// # Errors
    /// There was none.
    #[inline]
    pub fn require<T>(&self, value: Option<T>, tag: u8) -> Result<T> {
        match value {
            Some(value) => Ok(value),
            None => Err(Error::new(ErrorKind::Missing, self.offset()).at_tag(tag)),
        }
    }

    /// Refuses a container or string that is longer than its declaration (`T a[N]`, `string:N`).
    ///
    /// # Errors
    /// `len` is above `max`.
    #[inline]
    pub fn check_max(&self, tag: u8, what: &'static str, len: usize, max: usize) -> Result<()> {
        if len > max {
            return Err(
                Error::new(ErrorKind::TooLong { what, len, max }, self.offset()).at_tag(tag),
            );
        }
        Ok(())
    }

    /// Makes an error for a value of another type than the field.
    #[cold]
    pub fn mismatch(&self, expected: &'static str, found: WireType) -> Error {
        Error::new(ErrorKind::TypeMismatch { expected, found }, self.offset())
    }

    #[inline]
    fn take_head_if(&mut self, tag: u8) -> Result<Option<WireType>> {
        let (first, extended) = match self.rest {
            [first, second, ..] => (*first, *second),
            [first] => (*first, 0),
            [] => return Ok(None),
        };
        let (found, size) = match first >> 4 {
            EXTENDED_TAG if self.rest.len() > 1 => (extended, 2),
            EXTENDED_TAG => return Ok(None), // cut off: `next_field` reports it
            short => (short, 1),
        };
        // The end of a struct looks like a field with tag 0; an unknown type is for `next_field` to report.
        let ty = match WireType::from_nibble(first) {
            Some(ty) if found == tag && ty != WireType::StructEnd => ty,
            _ => return Ok(None),
        };
        self.rest = self.rest.get(size..).unwrap_or_default();
        Ok(Some(ty))
    }

    #[inline]
    pub(crate) fn head(&mut self) -> Result<Head> {
        let at = self.offset();
        let [first] = self.array()?;
        let Some(ty) = WireType::from_nibble(first) else {
            return Err(Error::new(ErrorKind::UnknownWireType(first & 0x0f), at));
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
    #[inline]
    pub(crate) fn element(&mut self, expected: u8) -> Result<WireType> {
        let at = self.offset();
        let Head { tag, ty } = self.head()?;
        if tag != expected {
            return Err(Error::new(
                ErrorKind::ContainerTag {
                    found: tag,
                    expected,
                },
                at,
            ));
        }
        Ok(ty)
    }

    #[inline]
    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let Some((bytes, rest)) = self.rest.split_first_chunk() else {
            return Err(self.unexpected_end(N));
        };
        self.rest = rest;
        Ok(*bytes)
    }

    #[inline]
    pub(crate) fn take(&mut self, n: usize) -> Result<&'a [u8]> {
        let Some((bytes, rest)) = self.rest.split_at_checked(n) else {
            return Err(self.unexpected_end(n));
        };
        self.rest = rest;
        Ok(bytes)
    }

    #[cold]
    fn unexpected_end(&self, needed: usize) -> Error {
        Error::new(
            ErrorKind::UnexpectedEnd {
                needed,
                left: self.left(),
            },
            self.offset(),
        )
    }

    /// An integer of any width.
    #[inline]
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
    #[inline]
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
        self.check_len("string", len, self.limits.string)?;
        self.take(len)
    }

    /// The bytes of a SimpleList whose first head has been taken.
    #[inline]
    pub(crate) fn simple_list(&mut self) -> Result<&'a [u8]> {
        let ty = self.element(0)?;
        if ty != WireType::Int1 {
            return Err(self.mismatch("bytes", ty));
        }
        let len = self.len("byte vector", self.limits.string)?;
        self.take(len)
    }

    /// Shares or copies bytes that were taken from this reader.
    #[inline]
    pub(crate) fn share(&mut self, bytes: &'a [u8]) -> Result<Bytes> {
        match self.backing {
            Some(backing) => Ok(backing.slice_ref(bytes)),
            None => {
                self.charge(bytes.len())?;
                Ok(Bytes::copy_from_slice(bytes))
            }
        }
    }

    /// Enters a list or map; gives its count, for whose elements at least `min` bytes each are left and whose
    /// memory is accounted for. [`end_nesting`](Self::end_nesting) leaves it.
    #[inline]
    pub(crate) fn begin_container(
        &mut self,
        what: &'static str,
        min: usize,
        memory: usize,
    ) -> Result<usize> {
        let count = self.len(what, self.limits.count)?;
        let most = self.left() / min.max(1);
        if count > most {
            return Err(self.too_long(what, count, most));
        }
        self.charge(count.saturating_mul(memory))?;
        self.nest()?;
        Ok(count)
    }

    #[inline]
    pub(crate) fn begin_struct(&mut self) -> Result<()> {
        self.nest()?;
        self.open += 1; // at most `depth`
        Ok(())
    }

    #[inline]
    pub(crate) fn end_struct(&mut self) {
        self.open -= 1;
        self.end_nesting();
    }

    #[inline]
    pub(crate) fn end_nesting(&mut self) {
        self.depth -= 1;
    }

    #[inline]
    fn nest(&mut self) -> Result<()> {
        if self.depth >= self.limits.depth {
            return Err(Error::new(
                ErrorKind::TooDeep {
                    max: self.limits.depth,
                },
                self.offset(),
            ));
        }
        self.depth += 1;
        Ok(())
    }

    /// Accounts for memory that a value is going to allocate.
    #[inline]
    pub(crate) fn charge(&mut self, bytes: usize) -> Result<()> {
        let Some(left) = self.budget.checked_sub(bytes) else {
            let kind = ErrorKind::OutOfBudget {
                needed: bytes,
                left: self.budget,
            };
            return Err(Error::new(kind, self.offset()));
        };
        self.budget = left;
        Ok(())
    }

    /// A length or count: an integer with tag 0.
    #[inline]
    fn len(&mut self, what: &'static str, max: usize) -> Result<usize> {
        let ty = self.element(0)?;
        let len = self.int(ty)?;
        let Ok(len) = usize::try_from(len) else {
            return Err(Error::new(ErrorKind::NegativeLength(len), self.offset()));
        };
        self.check_len(what, len, max)?;
        Ok(len)
    }

    #[inline]
    fn check_len(&self, what: &'static str, len: usize, max: usize) -> Result<()> {
        if len > max {
            Err(self.too_long(what, len, max))
        } else {
            Ok(())
        }
    }

    #[cold]
    fn too_long(&self, what: &'static str, len: usize, max: usize) -> Error {
        Error::new(ErrorKind::TooLong { what, len, max }, self.offset())
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
                self.end_nesting();
            }
            WireType::Map => {
                for _ in 0..self.begin_container("map", 2, 0)? {
                    let key = self.element(0)?;
                    self.skip_value(key)?;
                    let value = self.element(1)?;
                    self.skip_value(value)?;
                }
                self.end_nesting();
            }
            WireType::StructBegin => {
                self.begin_struct()?;
                while let Some(head) = self.next_field()? {
                    self.skip_value(head.ty)?;
                }
                self.end_struct();
            }
            WireType::StructEnd => {
                return Err(Error::new(ErrorKind::StrayStructEnd, self.offset()));
            }
        }
        Ok(())
    }
}
