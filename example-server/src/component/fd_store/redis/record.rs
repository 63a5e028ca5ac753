//! What Redis knows about this node: its members, their names, and what was said through it.
//!
//! It is written as a whole when the node is linked, and by each change afterwards. Everything but the history expires
//! unless the node renews it.

use std::collections::HashSet;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{Pipeline, RedisResult, Value};

use super::Shared;
use super::keys::{self, Keys};
use super::wire;
use crate::component::history::History;
use crate::component::room::Room;
use crate::component::spoken::Spoken;

/// Members, channels or names of one command.
const CHUNK: usize = 1000;
/// A room's history is forgotten after so much silence.
const HISTORY_TTL: Duration = Duration::from_secs(7 * 24 * 3600);

/// Subscribes to what concerns this node, and replaces what Redis knows about it.
pub(super) async fn announce(
    shared: &Shared,
    lease: Duration,
    connection: &mut MultiplexedConnection,
) -> RedisResult<()> {
    let (rooms, members, names) = {
        let mut local = shared.local();
        local.subscribed.clear();
        let members = local.membership.iter();
        let members: Vec<String> = members.map(|(room, fd)| keys::member(room, fd)).collect();
        let rooms: Vec<Room> = local.membership.keys().cloned().collect();
        let names: Vec<_> = local.names.clone().into_iter().collect();
        (rooms, members, names)
    };
    connection.subscribe(shared.keys.channel(None)).await?;
    for rooms in rooms.chunks(CHUNK) {
        subscribe(shared, rooms, connection).await?;
    }

    let keys = &shared.keys;
    let (next, fds) = (keys.next_fds(), keys.fds(shared.node));
    let lease_ms = millis(lease);
    let mut first = true;
    for members in members.chunks(CHUNK) {
        let mut pipeline = redis::pipe();
        pipeline.atomic();
        if std::mem::take(&mut first) {
            pipeline.cmd("UNLINK").arg(&next);
        }
        zadd(&mut pipeline, &next, members.iter());
        pipeline.cmd("PEXPIRE").arg(&next).arg(lease_ms);
        pipeline.query_async::<()>(connection).await?;
    }
    let mut pipeline = redis::pipe();
    pipeline.atomic();
    if members.is_empty() {
        pipeline.cmd("UNLINK").arg(&fds);
    } else {
        pipeline.cmd("RENAME").arg(&next).arg(&fds);
    }
    let hash = keys.names(shared.node);
    pipeline.cmd("UNLINK").arg(&hash);
    for names in names.chunks(CHUNK) {
        let command = pipeline.cmd("HSET").arg(&hash);
        for (number, name) in names {
            command.arg(number).arg(&**name);
        }
    }
    expire(&mut pipeline, shared, lease);
    pipeline
        .cmd("SET")
        .arg(keys.alive(shared.node))
        .arg(&["1", "PX"])
        .arg(lease_ms);
    pipeline
        .cmd("SADD")
        .arg(keys.nodes())
        .arg(shared.node.to_string());
    pipeline.query_async::<()>(connection).await
}

/// Keeps what was said through this node and was not kept while Redis was away. What Redis has stays as it is.
///
/// It comes after the node counts as linked: what is said from then on is kept when it is published.
pub(super) async fn catch_up(
    shared: &Shared,
    connection: &mut MultiplexedConnection,
) -> RedisResult<()> {
    for (room, said) in shared.history.said_through(shared.node) {
        let mut pipeline = redis::pipe();
        keep(&mut pipeline, &shared.keys, &room, &said);
        trim(&mut pipeline, &shared.keys, &shared.history, &room);
        pipeline.query_async::<()>(connection).await?;
    }
    Ok(())
}

/// Renews the lease, and forgets nodes whose lease is over and rooms beyond those whose history is kept.
pub(super) async fn renew(
    shared: &Shared,
    lease: Duration,
    connection: &mut MultiplexedConnection,
) -> RedisResult<()> {
    let keys = &shared.keys;
    let mut pipeline = redis::pipe();
    pipeline
        .cmd("SET")
        .arg(keys.alive(shared.node))
        .arg(&["1", "XX", "PX"])
        .arg(millis(lease));
    expire(&mut pipeline, shared, lease);
    pipeline
        .cmd("SADD")
        .arg(keys.nodes())
        .arg(shared.node.to_string())
        .ignore();
    pipeline.cmd("SMEMBERS").arg(keys.nodes());
    let (renewed, nodes): (Value, Vec<String>) = pipeline.query_async(connection).await?;
    if renewed == Value::Nil {
        // It ran out, or somebody emptied the database: the members are gone with it.
        tracing::warn!("the record of this node in Redis was gone; it is written again");
        announce(shared, lease, connection).await?;
        return catch_up(shared, connection).await;
    }
    for name in &nodes {
        let alive = match keys::node(name) {
            Some(node) => node == shared.node || is_alive(connection, keys.alive(node)).await?,
            None => false,
        };
        if !alive {
            redis::cmd("SREM")
                .arg(keys.nodes())
                .arg(name)
                .query_async::<()>(connection)
                .await?;
        }
    }
    forget_histories(keys, shared.history.conf().rooms, connection).await
}

