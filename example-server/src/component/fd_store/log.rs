//! The records of the file store, as bytes: no IO.
//!
//! A log is [`MAGIC`] and then records, each `length: u32 | crc32: u32 | body`, little endian. The
//! length and the checksum are of the body, which is `kind: u8 | node: u64 | fd: u64 | room`.
//! A log ends with its last record that is whole: a process killed while it wrote leaves a torn
//! tail, and a record is acknowledged only after it has been written.

use super::{Fd, Membership, NodeId};
use crate::component::room::{self, Room};

/// The first bytes of a log: what it is, and the version of its format.
pub(super) const MAGIC: &[u8; 8] = b"tarsfd1\n";
const HEAD: usize = 8;
const BODY_MIN: usize = 1 + 8 + 8;
/// A character has at most four bytes.
const BODY_MAX: usize = BODY_MIN + room::MAX_NAME * 4;

const START: u8 = 0;
const ADD: u8 = 1;
const DEL: u8 = 2;
const DEL_ALL: u8 = 3;

/// One change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change {
    /// A process begins: the fds of former ones mean nothing any more.
    Start,
    /// An fd joins a room.
    Add(Room, Fd),
    /// An fd leaves a room.
    Del(Room, Fd),
    /// An fd leaves every room.
    DelAll(Fd),
}

impl Change {
    /// Appends the record of this change by process `instance`.
    pub(super) fn encode(&self, instance: NodeId, log: &mut Vec<u8>) {
        let (kind, fd, room) = match self {
            Self::Start => (START, 0, ""),
            Self::Add(room, fd) => (ADD, fd.number(), room.as_str()),
            Self::Del(room, fd) => (DEL, fd.number(), room.as_str()),
            Self::DelAll(fd) => (DEL_ALL, fd.number(), ""),
        };
        let mut body = Vec::with_capacity(BODY_MIN + room.len());
        body.push(kind);
        body.extend_from_slice(&instance.get().to_le_bytes());
        body.extend_from_slice(&fd.to_le_bytes());
        body.extend_from_slice(room.as_bytes());
        // A room's name is bounded, so the length fits.
        log.extend_from_slice(&(body.len() as u32).to_le_bytes());
        log.extend_from_slice(&crc32fast::hash(&body).to_le_bytes());
        log.extend_from_slice(&body);
    }

    fn decode(body: &[u8]) -> Option<(NodeId, Self)> {
        let (&kind, rest) = body.split_first()?;
        let (instance, rest) = rest.split_first_chunk()?;
        let (number, room) = rest.split_first_chunk()?;
        let instance = NodeId::new(u64::from_le_bytes(*instance));
        let fd = Fd::new(instance, u64::from_le_bytes(*number));
        let room = || Room::new(std::str::from_utf8(room).ok()?).ok();
        let change = match kind {
            START => Self::Start,
            ADD => Self::Add(room()?, fd),
            DEL => Self::Del(room()?, fd),
            DEL_ALL => Self::DelAll(fd),
            _ => return None,
        };
        Some((instance, change))
    }
}

/// What a log says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Replay {
    /// The process that wrote the last records.
    pub(super) instance: Option<NodeId>,
    /// The rooms of that process.
    pub(super) membership: Membership,
    /// How many bytes are whole records (and the magic).
    pub(super) valid: usize,
}

/// Reads a log up to its last whole record, or nothing if it is no log.
pub(super) fn replay(bytes: &[u8]) -> Option<Replay> {
    let mut replay = Replay::default();
    if bytes.len() < MAGIC.len() {
        // Killed before the first bytes were out.
        return MAGIC.starts_with(bytes).then_some(replay);
    }
    let mut rest = bytes.strip_prefix(MAGIC)?;
    while let Some((instance, change, after)) = next_record(rest) {
        rest = after;
        if replay.instance != Some(instance) {
            replay.instance = Some(instance);
            replay.membership = Membership::default();
        }
        match change {
            Change::Start => replay.membership = Membership::default(),
            Change::Add(room, fd) => {
                replay.membership.add(room, fd);
            }
            Change::Del(room, fd) => {
                replay.membership.remove(&room, fd);
            }
            Change::DelAll(fd) => {
                replay.membership.remove_all(fd);
            }
        }
    }
    replay.valid = bytes.len() - rest.len();
    Some(replay)
}

fn next_record(bytes: &[u8]) -> Option<(NodeId, Change, &[u8])> {
    let (head, rest) = bytes.split_first_chunk::<HEAD>()?;
    let [a, b, c, d, e, f, g, h] = *head;
    let len = usize::try_from(u32::from_le_bytes([a, b, c, d])).ok()?;
    if !(BODY_MIN..=BODY_MAX).contains(&len) {
        return None;
    }
    let (body, after) = rest.split_at_checked(len)?;
    if crc32fast::hash(body) != u32::from_le_bytes([e, f, g, h]) {
        return None;
    }
    let (instance, change) = Change::decode(body)?;
    Some((instance, change, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NODE: NodeId = NodeId::new(7);

    fn fd(number: u64) -> Fd {
        Fd::new(NODE, number)
    }

    fn room(name: &str) -> Room {
        Room::new(name).unwrap()
    }

    fn changes() -> Vec<Change> {
        vec![
            Change::Start,
            Change::Add(room("room1"), fd(1)),
            Change::Add(room("房间"), fd(2)),
            Change::Add(room("room1"), fd(2)),
            Change::Del(room("room1"), fd(1)),
            Change::DelAll(fd(2)),
            Change::Add(room("room1"), fd(3)),
        ]
    }

    #[test]
    fn a_log_cut_at_any_byte_gives_the_changes_that_are_whole() {
        let mut log = MAGIC.to_vec();
        let mut ends = vec![(0, Membership::default())];
        let mut membership = Membership::default();
        for change in changes() {
            change.encode(NODE, &mut log);
            match change {
                Change::Start => {}
                Change::Add(room, fd) => assert!(membership.add(room, fd)),
                Change::Del(room, fd) => assert!(membership.remove(&room, fd)),
                Change::DelAll(fd) => assert!(membership.remove_all(fd) > 0),
            }
            ends.push((log.len(), membership.clone()));
        }
        for cut in 0..=log.len() {
            let replay = replay(&log[..cut]).unwrap();
            let (end, expected) = ends.iter().rev().find(|(end, _)| *end <= cut).unwrap();
            assert_eq!(&replay.membership, expected, "cut at {cut}");
            assert_eq!(
                replay.valid,
                if cut < MAGIC.len() {
                    0
                } else {
                    (*end).max(MAGIC.len())
                }
            );
        }
    }

    #[test]
    fn a_flipped_bit_ends_the_log_there() {
        let mut log = MAGIC.to_vec();
        for change in changes() {
            change.encode(NODE, &mut log);
        }
        let whole = replay(&log).unwrap();
        for bit in MAGIC.len() * 8..log.len() * 8 {
            let mut damaged = log.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(replay(&damaged).unwrap().valid < whole.valid, "bit {bit}");
        }
        assert_eq!(replay(b"something else"), None);
    }

    #[test]
    fn a_former_process_leaves_no_members() {
        let mut log = MAGIC.to_vec();
        Change::Add(room("room1"), fd(1)).encode(NODE, &mut log);
        let later = NodeId::new(8);
        Change::Add(room("room1"), Fd::new(later, 2)).encode(later, &mut log);
        let replay = replay(&log).unwrap();
        assert_eq!(replay.instance, Some(later));
        assert_eq!(
            replay.membership.members(&room("room1")),
            [Fd::new(later, 2)]
        );
    }
}
