//! What each Rust type accepts from the wire.

use alloc::{collections::BTreeMap, string::String, vec::Vec};

use bytes::Bytes;

use crate::{
    Error, ErrorKind, Input, Reader, Result, WireType, numbers, reader::Place, text,
    vec_map::Unsorted,
};

/// A value that can be read from behind its head.
pub trait Decode: Sized {
    /// The fewest bytes that a value takes on the wire, its head included. A count is refused when the bytes at
    /// hand cannot hold as many.
    const MIN_SIZE: usize = 1;

    /// Reads the value whose head, of type `ty`, has been taken.
    ///
    /// # Errors
    /// The value is not of this type, or the bytes end.
    fn decode(r: &mut Reader<'_>, ty: WireType) -> Result<Self>;

    /// Whether [`decode_whole`](Self::decode_whole) is for this type.
    #[doc(hidden)]
    const WHOLE: bool = false;

    /// Whether it is for the fields of a struct, too, and not only for the elements of a container. It is not for strings:
    /// keys of maps are short, of other strings many are not.
    #[doc(hidden)]
    const WHOLE_FIELD: bool = Self::WHOLE;

    /// Reads a value and its head, which has this tag, below 15, if it has the form that most values have. `None`: nothing
    /// is taken, and the value is to be read by [`decode`](Self::decode), which knows all forms and errors.
    ///
    /// A loop that reads like this has one call for all that is rare about a value, and so its variables in registers.
    #[doc(hidden)]
    #[inline(always)]
    fn decode_whole(r: &mut Reader<'_>, tag: u8) -> Option<Self> {
        let _ = (r, tag);
        None
    }

    /// Reads the elements of a list, whose number has been taken and found possible. For types that know how to read
    /// many at a time.
    ///
    /// # Errors
    /// One of them is not of this type, or the bytes end.
    #[inline(always)]
    fn decode_elements(r: &mut Reader<'_>, count: usize) -> Result<Vec<Self>> {
        let mut items = Vec::with_capacity(count);
        for _ in 0..count {
            push_within(&mut items, r.element_value(0)?);
        }
        Ok(items)
    }

    /// Whether this is less than `next`, by the same order as `Ord` has: what tells that the keys of a map ascend.
    #[doc(hidden)]
    #[inline(always)]
    fn precedes(&self, next: &Self) -> bool
    where
        Self: Ord,
    {
        self < next
    }
}

/// Appends to a vector that has room. The test is that of `push` itself, without a call that may allocate: that would
/// keep the vector in memory instead of in registers.
#[inline(always)]
pub(crate) fn push_within<T>(items: &mut Vec<T>, item: T) {
    debug_assert!(items.len() < items.capacity());
    if items.len() < items.capacity() {
        items.push(item);
    }
}

/// 0 is false, every other number is true.
impl Decode for bool {
    #[expect(clippy::use_self, reason = "an answer, not a value of this type")]
    const WHOLE: bool = true;

    #[inline(always)]
    fn decode_whole(r: &mut Reader<'_>, tag: u8) -> Option<Self> {
        r.whole_int::<2>(tag).map(|value| value != 0)
    }

    #[inline(always)]
    fn decode(r: &mut Reader<'_>, ty: WireType) -> Result<Self> {
        Ok(r.int(ty)? != 0)
    }
}

/// Any width whose value fits. The widths that always do are read in place, and with their heads if so many bytes are
/// left.
macro_rules! integers {
    ($($ty:ident: $width:literal, $whole:literal $(=> $elements:ident)?;)*) => {$(
        impl Decode for $ty {
            const WHOLE: bool = true;

            #[inline(always)]
            fn decode_whole(r: &mut Reader<'_>, tag: u8) -> Option<Self> {
                r.whole_int::<$whole>(tag).map(|value| value as Self)
            }

            #[inline(always)]
            fn decode(r: &mut Reader<'_>, ty: WireType) -> Result<Self> {
                if let Some(value) = r.narrow_int::<$width>(ty)? {
                    return Ok(value as Self);
                }
                let value = r.wide_int(ty)?;
                match Self::try_from(value) {
                    Ok(value) => Ok(value),
                    Err(_) => Err(Error::at(*r, ErrorKind::IntegerRange { value, ty: stringify!($ty) })),
                }
            }

            $(
                fn decode_elements(r: &mut Reader<'_>, count: usize) -> Result<Vec<Self>> {
                    numbers::$elements(r, count)
                }
            )?
        }
    )*};
}
integers! {
    i8: 1, 2;
    i16: 2, 3 => decode;
    i32: 4, 5 => decode;
}

/// They travel as the next wider signed integer.
macro_rules! unsigned {
    ($($ty:ident: $whole:literal;)*) => {$(
        impl Decode for $ty {
            const WHOLE: bool = true;

            #[inline(always)]
            fn decode_whole(r: &mut Reader<'_>, tag: u8) -> Option<Self> {
                let mut behind = *r;
                let value = Self::try_from(behind.whole_int::<$whole>(tag)?).ok()?;
                *r = behind;
                Some(value)
            }

            #[inline(always)]
            fn decode(r: &mut Reader<'_>, ty: WireType) -> Result<Self> {
                let value = r.int(ty)?;
                match Self::try_from(value) {
                    Ok(value) => Ok(value),
                    Err(_) => Err(Error::at(*r, ErrorKind::IntegerRange { value, ty: stringify!($ty) })),
                }
            }
        }
    )*};
}
unsigned! {
    u8: 3;
    u16: 5;
    u32: 9;
}

impl Decode for i64 {
    const WHOLE: bool = true;