/// Has the record of this node expire, as it must wherever it is written.
pub(super) fn expire(pipeline: &mut Pipeline, shared: &Shared, lease: Duration) {
    let keys = &shared.keys;
    for key in [keys.fds(shared.node), keys.names(shared.node)] {
        pipeline.cmd("PEXPIRE").arg(key).arg(millis(lease)).ignore();
    }
}

/// Leaves nothing of this node but what was said.
pub(super) fn withdraw(pipeline: &mut Pipeline, shared: &Shared) {
    let keys = &shared.keys;
    let node = shared.node;
    pipeline
        .cmd("UNLINK")
        .arg(keys.alive(node))
        .arg(keys.fds(node))
        .arg(keys.names(node));
    pipeline.cmd("SREM").arg(keys.nodes()).arg(node.to_string());
}

/// Subscribes to rooms, which are noted when that is done.
pub(super) async fn subscribe(
    shared: &Shared,
    rooms: &[Room],
    connection: &mut MultiplexedConnection,
) -> RedisResult<()> {
    let channels = rooms.iter().map(|room| shared.keys.channel(Some(room)));
    connection.subscribe(channels.collect::<Vec<_>>()).await?;
    shared.local().subscribed.extend(rooms.iter().cloned());
    Ok(())
}

/// Ends subscriptions.
pub(super) async fn unsubscribe(
    shared: &Shared,
    rooms: &HashSet<Room>,
    connection: &mut MultiplexedConnection,
) -> RedisResult<()> {
    shared
        .local()
        .subscribed
        .retain(|room| !rooms.contains(room));
    let channels = rooms.iter().map(|room| shared.keys.channel(Some(room)));
    connection.unsubscribe(channels.collect::<Vec<_>>()).await
}

pub(super) fn zadd<'a>(
    pipeline: &mut Pipeline,
    key: &str,
    members: impl Iterator<Item = &'a String>,
) {
    let command = pipeline.cmd("ZADD").arg(key);
    for member in members {
        command.arg(0).arg(member);
    }
}

/// Keeps what was said in a room.
pub(super) fn keep<'a>(
    pipeline: &mut Pipeline,
    keys: &Keys,
    room: &Room,
    said: impl IntoIterator<Item = &'a Spoken>,
) {
    let mut last = 0;
    let command = pipeline.cmd("ZADD").arg(keys.history(room.as_str()));
    for spoken in said {
        command.arg(spoken.time).arg(wire::encode_kept(spoken));
        last = last.max(spoken.time);
    }
    pipeline
        .cmd("ZADD")
        .arg(keys.histories())
        .arg(last)
        .arg(room.as_str());
}

/// Drops of a room's history what is more than may be kept.
///
/// Of its bytes each node knows those of the messages that it knows: so many of each node is what there can be.
pub(super) fn trim(pipeline: &mut Pipeline, keys: &Keys, history: &History, room: &Room) {
    let key = keys.history(room.as_str());
    let messages = i64::try_from(history.conf().messages).unwrap_or(i64::MAX - 1);
    pipeline
        .cmd("ZREMRANGEBYRANK")
        .arg(&key)
        .arg(0)
        .arg(-messages - 1);
    if let Some(oldest) = history.cut(room) {
        pipeline
            .cmd("ZREMRANGEBYSCORE")
            .arg(&key)
            .arg("-inf")
            .arg(format!("({oldest}"));
    }
    pipeline.cmd("PEXPIRE").arg(&key).arg(millis(HISTORY_TTL));
}

/// Forgets the rooms that were silent longest, but for so many.
async fn forget_histories(
    keys: &Keys,
    kept: usize,
    connection: &mut MultiplexedConnection,
) -> RedisResult<()> {
    let kept = i64::try_from(kept).unwrap_or(i64::MAX - 1);
    let rooms: Vec<String> = redis::cmd("ZRANGE")
        .arg(keys.histories())
        .arg(0)
        .arg(-kept - 1)
        .query_async(connection)
        .await?;
    for rooms in rooms.chunks(CHUNK) {
        let mut pipeline = redis::pipe();
        let histories: Vec<_> = rooms.iter().map(|room| keys.history(room)).collect();
        pipeline.cmd("UNLINK").arg(histories);
        pipeline.cmd("ZREM").arg(keys.histories()).arg(rooms);
        pipeline.query_async::<()>(connection).await?;
    }
    Ok(())
}

async fn is_alive(connection: &mut MultiplexedConnection, key: String) -> RedisResult<bool> {
    redis::cmd("EXISTS").arg(key).query_async(connection).await
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
