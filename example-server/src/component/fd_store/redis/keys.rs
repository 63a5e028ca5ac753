//! The names of keys and channels, and the bytes of what is published. No IO.

use std::collections::HashMap;

use crate::component::fd_store::{Fd, NodeId};
use crate::component::room::Room;

/// Between a room and a number in a member. A room's name has no control characters.
const SEPARATOR: char = '\0';
/// The smallest string that follows all members of a room begins with this.
const AFTER_SEPARATOR: char = '\u{1}';
/// The format of what is published.
const VERSION: u8 = 1;
/// Version, node and sequence.
const HEAD: usize = 1 + 8 + 8;
/// Nodes whose last message is remembered. Each start of a process is a new node.
const MAX_NODES: usize = 4096;

/// The names of one chat's keys.
#[derive(Debug)]
pub(super) struct Keys {
    prefix: String,
    node: NodeId,
}

impl Keys {
    pub(super) fn new(prefix: &str, node: NodeId) -> Self {
        Self {
            prefix: prefix.to_owned(),
            node,
        }
    }

    /// A set: the names of all nodes.
    pub(super) fn nodes(&self) -> String {
        format!("{}:nodes", self.prefix)
    }

    /// There while the node lives.
    pub(super) fn alive(&self, node: NodeId) -> String {
        format!("{}:alive:{node}", self.prefix)
    }

    /// A sorted set: the members of the node.
    pub(super) fn fds(&self, node: NodeId) -> String {
        format!("{}:fds:{node}", self.prefix)
    }

    /// The next record of this node, while it is written.
    pub(super) fn next_fds(&self) -> String {
        format!("{}:next:{}", self.prefix, self.node)
    }

    /// The channel of a room, or of everybody.
    pub(super) fn channel(&self, room: Option<&Room>) -> String {
        match room {
            Some(room) => format!("{}:room:{room}", self.prefix),
            None => format!("{}:all", self.prefix),
        }
    }

    /// For whom a message of this channel is.
    pub(super) fn recipients(&self, channel: &str) -> Option<Option<Room>> {
        let name = channel.strip_prefix(&self.prefix)?;
        if name == ":all" {
            return Some(None);
        }
        Room::new(name.strip_prefix(":room:")?).ok().map(Some)
    }
}

/// A node by its name.
pub(super) fn node(name: &str) -> Option<NodeId> {
    u64::from_str_radix(name, 16).ok().map(NodeId::new)
}

/// How a membership is written.
pub(super) fn member(room: &Room, fd: Fd) -> String {
    format!("{room}{SEPARATOR}{}", fd.number())
}

/// The range of the members of a room, as `ZRANGEBYLEX` takes it.
pub(super) fn members_of(room: &Room) -> (String, String) {
    (
        format!("[{room}{SEPARATOR}"),
        format!("({room}{AFTER_SEPARATOR}"),
    )
}

/// The number of a membership.
pub(super) fn number(member: &str) -> Option<u64> {
    member.rsplit_once(SEPARATOR)?.1.parse().ok()
}

/// A message as it is published.
pub(super) fn encode(node: NodeId, sequence: u64, text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEAD + text.len());
    bytes.push(VERSION);
    bytes.extend_from_slice(&node.get().to_be_bytes());
    bytes.extend_from_slice(&sequence.to_be_bytes());
    bytes.extend_from_slice(text.as_bytes());
    bytes
}

/// Node, sequence and text of a published message.
pub(super) fn decode(bytes: &[u8]) -> Option<(NodeId, u64, &str)> {
    let (&version, rest) = bytes.split_first()?;
    let (node, rest) = rest.split_first_chunk()?;
    let (sequence, text) = rest.split_first_chunk()?;
    let node = NodeId::new(u64::from_be_bytes(*node));
    let text = std::str::from_utf8(text).ok()?;
    (version == VERSION).then_some((node, u64::from_be_bytes(*sequence), text))
}

/// What has been received, so that nothing is delivered twice.
#[derive(Debug, Default)]
pub(super) struct Received {
    last: HashMap<NodeId, u64>,
}

impl Received {
    /// Whether a message is new. Redis keeps the order of what a node publishes.
    pub(super) fn is_new(&mut self, node: NodeId, sequence: u64) -> bool {
        if self.last.len() >= MAX_NODES && !self.last.contains_key(&node) {
            self.last.clear();
        }
        let last = self.last.entry(node).or_insert(0);
        let is_new = sequence > *last;
        *last = sequence.max(*last);
        is_new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(name: &str) -> Room {
        Room::new(name).unwrap()
    }

    #[test]
    fn members_of_a_room_are_one_range() {
        let fd = Fd::new(NodeId::new(1), 42);
        let mut members: Vec<String> = ["a", "a b", "aa", "b", "a\u{10ffff}", "房"]
            .map(|name| member(&room(name), fd))
            .into();
        members.sort();
        for name in ["a", "a b", "aa", "房"] {
            let (first, end) = members_of(&room(name));
            let (first, end) = (&first[1..], &end[1..]);
            let within: Vec<_> = members
                .iter()
                .filter(|member| (first..end).contains(&member.as_str()))
                .collect();
            assert_eq!(within, [&member(&room(name), fd)]);
            assert_eq!(number(within[0]), Some(42));
        }
    }

    #[test]
    fn channels_say_for_whom_a_message_is() {
        let keys = Keys::new("chat", NodeId::new(1));
        for name in ["1", "房:all", "*", "../x"] {
            let channel = keys.channel(Some(&room(name)));
            assert_eq!(keys.recipients(&channel), Some(Some(room(name))));
        }
        assert_eq!(keys.recipients(&keys.channel(None)), Some(None));
        assert_eq!(keys.recipients("chat:room:"), None);
        assert_eq!(keys.recipients("other:all"), None);
    }

    #[test]
    fn what_is_published_is_read_back_and_nothing_else() {
        let bytes = encode(NodeId::new(u64::MAX), 7, "hi 房");
        assert_eq!(decode(&bytes), Some((NodeId::new(u64::MAX), 7, "hi 房")));
        for cut in 0..HEAD {
            assert_eq!(decode(&bytes[..cut]), None);
        }
        assert_eq!(decode(&bytes[..bytes.len() - 1]), None, "not UTF-8");
        assert_eq!(
            decode(&[&[2], &bytes[1..]].concat()),
            None,
            "a later version"
        );
    }

    #[test]
    fn a_message_is_new_once() {
        let [a, b] = [1, 2].map(NodeId::new);
        let mut received = Received::default();
        let news = [(a, 1), (a, 1), (b, 1), (a, 5), (a, 4), (a, 6)];
        let news = news.map(|(node, sequence)| received.is_new(node, sequence));
        assert_eq!(news, [true, false, true, true, false, true]);
        for id in 0..=MAX_NODES as u64 {
            received.is_new(NodeId::new(id), 1);
        }
        assert!(received.last.len() <= MAX_NODES);
    }
}
