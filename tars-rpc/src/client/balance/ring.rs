//! Consistent hashing as ketama does it: each endpoint has points on a ring, and a key belongs to the point after
//! it. When an endpoint comes or goes, only the keys of its points move.

use md5::{Digest, Md5};

/// Points of an endpoint of weight 100, as libketama has them; four of a digest.
const POINTS: u32 = 160;

#[derive(Debug)]
pub(super) struct Ring(Box<[Point]>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Point {
    place: u32,
    index: u32,
}

impl Ring {
    /// A ring of names with their weights, whose points depend on nothing else: all clients agree on them.
    pub(super) fn new(nodes: impl Iterator<Item = (String, u32)>) -> Self {
        let mut points = Vec::new();
        for (index, (name, weight)) in (0..).zip(nodes) {
            for n in 0..(weight * POINTS).div_ceil(400) {
                let digest: [u8; 16] = Md5::digest(format!("{name}_{n}")).into();
                let (quarters, _) = digest.as_chunks::<4>();
                points.extend(quarters.iter().map(|quarter| Point {
                    place: u32::from_le_bytes(*quarter),
                    index,
                }));
            }
        }
        points.sort_unstable();
        Self(points.into())
    }

    /// Whose point is the first after the key, of those that are usable.
    pub(super) fn find(
        &self,
        key: u64,
        usable: impl Fn(usize) -> bool,
        probed: impl Fn(usize) -> bool,
    ) -> Option<usize> {
        let key = spread(key);
        let at = self.0.partition_point(|point| point.place < key);
        let (before, after) = self.0.split_at_checked(at)?;
        let mut owners = after.iter().chain(before).map(|point| point.index as usize);
        let first = owners.next()?;
        if usable(first) || probed(first) {
            return Some(first);
        }
        owners.find(|index| usable(*index))
    }
}

/// Keys are often small numbers; their places are all over the ring (the finalizer of splitmix64).
fn spread(key: u64) -> u32 {
    let key = (key ^ (key >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let key = (key ^ (key >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (key >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: u64 = 100_000;

    fn ring(nodes: &[(usize, u32)]) -> Ring {
        let name = |(n, weight): &(usize, u32)| (format!("10.0.0.{n}:1000"), *weight);
        Ring::new(nodes.iter().map(name))
    }

    /// The names of the owners of all keys.
    fn owners(nodes: &[(usize, u32)]) -> Vec<usize> {
        let ring = ring(nodes);
        let owner = |key| nodes[ring.find(key, |_| true, |_| false).unwrap()].0;
        (0..KEYS).map(owner).collect()
    }

    fn equal(names: impl IntoIterator<Item = usize>) -> Vec<(usize, u32)> {
        names.into_iter().map(|n| (n, 100)).collect()
    }

    fn share(of: usize, owners: &[usize]) -> f64 {
        owners.iter().filter(|owner| **owner == of).count() as f64 / KEYS as f64
    }

    #[test]
    fn keys_are_shared_about_equally_and_by_weight() {
        let all = owners(&equal(0..10));
        for n in 0..10 {
            let share = share(n, &all);
            assert!((0.07..0.14).contains(&share), "{n} has {share}");
        }
        let weighted = owners(&[(0, 100), (1, 100), (2, 25)]);
        let light = share(2, &weighted);
        assert!((0.07..0.16).contains(&light), "a ninth is {light}");
    }

    #[test]
    fn only_the_keys_of_one_that_goes_or_comes_move() {
        let before = owners(&equal(0..10));
        let without = owners(&equal((0..10).filter(|n| *n != 4)));
        let mut moved = 0;
        for (before, after) in before.iter().zip(&without) {
            assert!(before == after || *before == 4);
            moved += u32::from(before != after);
        }
        let part = f64::from(moved) / KEYS as f64;
        assert!((0.07..0.14).contains(&part), "one of ten has {part}");

        let with = owners(&equal(0..11));
        let mut moved = 0;
        for (before, after) in before.iter().zip(&with) {
            assert!(before == after || *after == 10);
            moved += u32::from(before != after);
        }
        let part = f64::from(moved) / KEYS as f64;
        assert!((0.06..0.13).contains(&part), "one of eleven gets {part}");
    }

    #[test]
    fn the_order_of_the_endpoints_does_not_matter() {
        assert_eq!(owners(&equal(0..10)), owners(&equal((0..10).rev())));
    }

    #[test]
    fn one_that_is_not_usable_is_as_one_that_is_gone() {
        let all = ring(&equal(0..5));
        let without = owners(&equal([0, 1, 2, 4]));
        for (key, owner) in (0..KEYS).zip(without) {
            assert_eq!(all.find(key, |index| index != 3, |_| false), Some(owner));
        }
    }

    #[test]
    fn places_do_not_change_between_releases() {
        let ring = ring(&equal(0..5));
        let owners: Vec<_> = (0..16)
            .map(|key| ring.find(key, |_| true, |_| false).unwrap())
            .collect();
        let then = [4, 3, 1, 4, 0, 3, 1, 1, 4, 3, 0, 3, 1, 0, 4, 3];
        assert_eq!(owners, then, "clients of two releases would disagree");
    }
}
