//! The task that owns the connection to Redis: it connects, announces, carries out, and begins again.

use std::collections::HashSet;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, PushInfo, PushKind, RedisResult, Value};
use tokio::sync::{mpsc, oneshot};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::Shared;
use super::keys::{self, Received};
use crate::component::fd_store::{Fd, Inbox, NodeId, Recipients};
use crate::component::room::Room;

/// The pause after the first failure; it doubles up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// Operations of one round trip.
const BATCH: usize = 256;
/// Members or channels of one command.
const CHUNK: usize = 1000;

/// What the store asks of the link.
#[derive(Debug)]
pub(super) enum Task {
    /// A connection is in a room.
    Add(Room, Fd),
    /// A connection is not in these rooms any more.
    Del(Vec<Room>, Fd),
    /// A text to a room or to everybody, on the other nodes.
    Publish(Option<Room>, String),
    /// The node goes away.
    Close,
}

/// A task, and who waits for it. Dropped undone, it tells that it could not be done.
#[derive(Debug)]
pub(super) struct Operation {
    pub(super) task: Task,
    pub(super) done: oneshot::Sender<()>,
}

/// How a session ends.
enum End {
    /// The store is closed or gone.
    Closed,
    /// Redis does not answer any more.
    Lost(redis::RedisError),
    /// The connection broke while nothing was asked.
    Broken,
}

impl From<redis::RedisError> for End {
    fn from(error: redis::RedisError) -> Self {
        Self::Lost(error)
    }
}

pub(super) struct Link {
    shared: Arc<Shared>,
    client: redis::Client,
    timeout: Duration,
    lease: Duration,
    inbox: Inbox,
    operations: mpsc::Receiver<Operation>,
    received: Arc<Mutex<Received>>,
    /// The number of the last message that this node published.
    sequence: u64,
    /// Redis's number of our last connection.
    client_id: Option<i64>,
}

/// A connection that works, as far as is known.
struct Session {
    connection: MultiplexedConnection,
    /// Cancelled when the connection breaks, and by us when we give it up: what still comes from it
    /// is then not delivered any more.
    over: CancellationToken,
    /// The rooms whose channels are subscribed to.
    subscribed: HashSet<Room>,
}

impl Drop for Session {
    fn drop(&mut self) {
        self.over.cancel();
    }
}

impl Link {
    pub(super) fn new(
        shared: Arc<Shared>,
        client: redis::Client,
        timeout: Duration,
        lease: Duration,
        inbox: Inbox,
        operations: mpsc::Receiver<Operation>,
    ) -> Self {
        Self {
            shared,
            client,
            timeout,
            lease,
            inbox,
            operations,
            received: Arc::default(),
            sequence: 0,
            client_id: None,
        }
    }

    pub(super) async fn run(mut self) {
        let mut pause = FIRST_PAUSE;
        let mut was_linked = true;
        loop {
            let connect = connect(
                self.client.clone(),
                self.timeout,
                Arc::clone(&self.shared),
                self.inbox.clone(),
                Arc::clone(&self.received),
            );
            let Some(session) = self.refuse_during(connect).await else {
                return;
            };
            let end = match session {
                Ok(session) => self.serve(session, &mut pause).await,
                Err(error) => End::Lost(error),
            };
            let linked_before = self.shared.connection().take().is_some();
            let error = match end {
                End::Closed => return,
                End::Lost(error) => error.to_string(),
                End::Broken => "the connection was closed".to_owned(),
            };
            if linked_before || was_linked {
                tracing::warn!(error, "without Redis: this node goes on alone");
            } else {
                tracing::debug!(error, "still without Redis");
            }
            was_linked = false;
            // Many nodes lose the same Redis at the same time.
            let jittered = pause.mul_f64(0.5 + fastrand::f64() / 2.0);
            if self
                .refuse_during(tokio::time::sleep(jittered))
                .await
                .is_none()
            {
                return;
            }
            pause = LONGEST_PAUSE.min(pause * 2);
        }
    }

