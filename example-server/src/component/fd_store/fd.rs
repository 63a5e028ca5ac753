//! The names of connections and of the processes that hold them.

use std::fmt;
use std::hash::{BuildHasher as _, RandomState};

/// A process that holds connections. Another one, and the same one started again, has another id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(u64);

impl NodeId {
    /// The node of this id.
    pub const fn new(id: u64) -> Self {
        Self(id)
    }

    /// A new id. The standard library seeds its hashers from the system's randomness.
    pub fn random() -> Self {
        Self(RandomState::new().hash_one(std::process::id()))
    }

    /// The id.
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// A connection: its node, and a number that the node never uses twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fd {
    node: NodeId,
    number: u64,
}

impl Fd {
    /// The connection `number` of `node`.
    pub const fn new(node: NodeId, number: u64) -> Self {
        Self { node, number }
    }

    /// The node that holds the connection.
    pub const fn node(self) -> NodeId {
        self.node
    }

    /// Its number there.
    pub const fn number(self) -> u64 {
        self.number
    }
}

impl fmt::Display for Fd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.node, self.number)
    }
}
