//! Other Rust types for types of the IDL. The config of `tars2rs` chooses them.
//!
//! Where a member is of a plain type that would be written as something else, generated code wraps it on its way over
//! the wire; elements of lists and maps are of the wrapper itself.

use alloc::{borrow::Cow, string::String, sync::Arc, vec::Vec};
use core::{borrow::Borrow, ops::Deref};

use bytes::Bytes;

use crate::{CharArray, Cursor, Decode, Encode, Reader, Result, Type, Typed, WireType, Writer};

macro_rules! wrappers {
    ($($(#[$doc:meta])* $name:ident<$default:ty>: $ty:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(transparent)]
        pub struct $name<B = $default>(pub B);

        impl<B> Typed for $name<B> {
            const TYPE: &'static Type = &Type::$ty;
        }

        impl<B> Deref for $name<B> {
            type Target = B;

            fn deref(&self) -> &B {
                &self.0
            }
        }

        impl<B> From<B> for $name<B> {
            fn from(bytes: B) -> Self {
                Self(bytes)
            }
        }
    )*};
}

wrappers! {
    /// A string whose bytes are not checked: they may be of any encoding, and share the memory of what was received.
    ByteStr<Bytes>: String;
    /// `string:N` whose bytes are not checked.
    CharBytes<Bytes>: String;
    /// `vector<byte>` as a vector. (`Vec<u8>` itself is `vector<unsigned byte>`, a list of numbers.)
    ByteVec<Vec<u8>>: Bytes;
}

/// So that a map with such keys is asked for bytes.
impl<B: Borrow<[u8]>> Borrow<[u8]> for ByteStr<B> {
    fn borrow(&self) -> &[u8] {
        self.0.borrow()
    }
}

impl<B: AsRef<[u8]>> Encode for ByteStr<B> {
    #[inline]
    fn encode(&self, w: &mut Writer<'_>, tag: u8) {
        w.string(tag, self.0.as_ref());
    }

    #[inline]
    fn is_default(&self) -> bool {
        self.0.as_ref().is_empty()
    }
}

impl Decode for ByteStr {
    const MIN_SIZE: usize = 2;

    #[inline]
    fn decode(r: &mut Reader<'_>, ty: WireType) -> Result<Self> {
        let bytes = r.string(ty)?;
        r.share(bytes).map(Self)
    }
}

impl<B: AsRef<[u8]>> Encode for CharBytes<B> {
    #[inline]
    fn encode(&self, w: &mut Writer<'_>, tag: u8) {
        w.byte_vector(tag, self.0.as_ref());
    }

    #[inline]
    fn is_default(&self) -> bool {
        self.0.as_ref().is_empty()
    }
}

impl Decode for CharBytes {
    const MIN_SIZE: usize = 2;

    #[inline]
    fn decode(r: &mut Reader<'_>, ty: WireType) -> Result<Self> {
        let bytes = char_array(r, ty)?;
        r.share(bytes).map(Self)
    }
}

impl<B: AsRef<[u8]>> Encode for ByteVec<B> {
    #[inline]
    fn encode(&self, w: &mut Writer<'_>, tag: u8) {
        w.byte_vector(tag, self.0.as_ref());
    }

    #[inline]
    fn is_default(&self) -> bool {
        self.0.as_ref().is_empty()
    }
}

impl Decode for ByteVec {
    const MIN_SIZE: usize = 2;

    #[inline]
    fn decode(r: &mut Reader<'_>, ty: WireType) -> Result<Self> {
        if ty != WireType::SimpleList {
            return Bytes::decode(r, ty).map(|bytes| Self(bytes.into()));
        }
        let bytes = r.simple_list()?;
        r.charge(bytes.len())?;
        Ok(Self(bytes.into()))
    }
}

/// A string that is cheap to clone.
impl Typed for Arc<str> {
    const TYPE: &'static Type = &Type::String;
}

impl Encode for Arc<str> {
    #[inline]
    fn encode(&self, w: &mut Writer<'_>, tag: u8) {
        w.string(tag, self.as_bytes());
    }

    #[inline(always)]
    fn is_default(&self) -> bool {
        self.is_empty()
    }
}

impl Decode for Arc<str> {
    const MIN_SIZE: usize = 2;

    #[inline]
    fn decode(r: &mut Reader<'_>, ty: WireType) -> Result<Self> {
        let bytes = r.string(ty)?;
        shared(r, bytes)
    }
}

impl Decode for CharArray<Arc<str>> {
    const MIN_SIZE: usize = 2;

    #[inline]
    fn decode(r: &mut Reader<'_>, ty: WireType) -> Result<Self> {
        let bytes = char_array(r, ty)?;
        shared(r, bytes).map(Self)
    }
}

fn shared(r: &Reader<'_>, bytes: &[u8]) -> Result<Arc<str>> {
    let text = r.utf8(bytes)?;
    r.charge(text.len())?;
    Ok(text.into())
}

/// The bytes of a `string:N`; a plain string is accepted as well.
pub(crate) fn char_array<'a>(r: &mut Cursor<'_, 'a>, ty: WireType) -> Result<&'a [u8]> {
    match ty {
        WireType::SimpleList => r.simple_list(),
        _ => r.string(ty),
    }
}

/// A map in the order of the wire.
#[cfg(feature = "indexmap")]
mod index_map {
    use core::hash::{BuildHasher, Hash};

    use indexmap::IndexMap;

    use super::*;
    use crate::{
        decode::{Entries, decode_entries},
        encode::encode_map,
    };

    impl<K: Typed, V: Typed, S> Typed for IndexMap<K, V, S> {
        const TYPE: &'static Type = &Type::Map(K::TYPE, V::TYPE);
    }

    impl<K: Encode, V: Encode, S> Encode for IndexMap<K, V, S> {
        #[inline(always)]
        fn encode(&self, w: &mut Writer<'_>, tag: u8) {
            encode_map(w, tag, self.iter());
        }

        #[inline(always)]
        fn is_default(&self) -> bool {
            self.is_empty()
        }
    }

    impl<K: Decode + Eq + Hash, V: Decode, S: BuildHasher + Default> Decode for IndexMap<K, V, S> {
        const MIN_SIZE: usize = 2;

        #[inline(always)]
        fn decode(r: &mut Reader<'_>, ty: WireType) -> Result<Self> {
            decode_entries(r, ty, |_| Self::default())
        }
    }

    impl<K: Eq + Hash, V, S: BuildHasher> Entries<K, V> for IndexMap<K, V, S> {
        #[inline(always)]
        fn add(&mut self, key: K, value: V) {
            self.entry(key).or_insert(value);
        }
    }
}

/// A value of at most `N` elements or bytes (`vector<T>:N`, `string:N`), checked on the way in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AtMost<T, const N: usize>(pub T);

/// The text of a `string:N` that has been read.
///
/// ```
/// use tars_codec::{AtMost, CharArray, chars};
///
/// assert_eq!(chars(AtMost::<_, 8>(CharArray("ted"))), "ted");
/// ```
#[inline]
pub fn chars<S, const N: usize>(read: AtMost<CharArray<S>, N>) -> S {
    read.0.0
}

/// The bytes of a `string:N` that has been read.
#[inline]
pub fn char_bytes<B, const N: usize>(read: AtMost<CharBytes<B>, N>) -> B {
    read.0.0
}

/// The bytes of a `byte[N]` that has been read.
#[inline]
pub fn byte_vec<const N: usize>(read: AtMost<ByteVec, N>) -> Vec<u8> {
    read.0.0
}

/// A value of at most `N` elements or bytes, checked on the way out.
#[derive(Debug)]
pub struct AtMostRef<'a, T: ?Sized, const N: usize>(pub &'a T);

