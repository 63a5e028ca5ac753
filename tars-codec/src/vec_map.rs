//! A map that is a sorted vector.

use alloc::{collections::BTreeMap, vec::Vec};
use core::{borrow::Borrow, fmt, iter::FusedIterator, mem, ops::Index, slice};

use crate::{
    Decode, Encode, Reader, Result, Type, Typed, WireType, Writer,
    decode::{Entries, decode_entries, push_within},
    encode::encode_map,
};

/// A map whose entries are a vector, sorted by key: `mapType = "VecMap"` of `tars2rs`.
///
/// It means what a [`BTreeMap`] of the same entries means: keys are unique, iteration is by ascending key, and
/// comparing and hashing go by the entries in that order. It has the same bytes, too. What differs is the cost: one
/// allocation for all entries makes decoding a third faster, and with keys that are an [`InlineStr`](crate::InlineStr)
/// twice as fast; inserting or removing anywhere but at the end takes time in proportion to the length. A map that is
/// built once and then read is what it is for.
///
/// As in the other maps, the first of equal keys on the wire counts, and the last of those that are collected.
///
/// ```
/// use tars_codec::VecMap;
///
/// let mut stock = VecMap::from([("pears", 2), ("apples", 7)]);
/// assert_eq!(stock.get("pears"), Some(&2));
/// assert_eq!(stock.insert("plums", 1), None);
/// assert_eq!(stock.insert("apples", 6), Some(7));
/// assert!(stock.keys().eq(&["apples", "pears", "plums"]));
/// assert_eq!(stock["apples"], 6);
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VecMap<K, V>(
    /// By ascending key, each once.
    Vec<(K, V)>,
);

impl<K, V> VecMap<K, V> {
    /// An empty map, which allocates nothing.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// An empty map with room for so many entries.
    pub fn with_capacity(capacity: usize) -> Self {
        Self(Vec::with_capacity(capacity))
    }

    /// The number of entries.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Removes all entries, and keeps the room.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// The entries by ascending key.
    pub fn iter(&self) -> Iter<'_, K, V> {
        Iter(self.0.iter())
    }

    /// The entries by ascending key, their values to be changed.
    pub fn iter_mut(
        &mut self,
    ) -> impl DoubleEndedIterator<Item = (&K, &mut V)> + ExactSizeIterator {
        self.0.iter_mut().map(|(key, value)| (&*key, value))
    }

    /// The keys in their order.
    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &K> + ExactSizeIterator {
        self.0.iter().map(|(key, _)| key)
    }

    /// The values in the order of their keys.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = &V> + ExactSizeIterator {
        self.0.iter().map(|(_, value)| value)
    }

    /// The values in the order of their keys, to be changed.
    pub fn values_mut(&mut self) -> impl DoubleEndedIterator<Item = &mut V> + ExactSizeIterator {
        self.0.iter_mut().map(|(_, value)| value)
    }

    /// The entries by ascending key.
    pub fn as_slice(&self) -> &[(K, V)] {
        &self.0
    }

    /// The entries by ascending key.
    pub fn into_vec(self) -> Vec<(K, V)> {
        self.0
    }

    /// The value of a key.
    pub fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        let at = self.find(key).ok()?;
        self.0.get(at).map(|(_, value)| value)
    }

    /// The value of a key, to be changed.
    pub fn get_mut<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        let at = self.find(key).ok()?;
        self.0.get_mut(at).map(|(_, value)| value)
    }

    /// Whether there is such a key.
    pub fn contains_key<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.find(key).is_ok()
    }

    /// Sets the value of a key; gives the one that it had. The key that was there stays.
    pub fn insert(&mut self, key: K, value: V) -> Option<V>
    where
        K: Ord,
    {
        if self.0.last().is_none_or(|(last, _)| *last < key) {
            self.0.push((key, value));
            return None;
        }
        match self.find(&key) {
            Ok(at) => self.0.get_mut(at).map(|(_, old)| mem::replace(old, value)),
            Err(at) => {
                self.0.insert(at, (key, value));
                None
            }
        }
    }

    /// Removes a key; gives the value that it had.
    pub fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let at = self.find(key).ok()?;
        Some(self.0.remove(at).1)
    }

    /// Keeps the entries for which `keep` says so.
    pub fn retain(&mut self, mut keep: impl FnMut(&K, &mut V) -> bool) {
        self.0.retain_mut(|(key, value)| keep(key, value));
    }

    fn find<Q: Ord + ?Sized>(&self, key: &Q) -> core::result::Result<usize, usize>
    where
        K: Borrow<Q>,
    {
        self.0.binary_search_by(|(k, _)| k.borrow().cmp(key))
    }

    /// Of entries in any order, the first with each key.
    fn first_of_each(mut entries: Vec<(K, V)>) -> Self
    where
        K: Ord,
    {
        entries.sort_by(|a, b| a.0.cmp(&b.0)); // stable
        entries.dedup_by(|later, first| later.0 == first.0);
        Self(entries)
    }
}

