//! Taking values from bytes.
//!
//! The functions on the way of a good value are inlined into the decoder of each struct, and what is rare is out
//! of line and takes the reader by value: its two words then stay in registers all the way through a struct. That
//! made decoding a third faster than a reader behind a reference (docs/DESIGN.md has the numbers).

mod fields;

use alloc::{borrow::ToOwned, string::String};
use core::fmt;

use bytes::Bytes;

pub(crate) use fields::Index;

use crate::{Decode, Error, ErrorKind, Head, Input, Result, WireType, text, wire::EXTENDED_TAG};

/// A cursor over an [`Input`].
///
/// A `Reader` stands in the fields of one struct, or in the arguments of a call, which have the same form. There are
/// two ways to go through them:
///
/// * ask for each field by ascending tag, as generated code does: [`required`](Self::required),
///   [`optional`](Self::optional) and their like find a field wherever it is, and pass over what nobody asks for;
/// * take what comes: [`next_field`](Self::next_field), then [`fill`](Self::fill) or [`skip`](Self::skip).
pub type Reader<'a> = Cursor<'a, 'a>;

/// A [`Reader`] that knows how long the bytes live, which may be longer than the [`Input`]: values that borrow from
/// them ([`DecodeRef`](crate::DecodeRef)) need that.
#[derive(Debug, Clone, Copy)]
pub struct Cursor<'i, 'a> {
    rest: &'a [u8],
    input: &'i Input<'a>,
    place: Place,
    /// The lowest tag that the next field may have, if the fields are in order. Not a part of `place`: two bytes that are
    /// stored there would be waited for when all of it is read.
    floor: u16,
    /// Whether this is a [trial](Cursor::trial): known to the compiler wherever it is asked.
    is_trial: bool,
}

/// What a reader stands in: a word, so that it takes one register, and functions out of line get all of a reader in
/// registers. As a struct of small numbers it takes five, and a loop over the entries of a map has no room for them.
#[derive(Clone, Copy)]
pub(crate) struct Place(u64);

impl Place {
    /// These bits are where the fields are, if they are not in order: a number that the input knows. 0: they are.
    const INDEX: u64 = 0xffff;
    /// Whether the fields end with [`WireType::StructEnd`], not with the bytes.
    const IN_STRUCT: u64 = 1 << 32;
    /// Whether this is in a struct whose fields are not in order.
    const DISORDER: u64 = 1 << 33;
    /// The bits from here on are the structs and containers that may still be opened inside of this one.
    const DEPTH_AT: u32 = 48;

    #[inline(always)]
    fn new(depth_left: u16) -> Self {
        Self(u64::from(depth_left) << Self::DEPTH_AT)
    }

    /// A level deeper, if there may be one more.
    #[inline(always)]
    fn deeper(self) -> Option<Self> {
        self.0.checked_sub(1 << Self::DEPTH_AT).map(Self)
    }

    /// How many may still be opened.
    fn depth_left(self) -> u16 {
        (self.0 >> Self::DEPTH_AT) as u16
    }

    /// Before the first field of a struct.
    #[inline(always)]
    fn struct_begin(self) -> Self {
        Self(self.0 & !Self::INDEX | Self::IN_STRUCT)
    }

    /// As if the fields did not end before the bytes do.
    fn without_end(self) -> Self {
        Self(self.0 & !Self::IN_STRUCT)
    }

    fn indexed(self, index: u16) -> Self {
        Self(self.0 & !Self::INDEX | u64::from(index) | Self::DISORDER)
    }

    #[inline(always)]
    fn index(self) -> u16 {
        self.0 as u16
    }

    #[inline(always)]
    fn in_struct(self) -> bool {
        self.0 & Self::IN_STRUCT != 0
    }

    #[inline(always)]
    fn disorder(self) -> bool {
        self.0 & Self::DISORDER != 0
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Place")
            .field("index", &self.index())
            .field("in_struct", &self.in_struct())
            .field("disorder", &self.disorder())
            .field("depth_left", &self.depth_left())
            .finish()
    }
}

