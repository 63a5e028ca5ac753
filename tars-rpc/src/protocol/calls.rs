//! The calls of a connection that wait for an answer.

/// Calls by request id.
///
/// Ids come from a counter, so that the answer to a call that is long forgotten does not find a new call under its
/// id: an id comes back after 2^31 calls. The low bits of an id are its place in the table, the others its
/// generation; a place that a slow call still holds is passed over. At least half of the places are free, so that
/// one is found at once.
#[derive(Debug)]
pub(crate) struct Calls<T> {
    /// As many as a power of two.
    places: Vec<Option<(i32, T)>>,
    len: usize,
    max: usize,
    next: i32,
}

const FIRST_PLACES: usize = 16;

impl<T> Calls<T> {
    /// At most `max` calls, and no more than 2^24.
    pub(crate) fn new(max: usize) -> Self {
        Self {
            places: Vec::new(),
            len: 0,
            max: max.min(1 << 24),
            next: 1,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(crate) fn is_full(&self) -> bool {
        self.len >= self.max
    }

    /// The id of the next call, whose place is free.
    pub(crate) fn vacant_id(&mut self) -> i32 {
        if self.len * 2 >= self.places.len() {
            self.grow();
        }
        loop {
            let id = self.next;
            self.next = id.checked_add(1).unwrap_or(1); // 0 is for what a server pushes
            if self.places.get(self.place(id)).is_some_and(Option::is_none) {
                return id;
            }
        }
    }

    /// Adds a call under an id from [`vacant_id`](Self::vacant_id).
    pub(crate) fn insert(&mut self, id: i32, call: T) {
        let place = self.place(id);
        if let Some(place) = self.places.get_mut(place) {
            self.len += usize::from(place.is_none());
            *place = Some((id, call));
        }
    }

    /// The call with this id, if there is one.
    pub(crate) fn get(&self, id: i32) -> Option<&T> {
        let (of, call) = self.places.get(self.place(id))?.as_ref()?;
        (*of == id).then_some(call)
    }

    /// All calls, in no order.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (i32, &mut T)> {
        let calls = self.places.iter_mut().flatten();
        calls.map(|(id, call)| (*id, call))
    }

    /// Takes the call with this id, if there is one.
    pub(crate) fn remove(&mut self, id: i32) -> Option<T> {
        let place = self.place(id);
        let (_, call) = self.places.get_mut(place)?.take_if(|(of, _)| *of == id)?;
        self.len -= 1;
        Some(call)
    }

    /// Takes all calls.
    pub(crate) fn drain(&mut self) -> impl Iterator<Item = T> + use<T> {
        self.len = 0;
        std::mem::take(&mut self.places)
            .into_iter()
            .flatten()
            .map(|(_, call)| call)
    }

    fn place(&self, id: i32) -> usize {
        id as usize & self.places.len().wrapping_sub(1)
    }

    /// Ids that differ in their low bits still do when there is one bit more.
    fn grow(&mut self) {
        let more = (self.places.len() * 2).max(FIRST_PLACES);
        let mut places = Vec::new();
        places.resize_with(more, || None);
        let old = std::mem::replace(&mut self.places, places);
        for entry in old.into_iter().flatten() {
            let place = self.place(entry.0);
            if let Some(place) = self.places.get_mut(place) {
                *place = Some(entry);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_not_used_again_and_never_zero() {
        let mut calls = Calls::new(4);
        calls.next = i32::MAX - 1;
        let ids = [0; 4].map(|_| {
            let id = calls.vacant_id();
            calls.insert(id, id);
            id
        });
        assert_eq!(ids, [i32::MAX - 1, i32::MAX, 1, 2]);
        assert!(calls.is_full());
        assert_eq!(calls.remove(1), Some(1));
        assert_eq!(calls.remove(1), None);
        let id = calls.vacant_id();
        assert_eq!(id, 3);
    }

    #[test]
    fn a_place_in_use_is_passed_over() {
        let mut calls = Calls::new(1000);
        let slow = calls.vacant_id();
        calls.insert(slow, "slow");
        for _ in 0..100 {
            let id = calls.vacant_id();
            assert_ne!(id & 15, slow & 15);
            calls.insert(id, "fast");
            assert_eq!(
                calls.remove(id + 16),
                None,
                "same place, another generation"
            );
            assert_eq!(calls.remove(id), Some("fast"));
        }
        assert_eq!(calls.remove(slow), Some("slow"));
    }

    #[test]
    fn all_calls_survive_growth() {
        let mut calls = Calls::new(1000);
        let ids: Vec<_> = (0..1000)
            .map(|n| {
                let id = calls.vacant_id();
                calls.insert(id, n);
                id
            })
            .collect();
        assert_eq!(calls.len, 1000);
        for (n, id) in ids.into_iter().enumerate() {
            assert_eq!(calls.remove(id), Some(n));
        }
        assert!(calls.is_empty());
    }
}
