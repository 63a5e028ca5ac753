//! A store that several nodes share through Redis (6.0 or later): one chat on many hosts.
//!
//! Each node answers for its own connections from memory, so delivery to them never waits for Redis
//! and goes on without it. What Redis adds:
//!
//! * **Messages.** A message is published to its room's channel. A node subscribes to the channels of
//!   the rooms that it has members in, before it acknowledges a join.
//! * **Membership.** Each node writes its members under one key that expires unless the node renews
//!   it: a node that dies takes its members with it.
//!
//! One task, the link, owns the connection. While Redis cannot be reached it refuses at once what the
//! node asks of it, and callers learn that they were heard on this node only; when Redis is back the
//! link subscribes to all rooms and replaces the node's record by what is true then.

mod keys;
mod link;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{ConnectionAddr, IntoConnectionInfo as _, ProtocolVersion, RedisConnectionInfo};
use serde::Deserialize;
use tokio::sync::{mpsc, oneshot};
use tokio_util::task::AbortOnDropHandle;

use self::keys::Keys;
use self::link::{Link, Operation, Task};
use super::{Fd, FdStore, FdStoreError, Inbox, Membership, NodeId, Opening, StoreFuture};
use crate::component::room::Room;

/// Operations that wait for the link. More wait where they are made: one a connection at most.
const QUEUE: usize = 256;

/// The `config` of services.toml, with the keys of TarsPHP's RedisStoreCache and ours.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct Config {
    host: String,
    port: u16,
    username: Option<String>,
    password: Option<String>,
    database: i64,
    /// What all keys and channels begin with.
    prefix: String,
    /// How long a node that died is still listed.
    lease_ms: u64,
    /// How long Redis may take to connect or to answer.
    timeout_ms: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            host: "127.0.0.1".to_owned(),
            port: 6379,
            username: None,
            password: None,
            database: 0,
            prefix: "tars-chat".to_owned(),
            lease_ms: 15_000,
            timeout_ms: 1_000,
        }
    }
}

impl Config {
    fn check(&self) -> Result<(), FdStoreError> {
        let problem = if self.timeout_ms == 0 {
            "timeoutMs must be at least 1"
        } else if self.lease_ms < 3 * self.timeout_ms {
            // It is renewed every third of it, and each try may take as long as the timeout.
            "leaseMs must be at least three times timeoutMs"
        } else if self.prefix.is_empty() {
            "prefix must not be empty"
        } else {
            return Ok(());
        };
        Err(FdStoreError::Config(problem.to_owned()))
    }

