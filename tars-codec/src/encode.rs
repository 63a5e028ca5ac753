//! What each Rust type is on the wire.

use alloc::{collections::BTreeMap, string::String, vec::Vec};

use bytes::Bytes;

use crate::{Result, WireType, Writer, numbers, write};

/// A value that can be written behind a tag.
pub trait Encode {
    /// Writes head and value.
    fn encode(&self, w: &mut Writer<'_>, tag: u8);

    /// Whether an `optional` field with this value is not sent, if the IDL gives it no default: zero, false and empty
    /// are not. What has no such value, like a struct, always is.
    #[inline(always)]
    fn is_default(&self) -> bool {
        false
    }

    /// Writes the elements of a list whose head and count are written, each with tag 0. For types that know how to
    /// write many at a time.
    #[inline(always)]
    fn encode_elements(items: &[Self], w: &mut Writer<'_>)
    where
        Self: Sized,
    {
        let mut elements = w.local();
        for item in items {
            item.encode(&mut elements, 0);
        }
        let stopped = elements.stop();
        w.go_on(stopped);
    }
}

/// A value with tag 0, alone.
pub(crate) fn encode_value<T: Encode + ?Sized>(value: &T) -> Result<Vec<u8>> {
    let mut buf = Vec::new();
    write(&mut buf, |w| w.put(0, value))?;
    Ok(buf)
}

macro_rules! integers {
    ($($ty:ty: $width:literal $(, $elements:ident)?;)*) => {$(
        impl Encode for $ty {
            #[inline(always)]
            fn encode(&self, w: &mut Writer<'_>, tag: u8) {
                w.int::<$width>(tag, i64::from(*self));
            }

            #[inline(always)]
            fn is_default(&self) -> bool {
                *self == Self::default()
            }

            $(
                fn encode_elements(items: &[Self], w: &mut Writer<'_>) {
                    numbers::$elements(items, w);
                }
            )?
        }
    )*};
}

// Unsigned integers go as the next wider signed one; the narrowest form of the value is the same.
integers! {
    bool: 1;
    i8: 1;
    i16: 2, encode;
    i32: 4, encode;
    i64: 8, encode;
    u8: 2;
    u16: 4;
    u32: 8;
}

impl Encode for f32 {
    #[inline(always)]
    fn encode(&self, w: &mut Writer<'_>, tag: u8) {
        w.scalar(tag, WireType::Float, self.to_be_bytes());
    }

    #[inline(always)]
    fn is_default(&self) -> bool {
        self.to_bits() == 0
    }
}

impl Encode for f64 {
    #[inline(always)]
    fn encode(&self, w: &mut Writer<'_>, tag: u8) {
        w.scalar(tag, WireType::Double, self.to_be_bytes());
    }

    #[inline(always)]
    fn is_default(&self) -> bool {
        self.to_bits() == 0
    }
}

impl Encode for str {
    #[inline(always)]
    fn encode(&self, w: &mut Writer<'_>, tag: u8) {
        w.string(tag, self.as_bytes());
    }

    #[inline(always)]
    fn is_default(&self) -> bool {
        self.is_empty()
    }
}

impl Encode for String {
    #[inline(always)]
    fn encode(&self, w: &mut Writer<'_>, tag: u8) {
        w.string(tag, self.as_bytes());
    }

    #[inline(always)]
    fn is_default(&self) -> bool {
        self.is_empty()
    }
}

/// `vector<byte>`: a SimpleList. (`Vec<u8>` is `vector<unsigned byte>`, a list of numbers.)
impl Encode for Bytes {
    #[inline(always)]
    fn encode(&self, w: &mut Writer<'_>, tag: u8) {
        w.byte_vector(tag, self);
    }

    #[inline(always)]
    fn is_default(&self) -> bool {
        self.is_empty()
    }
}

impl<T: Encode> Encode for [T] {
    #[inline(always)]
    fn encode(&self, w: &mut Writer<'_>, tag: u8) {
        w.container(tag, WireType::List, "list", self.len());
        T::encode_elements(self, w);
    }

    #[inline(always)]
    fn is_default(&self) -> bool {
        self.is_empty()
    }
}

impl<T: Encode> Encode for Vec<T> {
    #[inline(always)]
    fn encode(&self, w: &mut Writer<'_>, tag: u8) {
        self.as_slice().encode(w, tag);
    }

    #[inline(always)]
    fn is_default(&self) -> bool {
        self.is_empty()
    }
}

/// Entries in this order.
#[inline(always)]
pub(crate) fn encode_map<'m, K: Encode + 'm, V: Encode + 'm>(
    w: &mut Writer<'_>,
    tag: u8,
    entries: impl ExactSizeIterator<Item = (&'m K, &'m V)>,
) {
    w.container(tag, WireType::Map, "map", entries.len());
    let mut elements = w.local();
    for (key, value) in entries {
        key.encode(&mut elements, 0);
        value.encode(&mut elements, 1);
    }
    let stopped = elements.stop();
    w.go_on(stopped);
}

impl<K: Encode, V: Encode> Encode for BTreeMap<K, V> {
    #[inline(always)]
    fn encode(&self, w: &mut Writer<'_>, tag: u8) {
        encode_map(w, tag, self.iter());
    }

    #[inline(always)]
    fn is_default(&self) -> bool {
        self.is_empty()
    }
}

#[cfg(feature = "std")]
impl<K: Encode, V: Encode, S> Encode for std::collections::HashMap<K, V, S> {
    #[inline(always)]
    fn encode(&self, w: &mut Writer<'_>, tag: u8) {
        encode_map(w, tag, self.iter());
    }

    #[inline(always)]
    fn is_default(&self) -> bool {
        self.is_empty()
    }
}
