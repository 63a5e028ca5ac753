//! A store that several nodes share through Redis (6.0 or later): one chat on many hosts.
//!
//! Each node answers for its own connections from memory, so delivery to them never waits for Redis
//! and goes on without it. What Redis adds:
//!
//! * **Messages.** A message is published to its room's channel. A node subscribes to the channels of
//!   the rooms that it has members in, before it acknowledges a join.
//! * **Membership.** Each node writes its members, and what they are called, under keys that expire unless the node
//!   renews them: a node that dies takes its members with it.
//! * **History.** What is said in a room is kept in a sorted set by its time, as the same bytes whoever writes it. A
//!   node writes what it has said once more when it is linked again, so that nothing is missing or there twice.
//!
//! One task, the link, owns the connection. While Redis cannot be reached it refuses at once what the
//! node asks of it, and callers learn that they were heard on this node only; when Redis is back the
//! link subscribes to all rooms and replaces the node's record by what is true then.

mod config;
mod inbound;
mod keys;
mod link;
mod questions;
mod record;
mod wire;

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::RedisResult;
use redis::aio::MultiplexedConnection;
use tokio::sync::{mpsc, oneshot};
use tokio_util::task::AbortOnDropHandle;

use self::config::Config;
use self::keys::Keys;
use self::link::{Link, Operation, Task};
use super::{Fd, FdStore, FdStoreError, Membership, NodeId, Opening, StoreFuture};
use crate::component::history::History;
use crate::component::room::Room;
use crate::component::spoken::Spoken;

/// Operations that wait for the link. More wait where they are made: one a connection at most.
const QUEUE: usize = 256;

/// A store in Redis.
#[derive(Debug)]
pub struct RedisFdStore {
    shared: Arc<Shared>,
    operations: mpsc::Sender<Operation>,
    _link: AbortOnDropHandle<()>,
}

/// What the store and its link know.
struct Shared {
    node: NodeId,
    keys: Keys,
    local: Mutex<Local>,
    history: Arc<History>,
    /// The connection, while this node is linked to the others.
    connection: Mutex<Option<MultiplexedConnection>>,
}

/// What is true on this node.
#[derive(Debug, Default)]
struct Local {
    membership: Membership,
    /// What its connections are called, by number.
    names: BTreeMap<u64, Arc<str>>,
    /// The rooms whose channels it is subscribed to.
    subscribed: HashSet<Room>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared")
            .field("node", &self.node)
            .field("keys", &self.keys)
            .finish_non_exhaustive()
    }
}

impl Shared {
    fn local(&self) -> MutexGuard<'_, Local> {
        self.local.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn connection(&self) -> MutexGuard<'_, Option<MultiplexedConnection>> {
        self.connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl RedisFdStore {
    /// Begins to connect. The store can be used at once.
    pub(super) fn from_config(opening: Opening) -> Result<Self, FdStoreError> {
        let Opening {
            node,
            config,
            inbox,
            history,
        } = opening;
        let config: Config = config.read()?;
        config.check()?;
        let client = config.client();
        let client = client.map_err(|error| FdStoreError::Config(error.to_string()))?;
        let shared = Arc::new(Shared {
            node,
            keys: Keys::new(&config.prefix, node),
            local: Mutex::default(),
            history,
            connection: Mutex::default(),
        });
        let (operations, receiver) = mpsc::channel(QUEUE);
        let link = Link::new(
            Arc::clone(&shared),
            client,
            Duration::from_millis(config.timeout_ms),
            Duration::from_millis(config.lease_ms),
            inbox,
            receiver,
        );
        Ok(Self {
            shared,
            operations,
            _link: AbortOnDropHandle::new(tokio::spawn(link.run())),
        })
    }

    /// Asks the link, and waits until it has done it or cannot.
    async fn ask(&self, task: Task) -> Result<(), FdStoreError> {
        let (done, answer) = oneshot::channel();
        let sent = self.operations.send(Operation { task, done }).await;
        sent.map_err(|_| FdStoreError::Stopped)?;
        // The link drops what it could not do.
        answer.await.map_err(|_| FdStoreError::Alone)
    }

    /// A question to Redis, which is not waited for while it is away.
    async fn question<T>(
        &self,
        what: &str,
        ask: impl AsyncFnOnce(&mut MultiplexedConnection) -> RedisResult<T>,
    ) -> Result<T, FdStoreError> {
        let connection = self.shared.connection().clone();
        let mut connection = connection.ok_or(FdStoreError::Alone)?;
        ask(&mut connection).await.map_err(|error| {
            tracing::info!(%error, "Redis did not say {what}");
            FdStoreError::Alone
        })
    }
}

impl FdStore for RedisFdStore {
    fn add_fd_by_key(&self, key: Room, fd: Fd) -> StoreFuture<'_, bool> {
        Box::pin(async move {
            let added = self.shared.local().membership.add(key.clone(), fd);
            if added {
                told(self.ask(Task::Add(key, fd)).await)?;
            }
            Ok(added)
        })
    }