    fn client(&self) -> redis::RedisResult<redis::Client> {
        let mut settings = RedisConnectionInfo::default()
            .set_db(self.database)
            .set_protocol(ProtocolVersion::RESP3);
        if let Some(username) = &self.username {
            settings = settings.set_username(username);
        }
        if let Some(password) = &self.password {
            settings = settings.set_password(password);
        }
        let address = ConnectionAddr::Tcp(self.host.clone(), self.port);
        redis::Client::open(address.into_connection_info()?.set_redis_settings(settings))
    }
}

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
    /// The members of this node.
    membership: Mutex<Membership>,
    /// The connection, while this node is linked to the others.
    connection: Mutex<Option<MultiplexedConnection>>,
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
    fn membership(&self) -> MutexGuard<'_, Membership> {
        self.membership
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn connection(&self) -> MutexGuard<'_, Option<MultiplexedConnection>> {
        self.connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl RedisFdStore {
    pub(super) fn from_config(opening: Opening) -> Result<Self, FdStoreError> {
        let config: Config = opening.config.read()?;
        config.check()?;
        Self::open(&config, opening.node, opening.inbox)
    }

    /// Begins to connect. The store can be used at once.
    fn open(config: &Config, node: NodeId, inbox: Inbox) -> Result<Self, FdStoreError> {
        let client = config.client();
        let client = client.map_err(|error| FdStoreError::Config(error.to_string()))?;
        let shared = Arc::new(Shared {
            node,
            keys: Keys::new(&config.prefix, node),
            membership: Mutex::default(),
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

    async fn everywhere(&self, key: &Room) -> redis::RedisResult<Option<Vec<Fd>>> {
        let Some(mut connection) = self.shared.connection().clone() else {
            return Ok(None);
        };
        let keys = &self.shared.keys;
        let nodes: Vec<String> = redis::cmd("SMEMBERS")
            .arg(keys.nodes())
            .query_async(&mut connection)
            .await?;
        let nodes: Vec<NodeId> = nodes.iter().filter_map(|name| keys::node(name)).collect();
        let mut pipeline = redis::pipe();
        let (first, end) = keys::members_of(key);
        for &node in &nodes {
            pipeline
                .cmd("ZRANGEBYLEX")
                .arg(keys.fds(node))
                .arg(&first)
                .arg(&end);
        }
        let members: Vec<Vec<String>> = if nodes.is_empty() {
            Vec::new()
        } else {
            pipeline.query_async(&mut connection).await?
        };
        let fds = nodes.iter().zip(&members).flat_map(|(&node, members)| {
            let numbers = members.iter().filter_map(|member| keys::number(member));
            numbers.map(move |number| Fd::new(node, number))
        });
        Ok(Some(fds.collect()))
    }
}

impl FdStore for RedisFdStore {
    fn add_fd_by_key(&self, key: Room, fd: Fd) -> StoreFuture<'_, bool> {
        Box::pin(async move {
            let added = self.shared.membership().add(key.clone(), fd);
            if added {
                told(self.ask(Task::Add(key, fd)).await)?;
            }
            Ok(added)
        })
    }

    fn del_fd_by_key(&self, key: Room, fd: Fd) -> StoreFuture<'_, bool> {
        Box::pin(async move {
            let removed = self.shared.membership().remove(&key, fd);
            if removed {
                told(self.ask(Task::Del(vec![key], fd)).await)?;
            }
            Ok(removed)
        })
    }

    fn get_fds_by_key(&self, key: Room) -> StoreFuture<'_, Vec<Fd>> {
        Box::pin(async move {
            match self.everywhere(&key).await {
                Ok(Some(fds)) => Ok(fds),
                Ok(None) => Err(FdStoreError::Alone),
                Err(error) => {
                    tracing::info!(%error, "Redis did not say who is in a room");
                    Err(FdStoreError::Alone)
                }
            }
        })
    }

    fn del_fd(&self, fd: Fd) -> StoreFuture<'_, usize> {
        Box::pin(async move {
            let rooms: Vec<Room> = {
                let mut membership = self.shared.membership();
                let rooms = membership.rooms_of(fd).cloned().collect();
                membership.remove_all(fd);
                rooms
            };
            let left = rooms.len();
            if left > 0 {
                told(self.ask(Task::Del(rooms, fd)).await)?;
            }
            Ok(left)
        })
    }

    fn count_keys(&self) -> StoreFuture<'_, usize> {
        Box::pin(async move { Ok(self.shared.membership().rooms()) })
    }

    fn get_local_fds_by_key(&self, key: Room) -> StoreFuture<'_, Vec<Fd>> {
        Box::pin(async move { Ok(self.shared.membership().members(&key)) })
    }

    fn publish(&self, key: Option<Room>, text: &str) -> StoreFuture<'_, ()> {
        if self.is_alone() {
            return Box::pin(std::future::ready(Err(FdStoreError::Alone)));
        }
        let text = text.to_owned();
        Box::pin(self.ask(Task::Publish(key, text)))
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
    use crate::component::fd_store::StoreConfig;

    fn open(config: &str) -> Result<RedisFdStore, FdStoreError> {
        RedisFdStore::from_config(Opening {
            node: NodeId::new(7),
            config: StoreConfig::new(config.parse().unwrap(), "".as_ref()),
            inbox: Inbox::new(|_, _| {}),
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
        let published = store.publish(None, "x").await;
        assert!(matches!(published, Err(FdStoreError::Alone)));
        let everybody = store.get_fds_by_key(room.clone()).await;
        assert!(matches!(everybody, Err(FdStoreError::Alone)));
        assert_eq!(store.del_fd(fd).await.unwrap(), 1);
        assert_eq!(store.get_local_fds_by_key(room).await.unwrap(), []);
    }
}
