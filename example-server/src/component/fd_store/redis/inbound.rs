//! What comes from Redis: messages of other nodes, handed to those of this node for whom they are.

use std::sync::{Mutex, PoisonError};

use redis::Value;

use super::Shared;
use super::wire::{Published, Received};
use crate::component::fd_store::{Inbox, Recipients};
use crate::component::room::Room;

/// Hands a published message to those of this node for whom it is.
pub(super) fn deliver(shared: &Shared, inbox: &Inbox, received: &Mutex<Received>, data: &[Value]) {
    let Some((room, published)) = read(shared, data) else {
        tracing::warn!("what is no message came from Redis; does something else use the prefix?");
        return;
    };
    let Published { sequence, spoken } = published;
    let node = spoken.id.node;
    if node == shared.node {
        // Its members have it already.
        return;
    }
    let is_new = received
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .is_new(node, sequence);
    if !is_new {
        tracing::debug!(%node, sequence, "a message came twice");
        return;
    }
    match room {
        None => inbox.deliver(Recipients::All, spoken),
        Some(room) => {
            let fds = shared.local().membership.members(&room);
            inbox.deliver(Recipients::Room(&room, &fds), spoken);
        }
    }
}

/// A message and its room; `None`: for everybody.
fn read(shared: &Shared, data: &[Value]) -> Option<(Option<Room>, Published)> {
    let [Value::BulkString(channel), Value::BulkString(payload)] = data else {
        return None;
    };
    let room = shared.keys.recipients(std::str::from_utf8(channel).ok()?)?;
    Some((room, Published::decode(payload)?))
}
