//! Rooms and their members, in both directions: plain data, no locking, no IO.

use std::collections::{BTreeSet, HashMap};

use super::Fd;
use crate::component::room::Room;

/// Who is in which room.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Membership {
    members: HashMap<Room, BTreeSet<Fd>>,
    /// The same by fd, so that leaving costs what the fd joined and not what there is.
    rooms: HashMap<Fd, BTreeSet<Room>>,
    len: usize,
}

impl Membership {
    /// Puts `fd` into `room`. Says whether it was not there before.
    pub fn add(&mut self, room: Room, fd: Fd) -> bool {
        let added = self.rooms.entry(fd).or_default().insert(room.clone());
        if added {
            self.members.entry(room).or_default().insert(fd);
            self.len += 1;
        }
        added
    }

    /// Takes `fd` out of `room`. Says whether it was there.
    pub fn remove(&mut self, room: &Room, fd: Fd) -> bool {
        let Some(rooms) = self.rooms.get_mut(&fd) else {
            return false;
        };
        let removed = rooms.remove(room);
        if rooms.is_empty() {
            self.rooms.remove(&fd);
        }
        if removed {
            self.remove_member(room, fd);
        }
        removed
    }

    /// Takes `fd` out of every room. Says of how many.
    pub fn remove_all(&mut self, fd: Fd) -> usize {
        let rooms = self.rooms.remove(&fd).unwrap_or_default();
        for room in &rooms {
            self.remove_member(room, fd);
        }
        rooms.len()
    }

    /// Whether `fd` is in `room`.
    pub fn contains(&self, room: &Room, fd: Fd) -> bool {
        self.members
            .get(room)
            .is_some_and(|members| members.contains(&fd))
    }

    /// Whether `fd` is in any room.
    pub fn contains_fd(&self, fd: Fd) -> bool {
        self.rooms.contains_key(&fd)
    }

    /// Everybody in `room`, in the order of their numbers.
    pub fn members(&self, room: &Room) -> Vec<Fd> {
        self.members
            .get(room)
            .map(|members| members.iter().copied().collect())
            .unwrap_or_default()
    }

    /// Every membership, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (&Room, Fd)> {
        self.members
            .iter()
            .flat_map(|(room, members)| members.iter().map(move |&fd| (room, fd)))
    }

    /// The rooms that `fd` is in.
    pub fn rooms_of(&self, fd: Fd) -> impl Iterator<Item = &Room> {
        self.rooms.get(&fd).into_iter().flatten()
    }

    /// Whether anybody is in `room`.
    pub fn contains_room(&self, room: &Room) -> bool {
        self.members.contains_key(room)
    }

    /// Every room that has members, in no order.
    pub fn keys(&self) -> impl Iterator<Item = &Room> {
        self.members.keys()
    }

    /// How many rooms have members.
    pub fn rooms(&self) -> usize {
        self.members.len()
    }

    /// How many memberships there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether nobody is in a room.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    fn remove_member(&mut self, room: &Room, fd: Fd) {
        if let Some(members) = self.members.get_mut(room)
            && members.remove(&fd)
        {
            self.len -= 1;
            // An empty room is no room: clients choose the names.
            if members.is_empty() {
                self.members.remove(room);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::component::fd_store::NodeId;

    #[test]
    fn both_directions_agree_and_nothing_empty_is_kept() {
        let [a, b] = ["a", "b"].map(|name| Room::new(name).unwrap());
        let [one, two] = [1, 2].map(|number| Fd::new(NodeId::new(7), number));
        let mut membership = Membership::default();
        assert!(membership.add(a.clone(), one));
        assert!(!membership.add(a.clone(), one));
        assert!(membership.add(a.clone(), two));
        assert!(membership.add(b.clone(), one));
        assert_eq!(membership.members(&a), [one, two]);
        assert_eq!((membership.len(), membership.rooms()), (3, 2));
        assert!(membership.rooms_of(one).eq([&a, &b]));
        assert!(!membership.remove(&b, two));
        assert_eq!(membership.remove_all(one), 2);
        assert_eq!(membership.remove_all(one), 0);
        assert_eq!(membership.members(&b), []);
        assert!(membership.remove(&a, two));
        assert_eq!(membership, Membership::default());
    }
}
