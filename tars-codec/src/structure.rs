//! Structs, and whole values from and to bytes.

use alloc::vec::Vec;

use bytes::Bytes;

use crate::{
    Decode, Encode, Error, ErrorKind, Field, Input, Reader, Result, Type, WireType, Writer,
    reader::Place, wire::EXTENDED_TAG,
};

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

    /// Asks for the fields by ascending tag: [`Reader::required`] and its like.
    ///
    /// Called by [`decode`] and [`Decode::decode`], and once more if the fields turn out to be in another order: what it
    /// returns must depend on the reader alone.
    ///
    /// # Errors
    /// Those of the reader.
    fn decode_fields(r: &mut Reader<'_>) -> Result<Self>;
}

impl<T: Struct> Encode for T {
    #[inline(always)]
    fn encode(&self, w: &mut Writer<'_>, tag: u8) {
        let fields = const { room_for_scalars(T::FIELDS) };
        if let Some(fields) = fields {
            let head = if tag < EXTENDED_TAG { 1 } else { 2 };
            w.grant(head + fields + 1);
        }
        w.head(tag, WireType::StructBegin);
        self.encode_fields(w);
        w.head(0, WireType::StructEnd);
    }
}

/// The most bytes that these fields take if they are nothing but scalars.
const fn room_for_scalars(mut fields: &[Field]) -> Option<usize> {
    let mut room = 0;
    while let [field, rest @ ..] = fields {
        let value = match field.ty {
            Type::Bool | Type::Byte => 1,
            Type::Short | Type::UByte => 2,
            Type::Int | Type::UShort | Type::Float => 4,
            Type::Long | Type::UInt | Type::Double => 8,
            _ => return None,
        };
        let head = if field.tag < EXTENDED_TAG { 1 } else { 2 };
        room += head + value;
        fields = rest;
    }
    Some(room)
}

impl<T: Struct> Decode for T {
    const MIN_SIZE: usize = 2;

    #[inline(always)]
    fn decode(r: &mut Reader<'_>, ty: WireType) -> Result<Self> {
        if ty != WireType::StructBegin {
            return Err(r.mismatch("a struct", ty));
        }
        let mut fields = r.enter_struct()?;
        let value = decode_struct(&mut fields)?;
        r.leave(fields);
        Ok(value)
    }
}

/// Reads the fields of a struct, and their end.
#[inline(always)]
fn decode_struct<T: Struct>(r: &mut Reader<'_>) -> Result<T> {
    let start = *r;
    let mut error = None;
    if !start.in_disorder() {
        match T::decode_fields(r) {
            Ok(value) => match r.finish() {
                Ok(()) => return Ok(value),
                Err(e) => error = Some(e),
            },
            Err(e) => error = Some(e),
        }
    }
    let (rest, input, place) = start.parts();
    let (value, rest) = again(rest, input, place, error)?;
    r.go_on(rest);
    Ok(value)
}

/// Reads a struct again if all that is wrong with it is the order of its fields.
#[cold]
#[inline(never)]
fn again<'a, T: Struct>(
    rest: &'a [u8],
    input: &'a Input<'a>,
    place: Place,
    error: Option<Error>,
) -> Result<(T, &'a [u8])> {
    let start = Reader::from_parts((rest, input, place));
    let in_struct = |error: Error| error.in_struct(T::NAME, T::FIELDS);
    if let Some(error) = error.filter(|error| *error.kind() != ErrorKind::Disorder) {
        return Err(in_struct(error));
    }
    let (mut fields, end) = start.indexed().map_err(in_struct)?;
    let value = T::decode_fields(&mut fields).map_err(in_struct)?;
    start.forget_index();
    Ok((value, end))
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
    decode_struct(&mut r)
}
