//! Where numbers wait for their report.

use std::{
    collections::{BTreeMap, btree_map},
    error, fmt,
    future::Future,
    pin::Pin,
    sync::{Mutex, PoisonError},
};

use tracing::warn;

use super::body::add;
use crate::platform::{StatMicMsgBody, StatMicMsgHead};

/// Who has seen a call. The platform keeps the numbers of callers and callees apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// The caller.
    Client,
    /// The callee.
    Server,
}

/// Calls that are counted together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Who has seen them.
    pub side: Side,
    /// What they have in common.
    pub head: StatMicMsgHead,
    /// Their numbers.
    pub body: StatMicMsgBody,
}

/// What a [`StatStore`] does.
pub type StatFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// Why a [`StatStore`] could not do it.
pub type StoreError = Box<dyn error::Error + Send + Sync>;

/// Keeps numbers between the calls and their report, and those whose report could not be sent.
///
/// The default is [`MemoryStatStore`]. A store outside of the process (`RedisStatStore`, feature `redis`) keeps them
/// when the process ends, and lets several processes report together. It must bound what it keeps.
pub trait StatStore: fmt::Debug + Send + Sync + 'static {
    /// Adds the numbers of each entry to those of its head; see [`add`]. When it fails, none of them may have been
    /// added: they come again.
    fn merge<'a>(&'a self, entries: &'a [Entry]) -> StatFuture<'a, ()>;

    /// Takes at most `max` entries of a side out of the store; none, when there are no more.
    fn take(&self, side: Side, max: usize) -> StatFuture<'_, Vec<Entry>>;
}

/// Keeps numbers in the memory of the process.
#[derive(Debug)]
pub struct MemoryStatStore {
    entries: Mutex<BTreeMap<(Side, StatMicMsgHead), StatMicMsgBody>>,
    max: usize,
}

impl MemoryStatStore {
    /// With room for so many heads. Calls under other heads are lost as long as it is full, which is logged.
    pub fn new(max: usize) -> Self {
        Self {
            entries: Mutex::default(),
            max,
        }
    }

    fn add(&self, entries: &[Entry]) {
        let mut known = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let mut lost = 0_u64;
        for Entry { side, head, body } in entries {
            let is_full = known.len() >= self.max;
            match known.entry((*side, head.clone())) {
                btree_map::Entry::Occupied(mut sum) => add(sum.get_mut(), body),
                btree_map::Entry::Vacant(_) if is_full => lost += 1,
                btree_map::Entry::Vacant(place) => {
                    place.insert(body.clone());
                }
            }
        }
        if lost > 0 {
            warn!(
                lost,
                max = self.max,
                "statistics lost: the platform has taken none for too long"
            );
        }
    }

    fn remove(&self, side: Side, max: usize) -> Vec<Entry> {
        let mut known = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let of_side = known.keys().filter(|(of, _)| *of == side).take(max);
        let keys: Vec<_> = of_side.cloned().collect();
        let entries = keys.into_iter().filter_map(|key| known.remove_entry(&key));
        entries
            .map(|((side, head), body)| Entry { side, head, body })
            .collect()
    }
}

/// With room for 40,960 heads, as in TarsPHP.
impl Default for MemoryStatStore {
    fn default() -> Self {
        Self::new(40_960)
    }
}

impl StatStore for MemoryStatStore {
    fn merge<'a>(&'a self, entries: &'a [Entry]) -> StatFuture<'a, ()> {
        self.add(entries);
        Box::pin(async { Ok(()) })
    }

    fn take(&self, side: Side, max: usize) -> StatFuture<'_, Vec<Entry>> {
        let entries = self.remove(side, max);
        Box::pin(async { Ok(entries) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(side: Side, func: &str, count: i32) -> Entry {
        Entry {
            side,
            head: StatMicMsgHead {
                interface_name: func.to_owned(),
                ..StatMicMsgHead::default()
            },
            body: StatMicMsgBody {
                count,
                ..StatMicMsgBody::default()
            },
        }
    }

    #[tokio::test]
    async fn entries_are_merged_by_side_and_head() {
        let store = MemoryStatStore::default();
        let (client, server) = (entry(Side::Client, "f", 1), entry(Side::Server, "f", 10));
        store
            .merge(&[client.clone(), server.clone()])
            .await
            .unwrap();
        store.merge(&[client, server]).await.unwrap();
        for (side, count) in [(Side::Client, 2), (Side::Server, 20)] {
            assert_eq!(
                store.take(side, 9).await.unwrap(),
                [entry(side, "f", count)]
            );
            assert_eq!(store.take(side, 9).await.unwrap(), []);
        }
    }

    #[tokio::test]
    async fn it_is_bounded() {
        let store = MemoryStatStore::new(2);
        let entries = ["a", "b", "c", "a"].map(|func| entry(Side::Client, func, 1));
        store.merge(&entries).await.unwrap();
        assert_eq!(
            store.take(Side::Client, 1).await.unwrap(),
            [entry(Side::Client, "a", 2)]
        );
        assert_eq!(
            store.take(Side::Client, 9).await.unwrap(),
            [entry(Side::Client, "b", 1)]
        );
    }
}
