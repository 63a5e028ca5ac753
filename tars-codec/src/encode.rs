//! What each Rust type is on the wire.

use alloc::{collections::BTreeMap, string::String, vec::Vec};

use bytes::Bytes;

use crate::{Result, WireType, Writer};

/// A value that can be written behind a tag.
pub trait Encode {
    /// Writes head and value.
    fn encode(&self, w: &mut Writer<'_>, tag: u8);
}

/// A value with tag 0, alone.
pub(crate) fn encode_value<T: Encode + ?Sized>(value: &T) -> Result<Vec<u8>> {
    let mut buf = Vec::new();
    let mut w = Writer::new(&mut buf);
    w.put(0, value);
    w.finish()?;
    Ok(buf)
}

macro_rules! integers {
    ($($ty:ty),*) => {$(
        impl Encode for $ty {
            #[inline(always)]
            fn encode(&self, w: &mut Writer<'_>, tag: u8) {
                w.int(tag, i64::from(*self));
            }
        }
    )*};
}

// Unsigned integers go as the next wider signed one; the narrowest form of the value is the same.
integers!(bool, i8, i16, i32, i64, u8, u16, u32);

impl Encode for f32 {
    #[inline(always)]
    fn encode(&self, w: &mut Writer<'_>, tag: u8) {
        w.scalar(tag, WireType::Float, self.to_be_bytes());
    }
}

impl Encode for f64 {
    #[inline(always)]
    fn encode(&self, w: &mut Writer<'_>, tag: u8) {
        w.scalar(tag, WireType::Double, self.to_be_bytes());
    }
}

impl Encode for str {
    #[inline(always)]
    fn encode(&self, w: &mut Writer<'_>, tag: u8) {
        w.string(tag, self.as_bytes());
    }
}

impl Encode for String {
    #[inline(always)]
    fn encode(&self, w: &mut Writer<'_>, tag: u8) {
        w.string(tag, self.as_bytes());
    }
}

/// `vector<byte>`: a SimpleList. (`Vec<u8>` is `vector<unsigned byte>`, a list of numbers.)
impl Encode for Bytes {
    #[inline(always)]
    fn encode(&self, w: &mut Writer<'_>, tag: u8) {
        w.byte_vector(tag, self);
    }
}

impl<T: Encode> Encode for [T] {
    #[inline(always)]
    fn encode(&self, w: &mut Writer<'_>, tag: u8) {
        w.container(tag, WireType::List, "list", self.len());
        w.locally(|w| {
            for item in self {
                item.encode(w, 0);
            }
        });
    }
}

impl<T: Encode> Encode for Vec<T> {
    #[inline(always)]
    fn encode(&self, w: &mut Writer<'_>, tag: u8) {
        self.as_slice().encode(w, tag);
    }
}

impl<K: Encode, V: Encode> Encode for BTreeMap<K, V> {
    #[inline(always)]
    fn encode(&self, w: &mut Writer<'_>, tag: u8) {
        w.container(tag, WireType::Map, "map", self.len());
        w.locally(|w| {
            for (key, value) in self {
                key.encode(w, 0);
                value.encode(w, 1);
            }
        });
    }
}

#[cfg(feature = "std")]
impl<K: Encode, V: Encode, S> Encode for std::collections::HashMap<K, V, S> {
    #[inline(always)]
    fn encode(&self, w: &mut Writer<'_>, tag: u8) {
        w.container(tag, WireType::Map, "map", self.len());
        w.locally(|w| {
            for (key, value) in self {
                key.encode(w, 0);
                value.encode(w, 1);
            }
        });
    }
}
