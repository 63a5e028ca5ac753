//! The names of keys, channels and members. No IO.

use crate::component::fd_store::{Fd, NodeId};
use crate::component::room::Room;

/// Between a room and a number in a member. A room's name has no control characters.
const SEPARATOR: char = '\0';
/// The smallest string that follows all members of a room begins with this.
const AFTER_SEPARATOR: char = '\u{1}';

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

    /// A hash: the names of the node's connections, by number.
    pub(super) fn names(&self, node: NodeId) -> String {
        format!("{}:names:{node}", self.prefix)
    }

    /// A sorted set: what was said in a room, by time.
    pub(super) fn history(&self, room: &str) -> String {
        format!("{}:history:{room}", self.prefix)
    }

    /// A sorted set: the rooms that have a history, by the time of their last message.
    pub(super) fn histories(&self) -> String {
        format!("{}:histories", self.prefix)
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
}
