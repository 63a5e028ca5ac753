//! Lists and maps that stay where they are: checked when they are read, and read again when they are looked at.

use alloc::{collections::BTreeMap, vec::Vec};
use core::{borrow::Borrow, fmt, iter::FusedIterator, marker::PhantomData};

use super::{DecodeRef, IntoOwned};
use crate::{
    Cursor, Error, ErrorKind, Input, Length, Limits, Result, VecMap, WireType, decode::Entries,
    vec_map::Unsorted,
};

/// A list within the bytes that it was read from: what a list is in a [`StructRef`](crate::StructRef).
///
/// All of it has been checked, but nothing is made of it before somebody looks. Each [`iter`](Self::iter) reads the elements
/// anew, so what is looked at more than once, or by number, is better collected into a `Vec`. It counts for
/// [`Limits::memory`] as if it were: a hostile list is refused before anybody collects it. Lists in lists are read again
/// with each look at the outer one.
///
/// ```
/// use tars_codec::{Cursor, ListRef, Input, write};
///
/// let mut bytes = Vec::new();
/// write(&mut bytes, |w| w.put(0, &vec!["Emma".to_owned(), "Persuasion".to_owned()]))?;
///
/// let input = Input::new(&bytes);
/// let titles: ListRef<'_, &str> = input.cursor().required_ref(0);
/// assert_eq!(titles.len(), 2);
/// assert!(titles.iter().eq(["Emma", "Persuasion"]));
/// let kept: Vec<&str> = titles.iter().collect();
/// assert_eq!(kept[1], "Persuasion");
/// # Ok::<(), tars_codec::Error>(())
/// ```
pub struct ListRef<'a, T> {
    items: Items<'a>,
    of: PhantomData<fn() -> T>,
}

/// A map within the bytes that it was read from: what a map is in a [`StructRef`](crate::StructRef).
///
/// As for a [`ListRef`], all of it has been checked, and nothing is made of it before somebody looks. Entries are in the
/// order of the wire, so that [`get`](Self::get) goes through them: a map that is asked often is better collected into
/// one that can search. Two maps are equal if they have the same entries in the same order.
///
/// ```
/// use std::collections::BTreeMap;
/// use tars_codec::{Cursor, Input, MapRef, write};
///
/// let mut bytes = Vec::new();
/// write(&mut bytes, |w| w.put(0, &BTreeMap::from([("Bath".to_owned(), 3), ("Box Hill".to_owned(), 1)])))?;
///
/// let input = Input::new(&bytes);
/// let stock: MapRef<'_, &str, i32> = input.cursor().required_ref(0);
/// assert_eq!(stock.get("Bath"), Some(3));
/// assert_eq!(stock.iter().map(|(_, count)| count).sum::<i32>(), 4);
/// # Ok::<(), tars_codec::Error>(())
/// ```
pub struct MapRef<'a, K, V> {
    items: Items<'a>,
    of: PhantomData<fn() -> (K, V)>,
}

/// Elements or entries, one behind the other.
#[derive(Debug, Clone, Copy, Default)]
struct Items<'a> {
    bytes: &'a [u8],
    count: usize,
}

impl<'a> Items<'a> {
    /// Those that `inner` has passed since `r` began with them; `r` goes on behind them.
    #[inline(always)]
    fn passed<'i>(r: &mut Cursor<'i, 'a>, inner: Cursor<'i, 'a>, count: usize) -> Result<Self> {
        let start = r.rest();
        let len = start.len().wrapping_sub(inner.left());
        let Some(bytes) = start.get(..len).filter(|_| inner.is_beside(r)) else {
            return Err(Error::at(*r, ErrorKind::BrokenReader));
        };
        if inner.in_disorder() {
            // To look into it, and into what it is in, reads it as often as it has levels above it.
            r.charge(len.saturating_mul(inner.level()))?;
        }
        r.leave(inner);
        Ok(Self { bytes, count })
    }

    #[inline]
    fn read(self) -> Reading<'a> {
        Reading {
            input: Input::new(self.bytes).with_limits(CHECKED),
            left: self,
        }
    }
}