impl<T: Typed, const N: usize> Typed for AtMost<T, N> {
    const TYPE: &'static Type = T::TYPE;
}

impl<T: Typed + ?Sized, const N: usize> Typed for AtMostRef<'_, T, N> {
    const TYPE: &'static Type = T::TYPE;
}

impl<T: Decode + Length, const N: usize> Decode for AtMost<T, N> {
    const MIN_SIZE: usize = T::MIN_SIZE;

    fn decode(r: &mut Reader<'_>, ty: WireType) -> Result<Self> {
        let value = T::decode(r, ty)?;
        r.check_len(T::WHAT, value.length(), N)?;
        Ok(Self(value))
    }
}

impl<T: Encode + Length + ?Sized, const N: usize> Encode for AtMostRef<'_, T, N> {
    fn encode(&self, w: &mut Writer<'_>, tag: u8) {
        w.check_max(T::WHAT, self.0.length(), N);
        self.0.encode(w, tag);
    }
}

/// What a maximum can be declared for.
pub trait Length {
    /// What is counted, for messages.
    const WHAT: &'static str;

    /// The number of elements or bytes.
    fn length(&self) -> usize;
}

macro_rules! lengths {
    ($($what:literal [$($of:tt)*] $ty:ty, $this:ident => $bytes:expr;)*) => {$(
        impl<$($of)*> Length for $ty {
            const WHAT: &'static str = $what;

            fn length(&self) -> usize {
                let $this = self;
                $bytes.len()
            }
        }
    )*};
}

