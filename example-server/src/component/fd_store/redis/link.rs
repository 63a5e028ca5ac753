//! The task that owns the connection to Redis: it connects, announces, carries out, and begins again.

use std::collections::HashSet;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, PushInfo, PushKind, RedisResult};
use tokio::sync::{mpsc, oneshot};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::wire::{Published, Received};
use super::{Shared, inbound, keys, record};
use crate::component::fd_store::{Fd, Inbox};
use crate::component::room::Room;
use crate::component::spoken::Spoken;

/// The pause after the first failure; it doubles up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// Operations of one round trip.
const BATCH: usize = 256;

/// What the store asks of the link.
#[derive(Debug)]
pub(super) enum Task {
    /// A connection is in a room.
    Add(Room, Fd),
    /// A connection is not in these rooms any more.
    Del(Vec<Room>, Fd),
    /// What a connection is called.
    Name(Fd, Option<Arc<str>>),
    /// A message to a room or to everybody, on the other nodes.
    Publish(Option<Room>, Spoken),
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
        if let Err(error) = record::catch_up(&self.shared, &mut session.connection).await {
            return error.into();
        }
        *pause = FIRST_PAUSE;
        tracing::info!(node = %self.shared.node, "linked to the other nodes by Redis");

        let mut heartbeat = tokio::time::interval(self.lease / 3);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            let result = tokio::select! {
                () = session.over.cancelled() => return End::Broken,
                _ = heartbeat.tick() => record::renew(&self.shared, self.lease, &mut session.connection).await,
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
        record::announce(&self.shared, self.lease, &mut session.connection).await
    }

    async fn carry_out(&mut self, session: &mut Session, batch: &[Operation]) -> RedisResult<()> {
        let shared = Arc::clone(&self.shared);
        let keys = &shared.keys;
        let (join, leave) = channels_to_change(&shared, batch);
        if !join.is_empty() {
            record::subscribe(&shared, &join, &mut session.connection).await?;
        }
        let fds = keys.fds(shared.node);
        let names = keys.names(shared.node);
        let mut pipeline = redis::pipe();
        let mut changed = false;
        let mut talked = HashSet::new();
        for operation in batch {
            match &operation.task {
                Task::Add(room, fd) => {
                    record::zadd(&mut pipeline, &fds, [keys::member(room, *fd)].iter());
                    changed = true;
                }
                Task::Del(rooms, fd) => {
                    let members: Vec<_> =
                        rooms.iter().map(|room| keys::member(room, *fd)).collect();
                    pipeline.cmd("ZREM").arg(&fds).arg(members);
                    changed = true;
                }
                Task::Name(fd, Some(name)) => {
                    pipeline
                        .cmd("HSET")
                        .arg(&names)
                        .arg(fd.number())
                        .arg(&**name);
                    changed = true;
                }
                Task::Name(fd, None) => {
                    pipeline.cmd("HDEL").arg(&names).arg(fd.number());
                    changed = true;
                }
                Task::Publish(room, spoken) => {
                    self.sequence += 1;
                    pipeline
                        .cmd("PUBLISH")
                        .arg(keys.channel(room.as_ref()))
                        .arg(Published::encode(self.sequence, spoken));
                    if let Some(room) = room
                        && shared.history.keeps(spoken)
                    {
                        record::keep(&mut pipeline, keys, room, [spoken]);
                        talked.insert(room);
                    }
                }
                Task::Close => {
                    record::withdraw(&mut pipeline, &shared);
                    changed = false;
                }
            }
        }
        for room in talked {
            record::trim(&mut pipeline, keys, &shared.history, room);
        }
        if changed {
            // A record that Redis has must never be without its end.
            pipeline.atomic();
            record::expire(&mut pipeline, &shared, self.lease);
        }
        pipeline.query_async::<()>(&mut session.connection).await?;
        if !leave.is_empty() {
            record::unsubscribe(&shared, &leave, &mut session.connection).await?;
        }
        Ok(())
    }
}

/// The rooms of a batch whose channels are missing, and those that are not needed any more.
///
/// What is true now counts, not what was when the operation was made: so their order is no matter.
fn channels_to_change(shared: &Shared, batch: &[Operation]) -> (Vec<Room>, HashSet<Room>) {
    let touched: HashSet<&Room> = batch
        .iter()
        .flat_map(|operation| match &operation.task {
            Task::Add(room, _) => std::slice::from_ref(room),
            Task::Del(rooms, _) => rooms.as_slice(),
            Task::Name(..) | Task::Publish(..) | Task::Close => &[],
        })
        .collect();
    let local = shared.local();
    let (mut join, mut leave) = (Vec::new(), HashSet::new());
    for room in touched {
        match (
            local.membership.contains_room(room),
            local.subscribed.contains(room),
        ) {
            (true, false) => join.push(room.clone()),
            (false, true) => {
                leave.insert(room.clone());
            }
            _ => {}
        }
    }
    (join, leave)
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
                inbound::deliver(&shared, &inbox, &received, &push.data);
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
    Ok(Session { connection, over })
}