impl<'i, 'a> Cursor<'i, 'a> {
    #[inline]
    pub(crate) fn new(rest: &'a [u8], input: &'i Input<'a>) -> Self {
        let place = Place::new(input.limits().depth);
        Self::from_parts((rest, input, place))
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
        self.input.offset(self.rest)
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
            [STRUCT_END, rest @ ..] if self.place.in_struct() => {
                self.rest = rest;
                Ok(None)
            }
            [] if !self.place.in_struct() => self.check().map(|()| None),
            _ => {
                let (head, rest) = self.late_head()?;
                self.rest = rest;
                Ok(Some(head))
            }
        }
    }

    /// Passes over the value of a field.
    ///
    /// # Errors
    /// The bytes end early, an unknown wire type, or nesting beyond the limit.
    pub fn skip(&mut self, head: Head) -> Result<()> {
        self.skip_value(head.ty)
            .map_err(|error| error.at_tag(head.tag))
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

    /// An error for a value of another type than the field.
    #[inline]
    pub fn mismatch(&self, expected: &'static str, found: WireType) -> Error {
        Error::at(*self, ErrorKind::TypeMismatch { expected, found })
    }

    /// The type of the next value, whose head is taken if it has this tag and a type that can begin a value.
    #[inline(always)]
    fn take_head_if(&mut self, tag: u8) -> Option<WireType> {
        let (first, rest) = match self.rest {
            [first, rest @ ..] if tag < EXTENDED_TAG => (first ^ (tag << 4), rest),
            [first, second, rest @ ..] if *second == tag => (first ^ (EXTENDED_TAG << 4), rest),
            _ => return None,
        };
        // Neither another tag nor an unknown type is a type.
        let ty = WireType::from_byte(first)?;
        // The end of a struct looks like a field with tag 0.
        if tag == 0 && ty == WireType::StructEnd {
            return None;
        }
        self.rest = rest;
        Some(ty)
    }

    #[cold]
    #[inline(never)]
    fn late_head(mut self) -> Result<(Head, &'a [u8])> {
        let start = self;
        let head = self.head()?;
        if head.ty == WireType::StructEnd {
            return if self.place.in_struct() {
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
        Ok((head, self.rest))
    }

    #[inline(always)]
    fn head(&mut self) -> Result<Head> {
        let [first] = self.array()?;
        let Some(ty) = WireType::from_byte(first & 0x0f) else {
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
            None => Err(wrong_element(self.rest, self.input, expected)),
        }
    }

    /// Length and text of a short string, as far as its head and length tell, and what is behind them. Nothing is taken.
    #[inline(always)]
    pub(crate) fn whole_string(&self, tag: u8) -> Option<(usize, &'a [u8])> {
        match self.rest {
            [first, len, start @ ..] if *first == tag << 4 | WireType::String1 as u8 => {
                let len = usize::from(*len);
                (len <= self.input.limits().string).then_some((len, start))
            }
            _ => None,
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
        // Comparisons that cannot become a jump table, which costs more instructions.
        let code = ty as u8;
        Ok(if code <= WireType::Int2 as u8 {
            if code == WireType::Int1 as u8 {
                i64::from(i8::from_be_bytes(self.array()?))
            } else {
                i64::from(i16::from_be_bytes(self.array()?))
            }
        } else if code <= WireType::Int8 as u8 {
            if code == WireType::Int4 as u8 {
                i64::from(i32::from_be_bytes(self.array()?))
            } else {
                i64::from_be_bytes(self.array()?)
            }
        } else if ty == WireType::Zero {
            0
        } else {
            return Err(self.mismatch("an integer", ty));
        })
    }

    /// An integer of at most so many bytes: 1, 2 or 4. `None` for one that is wider, or none.
    #[inline(always)]
    pub(crate) fn narrow_int<const WIDTH: usize>(&mut self, ty: WireType) -> Result<Option<i32>> {
        // Comparisons as in `int`.
        let code = ty as u8;
        Ok(Some(if code <= WireType::Int2 as u8 {
            if code == WireType::Int1 as u8 {
                i32::from(i8::from_be_bytes(self.array()?))
            } else if WIDTH >= 2 {
                i32::from(i16::from_be_bytes(self.array()?))
            } else {
                return Ok(None);
            }
        } else if WIDTH >= 4 && code == WireType::Int4 as u8 {
            i32::from_be_bytes(self.array()?)
        } else if ty == WireType::Zero {
            0
        } else {
            return Ok(None);
        }))
    }

    /// An integer with its head, which has this tag, below 15: at most as many bytes together as the window has.
    #[inline(always)]
    pub(crate) fn whole_int<const WINDOW: usize>(&mut self, tag: u8) -> Option<i64> {
        let window = self.rest.first_chunk::<WINDOW>()?.as_slice();
        // The compiler knows the length of the window, so that nothing below is tested again.
        let code = window[0] ^ (tag << 4);
        let (value, size) = if code <= WireType::Int2 as u8 {
            if code == WireType::Int1 as u8 {
                (i64::from(window[1] as i8), 2)
            } else {
                let bytes = *window[1..].first_chunk()?;
                (i64::from(i16::from_be_bytes(bytes)), 3)
            }
        } else if code <= WireType::Int8 as u8 {
            if code == WireType::Int4 as u8 {
                let bytes = *window[1..].first_chunk()?;
                (i64::from(i32::from_be_bytes(bytes)), 5)
            } else {
                (i64::from_be_bytes(*window[1..].first_chunk()?), 9)
            }
        } else if code == WireType::Zero as u8 {
            (0, 1)
        } else {
            return None;
        };
        self.rest = &self.rest[size..];
        Some(value)
    }

    /// The bytes of a float with its head, or those of zero.
    #[inline(always)]
    pub(crate) fn whole_float<const N: usize>(&mut self, tag: u8, ty: WireType) -> Option<[u8; N]> {
        let [first, rest @ ..] = self.rest else {
            return None;
        };
        let code = first ^ (tag << 4);
        if code == ty as u8 {
            let (bytes, rest) = rest.split_first_chunk()?;
            self.rest = rest;
            return Some(*bytes);
        }
        if code != WireType::Zero as u8 {
            return None;
        }
        self.rest = rest;
        Some([0; N])
    }

    /// An integer that may be wider than its field.
    #[inline]
    pub(crate) fn wide_int(&mut self, ty: WireType) -> Result<i64> {
        let (value, rest) = self.late_int(ty)?;
        self.rest = rest;
        Ok(value)
    }

    #[cold]
    #[inline(never)]
    fn late_int(mut self, ty: WireType) -> Result<(i64, &'a [u8])> {
        Ok((self.int(ty)?, self.rest))
    }

    /// The bytes of a string.
    #[inline(always)]
    pub(crate) fn string(&mut self, ty: WireType) -> Result<&'a [u8]> {
        let len = self.string_len(ty)?;
        self.take(len)
    }

    /// A string as text of its own.
    #[inline(always)]
    pub(crate) fn owned_text(&mut self, ty: WireType) -> Result<String> {
        let len = self.string_len(ty)?;
        let start = self.rest;
        let bytes = self.take(len)?;
        self.charge(len)?;
        match text::to_owned(start, len) {
            Some(text) => Ok(text),
            None => Err(self.invalid_utf8(bytes)),
        }
    }

    #[inline(always)]
    pub(crate) fn string_len(&mut self, ty: WireType) -> Result<usize> {
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
        Ok(len)
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
        match text::from_utf8(bytes) {
            Some(text) => Ok(text),
            None => Err(self.invalid_utf8(bytes)),
        }
    }

    #[inline(always)]
    pub(crate) fn invalid_utf8(self, bytes: &[u8]) -> Error {
        invalid_utf8(self.rest, self.input, bytes.len())
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

    /// The count of a list or map, for whose elements at least `min` bytes each are left and whose memory is
    /// accounted for.
    #[inline(always)]
    pub(crate) fn count(&mut self, what: &'static str, min: usize, memory: usize) -> Result<usize> {
        let count = self.len(what, self.input.limits().count)?;
        self.check_len(what, count, self.left() / min.max(1))?;
        self.charge(count.saturating_mul(memory))?;
        Ok(count)
    }

    /// A reader of what the value that begins here contains, a level deeper.
    /// [`leave`](Self::leave) goes on behind it.
    #[inline(always)]
    pub(crate) fn enter(&self) -> Result<Self> {
        match self.place.deeper() {
            Some(place) => Ok(Self::from_parts((self.rest, self.input, place))),
            None => Err(self.too_deep()),
        }
    }

    /// The same for the fields of a struct.
    #[inline(always)]
    pub(crate) fn enter_struct(&self) -> Result<Self> {
        let mut inner = self.enter()?;
        inner.place = inner.place.struct_begin();
        inner.floor = 0;
        Ok(inner)
    }

    /// Goes on where a reader of the inside has come to.
    #[inline(always)]
    pub(crate) fn leave(&mut self, inner: Self) {
        self.rest = inner.rest;
    }

    /// In how many structs and containers this is.
    pub(crate) fn level(&self) -> usize {
        usize::from(
            self.input
                .limits()
                .depth
                .saturating_sub(self.place.depth_left()),
        )
    }

    #[inline(always)]
    fn too_deep(&self) -> Error {
        let max = self.input.limits().depth;
        Error::at(*self, ErrorKind::TooDeep { max })
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
        let len = match self.rest {
            [INT1, len @ 0..=0x7f, rest @ ..] => {
                self.rest = rest;
                u32::from(*len)
            }
            [ZERO, rest @ ..] => {
                self.rest = rest;
                0
            }
            _ => {
                let (len, rest) = late_len(self.rest, self.input, what, max)?;
                self.rest = rest;
                len
            }
        };
        // Of 32 bits, so that the compiler sees that its product with the size of a type does not overflow.
        let len = len as usize;
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
                let count = self.count("list", 1, 0)?;
                let mut inner = self.enter()?;
                for _ in 0..count {
                    let ty = inner.element(0)?;
                    inner.skip_value(ty)?;
                }
                self.leave(inner);
            }
            WireType::Map => {
                let count = self.count("map", 2, 0)?;
                let mut inner = self.enter()?;
                for _ in 0..count {
                    let key = inner.element(0)?;
                    inner.skip_value(key)?;
                    let value = inner.element(1)?;
                    inner.skip_value(value)?;
                }
                self.leave(inner);
            }
            WireType::StructBegin => {
                let mut inner = self.enter_struct()?;
                while let Some(head) = inner.next_field()? {
                    inner.skip_value(head.ty)?;
                }
                self.leave(inner);
            }
            WireType::StructEnd => return Err(Error::at(*self, ErrorKind::StrayStructEnd)),
        }
        Ok(())
    }
}

impl Reader<'_> {
    /// Reads the next field if it has this tag; otherwise nothing is taken.
    ///
    /// # Errors
    /// The field has the tag, but not a value of type `T`.
    #[inline(always)]
    pub fn next_if<T: Decode>(&mut self, tag: u8) -> Result<Option<T>> {
        self.check()?;
        let Some(ty) = self.take_head_if(tag) else {
            return Ok(None);
        };
        match self.value(ty) {
            Ok(value) => Ok(Some(value)),
            Err(error) => Err(error.at_tag(tag)),
        }
    }

    /// Reads the value of a field into `slot`, or passes over it when the slot is filled: the first one counts.
    ///
    /// # Errors
    /// The value is not of type `T`.
    pub fn fill<T: Decode>(&mut self, head: Head, slot: &mut Option<T>) -> Result<()> {
        if slot.is_some() {
            return self.skip(head);
        }
        *slot = Some(
            self.value(head.ty)
                .map_err(|error| error.at_tag(head.tag))?,
        );
        Ok(())
    }

    /// An element of a container, whose tag is fixed.
    #[inline(always)]
    pub(crate) fn element_value<T: Decode>(&mut self, tag: u8) -> Result<T> {
        if !T::WHOLE {
            let ty = self.element(tag)?;
            return T::decode(self, ty);
        }
        if let Some(value) = T::decode_whole(self, tag) {
            return Ok(value);
        }
        let (value, rest) = late_element(self.rest, self.input, self.place, tag)?;
        self.rest = rest;
        Ok(value)
    }

    /// A value, of which nothing is to be asked later: a [`Decode`] may have asked for fields.
    #[inline(always)]
    fn value<T: Decode>(&mut self, ty: WireType) -> Result<T> {
        let value = T::decode(self, ty)?;
        self.check()?;
        Ok(value)
    }
}