lengths! {
    "list" [T] [T], this => this;
    "list" [T] Vec<T>, this => this;
    "byte vector" [] Bytes, this => this;
    "byte vector" [B: AsRef<[u8]>] ByteVec<B>, this => this.0.as_ref();
    "string" [S: AsRef<str>] CharArray<S>, this => this.0.as_ref();
    "string" [B: AsRef<[u8]>] CharBytes<B>, this => this.0.as_ref();
    "byte vector" [] Cow<'_, [u8]>, this => this;
    "string" [] str, this => this;
    "string" [] &str, this => this;
    "string" [] String, this => this;
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;
    use crate::{Input, write};

    fn bytes_of<T: Encode + ?Sized>(value: &T) -> Vec<u8> {
        let mut buf = Vec::new();
        write(&mut buf, |w| w.put(1, value)).unwrap();
        buf
    }

    fn back<T: Decode>(bytes: &[u8]) -> Result<T> {
        let input = Input::new(bytes);
        let mut r = input.reader();
        let value = r.next_if(1)?;
        r.require(value, 1)
    }

    #[test]
    fn the_wire_is_that_of_the_usual_type() {
        let text = bytes_of("tars");
        assert_eq!(bytes_of(&ByteStr("tars")), text);
        assert_eq!(bytes_of(&Arc::<str>::from("tars")), text);
        assert_eq!(back::<ByteStr>(&text).unwrap().0, "tars");
        assert_eq!(&*back::<Arc<str>>(&text).unwrap(), "tars");

        let bytes = bytes_of(&Bytes::from_static(b"\xff\x00"));
        assert_eq!(bytes_of(&ByteVec(vec![0xff, 0])), bytes);
        assert_eq!(back::<ByteVec>(&bytes).unwrap().0, [0xff, 0]);
        assert_eq!(
            back::<ByteVec>(&bytes_of(&vec![-1_i8, 0])).unwrap().0,
            [0xff, 0]
        );

        let fixed = bytes_of(&CharArray("tars"));
        assert_eq!(bytes_of(&CharBytes("tars")), fixed);
        for wire in [fixed, text] {
            assert_eq!(back::<CharBytes>(&wire).unwrap().0, "tars");
            assert_eq!(&*back::<CharArray<Arc<str>>>(&wire).unwrap().0, "tars");
        }
    }

    #[test]
    fn only_bytes_may_be_no_utf8() {
        let wire = bytes_of(&ByteStr(b"\xc4\xe3"));
        assert_eq!(back::<ByteStr>(&wire).unwrap().0, &b"\xc4\xe3"[..]);
        assert!(back::<Arc<str>>(&wire).is_err());
    }

    #[test]
    fn an_optional_field_without_a_byte_is_left_out() {
        let mut buf = Vec::new();
        write(&mut buf, |w| {
            w.optional(1, &ByteStr(b""));
            w.optional(2, &CharBytes(b""));
            w.optional(3, &ByteVec(b""));
            w.optional(4, &CharArray(""));
            w.optional(5, &ByteStr(b"a"));
        })
        .unwrap();
        assert_eq!(buf, [0x56, 1, b'a']);
    }

    #[test]
    fn maxima() {
        let two = bytes_of(&AtMostRef::<[i32], 2>(&[1, 2]));
        assert_eq!(back::<AtMost<Vec<i32>, 2>>(&two).unwrap().0, [1, 2]);
        let error = back::<AtMost<Vec<i32>, 1>>(&two).unwrap_err();
        assert_eq!(error.tag(), Some(1));
        let mut buf = Vec::new();
        let too_long = AtMostRef::<_, 3>(&CharArray("tars"));
        assert!(write(&mut buf, |w| w.put(1, &too_long)).is_err());
    }
}
