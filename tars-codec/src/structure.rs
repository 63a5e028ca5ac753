//! Structs, and whole values from and to bytes.

use alloc::vec::Vec;
use core::marker::PhantomData;

use bytes::Bytes;

use crate::{
    Cursor, Decode, Encode, Error, ErrorKind, Field, Input, Reader, Result, StructRef, Type,
    WireType, Writer, reader::Place, tail::Target, wire::EXTENDED_TAG,
};

/// A struct of an IDL. `tars2rs` writes the implementation.
///
/// Every `Struct` is also [`Encode`] and [`Decode`], as a field of another one.
pub trait Struct: Sized {
    /// `Module.Name`, for error messages.
    const NAME: &'static str;
    /// The fields by ascending tag.
    const FIELDS: &'static [Field];

    /// Whether the fields are a few scalars with tags below 15, and [`decode_fields`](Self::decode_fields) does nothing but
    /// ask for them. `tars2rs` knows that.
    #[doc(hidden)]
    const FEW_SCALARS: bool = false;

    /// Writes the fields by ascending tag, without begin and end of the struct.
    fn encode_fields(&self, w: &mut Writer<'_>);

    /// Asks for the fields by ascending tag: [`Reader::required`] and its like.
    ///
    /// Called by [`decode`] and [`Decode::decode`], and once more if the fields turn out to be in another order: what it
    /// returns must depend on the reader alone. A reader that [fails](Cursor::fail) gives zeros and defaults from there on,
    /// and what is made of them is not used.
    fn decode_fields(r: &mut Reader<'_>) -> Self;
}

impl<T: Struct> Encode for T {
    #[inline(always)]
    fn encode(&self, w: &mut Writer<'_>, tag: u8) {
        if const { is_inlined(T::FIELDS) } {
            encode_struct(self, w, tag);
        } else {
            encode_apart(self, w, tag);
        }
    }
}

/// Whether a struct is encoded where it is, in the loop of its list: it is a few numbers and strings.
const fn is_inlined(mut fields: &[Field]) -> bool {
    if fields.len() > 8 {
        return false;
    }
    while let [field, rest @ ..] = fields {
        if matches!(
            field.ty,
            Type::Vector(_) | Type::Map(..) | Type::Struct(_) | Type::Bytes
        ) {
            return false;
        }
        fields = rest;
    }
    true
}

#[inline(always)]
fn encode_struct<T: Struct>(value: &T, w: &mut Writer<'_>, tag: u8) {
    if let Some(fields) = const { room_for_scalars(T::FIELDS) } {
        let head = if tag < EXTENDED_TAG { 1 } else { 2 };
        w.grant(head + fields + 1);
    }
    w.head(tag, WireType::StructBegin);
    value.encode_fields(w);
    w.head(0, WireType::StructEnd);
}

/// Any other is a function, with a writer of its own that can live in registers.
#[inline(never)]
fn encode_apart<T: Struct>(value: &T, w: &mut Writer<'_>, tag: u8) {
    let mut local = w.local();
    encode_struct(value, &mut local, tag);
    let stopped = local.stop();
    w.go_on(stopped);
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
    const WHOLE: bool = T::FEW_SCALARS;

    #[inline(always)]
    fn decode_whole(r: &mut Reader<'_>, tag: u8) -> Option<Self> {
        // With begin and end.
        let room = 1 + const { room_for_scalars(T::FIELDS) }? + 1;
        let mut fields = r.trial(tag, room)?;
        let value = T::decode_fields(&mut fields);
        let taken = room.checked_sub(fields.end_trial()?)?;
        r.go_on(r.rest().get(taken..)?);
        Some(value)
    }

    #[inline(always)]
    fn decode(r: &mut Reader<'_>, ty: WireType) -> Result<Self> {
        if ty != WireType::StructBegin {
            return Err(r.mismatch("a struct", ty));
        }
        let mut fields = r.enter_struct()?;
        let value = decode_struct::<Owned<T>>(&mut fields)?;
        r.leave(fields);
        Ok(value)
    }
}

/// How the fields of a struct are read: as one that [`Owned`] or [`Borrowed`] stands for.
pub(crate) trait Read<'i, 'a> {
    type Value;
    /// Whose name and fields errors give.
    type Named: Struct;

    fn fields(r: &mut Cursor<'i, 'a>) -> Self::Value;
}

pub(crate) struct Owned<T>(PhantomData<T>);

impl<'a, T: Struct> Read<'a, 'a> for Owned<T> {
    type Value = T;
    type Named = T;

    #[inline(always)]
    fn fields(r: &mut Reader<'a>) -> T {
        T::decode_fields(r)
    }
}

pub(crate) struct Borrowed<T>(PhantomData<T>);

impl<'i, 'a, T: StructRef<'a>> Read<'i, 'a> for Borrowed<T> {
    type Value = T;
    type Named = T::Owned;

    #[inline(always)]
    fn fields(r: &mut Cursor<'i, 'a>) -> T {
        T::decode_fields_ref(r)
    }
}

/// Reads the fields of a struct, and their end.
#[inline(always)]
pub(crate) fn decode_struct<'i, 'a, T: Read<'i, 'a>>(r: &mut Cursor<'i, 'a>) -> Result<T::Value> {
    let start = *r;
    if !start.in_disorder() {
        let value = T::fields(r);
        if r.finish() {
            return Ok(value);
        }
    }
    let (rest, input, place) = start.parts();
    let (value, rest) = again::<T>(rest, input, place)?;
    r.go_on(rest);
    Ok(value)
}

/// Reads a struct again if all that is wrong with it is the order of its fields.
#[cold]
#[inline(never)]
fn again<'i, 'a, T: Read<'i, 'a>>(
    rest: &'a [u8],
    input: &'i Input<'a>,
    place: Place,
) -> Result<(T::Value, &'a [u8])> {
    let start = Cursor::from_parts((rest, input, place));
    let in_struct = |error: Error| error.in_struct(T::Named::NAME, T::Named::FIELDS);
    match input.take_fault() {
        Some(error) if *error.kind() != ErrorKind::Disorder => return Err(in_struct(error)),
        _ => {}
    }
    let (mut fields, end) = start.indexed().map_err(in_struct)?;
    let value = T::fields(&mut fields);
    match input.take_fault() {
        None if !fields.is_beside(&start) => {
            Err(in_struct(Error::at(start, ErrorKind::BrokenReader)))
        }
        None => {
            start.forget_index();
            Ok((value, end))
        }
        Some(error) => Err(in_struct(error)),
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
    // As `write` does, but for the closure, which would not be inlined: the writer stays in registers.
    let mut out = Target::new(buf);
    let mut w = Writer::new(&mut out);
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
    decode_struct::<Owned<T>>(&mut r)
}
