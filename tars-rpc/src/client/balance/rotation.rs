//! Turns by weight.

use std::sync::atomic::{AtomicUsize, Ordering};

/// The longest cycle, about. Weights are rounded to fit, each to 1 at least.
const MAX_CYCLE: u64 = 1 << 14;

/// A cycle in which each index comes as often as its weight says, and the turns of a heavy one are spread.
#[derive(Debug)]
pub(super) struct Rotation {
    cycle: Box<[u32]>,
    /// Indexes of weight 0, which get calls when no other is usable.
    last_resort: Box<[u32]>,
    turn: AtomicUsize,
}

impl Rotation {
    pub(super) fn new(weights: &[u32]) -> Self {
        let cycle = cycle(weights);
        let unweighted = (0..).zip(weights).filter(|(_, weight)| **weight == 0);
        Self {
            // Clients that start together must not all begin with the same endpoint.
            turn: AtomicUsize::new(fastrand::usize(..=cycle.len())),
            last_resort: unweighted.map(|(index, _)| index).collect(),
            cycle: cycle.into(),
        }
    }

    /// The next in turn that is usable. The turn of one that is not goes to the others, and not just to the one that
    /// comes after it.
    pub(super) fn next(&self, usable: impl Fn(usize) -> bool) -> Option<usize> {
        let len = self.cycle.len();
        let at = |turn: usize| Some(*self.cycle.get(turn.checked_rem(len)?)? as usize);
        let mut turn = 0;
        for _ in 0..len {
            turn = self.turn.fetch_add(1, Ordering::Relaxed);
            if let Some(index) = at(turn).filter(|index| usable(*index)) {
                return Some(index);
            }
        }
        // Others draw at the same time, and may have had each turn of a light one: these were not all of the cycle.
        let all = (0..len).filter_map(|n| at(turn.wrapping_add(n)));
        all.into_iter()
            .find(|index| usable(*index))
            .or_else(|| self.last_resort(usable))
    }

    /// The one at this place of the cycle. If it is not usable, one by the same number of those that are.
    pub(super) fn modulo(
        &self,
        key: u64,
        usable: impl Fn(usize) -> bool,
        probed: impl Fn(usize) -> bool,
    ) -> Option<usize> {
        let nth = |of: usize| usize::try_from(key % of as u64).ok();
        if !self.cycle.is_empty() {
            let index = *self.cycle.get(nth(self.cycle.len())?)? as usize;
            if usable(index) || probed(index) {
                return Some(index);
            }
        }
        let mut left: Vec<_> = self.cycle.iter().map(|index| *index as usize).collect();
        left.retain(|index| usable(*index));
        if left.is_empty() {
            return self.last_resort(usable);
        }
        left.get(nth(left.len())?).copied()
    }

    /// One of weight 0 that is usable.
    pub(super) fn last_resort(&self, usable: impl Fn(usize) -> bool) -> Option<usize> {
        let mut indexes = self.last_resort.iter().map(|index| *index as usize);
        indexes.find(|index| usable(*index))
    }
}

/// Smooth weighted round robin: at each turn everybody's credit grows by its weight, the richest one has the turn,
/// and pays the sum of all weights for it.
fn cycle(weights: &[u32]) -> Vec<u32> {
    let weights = reduced(weights);
    let indexes = (0u32..).zip(&weights);
    if weights.iter().all(|weight| *weight <= 1) {
        return indexes
            .filter(|(_, weight)| **weight == 1)
            .map(|(index, _)| index)
            .collect();
    }
    let sum: i64 = weights.iter().sum();
    let mut credits = vec![0; weights.len()];
    let mut cycle = Vec::new();
    for _ in 0..sum {
        let mut richest = (0, i64::MIN);
        for ((index, weight), credit) in (0u32..).zip(&weights).zip(&mut credits) {
            *credit += weight;
            if *credit > richest.1 && *weight > 0 {
                richest = (index, *credit);
            }
        }
        if let Some(credit) = credits.get_mut(richest.0 as usize) {
            *credit -= sum;
        }
        cycle.push(richest.0);
    }
    cycle
}

/// The same weights in smallest numbers, whose sum is [`MAX_CYCLE`] at most, and up to 1 more for each that is rounded up.
/// To the nearest: of few turns, one less is much.
fn reduced(weights: &[u32]) -> Vec<i64> {
    let weights = weights.iter().map(|weight| u64::from(*weight));
    let divisor = weights.clone().fold(0, greatest_common_divisor).max(1);
    let sum = weights.clone().sum::<u64>() / divisor;
    let fit = |weight: u64| match weight / divisor {
        0 => 0,
        weight if sum > MAX_CYCLE => ((weight * MAX_CYCLE + sum / 2) / sum).max(1),
        weight => weight,
    };
    weights
        .map(|weight| i64::try_from(fit(weight)).unwrap_or(i64::MAX))
        .collect()
}

