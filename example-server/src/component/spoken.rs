//! A message as it is kept and passed on: what was said, when, and which it is.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;

use super::fd_store::NodeId;

/// Something that was said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Spoken {
    /// Which it is: the same on every node.
    #[serde(skip)]
    pub id: SpokenId,
    /// When, in milliseconds since 1970, by the clock of the sender's node.
    pub time: u64,
    /// What.
    pub text: Arc<str>,
}

/// The node that a message was sent through, and a number that it never uses twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SpokenId {
    /// The node.
    pub node: NodeId,
    /// The message's number there.
    pub number: u64,
}

impl Spoken {
    /// What is said now.
    pub fn now(id: SpokenId, text: &str) -> Self {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH);
        Self {
            id,
            time: since_1970.map_or(0, |time| {
                u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
            }),
            text: text.into(),
        }
    }
}