    /// Waits for `future`; meanwhile whatever is asked is answered at once, that it cannot be done.
    /// `None` when nobody can ask any more.
    async fn refuse_during<T>(&mut self, future: impl Future<Output = T>) -> Option<T> {
        let mut future = pin!(future);
        loop {
            tokio::select! {
                output = &mut future => return Some(output),
                operation = self.operations.recv() => match operation {
                    None | Some(Operation { task: Task::Close, .. }) => return None,
                    Some(operation) => drop(operation),
                },
            }
        }
    }

    /// Announces this node and does what is asked, until the connection fails.
    async fn serve(&mut self, mut session: Session, pause: &mut Duration) -> End {
        // From here on operations wait: a change that the announcement missed is behind it.
        if let Err(error) = self.begin(&mut session).await {
            return error.into();
        }
        *self.shared.connection() = Some(session.connection.clone());
        *pause = FIRST_PAUSE;
        tracing::info!(node = %self.shared.node, "linked to the other nodes by Redis");

        let mut heartbeat = tokio::time::interval(self.lease / 3);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            let result = tokio::select! {
                () = session.over.cancelled() => return End::Broken,
                _ = heartbeat.tick() => self.renew(&mut session).await,
                count = self.operations.recv_many(&mut batch, BATCH) => {
                    let closing = batch.iter().any(|operation| matches!(operation.task, Task::Close));
                    if count == 0 {
                        return End::Closed;
                    }
                    let result = self.carry_out(&mut session, &batch).await;
                    let done = batch.drain(..);
                    if result.is_ok() {
                        for operation in done {
                            // Who asked may be gone.
                            let _ = operation.done.send(());
                        }
                    }
                    if closing {
                        return End::Closed;
                    }
                    result
                }
            };
            if let Err(error) = result {
                return error.into();
            }
        }
    }

    async fn begin(&mut self, session: &mut Session) -> RedisResult<()> {
        // A former connection may hold commands that Redis has not read yet. None may come after the
        // record that is written now. An ACL may forbid it; then that is a small risk.
        if let Some(id) = self.client_id.take() {
            let mut kill = redis::cmd("CLIENT");
            kill.arg(&["KILL", "ID"]).arg(id);
            let killed = kill.query_async::<()>(&mut session.connection).await;
            if let Err(error) = killed {
                tracing::debug!(%error, "CLIENT KILL");
            }
        }
        let mut id = redis::cmd("CLIENT");
        let id = id.arg("ID").query_async(&mut session.connection).await?;
        self.client_id = Some(id);
        self.announce(session).await
    }

    /// Subscribes to what concerns this node, and replaces what Redis knows about it.
    async fn announce(&mut self, session: &mut Session) -> RedisResult<()> {
        let Self { shared, lease, .. } = self;
        let keys = &shared.keys;
        let (rooms, members): (Vec<Room>, Vec<String>) = {
            let membership = shared.membership();
            let members = membership.iter().map(|(room, fd)| keys::member(room, fd));
            (membership.keys().cloned().collect(), members.collect())
        };
        session.connection.subscribe(keys.channel(None)).await?;
        for rooms in rooms.chunks(CHUNK) {
            let channels: Vec<_> = rooms.iter().map(|room| keys.channel(Some(room))).collect();
            session.connection.subscribe(channels).await?;
        }
        session.subscribed = rooms.into_iter().collect();

        let (next, fds) = (keys.next_fds(), keys.fds(shared.node));
        let lease_ms = millis(*lease);
        let mut first = true;
        for members in members.chunks(CHUNK) {
            let mut pipeline = redis::pipe();
            pipeline.atomic();
            if std::mem::take(&mut first) {
                pipeline.cmd("UNLINK").arg(&next);
            }
            zadd(&mut pipeline, &next, members.iter());
            pipeline.cmd("PEXPIRE").arg(&next).arg(lease_ms);
            pipeline.query_async::<()>(&mut session.connection).await?;
        }
        let mut pipeline = redis::pipe();
        pipeline.atomic();
        if members.is_empty() {
            pipeline.cmd("UNLINK").arg(&fds);
        } else {
            pipeline.cmd("RENAME").arg(&next).arg(&fds);
            pipeline.cmd("PEXPIRE").arg(&fds).arg(lease_ms);
        }
        let node = shared.node.to_string();
        pipeline
            .cmd("SET")
            .arg(keys.alive(shared.node))
            .arg(&["1", "PX"])
            .arg(lease_ms);
        pipeline.cmd("SADD").arg(keys.nodes()).arg(node);
        pipeline.query_async::<()>(&mut session.connection).await
    }

    /// Renews the lease, and forgets nodes whose lease is over.
    async fn renew(&mut self, session: &mut Session) -> RedisResult<()> {
        let shared = Arc::clone(&self.shared);
        let keys = &shared.keys;
        let lease_ms = millis(self.lease);
        let mut pipeline = redis::pipe();
        pipeline
            .cmd("SET")
            .arg(keys.alive(shared.node))
            .arg(&["1", "XX", "PX"])
            .arg(lease_ms);
        pipeline
            .cmd("PEXPIRE")
            .arg(keys.fds(shared.node))
            .arg(lease_ms)
            .ignore();
        pipeline
            .cmd("SADD")
            .arg(keys.nodes())
            .arg(shared.node.to_string())
            .ignore();
        pipeline.cmd("SMEMBERS").arg(keys.nodes());
        let (renewed, nodes): (Value, Vec<String>) =
            pipeline.query_async(&mut session.connection).await?;
        if renewed == Value::Nil {
            // It ran out, or somebody emptied the database: the members are gone with it.
            tracing::warn!("the record of this node in Redis was gone; it is written again");
            return self.announce(session).await;
        }
        for name in &nodes {
            let alive = match keys::node(name) {
                Some(node) => node == shared.node || is_alive(session, keys.alive(node)).await?,
                None => false,
            };
            if !alive {
                redis::cmd("SREM")
                    .arg(keys.nodes())
                    .arg(name)
                    .query_async::<()>(&mut session.connection)
                    .await?;
            }
        }
        Ok(())
    }

    async fn carry_out(&mut self, session: &mut Session, batch: &[Operation]) -> RedisResult<()> {
        let shared = Arc::clone(&self.shared);
        let keys = &shared.keys;
        let (join, leave) = session.channels_to_change(&shared, batch);
        if !join.is_empty() {
            let channels: Vec<_> = join.iter().map(|room| keys.channel(Some(room))).collect();
            session.connection.subscribe(channels).await?;
            session.subscribed.extend(join);
        }
        let fds = keys.fds(shared.node);
        let mut pipeline = redis::pipe();
        let mut changed = false;
        for operation in batch {
            match &operation.task {
                Task::Add(room, fd) => {
                    zadd(&mut pipeline, &fds, [keys::member(room, *fd)].iter());
                    changed = true;
                }
                Task::Del(rooms, fd) => {
                    let members: Vec<_> =
                        rooms.iter().map(|room| keys::member(room, *fd)).collect();
                    pipeline.cmd("ZREM").arg(&fds).arg(members);
                    changed = true;
                }
                Task::Publish(room, text) => {
                    self.sequence += 1;
                    pipeline
                        .cmd("PUBLISH")
                        .arg(keys.channel(room.as_ref()))
                        .arg(keys::encode(shared.node, self.sequence, text));
                }
                Task::Close => {
                    pipeline
                        .cmd("UNLINK")
                        .arg(keys.alive(shared.node))
                        .arg(&fds);
                    let node = shared.node.to_string();
                    pipeline.cmd("SREM").arg(keys.nodes()).arg(node);
                    changed = false;
                }
            }
        }
        if changed {
            // A record that Redis has must never be without its end.
            pipeline.atomic();
            pipeline.cmd("PEXPIRE").arg(&fds).arg(millis(self.lease));
        }
        pipeline.query_async::<()>(&mut session.connection).await?;
        if !leave.is_empty() {
            for room in &leave {
                session.subscribed.remove(room);
            }
            let channels: Vec<_> = leave.iter().map(|room| keys.channel(Some(room))).collect();
            session.connection.unsubscribe(channels).await?;
        }
        Ok(())
    }
}

