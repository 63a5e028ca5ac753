//! A string that is kept in place when it is short.

#![allow(unsafe_code)]

use alloc::{borrow::Cow, boxed::Box, string::String};
use core::{
    borrow::Borrow,
    cmp::Ordering,
    convert::Infallible,
    fmt, hash,
    ops::Deref,
    str::{FromStr, Utf8Error, from_utf8, from_utf8_unchecked},
};

use bytes::Bytes;

use crate::{
    CharArray, Decode, Encode, Reader, Result, Type, Typed, WireType, Writer,
    alternatives::char_array, text,
};

/// A string of any length, of which up to [`CAPACITY`](Self::CAPACITY) bytes are kept in place: `stringType =
/// "InlineStr"` of `tars2rs`.
///
/// It takes 24 bytes (where pointers have 8), dereferences to [`str`] and cannot be changed. A short one allocates nothing:
/// values with many of them are decoded in 0.6 of the time that [`String`]s take. A longer one allocates 32 bytes, and when
/// it is decoded from [`Bytes`] shares their memory, all of which then lives as long as the string or a clone of it does: to
/// keep only the text, `InlineStr::from(text.as_str())` copies it.
///
/// ```
/// use tars_codec::{InlineStr, VecMap};
///
/// let name = InlineStr::from("tars");
/// assert_eq!(name, "tars");
/// assert_eq!(name.len(), 4);
///
/// let stock: VecMap<InlineStr, i32> = [(name, 7)].into();
/// assert_eq!(stock.get("tars"), Some(&7));
/// ```
#[derive(Clone)]
pub struct InlineStr {
    /// The first bytes, zeros behind them, and in the last place the length, or [`LONG`].
    ///
    /// All of it is one word: it is put together in registers and stored at once (the processor waits when what was stored
    /// in pieces is read as a whole), and it is compared at once, for in this form short strings have the order of their
    /// words. Each text has one form, so that equal ones are equal word by word.
    start: [u8; text::WORD],
    /// All of the bytes, if they are more than fit in place.
    long: Option<Box<Bytes>>,
}

const LONG: u8 = 0xff;

impl InlineStr {
    /// So many bytes are kept in place: 15.
    pub const CAPACITY: usize = text::WORD - 1;

    /// The empty string.
    pub const fn new() -> Self {
        Self {
            start: [0; text::WORD],
            long: None,
        }
    }

    /// A string of the program, whose text is not copied.
    pub fn from_static(text: &'static str) -> Self {
        Self::short(text).unwrap_or_else(|| Self::long(Bytes::from_static(text.as_bytes())))
    }

    /// A string that shares the memory of `bytes`, if it is a long one.
    ///
    /// # Errors
    /// The bytes are not UTF-8.
    pub fn from_utf8(bytes: Bytes) -> core::result::Result<Self, Utf8Error> {
        let short = Self::short(from_utf8(&bytes)?);
        Ok(short.unwrap_or_else(|| Self::long(bytes)))
    }

    /// The text.
    #[inline]
    pub fn as_str(&self) -> &str {
        // SAFETY: `new`, `from_word` and `long` make all there are, and are given UTF-8.
        unsafe { from_utf8_unchecked(self.as_bytes()) }
    }

    /// The text as bytes.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        match &self.long {
            Some(long) => long,
            None => {
                let [.., len] = self.start;
                self.start.get(..usize::from(len)).unwrap_or_default()
            }
        }
    }

    /// The text in place that the first `len` bytes of a word are, at most [`CAPACITY`](Self::CAPACITY) of them. They are
    /// UTF-8; the others are 0.
    #[inline(always)]
    fn from_word(word: u128, len: usize) -> Self {
        debug_assert!(len <= Self::CAPACITY);
        let len = (len as u128) << (8 * Self::CAPACITY);
        Self {
            start: (word | len).to_le_bytes(),
            long: None,
        }
    }

    /// A text that fits in place.
    #[inline]
    fn short(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        (bytes.len() <= Self::CAPACITY).then(|| Self::from_word(text::word(bytes), bytes.len()))
    }

    /// A text that does not: more bytes, which are UTF-8.
    fn long(all: Bytes) -> Self {
        debug_assert!(all.len() > Self::CAPACITY);
        let mut start = [LONG; text::WORD];
        for (to, from) in start.iter_mut().zip(&all).take(Self::CAPACITY) {
            *to = *from;
        }
        Self {
            start,
            long: Some(Box::new(all)),
        }
    }

    /// The next `len` bytes of a reader.
    #[inline(always)]
    fn read(r: &mut Reader<'_>, len: usize) -> Result<Self> {
        let rest = r.rest();
        let bytes = r.take(len)?;
        match text::ascii_word(rest, len) {
            Some(word) => Ok(Self::from_word(word, len)),
            None => Self::read_other(*r, bytes),
        }
    }

    /// Bytes that were taken from this reader: many, near the end of what it reads, or not ASCII.
    #[inline(never)]
    fn read_other(r: Reader<'_>, bytes: &[u8]) -> Result<Self> {
        match Self::short(r.utf8(bytes)?) {
            Some(short) => Ok(short),
            None => {
                r.charge(size_of::<Bytes>())?;
                r.share(bytes).map(Self::long)
            }
        }
    }

    /// What the order goes by. Of two words of which one is that of a long string, the bytes before the last one tell the
    /// order, or are the same; then the short string, if one is short, is where the long one begins, and its last byte is
    /// the lower one.
    #[inline(always)]
    fn word(&self) -> u128 {
        u128::from_be_bytes(self.start)
    }
}