    #[inline(always)]
    fn decode_whole(r: &mut Reader<'_>, tag: u8) -> Option<Self> {
        r.whole_int::<9>(tag)
    }

    #[inline(always)]
    fn decode(r: &mut Reader<'_>, ty: WireType) -> Result<Self> {
        r.int(ty)
    }

    fn decode_elements(r: &mut Reader<'_>, count: usize) -> Result<Vec<Self>> {
        numbers::decode(r, count)
    }
}

impl Decode for f32 {
    const WHOLE: bool = true;

    #[inline(always)]
    fn decode_whole(r: &mut Reader<'_>, tag: u8) -> Option<Self> {
        r.whole_float(tag, WireType::Float).map(Self::from_be_bytes)
    }

    #[inline(always)]
    fn decode(r: &mut Reader<'_>, ty: WireType) -> Result<Self> {
        match ty {
            WireType::Float => Ok(Self::from_be_bytes(r.array()?)),
            WireType::Zero => Ok(0.0),
            _ => Err(r.mismatch("a float", ty)),
        }
    }
}

impl Decode for f64 {
    const WHOLE: bool = true;

    #[inline(always)]
    fn decode_whole(r: &mut Reader<'_>, tag: u8) -> Option<Self> {
        r.whole_float(tag, WireType::Double)
            .map(Self::from_be_bytes)
    }

    #[inline(always)]
    fn decode(r: &mut Reader<'_>, ty: WireType) -> Result<Self> {
        match ty {
            WireType::Double => Ok(Self::from_be_bytes(r.array()?)),
            WireType::Float => Ok(Self::from(f32::from_be_bytes(r.array()?))),
            WireType::Zero => Ok(0.0),
            _ => Err(r.mismatch("a double", ty)),
        }
    }
}

impl Decode for String {
    const MIN_SIZE: usize = 2;
    const WHOLE: bool = true;
    const WHOLE_FIELD: bool = false;

    #[inline(always)]
    fn decode_whole(r: &mut Reader<'_>, tag: u8) -> Option<Self> {
        let (len, start) = r.whole_string(tag)?;
        let rest = start.get(len..)?;
        let text = text::to_owned_short(start, len)?;
        r.charge(len).ok()?;
        r.go_on(rest);
        Some(text)
    }

    #[inline(always)]
    fn decode(r: &mut Reader<'_>, ty: WireType) -> Result<Self> {
        r.owned_text(ty)
    }

    #[inline(always)]
    fn precedes(&self, next: &Self) -> bool {
        text::precedes(self, next)
    }
}

/// `vector<byte>`: a SimpleList, whose memory is shared if it can be, or a List of bytes.
impl Decode for Bytes {
    const MIN_SIZE: usize = 2;

    #[inline(always)]
    fn decode(r: &mut Reader<'_>, ty: WireType) -> Result<Self> {
        match ty {
            WireType::SimpleList => {
                let bytes = r.simple_list()?;
                r.share(bytes)
            }
            WireType::List => {
                let items = Vec::<i8>::decode(r, ty)?;
                Ok(items.into_iter().map(|b| b.to_be_bytes()[0]).collect())
            }
            _ => Err(r.mismatch("bytes", ty)),
        }
    }
}

impl<T: Decode> Decode for Vec<T> {
    const MIN_SIZE: usize = 2;

