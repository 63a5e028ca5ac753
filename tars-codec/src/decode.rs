//! What each Rust type accepts from the wire.

use alloc::{collections::BTreeMap, string::String, vec::Vec};

use bytes::Bytes;

use crate::{Error, ErrorKind, Reader, Result, WireType};

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
}

/// 0 is false, every other number is true.
impl Decode for bool {
    #[inline(always)]
    fn decode(r: &mut Reader<'_>, ty: WireType) -> Result<Self> {
        Ok(r.int(ty)? != 0)
    }
}

macro_rules! integers {
    ($($ty:ident),*) => {$(
        /// Any width whose value fits.
        impl Decode for $ty {
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

integers!(i8, i16, i32, u8, u16, u32);

impl Decode for i64 {
    #[inline(always)]
    fn decode(r: &mut Reader<'_>, ty: WireType) -> Result<Self> {
        r.int(ty)
    }
}

impl Decode for f32 {
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

    #[inline(always)]
    fn decode(r: &mut Reader<'_>, ty: WireType) -> Result<Self> {
        let bytes = r.string(ty)?;
        r.text(bytes)
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
        let count = r.begin_container("list", T::MIN_SIZE, size_of::<T>())?;
        let mut items = Self::with_capacity(count);
        let mut local = *r; // stays in registers throughout the loop
        for _ in 0..count {
            let ty = local.element(0)?;
            items.push(T::decode(&mut local, ty)?);
        }
        *r = local;
        r.end_container();
        Ok(items)
    }
}

impl<K: Decode + Ord, V: Decode> Decode for BTreeMap<K, V> {
    const MIN_SIZE: usize = 2;

    #[inline(always)]
    fn decode(r: &mut Reader<'_>, ty: WireType) -> Result<Self> {
        let mut map = Self::new();
        decode_entries(r, ty, size_of::<(K, V)>(), |key, value| {
            // As in TarsCpp, the first of equal keys counts.
            map.entry(key).or_insert(value);
        })?;
        Ok(map)
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
        let mut map = Self::default();
        decode_entries(r, ty, size_of::<(K, V)>(), |key, value| {
            map.entry(key).or_insert(value);
        })?;
        Ok(map)
    }
}

#[inline(always)]
pub(crate) fn decode_entries<K: Decode, V: Decode>(
    r: &mut Reader<'_>,
    ty: WireType,
    memory: usize,
    mut insert: impl FnMut(K, V),
) -> Result<()> {
    if ty != WireType::Map {
        return Err(r.mismatch("a map", ty));
    }
    let count = r.begin_container("map", K::MIN_SIZE + V::MIN_SIZE, memory)?;
    let mut local = *r;
    for _ in 0..count {
        let ty = local.element(0)?;
        let key = K::decode(&mut local, ty)?;
        let ty = local.element(1)?;
        insert(key, V::decode(&mut local, ty)?);
    }
    *r = local;
    r.end_container();
    Ok(())
}