fn greatest_common_divisor(a: u64, b: u64) -> u64 {
    if b == 0 {
        a
    } else {
        greatest_common_divisor(b, a % b)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn turns(rotation: &Rotation, n: usize, usable: impl Fn(usize) -> bool) -> Vec<usize> {
        (0..n).map(|_| rotation.next(&usable).unwrap()).collect()
    }

    fn count(of: usize, turns: &[usize]) -> usize {
        turns.iter().filter(|turn| **turn == of).count()
    }

    #[test]
    fn the_turns_of_a_heavy_one_are_spread() {
        assert_eq!(cycle(&[5, 1, 1]), [0, 0, 1, 0, 2, 0, 0]);
        assert_eq!(cycle(&[100, 20, 20]), [0, 0, 1, 0, 2, 0, 0]);
        assert_eq!(cycle(&[100, 100, 100]), [0, 1, 2]);
        assert_eq!(cycle(&[0, 100, 0]), [1]);
        assert!(cycle(&[]).is_empty());
    }

    #[test]
    fn the_turns_of_one_that_is_away_are_shared() {
        let rotation = Rotation::new(&[100; 5]);
        let turns = turns(&rotation, 400, |index| index != 2);
        for index in [0, 1, 3, 4] {
            assert_eq!(count(index, &turns), 100);
        }
    }

    #[test]
    fn weight_0_is_the_last_resort() {
        let rotation = Rotation::new(&[0, 100]);
        assert_eq!(count(0, &turns(&rotation, 100, |_| true)), 0);
        assert_eq!(rotation.next(|index| index == 0), Some(0));
        assert_eq!(rotation.modulo(5, |index| index == 0, |_| false), Some(0));
        assert_eq!(Rotation::new(&[0, 0]).next(|_| true), Some(0));
    }

    #[test]
    fn a_cycle_is_bounded() {
        for n in [1000, 40_000] {
            let weights: Vec<u32> = (0..n).map(|n| 1 + n % 100).collect();
            let len = cycle(&weights).len();
            assert!(len <= MAX_CYCLE as usize + weights.len(), "{len} of {n}");
        }
    }

    #[test]
    fn light_ones_keep_their_share_of_a_long_cycle() {
        let weights = [[99; 400], [5; 400]].concat();
        let cycle: Vec<_> = cycle(&weights).into_iter().map(|i| i as usize).collect();
        assert_eq!(count(0, &cycle), 39, "38.99");
        assert_eq!(count(400, &cycle), 2, "1.97");
    }

    #[test]
    fn a_light_one_is_found_although_others_have_its_turns() {
        let rotation = Rotation::new(&[100, 1]);
        let len = rotation.cycle.len();
        let others_draw_it = || {
            let turn = rotation.turn.load(Ordering::Relaxed);
            if rotation.cycle[turn % len] == 1 {
                rotation.turn.fetch_add(1, Ordering::Relaxed);
            }
        };
        for _ in 0..2 * len {
            let next = rotation.next(|index| {
                others_draw_it();
                index == 1
            });
            assert_eq!(next, Some(1));
        }
    }

    proptest! {
        #[test]
        fn each_has_its_share_in_every_cycle(
            weights in prop::collection::vec(0u32..=100, 1..20),
            start in 0usize..1000,
        ) {
            let sum: u32 = weights.iter().sum();
            prop_assume!(sum > 0);
            let rotation = Rotation::new(&weights);
            turns(&rotation, start, |_| true);
            let turns = turns(&rotation, sum as usize, |_| true);
            for (index, weight) in weights.iter().enumerate() {
                prop_assert_eq!(count(index, &turns), *weight as usize);
            }
        }

        #[test]
        fn no_one_waits_long_for_its_turn(weights in prop::collection::vec(1u32..=100, 2..20)) {
            let cycle = cycle(&weights);
            let sum: u32 = weights.iter().sum();
            for (index, weight) in (0u32..).zip(&weights) {
                let twice = [&cycle[..], &cycle[..]].concat();
                let places: Vec<_> = twice.iter().enumerate().filter(|(_, i)| **i == index).collect();
                let gap = places.windows(2).map(|pair| pair[1].0 - pair[0].0).max().unwrap_or(0);
                let fair = sum.div_ceil(*weight) as usize;
                prop_assert!(gap <= 2 * fair, "{} of {:?} waits {}", index, weights, gap);
            }
        }

        #[test]
        fn a_key_stays_where_it_is_while_that_is_usable(
            weights in prop::collection::vec(1u32..=100, 1..20),
            key: u64,
            away: prop::sample::Index,
        ) {
            let rotation = Rotation::new(&weights);
            let at = rotation.modulo(key, |_| true, |_| false).unwrap();
            let away = away.index(weights.len());
            let then = rotation.modulo(key, |index| index != away, |_| false);
            if away == at {
                prop_assert_eq!(then.is_some(), weights.len() > 1);
                prop_assert_ne!(then, Some(at));
            } else {
                prop_assert_eq!(then, Some(at));
            }
        }
    }
}