    #[inline(always)]
    fn decode(r: &mut Reader<'_>, ty: WireType) -> Result<Self> {
        if ty != WireType::List {
            return Err(r.mismatch("a list", ty));
        }
        let count = r.count("list", T::MIN_SIZE, size_of::<T>())?;
        let mut inner = r.enter()?; // stays in registers throughout the loop
        let items = T::decode_elements(&mut inner, count)?;
        r.leave(inner);
        Ok(items)
    }
}

/// Where the entries of a map go, as they are read.
///
/// Not a closure: that would not be inlined, and entries go through memory then.
pub(crate) trait Entries<K, V> {
    /// One more. As in TarsCpp, the first of equal keys counts in the end.
    fn add(&mut self, key: K, value: V);
}

/// All of them, in the order of the wire, for who keeps equal keys.
impl<K, V> Entries<K, V> for Vec<(K, V)> {
    #[inline(always)]
    fn add(&mut self, key: K, value: V) {
        push_within(self, (key, value));
    }
}

impl<K: Decode + Ord, V: Decode> Decode for BTreeMap<K, V> {
    const MIN_SIZE: usize = 2;

    #[inline(always)]
    fn decode(r: &mut Reader<'_>, ty: WireType) -> Result<Self> {
        let count = r.entries::<K, V>(ty)?;
        if count == 0 {
            return Ok(Self::new()); // not by way of memory: a request has two such maps
        }
        if count <= FEW {
            return read_entries(r, count, Self::new());
        }
        let (rest, input, place) = r.parts();
        let (map, rest) = tree(rest, input, place, count)?;
        r.go_on(rest);
        Ok(map)
    }
}

/// An insertion compares a key with all before it in its node, so a tree of more entries is built of all of them at once.
const FEW: usize = 4;

/// Reads the entries of a map. Once for each type of map, not for each field: it is long.
#[inline(never)]
fn tree<'a, K: Decode + Ord, V: Decode>(
    rest: &'a [u8],
    input: &'a Input<'a>,
    place: Place,
    count: usize,
) -> Result<(BTreeMap<K, V>, &'a [u8])> {
    let mut r = Reader::from_parts((rest, input, place));
    let entries = Unsorted::with_capacity(count, K::precedes);
    let entries = read_entries(&mut r, count, entries)?;
    Ok((entries.into_tree(), r.rest()))
}

impl<K: Ord, V> Entries<K, V> for BTreeMap<K, V> {
    #[inline(always)]
    fn add(&mut self, key: K, value: V) {
        self.entry(key).or_insert(value);
    }
}

#[cfg(feature = "std")]
impl<K, V, S> Decode for std::collections::HashMap<K, V, S>
where
    K: Decode + Eq + core::hash::Hash,
    V: Decode,
    S: core::hash::BuildHasher + Default,
{
    const MIN_SIZE: usize = 2;

    #[inline(always)]
    fn decode(r: &mut Reader<'_>, ty: WireType) -> Result<Self> {
        decode_entries(r, ty, |_| Self::default())
    }
}

#[cfg(feature = "std")]
impl<K, V, S> Entries<K, V> for std::collections::HashMap<K, V, S>
where
    K: Eq + core::hash::Hash,
    S: core::hash::BuildHasher,
{
    #[inline(always)]
    fn add(&mut self, key: K, value: V) {
        self.entry(key).or_insert(value);
    }
}

/// Reads a map whose head has been taken into what `begin` makes for the number of its entries.
#[inline(always)]
pub(crate) fn decode_entries<K: Decode, V: Decode, E: Entries<K, V>>(
    r: &mut Reader<'_>,
    ty: WireType,
    begin: impl FnOnce(usize) -> E,
) -> Result<E> {
    let count = r.entries::<K, V>(ty)?;
    read_entries(r, count, begin(count))
}

#[inline(always)]
fn read_entries<K: Decode, V: Decode, E: Entries<K, V>>(
    r: &mut Reader<'_>,
    count: usize,
    mut entries: E,
) -> Result<E> {
    let mut inner = r.enter()?;
    for _ in 0..count {
        let key = inner.element_value(0)?;
        entries.add(key, inner.element_value(1)?);
    }
    r.leave(inner);
    Ok(entries)
}

impl Reader<'_> {
    /// The number of entries of a map whose head has been taken, for which there is room.
    #[inline(always)]
    fn entries<K: Decode, V: Decode>(&mut self, ty: WireType) -> Result<usize> {
        if ty != WireType::Map {
            return Err(self.mismatch("a map", ty));
        }
        self.count("map", K::MIN_SIZE + V::MIN_SIZE, size_of::<(K, V)>())
    }
}