impl Default for InlineStr {
    fn default() -> Self {
        Self::new()
    }
}

impl Deref for InlineStr {
    type Target = str;

    #[inline]
    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl AsRef<str> for InlineStr {
    fn as_ref(&self) -> &str {
        self
    }
}

impl AsRef<[u8]> for InlineStr {
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl Borrow<str> for InlineStr {
    fn borrow(&self) -> &str {
        self
    }
}

impl fmt::Debug for InlineStr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for InlineStr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.as_str(), f)
    }
}

/// One form for each text, so what they are made of is what is equal.
impl PartialEq for InlineStr {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        self.word() == other.word() && self.long == other.long
    }
}

impl Eq for InlineStr {}

impl PartialEq<str> for InlineStr {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for InlineStr {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl PartialEq<String> for InlineStr {
    fn eq(&self, other: &String) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<InlineStr> for str {
    fn eq(&self, other: &InlineStr) -> bool {
        self == other.as_str()
    }
}

impl PartialEq<InlineStr> for &str {
    fn eq(&self, other: &InlineStr) -> bool {
        *self == other.as_str()
    }
}

impl PartialEq<InlineStr> for String {
    fn eq(&self, other: &InlineStr) -> bool {
        self == other.as_str()
    }
}

impl PartialOrd for InlineStr {
    #[inline(always)]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for InlineStr {
    #[inline(always)]
    fn cmp(&self, other: &Self) -> Ordering {
        match self.word().cmp(&other.word()) {
            Ordering::Equal if self.long.is_some() => self.as_bytes().cmp(other.as_bytes()),
            order => order,
        }
    }
}

/// As that of [`str`], which it can be looked up by.
impl hash::Hash for InlineStr {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

/// A long one is copied.
impl From<&str> for InlineStr {
    fn from(text: &str) -> Self {
        let copy = || Self::long(Bytes::copy_from_slice(text.as_bytes()));
        Self::short(text).unwrap_or_else(copy)
    }
}

/// The memory of a long one is kept.
impl From<String> for InlineStr {
    fn from(text: String) -> Self {
        Self::short(&text).unwrap_or_else(|| Self::long(Bytes::from(text)))
    }
}

/// As that of what it is.
impl From<Cow<'_, str>> for InlineStr {
    fn from(text: Cow<'_, str>) -> Self {
        match text {
            Cow::Borrowed(text) => text.into(),
            Cow::Owned(text) => text.into(),
        }
    }
}

impl From<InlineStr> for String {
    fn from(text: InlineStr) -> Self {
        text.as_str().into()
    }
}

/// A long one gives the memory that it shares.
impl From<InlineStr> for Bytes {
    fn from(text: InlineStr) -> Self {
        match text.long {
            Some(long) => *long,
            None => Self::copy_from_slice(text.as_bytes()),
        }
    }
}

impl FromStr for InlineStr {
    type Err = Infallible;

    fn from_str(text: &str) -> core::result::Result<Self, Infallible> {
        Ok(text.into())
    }
}

impl Typed for InlineStr {
    const TYPE: &'static Type = &Type::String;
}

impl Encode for InlineStr {
    #[inline(always)]
    fn encode(&self, w: &mut Writer<'_>, tag: u8) {
        match &self.long {
            Some(long) => w.string(tag, long),
            None => {
                let [.., len] = self.start;
                w.short_string(tag, &self.start, len);
            }
        }
    }

    #[inline(always)]
    fn is_default(&self) -> bool {
        self.is_empty()
    }
}

impl Decode for InlineStr {
    const MIN_SIZE: usize = 2;
    const WHOLE: bool = true;
    const WHOLE_FIELD: bool = false;

    #[inline(always)]
    fn decode_whole(r: &mut Reader<'_>, tag: u8) -> Option<Self> {
        let (len, start) = r.whole_string(tag)?;
        let rest = start.get(len..)?;
        let word = text::ascii_word(start, len)?;
        r.go_on(rest);
        Some(Self::from_word(word, len))
    }

    #[inline(always)]
    fn decode(r: &mut Reader<'_>, ty: WireType) -> Result<Self> {
        let len = r.string_len(ty)?;
        Self::read(r, len)
    }

    #[inline(always)]
    fn precedes(&self, next: &Self) -> bool {
        let (this, next_word) = (self.word(), next.word());
        if this == next_word {
            return self < next;
        }
        this < next_word
    }
}

impl Decode for CharArray<InlineStr> {
    const MIN_SIZE: usize = 2;

