//! JSON, as protocol version 5 and TarsCpp's `writeToJsonString` have it.
//!
//! No code is generated for JSON. A value is transcoded between its Tars bytes and its text by the description of
//! its type ([`Type`]), so there is one reader and one writer for all types, and the generated decoder judges what
//! comes in.
//!
//! | IDL | written | also read |
//! |---|---|---|
//! | bool | `true`, `false` | a number; 0 is false |
//! | integers, enums | a number | a number without fraction such as `1e3`; a string such as `"7"`, for JavaScript cannot tell a `long` |
//! | float, double | a number, `null` for NaN and infinities | a string, also `"NaN"` and `"Infinity"`; `null` is NaN |
//! | string | a string | |
//! | `vector<byte>` | a list of numbers from -128 to 127 | |
//! | `vector<T>` | a list | |
//! | `map<K, V>` | an object; a key that is no string is the text of its JSON | |
//! | struct | an object by the names of the fields, all of them | keys in any order; unknown ones are ignored |
//!
//! `null`, which TarsPHP writes for what nobody has set, is like a missing key for an `optional` field, and zero or
//! empty for everything else but a struct. A key that a struct has twice is an error; of equal keys of a map the
//! first one counts, as in Tars bytes.
//!
//! ```
//! use std::collections::BTreeMap;
//! use tars_codec::json;
//!
//! let ages = BTreeMap::from([(1_i64, vec![1.5_f32, f32::NAN])]);
//! assert_eq!(json::to_string(&ages)?, r#"{"1":[1.5,null]}"#);
//!
//! let error = json::from_str::<BTreeMap<i64, Vec<i8>>>(r#"{"1": [1, 300]}"#).unwrap_err();
//! assert_eq!(
//!     error.to_string(),
//!     "/1/1: invalid value: integer `300`, expected byte (-128 to 127), at byte 12",
//! );
//! # Ok::<(), tars_codec::Error>(())
//! ```
//!
//! What is read costs at most five bytes for each byte of text before the decoder sees it. Nesting is bounded by
//! [`Limits::depth`], and by 127.

mod object;
mod read;
mod serde;
mod write;

use alloc::{string::String, vec::Vec};

use crate::{Decode, Encode, Input, Limits, Result, Type, Typed, encode::encode_value};

pub use object::{JsonReader, JsonWriter};
pub use serde::{Deserialize, Deserializer, Serialize, Serializer, deserialize, serialize};

/// A value as JSON.
///
/// # Errors
/// It cannot be encoded, or is nested deeper than the default [`Limits`] allow.
pub fn to_string<T: Encode + Typed + ?Sized>(value: &T) -> Result<String> {
    from_tars(&Input::new(&encode_value(value)?), T::TYPE)
}

/// A value from JSON, with the default [`Limits`].
///
/// # Errors
/// [`ErrorKind::Json`](crate::ErrorKind::Json): the text is no JSON, or not of the type. What only the decoder can
/// see, such as too many elements for a fixed array, is reported as of Tars bytes.
pub fn from_str<T: Decode + Typed>(text: &str) -> Result<T> {
    let tars = to_tars(text.as_bytes(), T::TYPE, &Limits::DEFAULT)?.into();
    let input = Input::shared(&tars);
    let mut r = input.reader();
    let value = r.next_if(0)?;
    r.require(value, 0)
}

/// The JSON of the first value of an input, whatever its tag.
///
/// Fields that were not sent because they have their default are written all the same; optional structs are not.
///
/// # Errors
/// The bytes are not of this type, or the text is longer than [`Limits::memory`] allows.
pub fn from_tars(input: &Input<'_>, ty: &Type) -> Result<String> {
    write::write(input, ty)
}

/// The Tars bytes of a JSON text: one value, with tag 0.
///
/// The fields of structs have the order of the text.
///
/// # Errors
/// [`ErrorKind::Json`](crate::ErrorKind::Json).
pub fn to_tars(text: &[u8], ty: &Type, limits: &Limits) -> Result<Vec<u8>> {
    read::read(text, ty, limits)
}

impl Type {
    /// The values of an integer type, and its name in Rust.
    fn integer(&self) -> Option<(core::ops::RangeInclusive<i64>, &'static str)> {
        Some(match self {
            Self::Byte => (i8::MIN.into()..=i8::MAX.into(), "i8"),
            Self::Short => (i16::MIN.into()..=i16::MAX.into(), "i16"),
            Self::Int => (i32::MIN.into()..=i32::MAX.into(), "i32"),
            Self::Long => (i64::MIN..=i64::MAX, "i64"),
            Self::UByte => (0..=u8::MAX.into(), "u8"),
            Self::UShort => (0..=u16::MAX.into(), "u16"),
            Self::UInt => (0..=u32::MAX.into(), "u32"),
            _ => return None,
        })
    }
}

/// The tags that a struct has had.
#[derive(Default)]
struct Seen([u64; 4]);

impl Seen {
    /// False when it was there already.
    fn insert(&mut self, tag: u8) -> bool {
        let new = !self.contains(tag);
        self.0[usize::from(tag / 64)] |= 1 << (tag % 64);
        new
    }

    fn contains(&self, tag: u8) -> bool {
        self.0[usize::from(tag / 64)] & 1 << (tag % 64) != 0
    }
}
