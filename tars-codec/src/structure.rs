//! Structs, and whole values from and to bytes.

use alloc::vec::Vec;

use bytes::Bytes;

use crate::{Decode, Encode, Error, ErrorKind, Field, Input, Reader, Result, WireType, Writer};

/// A struct of an IDL. `tars2rs` writes the implementation.
///
/// Every `Struct` is also [`Encode`] and [`Decode`], as a field of another one.
pub trait Struct: Sized {
    /// `Module.Name`, for error messages.
    const NAME: &'static str;
    /// The fields by ascending tag.
    const FIELDS: &'static [Field];

    /// Writes the fields by ascending tag, without begin and end of the struct.
    fn encode_fields(&self, w: &mut Writer<'_>);

    /// Reads fields up to the end of this struct, in any order, and skips those it does not know.
    ///
    /// # Errors
    /// The first fault found; a missing `require` field is one.
    fn decode_fields(r: &mut Reader<'_>) -> Result<Self>;
}

impl<T: Struct> Encode for T {
    #[inline(always)]
    fn encode(&self, w: &mut Writer<'_>, tag: u8) {
        w.head(tag, WireType::StructBegin);
        self.encode_fields(w);
        w.head(0, WireType::StructEnd);
    }
}

impl<T: Struct> Decode for T {
    const MIN_SIZE: usize = 2;

    #[inline(always)]
    fn decode(r: &mut Reader<'_>, ty: WireType) -> Result<Self> {
        if ty != WireType::StructBegin {
            return Err(r.mismatch("a struct", ty));
        }
        r.begin_struct()?;
        let value = decode_named(r)?;
        r.end_struct();
        Ok(value)
    }
}

#[inline(always)]
fn decode_named<T: Struct>(r: &mut Reader<'_>) -> Result<T> {
    match T::decode_fields(r) {
        Ok(value) => Ok(value),
        Err(error) => Err(error.in_struct(T::NAME, T::FIELDS)),
    }
}

/// The fields of a struct as bytes, in a new vector.
///
/// # Errors
/// A string, list or fixed array is longer than the wire or its declaration allows.
pub fn encode<T: Struct>(value: &T) -> Result<Vec<u8>> {
    let mut buf = Vec::new();
    encode_into(value, &mut buf)?;
    Ok(buf)
}

/// Appends the fields of a struct to `buf`, which keeps its length when there is an error.
///
/// # Errors
/// As [`encode`].
pub fn encode_into<T: Struct>(value: &T, buf: &mut Vec<u8>) -> Result<()> {
    let mut w = Writer::new(buf);
    value.encode_fields(&mut w);
    w.finish()
}

/// Reads a struct that fills `bytes`, with the default [`Limits`](crate::Limits). Byte vectors are copied.
///
/// # Errors
/// What is wrong, with its place.
pub fn decode<T: Struct>(bytes: &[u8]) -> Result<T> {
    decode_with(&Input::new(bytes))
}

/// Reads a struct that fills `bytes`, with the default [`Limits`](crate::Limits). Byte vectors share the memory of `bytes`.
///
/// # Errors
/// What is wrong, with its place.
pub fn decode_bytes<T: Struct>(bytes: &Bytes) -> Result<T> {
    decode_with(&Input::shared(bytes))
}

/// Reads a struct that fills an input.
///
/// # Errors
/// What is wrong, with its place; bytes after the struct are an error, too.
pub fn decode_with<T: Struct>(input: &Input<'_>) -> Result<T> {
    let mut r = input.reader();
    let value = decode_named(&mut r)?;
    if r.is_empty() {
        Ok(value)
    } else {
        Err(Error::at(r, ErrorKind::TrailingBytes(r.left())))
    }
}
