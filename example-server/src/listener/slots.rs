//! Places for HTTP connections. One that idles gives way to a new one, also in the middle of a request; one that is
//! answered does not.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

/// The places.
#[derive(Debug)]
pub(super) struct Slots {
    limit: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Who idles, by since when: a number that grows.
    idle: BTreeMap<u64, CancellationToken>,
    busy: usize,
    now: u64,
}

impl State {
    fn idle(&mut self, evicted: CancellationToken) -> Place {
        self.now += 1;
        self.idle.insert(self.now, evicted);
        Place::Idle(self.now)
    }

    fn leave(&mut self, place: Place) {
        match place {
            Place::Idle(since) => {
                self.idle.remove(&since);
            }
            Place::Busy => self.busy -= 1,
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Place {
    Idle(u64),
    Busy,
}

/// A place, given back when dropped.
#[derive(Debug)]
pub(super) struct Slot {
    slots: Arc<Slots>,
    place: Mutex<Place>,
    evicted: CancellationToken,
}

/// While it lives, its connection does not give way.
pub(super) struct Busy(Arc<Slot>);

impl Slots {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit,
            state: Mutex::default(),
        }
    }

    /// A place for a new connection, and whether another one has to go for it. `None` if all others
    /// are busy.
    pub(super) fn take(slots: &Arc<Self>) -> Option<(Slot, bool)> {
        let mut state = slots.lock();
        let full = state.idle.len() + state.busy >= slots.limit;
        if full {
            let (_, evicted) = state.idle.pop_first()?;
            evicted.cancel();
        }
        let evicted = CancellationToken::new();
        let place = state.idle(evicted.clone());
        let slot = Slot {
            slots: Arc::clone(slots),
            place: Mutex::new(place),
            evicted,
        };
        Some((slot, full))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slot {
    /// Cancelled when the connection has to go.
    pub(super) fn evicted(&self) -> CancellationToken {
        self.evicted.clone()
    }

    /// A request has come, all of it.
    pub(super) fn busy(slot: &Arc<Self>) -> Busy {
        slot.change(|state| {
            state.busy += 1;
            Place::Busy
        });
        Busy(Arc::clone(slot))
    }

    fn change(&self, enter: impl FnOnce(&mut State) -> Place) {
        let mut state = self.slots.lock();
        let mut place = self.place.lock().unwrap_or_else(PoisonError::into_inner);
        state.leave(*place);
        *place = enter(&mut state);
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.change(|state| state.idle(self.0.evicted.clone()));
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let place = *self.place.get_mut().unwrap_or_else(PoisonError::into_inner);
        self.slots.lock().leave(place);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_idles_longest_gives_way_and_who_is_busy_does_not() {
        let slots = Arc::new(Slots::new(2));
        let take = || Slots::take(&slots).map(|(slot, evicted)| (Arc::new(slot), evicted));
        let (first, evicted) = take().unwrap();
        assert!(!evicted);
        let (second, _) = take().unwrap();
        drop(Slot::busy(&first));
        let (third, evicted) = take().unwrap();
        assert!(evicted);
        assert!(second.evicted.is_cancelled(), "the first was asked since");
        let busy = [Slot::busy(&first), Slot::busy(&third)];
        assert!(take().is_none());
        drop(busy);
        assert!(take().unwrap().1);
        drop((first, second, third));
        let state = slots.lock();
        assert_eq!((state.idle.len(), state.busy), (0, 0));
    }
}