impl<K, V> Default for VecMap<K, V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: fmt::Debug, V: fmt::Debug> fmt::Debug for VecMap<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl<K: Borrow<Q>, V, Q: Ord + ?Sized> Index<&Q> for VecMap<K, V> {
    type Output = V;

    /// # Panics
    /// There is no such key.
    fn index(&self, key: &Q) -> &V {
        self.get(key).expect("no such key in the map")
    }
}

impl<K: Ord, V> FromIterator<(K, V)> for VecMap<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let mut entries: Vec<(K, V)> = entries.into_iter().collect();
        entries.reverse(); // the last of equal keys counts
        Self::first_of_each(entries)
    }
}

impl<K: Ord, V> Extend<(K, V)> for VecMap<K, V> {
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, entries: I) {
        *self = mem::take(self).0.into_iter().chain(entries).collect();
    }
}

impl<K: Ord, V, const N: usize> From<[(K, V); N]> for VecMap<K, V> {
    fn from(entries: [(K, V); N]) -> Self {
        entries.into_iter().collect()
    }
}

impl<K, V> From<BTreeMap<K, V>> for VecMap<K, V> {
    fn from(map: BTreeMap<K, V>) -> Self {
        Self(map.into_iter().collect())
    }
}

impl<K, V> IntoIterator for VecMap<K, V> {
    type Item = (K, V);
    type IntoIter = alloc::vec::IntoIter<(K, V)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'m, K, V> IntoIterator for &'m VecMap<K, V> {
    type Item = (&'m K, &'m V);
    type IntoIter = Iter<'m, K, V>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// The entries of a [`VecMap`] by ascending key.
#[derive(Debug)]
pub struct Iter<'m, K, V>(slice::Iter<'m, (K, V)>);

impl<K, V> Clone for Iter<'_, K, V> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<'m, K, V> Iterator for Iter<'m, K, V> {
    type Item = (&'m K, &'m V);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(|(key, value)| (key, value))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl<K, V> DoubleEndedIterator for Iter<'_, K, V> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.0.next_back().map(|(key, value)| (key, value))
    }
}

impl<K, V> ExactSizeIterator for Iter<'_, K, V> {}

impl<K, V> FusedIterator for Iter<'_, K, V> {}

impl<K: Typed, V: Typed> Typed for VecMap<K, V> {
    const TYPE: &'static Type = &Type::Map(K::TYPE, V::TYPE);
}

impl<K: Encode, V: Encode> Encode for VecMap<K, V> {
    #[inline(always)]
    fn encode(&self, w: &mut Writer<'_>, tag: u8) {
        encode_map(w, tag, self.iter());
    }

    #[inline(always)]
    fn is_default(&self) -> bool {
        self.is_empty()
    }
}

impl<K: Decode + Ord, V: Decode> Decode for VecMap<K, V> {
    const MIN_SIZE: usize = 2;

    #[inline(always)]
    fn decode(r: &mut Reader<'_>, ty: WireType) -> Result<Self> {
        let begin = |count| Unsorted::with_capacity(count, K::precedes);
        Ok(decode_entries(r, ty, begin)?.into_vec_map())
    }
}

/// Entries in the order in which they are read, which is that of their keys, if they come from a map that is sorted.
pub(crate) struct Unsorted<K, V, P> {
    entries: Vec<(K, V)>,
    /// Whether each key precedes the next one.
    ascending: bool,
    precedes: P,
}