/// What has been read within limits needs none when it is read again.
const CHECKED: Limits = Limits::DEFAULT
    .with_depth(u16::MAX)
    .with_string(usize::MAX)
    .with_count(usize::MAX)
    .with_memory(usize::MAX);

/// Items that are looked at. Byte vectors in them are copied, also where the input was [shared](Input::shared).
#[derive(Debug)]
struct Reading<'a> {
    input: Input<'a>,
    left: Items<'a>,
}

impl Clone for Reading<'_> {
    fn clone(&self) -> Self {
        self.left.read()
    }
}

impl<'a> Reading<'a> {
    /// For the next item, if there is one.
    #[inline(always)]
    fn begin(&self) -> Option<Cursor<'_, 'a>> {
        (self.left.count > 0).then(|| Cursor::new(self.left.bytes, &self.input))
    }

    /// Goes on behind an item that `r` has read, if it has: each has been good before. If one is not now, a `DecodeRef`
    /// reads the same bytes in different ways.
    #[inline(always)]
    fn end<T>(&mut self, rest: &'a [u8], item: Result<T>) -> Option<T> {
        let item = item.ok();
        self.left = Items {
            bytes: rest,
            count: if item.is_some() {
                self.left.count - 1
            } else {
                0
            },
        };
        item
    }
}

/// The elements of a [`ListRef`].
#[derive(Debug, Clone)]
pub struct ListRefIter<'a, T> {
    reading: Reading<'a>,
    of: PhantomData<fn() -> T>,
}

/// The entries of a [`MapRef`].
#[derive(Debug, Clone)]
pub struct MapRefIter<'a, K, V> {
    reading: Reading<'a>,
    of: PhantomData<fn() -> (K, V)>,
}

impl<'a, T: DecodeRef<'a>> ListRef<'a, T> {
    /// Reads the elements, one by one.
    #[inline]
    pub fn iter(&self) -> ListRefIter<'a, T> {
        ListRefIter {
            reading: self.items.read(),
            of: PhantomData,
        }
    }

    /// The first element.
    pub fn first(&self) -> Option<T> {
        self.iter().next()
    }
}

impl<'a, K: DecodeRef<'a>, V: DecodeRef<'a>> MapRef<'a, K, V> {
    /// Reads the entries, one by one, in the order of the wire.
    #[inline]
    pub fn iter(&self) -> MapRefIter<'a, K, V> {
        MapRefIter {
            reading: self.items.read(),
            of: PhantomData,
        }
    }

    /// The keys, in the order of the wire.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = K> + use<'a, K, V> {
        self.iter().map(|(key, _)| key)
    }

    /// The values, in the order of the wire.
    pub fn values(&self) -> impl ExactSizeIterator<Item = V> + use<'a, K, V> {
        self.iter().map(|(_, value)| value)
    }

    /// The value of a key: of equal keys, the first counts. This goes through the entries.
    pub fn get<Q: PartialEq + ?Sized>(&self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let found = self.iter().find(|(at, _)| at.borrow() == key);
        found.map(|(_, value)| value)
    }

    /// Whether there is such a key. This goes through the entries.
    pub fn contains_key<Q: PartialEq + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.iter().any(|(at, _)| at.borrow() == key)
    }

    fn collect_into<E: Entries<L, W>, L, W>(self, mut entries: E) -> E
    where
        K: IntoOwned<L>,
        V: IntoOwned<W>,
    {
        for (key, value) in self {
            entries.add(key.into_owned(), value.into_owned());
        }
        entries
    }
}

impl<'a, T: DecodeRef<'a>> Iterator for ListRefIter<'a, T> {
    type Item = T;

    #[inline(always)]
    fn next(&mut self) -> Option<T> {
        let mut r = self.reading.begin()?;
        let item = r.element_value_ref(0);
        let rest = r.rest();
        self.reading.end(rest, item)
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.reading.left.count, Some(self.reading.left.count))
    }
}