    fn decode(r: &mut Reader<'_>, ty: WireType) -> Result<Self> {
        let bytes = char_array(r, ty)?;
        InlineStr::read_other(*r, bytes).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use alloc::{format, string::ToString, vec::Vec};
    use core::hash::BuildHasher;

    use proptest::prelude::*;

    use super::*;
    use crate::{ErrorKind, Input, Limits, write};

    /// Around what fits in place, also with characters that are cut there.
    fn texts() -> impl Strategy<Value = String> {
        prop_oneof![
            "[ab]{0,40}",
            "[a\u{0}]{12,18}",
            "[aé中𝄞]{0,12}",
            "a{14}[aé]b?",
        ]
    }

    fn written(text: &str, behind: usize) -> Vec<u8> {
        let mut buf = Vec::new();
        write(&mut buf, |w| w.put(3, &InlineStr::from(text))).unwrap();
        let len = buf.len();
        buf.resize(len + behind, 0xff);
        buf
    }

    fn read(bytes: &[u8]) -> Result<InlineStr> {
        let read = Input::new(bytes).reader().next_if(3)?;
        Ok(read.unwrap())
    }

    proptest! {
        #[test]
        fn it_is_what_a_string_is(a in texts(), b in texts(), behind in 0..20_usize) {
            let (x, y) = (InlineStr::from(&*a), InlineStr::from(b.clone()));
            prop_assert_eq!(x.as_str(), &a);
            prop_assert_eq!(String::from(y.clone()), &*b);
            prop_assert_eq!(x == y, a == b);
            prop_assert_eq!(x.cmp(&y), a.cmp(&b));
            prop_assert_eq!(x < y, a < b);
            prop_assert_eq!(format!("{x} {x:?}"), format!("{a} {a:?}"));

            let other = "a".parse::<InlineStr>().unwrap();
            prop_assert_eq!(x == other, a == "a");
            prop_assert_eq!(InlineStr::from_utf8(Bytes::from(a.clone())).unwrap(), &*a);
            prop_assert_eq!(InlineStr::from(Cow::from(&*a)), &*a);
            prop_assert_eq!(Bytes::from(x.clone()), a.as_bytes());

            let mut plain = Vec::new();
            write(&mut plain, |w| w.put(3, &*a)).unwrap();
            prop_assert_eq!(&written(&a, 0), &plain);
            prop_assert_eq!(read(&written(&a, behind)).unwrap(), x);
        }

        #[test]
        fn only_utf8_is_read(bytes in prop::collection::vec(any::<u8>(), 0..40), behind in 0..20_usize) {
            let mut wire = [0x36, bytes.len() as u8].to_vec();
            wire.extend_from_slice(&bytes);
            wire.resize(wire.len() + behind, 0);
            match (from_utf8(&bytes), read(&wire)) {
                (Ok(text), Ok(read)) => prop_assert_eq!(read, text),
                (Err(_), Err(error)) => prop_assert_eq!(error.kind(), &ErrorKind::InvalidUtf8),
                (text, read) => prop_assert!(false, "{text:?} {read:?}"),
            }
            prop_assert_eq!(InlineStr::from_utf8(bytes.clone().into()).is_ok(), from_utf8(&bytes).is_ok());
        }
    }

    #[test]
    fn it_hashes_as_text() {
        let state = std::hash::RandomState::new();
        for text in ["", "tars", &"tars".repeat(9)] {
            assert_eq!(state.hash_one(InlineStr::from(text)), state.hash_one(text));
        }
    }

    #[test]
    fn all_lengths_are_kept() {
        for len in 0..600 {
            let text = "x".repeat(len);
            for behind in [0, 1, 16] {
                assert_eq!(read(&written(&text, behind)).unwrap(), text);
            }
            assert_eq!(
                InlineStr::from_static(text.clone().leak()).to_string(),
                text
            );
        }
        #[cfg(target_pointer_width = "64")]
        assert_eq!(size_of::<InlineStr>(), 24);
    }

    #[test]
    fn long_ones_share_the_frame() {
        let room = size_of::<Bytes>();
        for (len, memory) in [(15, 0), (16, room), (100_000, room)] {
            let frame = Bytes::from(written(&"x".repeat(len), 0));
            for (memory, fits) in [(memory, true), (memory.wrapping_sub(1), false)] {
                let limits = Limits::DEFAULT.with_memory(memory);
                let input = Input::shared(&frame).with_limits(limits);
                let text = input.reader().next_if::<InlineStr>(3);
                assert_eq!(text.is_ok(), fits || memory == usize::MAX, "{len} {memory}");
                if let Ok(Some(text)) = text {
                    let shared = text.as_ptr() == frame[frame.len() - len..].as_ptr();
                    assert_eq!(shared, len > InlineStr::CAPACITY);
                    assert_eq!(text.clone().as_ptr() == text.as_ptr(), shared);
                }
            }
        }
    }
}