    fn del_fd_by_key(&self, key: Room, fd: Fd) -> StoreFuture<'_, bool> {
        Box::pin(async move {
            let removed = self.shared.local().membership.remove(&key, fd);
            if removed {
                told(self.ask(Task::Del(vec![key], fd)).await)?;
            }
            Ok(removed)
        })
    }

    fn get_fds_by_key(&self, key: Room) -> StoreFuture<'_, Vec<Fd>> {
        Box::pin(self.question("who is in a room", async move |connection| {
            questions::members(&self.shared, &key, connection).await
        }))
    }

    fn del_fd(&self, fd: Fd) -> StoreFuture<'_, usize> {
        Box::pin(async move {
            let (rooms, named) = {
                let mut local = self.shared.local();
                let rooms: Vec<Room> = local.membership.rooms_of(fd).cloned().collect();
                local.membership.remove_all(fd);
                (rooms, local.names.remove(&fd.number()).is_some())
            };
            let left = rooms.len();
            if named {
                told(self.ask(Task::Name(fd, None)).await)?;
            }
            if left > 0 {
                told(self.ask(Task::Del(rooms, fd)).await)?;
            }
            Ok(left)
        })
    }

    fn count_keys(&self) -> StoreFuture<'_, usize> {
        Box::pin(async move { Ok(self.shared.local().membership.rooms()) })
    }

    fn get_local_fds_by_key(&self, key: Room) -> StoreFuture<'_, Vec<Fd>> {
        Box::pin(async move { Ok(self.shared.local().membership.members(&key)) })
    }

    fn publish(&self, key: Option<Room>, spoken: Spoken) -> StoreFuture<'_, ()> {
        if self.is_alone() {
            return Box::pin(std::future::ready(Err(FdStoreError::Alone)));
        }
        Box::pin(self.ask(Task::Publish(key, spoken)))
    }

    fn get_history_by_key(&self, key: Room) -> StoreFuture<'_, Vec<Spoken>> {
        Box::pin(self.question("what was said", async move |connection| {
            questions::history(&self.shared, &key, connection).await
        }))
    }

    fn set_name(&self, fd: Fd, name: Option<Arc<str>>) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            {
                let names = &mut self.shared.local().names;
                match &name {
                    Some(name) => names.insert(fd.number(), Arc::clone(name)),
                    None => names.remove(&fd.number()),
                };
            }
            told(self.ask(Task::Name(fd, name)).await)
        })
    }

    fn get_names(&self, fds: Vec<Fd>) -> StoreFuture<'_, Vec<Arc<str>>> {
        Box::pin(
            self.question("what others are called", async move |connection| {
                questions::names(&self.shared, fds, connection).await
            }),
        )
    }

    fn is_alone(&self) -> bool {
        self.shared.connection().is_none()
    }

    fn close(&self) -> StoreFuture<'_, ()> {
        Box::pin(self.ask(Task::Close))
    }
}

/// A change that the others have not been told yet is made nevertheless: they are told by the record
/// that the link writes when Redis is back.
fn told(result: Result<(), FdStoreError>) -> Result<(), FdStoreError> {
    match result {
        Err(FdStoreError::Alone) => Ok(()),
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::component::fd_store::{Inbox, StoreConfig};
    use crate::component::history::HistoryConf;
    use crate::component::spoken::SpokenId;

    fn open(config: &str) -> Result<RedisFdStore, FdStoreError> {
        RedisFdStore::from_config(Opening {
            node: NodeId::new(7),
            config: StoreConfig::new(config.parse().unwrap(), "".as_ref()),
            inbox: Inbox::new(|_, _| {}),
            history: Arc::new(History::new(HistoryConf::default())),
        })
    }

    #[tokio::test]
    async fn mistakes_of_the_config_are_told() {
        for (config, told) in [
            ("hots = 'x'", "unknown field `hots`"),
            ("port = 65536", "65536"),
            ("leaseMs = 2999", "three times timeoutMs"),
            ("timeoutMs = 0", "timeoutMs must be at least 1"),
            ("prefix = ''", "prefix must not be empty"),
        ] {
            let error = open(config).unwrap_err().to_string();
            assert!(error.contains(told), "{config}: {error}");
        }
        open("leaseMs = 3000").unwrap();
    }

    #[tokio::test]
    async fn without_redis_the_node_goes_on_alone() {
        let nowhere = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = nowhere.local_addr().unwrap().port();
        drop(nowhere);
        let store = open(&format!("port = {port}")).unwrap();
        let room = Room::new("room").unwrap();
        let fd = Fd::new(NodeId::new(7), 1);
        assert!(store.add_fd_by_key(room.clone(), fd).await.unwrap());
        assert!(!store.add_fd_by_key(room.clone(), fd).await.unwrap());
        assert!(store.is_alone());
        let local = store.get_local_fds_by_key(room.clone()).await.unwrap();
        assert_eq!(local, [fd]);
        let id = SpokenId {
            node: NodeId::new(7),
            number: 1,
        };
        let published = store.publish(None, Spoken::now(id, "x")).await;
        assert!(matches!(published, Err(FdStoreError::Alone)));
        let everybody = store.get_fds_by_key(room.clone()).await;
        assert!(matches!(everybody, Err(FdStoreError::Alone)));
        let heard = store.get_history_by_key(room.clone()).await;
        assert!(matches!(heard, Err(FdStoreError::Alone)));
        store.set_name(fd, Some("Ted".into())).await.unwrap();
        assert_eq!(store.del_fd(fd).await.unwrap(), 1);
        assert_eq!(store.get_local_fds_by_key(room).await.unwrap(), []);
    }
}