impl<'a, K: DecodeRef<'a>, V: DecodeRef<'a>> Iterator for MapRefIter<'a, K, V> {
    type Item = (K, V);

    #[inline(always)]
    fn next(&mut self) -> Option<(K, V)> {
        let mut r = self.reading.begin()?;
        let entry = match r.element_value_ref(0) {
            Ok(key) => r.element_value_ref(1).map(|value| (key, value)),
            Err(error) => Err(error),
        };
        let rest = r.rest();
        self.reading.end(rest, entry)
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.reading.left.count, Some(self.reading.left.count))
    }
}

impl<'a, T: DecodeRef<'a>> DecodeRef<'a> for ListRef<'a, T> {
    const MIN_SIZE: usize = 2;

    #[inline(always)]
    fn decode_ref(r: &mut Cursor<'_, 'a>, ty: WireType) -> Result<Self> {
        if ty != WireType::List {
            return Err(r.mismatch("a list", ty));
        }
        let count = r.count("list", T::MIN_SIZE, size_of::<T>())?;
        let mut inner = r.enter()?;
        for _ in 0..count {
            looked_at(inner.element_value_ref::<T>(0)?);
        }
        Ok(Self {
            items: Items::passed(r, inner, count)?,
            of: PhantomData,
        })
    }
}

impl<'a, K: DecodeRef<'a>, V: DecodeRef<'a>> DecodeRef<'a> for MapRef<'a, K, V> {
    const MIN_SIZE: usize = 2;

    #[inline(always)]
    fn decode_ref(r: &mut Cursor<'_, 'a>, ty: WireType) -> Result<Self> {
        if ty != WireType::Map {
            return Err(r.mismatch("a map", ty));
        }
        let count = r.count("map", K::MIN_SIZE + V::MIN_SIZE, size_of::<(K, V)>())?;
        let mut inner = r.enter()?;
        for _ in 0..count {
            looked_at(inner.element_value_ref::<K>(0)?);
            looked_at(inner.element_value_ref::<V>(1)?);
        }
        Ok(Self {
            items: Items::passed(r, inner, count)?,
            of: PhantomData,
        })
    }
}

/// Of a value that nobody looks at, the compiler would only compute the width, without branches, and each head would wait
/// for the width of the value before it: twice the time.
#[inline(always)]
fn looked_at<T>(value: T) {
    core::hint::black_box(value);
}

impl<T> Length for ListRef<'_, T> {
    const WHAT: &'static str = "list";

    fn length(&self) -> usize {
        self.len()
    }
}

/// What both containers have.
macro_rules! container {
    ($name:ident<'a, $($of:ident),+> of $item:ty, $iter:ident, $debug:ident) => {
        impl<$($of),+> $name<'_, $($of),+> {
            /// How many there are; in a map, each of equal keys counts.
            pub const fn len(&self) -> usize {
                self.items.count
            }

            /// Whether there are none.
            pub const fn is_empty(&self) -> bool {
                self.items.count == 0
            }
        }

        impl<$($of),+> Clone for $name<'_, $($of),+> {
            fn clone(&self) -> Self {
                *self
            }
        }

        impl<$($of),+> Copy for $name<'_, $($of),+> {}

        /// An empty one.
        impl<$($of),+> Default for $name<'_, $($of),+> {
            fn default() -> Self {
                Self {
                    items: Items::default(),
                    of: PhantomData,
                }
            }
        }

        impl<'a, $($of: DecodeRef<'a> + fmt::Debug),+> fmt::Debug for $name<'a, $($of),+> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.$debug().entries(self).finish()
            }
        }

        /// The same values in the same order. What they are on the wire may differ.
        impl<'a, $($of: DecodeRef<'a> + PartialEq),+> PartialEq for $name<'a, $($of),+> {
            fn eq(&self, other: &Self) -> bool {
                self.iter().eq(other.iter())
            }
        }

        impl<'a, $($of: DecodeRef<'a> + Eq),+> Eq for $name<'a, $($of),+> {}

        impl<'a, $($of: DecodeRef<'a>),+> IntoIterator for $name<'a, $($of),+> {
            type Item = $item;
            type IntoIter = $iter<'a, $($of),+>;

            fn into_iter(self) -> Self::IntoIter {
                self.iter()
            }
        }

        impl<'a, $($of: DecodeRef<'a>),+> IntoIterator for &$name<'a, $($of),+> {
            type Item = $item;
            type IntoIter = $iter<'a, $($of),+>;

            fn into_iter(self) -> Self::IntoIter {
                self.iter()
            }
        }

        impl<'a, $($of: DecodeRef<'a>),+> ExactSizeIterator for $iter<'a, $($of),+> {}

        impl<'a, $($of: DecodeRef<'a>),+> FusedIterator for $iter<'a, $($of),+> {}
    };
}

