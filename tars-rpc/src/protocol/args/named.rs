//! Values with names: TUP and JSON, each if its feature is on.

// With one of them a match has one arm, and with none it has none.
#![cfg_attr(
    not(all(feature = "tup", feature = "json")),
    allow(unused_variables, unreachable_code, clippy::match_single_binding)
)]

use bytes::Bytes;
#[cfg(feature = "json")]
use tars_codec::json::{JsonReader, JsonWriter};
use tars_codec::{Encode, Result, Type, Typed};
#[cfg(feature = "tup")]
use tars_codec::{TupReader, TupWriter};

use crate::Version;

/// The names of the return value. TarsPHP and Tars.js know the second one only, so TUP bodies have both.
const RESULT_NAMES: [&str; 2] = ["tars_ret", ""];

/// Values to be sent.
#[derive(Debug)]
pub(super) enum NamedWriter {
    #[cfg(feature = "tup")]
    Tup(TupWriter),
    #[cfg(feature = "json")]
    Json(JsonWriter),
}

impl NamedWriter {
    /// `None` for a version whose values have no names.
    pub(super) fn new(version: Version) -> Option<Self> {
        Some(match version {
            Version::Tars => return None,
            #[cfg(feature = "tup")]
            Version::TupComplex => Self::Tup(TupWriter::complex()),
            #[cfg(feature = "tup")]
            Version::Tup => Self::Tup(TupWriter::new()),
            #[cfg(feature = "json")]
            Version::Json => Self::Json(JsonWriter::new()),
        })
    }

    pub(super) fn put<T: Encode + Typed + ?Sized>(&mut self, name: &str, value: &T) -> Result<()> {
        match *self {
            #[cfg(feature = "tup")]
            Self::Tup(ref mut values) => values.put(name, value),
            #[cfg(feature = "json")]
            Self::Json(ref mut values) => values.put(name, value),
        }
    }

    pub(super) fn put_result<T: Encode + Typed + ?Sized>(&mut self, value: &T) -> Result<()> {
        let [name, short_name] = RESULT_NAMES;
        self.put(name, value)?;
        match *self {
            #[cfg(feature = "tup")]
            Self::Tup(ref mut values) => values.put(short_name, value),
            #[cfg(feature = "json")]
            Self::Json(_) => Ok(()),
        }
    }

    pub(super) fn finish(self) -> Result<Vec<u8>> {
        match self {
            #[cfg(feature = "tup")]
            Self::Tup(values) => values.finish(),
            #[cfg(feature = "json")]
            Self::Json(values) => Ok(values.finish().into_bytes()),
        }
    }
}

/// Values that were received.
#[derive(Debug)]
pub(super) enum NamedReader {
    #[cfg(feature = "tup")]
    Tup(TupReader),
    #[cfg(feature = "json")]
    Json(JsonReader),
}

impl NamedReader {
    /// `None` for a version whose values have no names.
    pub(super) fn new(version: Version, body: &Bytes) -> Result<Option<Self>> {
        Ok(Some(match version {
            Version::Tars => return Ok(None),
            #[cfg(feature = "tup")]
            Version::TupComplex => Self::Tup(TupReader::complex(body)?),
            #[cfg(feature = "tup")]
            Version::Tup => Self::Tup(TupReader::new(body)?),
            #[cfg(feature = "json")]
            Version::Json => Self::Json(JsonReader::new(body)?),
        }))
    }

    /// The Tars bytes of a value, with tag 0. Those of TUP are what they are, whatever the type.
    pub(super) fn value(&self, name: &str, ty: &Type) -> Result<Option<Bytes>> {
        match *self {
            #[cfg(feature = "tup")]
            Self::Tup(ref values) => Ok(values.tars(name).cloned()),
            #[cfg(feature = "json")]
            Self::Json(ref values) => values.tars(name, ty),
        }
    }

    /// The Tars bytes of the return value, with tag 0.
    pub(super) fn result(&self, ty: &Type) -> Result<Option<Bytes>> {
        let mut found = RESULT_NAMES.iter().map(|name| self.value(name, ty));
        found.find_map(Result::transpose).transpose()
    }
}