impl Session {
    /// The rooms of a batch whose channels are missing, and those that are not needed any more.
    ///
    /// What is true now counts, not what was when the operation was made: so their order is no matter.
    fn channels_to_change(&self, shared: &Shared, batch: &[Operation]) -> (Vec<Room>, Vec<Room>) {
        let touched: HashSet<&Room> = batch
            .iter()
            .flat_map(|operation| match &operation.task {
                Task::Add(room, _) => std::slice::from_ref(room),
                Task::Del(rooms, _) => rooms.as_slice(),
                Task::Publish(..) | Task::Close => &[],
            })
            .collect();
        let membership = shared.membership();
        let (mut join, mut leave) = (Vec::new(), Vec::new());
        for room in touched {
            match (
                membership.contains_room(room),
                self.subscribed.contains(room),
            ) {
                (true, false) => join.push(room.clone()),
                (false, true) => leave.push(room.clone()),
                _ => {}
            }
        }
        (join, leave)
    }
}

async fn connect(
    client: redis::Client,
    timeout: Duration,
    shared: Arc<Shared>,
    inbox: Inbox,
    received: Arc<Mutex<Received>>,
) -> RedisResult<Session> {
    let over = CancellationToken::new();
    let ended = over.clone();
    // Called where the connection reads: while a message is delivered nothing more is read, so what
    // this node cannot keep up with waits in Redis, which bounds it.
    let receive = move |push: PushInfo| -> Result<(), ()> {
        match push.kind {
            PushKind::Disconnection => ended.cancel(),
            PushKind::Message if !ended.is_cancelled() => {
                deliver(&shared, &inbox, &received, &push.data);
            }
            _ => {}
        }
        Ok(())
    };
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(timeout))
        .set_response_timeout(Some(timeout))
        .set_push_sender(receive);
    let connection = client
        .get_multiplexed_async_connection_with_config(&config)
        .await?;
    Ok(Session {
        connection,
        over,
        subscribed: HashSet::new(),
    })
}