impl<K: Ord, V, P: Fn(&K, &K) -> bool> Unsorted<K, V, P> {
    #[inline(always)]
    pub(crate) fn with_capacity(capacity: usize, precedes: P) -> Self {
        Self {
            entries: Vec::with_capacity(capacity),
            ascending: true,
            precedes,
        }
    }

    #[inline(always)]
    pub(crate) fn into_vec_map(self) -> VecMap<K, V> {
        if self.ascending {
            VecMap(self.entries)
        } else {
            VecMap::first_of_each(self.entries)
        }
    }

    #[inline(always)]
    pub(crate) fn into_tree(self) -> BTreeMap<K, V> {
        self.into_vec_map().into_iter().collect()
    }
}

impl<K, V, P: Fn(&K, &K) -> bool> Entries<K, V> for Unsorted<K, V, P> {
    #[inline(always)]
    fn add(&mut self, key: K, value: V) {
        let last = self.entries.last();
        self.ascending &= last.is_none_or(|(last, _)| (self.precedes)(last, &key));
        push_within(&mut self.entries, (key, value));
    }
}

#[cfg(test)]
mod tests {
    use alloc::{string::String, vec};

    use super::*;
    use crate::{Input, write};

    fn decoded<T: Decode>(bytes: &[u8]) -> T {
        Input::new(bytes).reader().next_if(0).unwrap().unwrap()
    }

    fn encoded<T: Encode>(value: &T) -> Vec<u8> {
        let mut buf = Vec::new();
        write(&mut buf, |w| w.put(0, value)).unwrap();
        buf
    }

    #[test]
    fn it_does_what_a_btree_map_does() {
        let mut random = 1_u32;
        let (mut ours, mut std) = (VecMap::new(), BTreeMap::new());
        for step in 0..2000 {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let key = random >> 26;
            if random >> 8 & 3 == 0 {
                assert_eq!(ours.remove(&key), std.remove(&key));
            } else {
                assert_eq!(ours.insert(key, step), std.insert(key, step));
            }
            assert_eq!(ours.get(&key), std.get(&key));
            assert_eq!(ours.contains_key(&key), std.contains_key(&key));
            assert!(ours.iter().eq(&std));
        }
        assert_eq!(encoded(&ours), encoded(&std));
        assert_eq!(decoded::<VecMap<u32, i32>>(&encoded(&std)), ours);
        assert_eq!(VecMap::from(std), ours);
    }

    #[test]
    fn the_first_of_equal_keys_counts_on_the_wire_and_the_last_in_a_collection() {
        // {2: 1, 1: 2, 2: 3, 1: 4}
        let wire = [
            0x08, 0, 4, 0, 2, 0x10, 1, 0, 1, 0x10, 2, 0, 2, 0x10, 3, 0, 1, 0x10, 4,
        ];
        let map: VecMap<i32, i32> = decoded(&wire);
        assert_eq!(map.as_slice(), [(1, 2), (2, 1)]);
        assert!(map.iter().eq(&decoded::<BTreeMap<i32, i32>>(&wire)));
        let entries = [(2, 1), (1, 2), (2, 3), (1, 4)];
        assert_eq!(VecMap::from(entries).into_vec(), [(1, 4), (2, 3)]);
        let mut extended = VecMap::from([(1, 0), (3, 0)]);
        extended.extend(entries);
        assert_eq!(extended.into_vec(), [(1, 4), (2, 3), (3, 0)]);
    }

    #[test]
    fn a_hostile_order_takes_no_more_than_sorting() {
        let descending: Vec<(i32, i32)> = (0..200_000).rev().map(|key| (key, 0)).collect();
        let mut wire = vec![0x08, 2, 0, 3, 0x0d, 0x40];
        for (key, _) in &descending {
            write(&mut wire, |w| {
                w.put(0, key);
                w.put(1, &0);
            })
            .unwrap();
        }
        assert_eq!(decoded::<VecMap<i32, i32>>(&wire).len(), descending.len());
    }

    #[test]
    fn keys_are_found_by_what_they_borrow() {
        let map: VecMap<String, i32> = [(String::from("a"), 1)].into();
        assert_eq!((map.get("a"), map.get("b")), (Some(&1), None));
        assert_eq!(alloc::format!("{map:?}"), r#"{"a": 1}"#);
    }
}
