//! When the calls of a connection have waited for long enough.

use std::{
    collections::{BTreeSet, VecDeque},
    time::Instant,
};

/// Deadlines of calls, by request id.
///
/// Most calls have the timeout of the one before, and so a later deadline: they stand in a queue, and a call that ends
/// leaves its entry there, to be thrown away when it comes to the front. A slow call at the front must not make the
/// queue grow: once more than half of the entries are of no use, all of these go. Shorter timeouts are sorted.
#[derive(Debug, Default)]
pub(crate) struct Deadlines {
    queue: VecDeque<(Instant, i32)>,
    sorted: BTreeSet<(Instant, i32)>,
    /// Entries of the queue whose calls have ended.
    ended: usize,
}

/// Below, throwing entries away is not worthwhile.
const FEW: usize = 64;

impl Deadlines {
    pub(crate) fn insert(&mut self, at: Instant, id: i32) {
        match self.queue.back() {
            Some((last, _)) if *last > at => {
                self.sorted.insert((at, id));
            }
            _ => self.queue.push_back((at, id)),
        }
    }

    /// Notes that a call has ended; `is_waiting` knows those that have not.
    pub(crate) fn remove(&mut self, at: Instant, id: i32, is_waiting: impl Fn(i32) -> bool) {
        if !self.sorted.is_empty() && self.sorted.remove(&(at, id)) {
            return;
        }
        self.ended += 1;
        if self.ended > FEW && self.ended * 2 > self.queue.len() {
            self.queue.retain(|(_, id)| is_waiting(*id));
            self.ended = 0;
        }
    }

    /// The earliest deadline of a call that has not ended, and its id.
    pub(crate) fn first(&mut self, is_waiting: impl Fn(i32) -> bool) -> Option<(Instant, i32)> {
        while let Some((_, id)) = self.queue.front()
            && !is_waiting(*id)
        {
            self.queue.pop_front();
            self.ended = self.ended.saturating_sub(1);
        }
        let queued = self.queue.front().copied();
        queued.into_iter().chain(self.sorted.first().copied()).min()
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.queue.len() + self.sorted.len()
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, time::Duration};

    use super::*;

    #[test]
    fn the_earliest_of_those_that_wait_and_no_more_memory_than_that() {
        let mut rng = fastrand::Rng::with_seed(1);
        let start = Instant::now();
        let (mut deadlines, mut waiting) = (Deadlines::default(), BTreeMap::new());
        for id in 0..20_000 {
            // Mostly in their order; one is there all the time.
            let after = match rng.u8(..10) {
                0 => rng.u64(..50_000),
                _ => 10_000 + id,
            };
            let id = id as i32;
            let at = start + Duration::from_millis(if id == 0 { 0 } else { after });
            deadlines.insert(at, id);
            waiting.insert(id, at);
            if waiting.len() > rng.usize(2..50) {
                let gone = *waiting.keys().nth(rng.usize(1..waiting.len())).unwrap();
                let at = waiting.remove(&gone).unwrap();
                deadlines.remove(at, gone, |id| waiting.contains_key(&id));
            }
            let first = deadlines.first(|id| waiting.contains_key(&id));
            let expected = waiting.iter().map(|(id, at)| (*at, *id)).min();
            assert_eq!(first.map(|(at, _)| at), expected.map(|(at, _)| at));
            assert!(deadlines.len() <= waiting.len() * 2 + FEW + 1);
        }
    }
}