/// Hands a published message to those of this node for whom it is.
fn deliver(shared: &Shared, inbox: &Inbox, received: &Mutex<Received>, data: &[Value]) {
    let Some(published) = Published::read(shared, data) else {
        tracing::warn!("what is no message came from Redis; does something else use the prefix?");
        return;
    };
    let Published {
        room,
        node,
        sequence,
        text,
    } = published;
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
        None => inbox.deliver(Recipients::All, text),
        Some(room) => {
            let fds = shared.membership().members(&room);
            inbox.deliver(Recipients::Room(&room, &fds), text);
        }
    }
}

/// A message as it comes from Redis.
struct Published<'a> {
    /// `None`: for everybody.
    room: Option<Room>,
    node: NodeId,
    sequence: u64,
    text: &'a str,
}

impl<'a> Published<'a> {
    fn read(shared: &Shared, data: &'a [Value]) -> Option<Self> {
        let [Value::BulkString(channel), Value::BulkString(payload)] = data else {
            return None;
        };
        let room = shared.keys.recipients(std::str::from_utf8(channel).ok()?)?;
        let (node, sequence, text) = keys::decode(payload)?;
        Some(Self {
            room,
            node,
            sequence,
            text,
        })
    }
}

async fn is_alive(session: &mut Session, key: String) -> RedisResult<bool> {
    redis::cmd("EXISTS")
        .arg(key)
        .query_async(&mut session.connection)
        .await
}

fn zadd<'a>(pipeline: &mut redis::Pipeline, key: &str, members: impl Iterator<Item = &'a String>) {
    let command = pipeline.cmd("ZADD").arg(key);
    for member in members {
        command.arg(0).arg(member);
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
