//! What this node asks Redis about the others.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use redis::RedisResult;
use redis::aio::MultiplexedConnection;

use super::Shared;
use super::keys;
use super::wire;
use crate::component::fd_store::{Fd, NodeId};
use crate::component::room::Room;
use crate::component::spoken::Spoken;

/// Everybody in a room.
pub(super) async fn members(
    shared: &Shared,
    room: &Room,
    connection: &mut MultiplexedConnection,
) -> RedisResult<Vec<Fd>> {
    // A node subscribes to a room before its first member is acknowledged. If nobody but this node has, as it is
    // where a load balancer keeps rooms together, the others need not be asked, each.
    let channel = shared.keys.channel(Some(room));
    let subscribers: HashMap<String, usize> = redis::cmd("PUBSUB")
        .arg("NUMSUB")
        .arg(&channel)
        .query_async(connection)
        .await?;
    let subscribers = subscribers.get(&channel).copied().unwrap_or(0);
    {
        let local = shared.local();
        if subscribers <= usize::from(local.subscribed.contains(room)) {
            return Ok(local.membership.members(room));
        }
    }
    let nodes: Vec<String> = redis::cmd("SMEMBERS")
        .arg(shared.keys.nodes())
        .query_async(connection)
        .await?;
    let nodes: Vec<NodeId> = nodes.iter().filter_map(|name| keys::node(name)).collect();
    if nodes.is_empty() {
        return Ok(Vec::new());
    }
    let mut pipeline = redis::pipe();
    let (first, end) = keys::members_of(room);
    for &node in &nodes {
        pipeline
            .cmd("ZRANGEBYLEX")
            .arg(shared.keys.fds(node))
            .arg(&first)
            .arg(&end);
    }
    let members: Vec<Vec<String>> = pipeline.query_async(connection).await?;
    let fds = nodes.iter().zip(&members).flat_map(|(&node, members)| {
        let numbers = members.iter().filter_map(|member| keys::number(member));
        numbers.map(move |number| Fd::new(node, number))
    });
    Ok(fds.collect())
}

/// The names of those connections that have one.
pub(super) async fn names(
    shared: &Shared,
    fds: Vec<Fd>,
    connection: &mut MultiplexedConnection,
) -> RedisResult<Vec<Arc<str>>> {
    let mut by_node: BTreeMap<NodeId, Vec<u64>> = BTreeMap::new();
    for fd in fds {
        by_node.entry(fd.node()).or_default().push(fd.number());
    }
    if by_node.is_empty() {
        return Ok(Vec::new());
    }
    let mut pipeline = redis::pipe();
    for (node, numbers) in by_node {
        pipeline
            .cmd("HMGET")
            .arg(shared.keys.names(node))
            .arg(numbers);
    }
    let names: Vec<Vec<Option<String>>> = pipeline.query_async(connection).await?;
    Ok(names
        .into_iter()
        .flatten()
        .flatten()
        .map(Into::into)
        .collect())
}

/// What is kept of a room.
pub(super) async fn history(
    shared: &Shared,
    room: &Room,
    connection: &mut MultiplexedConnection,
) -> RedisResult<Vec<Spoken>> {
    let kept: Vec<(Vec<u8>, f64)> = redis::cmd("ZRANGE")
        .arg(shared.keys.history(room.as_str()))
        .arg(&["0", "-1", "WITHSCORES"])
        .query_async(connection)
        .await?;
    let kept = kept.iter();
    Ok(kept
        .filter_map(|(bytes, time)| wire::decode_kept(*time as u64, bytes))
        .collect())
}
