//! The Tars binary wire: values, structs, packets and frames, without any IO.
//!
//! Three types to know:
//!
//! * [`Writer`] appends values to a `Vec<u8>` that the caller reuses, see [`write()`];
//! * [`Reader`] takes values from an [`Input`], within [`Limits`];
//! * [`Struct`] is what `tars2rs` implements for each struct of an IDL.
//!
//! Other forms of a value are led by the description of its type, [`Typed::TYPE`]: the bodies of TUP ([`TupReader`],
//! [`TupWriter`]), and with the feature `json` the text of `json::to_string`.
//!
//! ```
//! use tars_codec::{Input, write};
//!
//! let mut buf = Vec::new();
//! write(&mut buf, |w| {
//!     w.put(0, &7_i32);
//!     w.put(1, "seven");
//! })?;
//! assert_eq!(buf, [0x00, 7, 0x16, 5, b's', b'e', b'v', b'e', b'n']);
//!
//! let input = Input::new(&buf);
//! let mut r = input.reader();
//! assert_eq!(r.next_if::<i32>(0)?, Some(7));
//! assert_eq!(r.next_if::<String>(1)?.as_deref(), Some("seven"));
//! assert!(r.is_empty());
//! # Ok::<(), tars_codec::Error>(())
//! ```
//!
//! The bytes are those of TarsCpp. Where this crate is stricter or more tolerant, `docs/DESIGN.md` says so:
//! it takes fields in any order and integers wider than declared when the value fits; it refuses unknown wire
//! types, lengths that the bytes at hand cannot hold, and strings that are not UTF-8.

#![no_std]
#![warn(clippy::unwrap_used)]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

mod alternatives;
mod borrowed;
mod decode;
mod encode;
mod error;
mod frame;
mod function;
mod inline_str;
mod input;
#[cfg(feature = "json")]
pub mod json;
mod limits;
mod numbers;
mod ordered;
mod packet;
mod reader;
mod simple_list;
mod structure;
mod tail;
mod text;
mod tup;
mod types;
mod unknown;
mod value;
mod vec_map;
mod version;
mod wire;
mod writer;

pub use alloc::borrow::Cow;

pub use bytes::Bytes;
#[cfg(feature = "indexmap")]
pub use indexmap::IndexMap;

pub use crate::{
    alternatives::{
        AtMost, AtMostRef, ByteStr, ByteVec, CharBytes, Length, byte_vec, char_bytes, chars,
    },
    borrowed::{
        DecodeRef, IntoOwned, ListRef, ListRefIter, MapRef, MapRefIter, StructRef, decode_ref,
        decode_ref_with, into_owned,
    },
    decode::Decode,
    encode::Encode,
    error::{Error, ErrorKind, Result},
    frame::{FrameError, FrameSplitter},
    function::{Function, Param},
    inline_str::InlineStr,
    input::Input,
    limits::Limits,
    ordered::{OrderedF32, OrderedF64},
    packet::{
        Attributes, PACKET_NORMAL, PACKET_ONEWAY, RequestHead, RequestPacket, ResponseHead,
        ResponsePacket,
    },
    reader::{Cursor, Reader},
    simple_list::CharArray,
    structure::{Struct, decode, decode_bytes, decode_with, encode, encode_into},
    tup::{TupReader, TupWriter},
    types::{DefaultValue, Field, StructType, Type, Typed},
    unknown::UnknownFields,
    value::{Fields, Value},
    vec_map::{Iter as VecMapIter, VecMap},
    version::check_version,
    wire::{Head, WireType},
    writer::{Writer, write},
};