/// A length that has not one of the shortest forms.
#[cold]
#[inline(never)]
fn late_len<'a>(
    rest: &'a [u8],
    input: &Input<'a>,
    what: &'static str,
    max: usize,
) -> Result<(u32, &'a [u8])> {
    let mut r = Cursor::from_parts((rest, input, Place::new(0)));
    let ty = r.element(0)?;
    let len = r.int(ty)?;
    if let Ok(len) = u32::try_from(len) {
        return Ok((len, r.rest));
    }
    let kind = match usize::try_from(len) {
        Ok(len) => ErrorKind::TooLong {
            what,
            len,
            max: max.min(u32::MAX as usize),
        },
        Err(_) => ErrorKind::NegativeLength(len),
    };
    Err(Error::at(r, kind))
}

/// An element that is not as most are.
#[cold]
#[inline(never)]
fn late_element<'a, T: Decode>(
    rest: &'a [u8],
    input: &'a Input<'a>,
    place: Place,
    tag: u8,
) -> Result<(T, &'a [u8])> {
    let mut r = Cursor::from_parts((rest, input, place));
    let ty = r.element(tag)?;
    let value = T::decode(&mut r, ty)?;
    Ok((value, r.rest))
}

/// So many bytes before the rest are no text.
#[cold]
#[inline(never)]
fn invalid_utf8(rest: &[u8], input: &Input<'_>, len: usize) -> Error {
    Error::new(
        ErrorKind::InvalidUtf8,
        input.offset(rest).saturating_sub(len),
    )
}

/// What is wrong with the head of an element. Of a reader only what is asked for, as for [`Error::at`].
#[cold]
#[inline(never)]
fn wrong_element(rest: &[u8], input: &Input<'_>, expected: u8) -> Error {
    let mut r = Cursor::from_parts((rest, input, Place::new(0)));
    let start = r;
    match r.head() {
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

/// Tag 0, type Int1.
const INT1: u8 = WireType::Int1 as u8;

/// Tag 0, type Zero.
const ZERO: u8 = WireType::Zero as u8;

/// Tag 0, type StructEnd.
const STRUCT_END: u8 = WireType::StructEnd as u8;