container!(ListRef<'a, T> of T, ListRefIter, debug_list);
container!(MapRef<'a, K, V> of (K, V), MapRefIter, debug_map);

impl<'a, T: DecodeRef<'a> + PartialEq<U>, U> PartialEq<[U]> for ListRef<'a, T> {
    fn eq(&self, other: &[U]) -> bool {
        self.len() == other.len() && self.iter().zip(other).all(|(ours, theirs)| ours == *theirs)
    }
}

impl<'a, T: DecodeRef<'a> + PartialEq<U>, U, const N: usize> PartialEq<[U; N]> for ListRef<'a, T> {
    fn eq(&self, other: &[U; N]) -> bool {
        *self == other[..]
    }
}

impl<'a, T: DecodeRef<'a> + PartialEq<U>, U> PartialEq<Vec<U>> for ListRef<'a, T> {
    fn eq(&self, other: &Vec<U>) -> bool {
        *self == other[..]
    }
}

impl<'a, T: DecodeRef<'a> + IntoOwned<O>, O> IntoOwned<Vec<O>> for ListRef<'a, T> {
    fn into_owned(self) -> Vec<O> {
        self.iter().map(T::into_owned).collect()
    }
}

impl<'a, K, V, L, W> IntoOwned<VecMap<L, W>> for MapRef<'a, K, V>
where
    K: DecodeRef<'a> + IntoOwned<L>,
    V: DecodeRef<'a> + IntoOwned<W>,
    L: Ord,
{
    fn into_owned(self) -> VecMap<L, W> {
        let entries = Unsorted::with_capacity(self.len(), L::lt);
        self.collect_into(entries).into_vec_map()
    }
}

impl<'a, K, V, L, W> IntoOwned<BTreeMap<L, W>> for MapRef<'a, K, V>
where
    K: DecodeRef<'a> + IntoOwned<L>,
    V: DecodeRef<'a> + IntoOwned<W>,
    L: Ord,
{
    fn into_owned(self) -> BTreeMap<L, W> {
        let entries = Unsorted::with_capacity(self.len(), L::lt);
        self.collect_into(entries).into_tree()
    }
}

#[cfg(feature = "std")]
impl<'a, K, V, L, W, S> IntoOwned<std::collections::HashMap<L, W, S>> for MapRef<'a, K, V>
where
    K: DecodeRef<'a> + IntoOwned<L>,
    V: DecodeRef<'a> + IntoOwned<W>,
    L: Eq + core::hash::Hash,
    S: core::hash::BuildHasher + Default,
{
    fn into_owned(self) -> std::collections::HashMap<L, W, S> {
        self.collect_into(std::collections::HashMap::default())
    }
}

#[cfg(feature = "indexmap")]
impl<'a, K, V, L, W, S> IntoOwned<indexmap::IndexMap<L, W, S>> for MapRef<'a, K, V>
where
    K: DecodeRef<'a> + IntoOwned<L>,
    V: DecodeRef<'a> + IntoOwned<W>,
    L: Eq + core::hash::Hash,
    S: core::hash::BuildHasher + Default,
{
    fn into_owned(self) -> indexmap::IndexMap<L, W, S> {
        self.collect_into(indexmap::IndexMap::default())
    }
}
