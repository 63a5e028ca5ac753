//! Who is in which room: the trait [`FdStore`], its implementations and their names.
//!
//! The `fdStoreConf` of services.toml names a store: [`MemoryFdStore`] is the default, [`FileFdStore`]
//! also records every change in a file, [`RedisFdStore`] joins several nodes to one chat.
//!
//! A store of your own implements [`FdStore`] and gets a line in `STORES`:
//!
//! ```
//! use std::collections::BTreeSet;
//! use std::sync::{Arc, Mutex};
//!
//! use example_server::component::fd_store::{Fd, FdStore, Registered, StoreConfig, StoreFuture};
//! use example_server::component::room::Room;
//!
//! #[derive(Debug, Default)]
//! struct SetFdStore(Mutex<BTreeSet<(Room, Fd)>>);
//!
//! impl FdStore for SetFdStore {
//!     fn add_fd_by_key(&self, key: Room, fd: Fd) -> StoreFuture<'_, bool> {
//!         Box::pin(async move { Ok(self.0.lock().unwrap().insert((key, fd))) })
//!     }
//!
//!     fn del_fd_by_key(&self, key: Room, fd: Fd) -> StoreFuture<'_, bool> {
//!         Box::pin(async move { Ok(self.0.lock().unwrap().remove(&(key, fd))) })
//!     }
//!
//!     fn get_fds_by_key(&self, key: Room) -> StoreFuture<'_, Vec<Fd>> {
//!         Box::pin(async move {
//!             let members = self.0.lock().unwrap();
//!             Ok(members.iter().filter(|(room, _)| *room == key).map(|(_, fd)| *fd).collect())
//!         })
//!     }
//!
//!     fn del_fd(&self, fd: Fd) -> StoreFuture<'_, usize> {
//!         Box::pin(async move {
//!             let mut members = self.0.lock().unwrap();
//!             let before = members.len();
//!             members.retain(|(_, member)| *member != fd);
//!             Ok(before - members.len())
//!         })
//!     }
//!
//!     fn count_keys(&self) -> StoreFuture<'_, usize> {
//!         Box::pin(async move {
//!             let members = self.0.lock().unwrap();
//!             Ok(members.iter().map(|(room, _)| room).collect::<BTreeSet<_>>().len())
//!         })
//!     }
//! }
//!
//! /// The keys of its `config` in services.toml.
//! #[derive(serde::Deserialize)]
//! #[serde(deny_unknown_fields)]
//! struct Config {}
//!
//! static SET: Registered = Registered::new("set", |opening| {
//!     Box::pin(async {
//!         let Config {} = opening.config.read()?;
//!         Ok(Arc::new(SetFdStore::default()) as Arc<dyn FdStore>)
//!     })
//! });
//!
//! // Or, where the server is embedded in another program, without the line:
//! use example_server::services::{FdStoreConf, Services};
//! let services = Services {
//!     fd_store: FdStoreConf { store: &SET, config: StoreConfig::default() },
//!     ..Services::default()
//! };
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! # let hub = example_server::hub::Hub::open(&services).await.unwrap();
//! # let hub = Arc::new(hub);
//! # let session = hub.connect().unwrap();
//! # let room = Room::new("room1").unwrap();
//! # hub.subscribe(session.fd(), room.clone()).await.unwrap();
//! # assert_eq!(hub.members(room.clone()).await.unwrap(), [session.fd()]);
//! # session.leave().await;
//! # assert_eq!(hub.members(room).await.unwrap(), []);
//! # });
//! ```

mod config;
mod fd;
pub mod file;
mod log;
mod membership;
pub mod memory;
pub mod redis;

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

pub use config::StoreConfig;
pub use fd::{Fd, NodeId};
pub use file::FileFdStore;
pub use membership::Membership;
pub use memory::MemoryFdStore;
pub use redis::RedisFdStore;

use super::history::History;
use super::room::Room;
use super::spoken::Spoken;

/// What a store answers with: a future, since a store may be on another host.
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, FdStoreError>> + Send + 'a>>;

/// A store of who is in which room.
///
/// A change that was answered with `Ok` is seen by every later question of this node. A store that
/// several nodes share is the truth about this node's connections only through this node: when it
/// cannot reach the others it records the change here, says so by [`is_alone`](Self::is_alone), and
/// tells the others as soon as it can.
pub trait FdStore: fmt::Debug + Send + Sync {
    /// Puts a connection of this node into the room. Says whether it was not there before.
    fn add_fd_by_key(&self, key: Room, fd: Fd) -> StoreFuture<'_, bool>;

    /// Takes a connection of this node out of the room. Says whether it was there.
    fn del_fd_by_key(&self, key: Room, fd: Fd) -> StoreFuture<'_, bool>;

    /// Everybody in the room, on every node that shares the store, each once.
    fn get_fds_by_key(&self, key: Room) -> StoreFuture<'_, Vec<Fd>>;

    /// Takes a connection of this node out of every room, and its name back. Says of how many rooms.
    fn del_fd(&self, fd: Fd) -> StoreFuture<'_, usize>;

    /// How many rooms have members on this node.
    fn count_keys(&self) -> StoreFuture<'_, usize>;

    /// Those members of the room that are connected to this node. It is asked for each message, and
    /// other nodes' connections in the answer are passed over.
    fn get_local_fds_by_key(&self, key: Room) -> StoreFuture<'_, Vec<Fd>> {
        self.get_fds_by_key(key)
    }

    /// Sends a message to the members of a room (`None`: to everybody) on the *other* nodes, each of
    /// which receives it through its [`Inbox`], and keeps what was said in a room for
    /// [`get_history_by_key`](Self::get_history_by_key). [`FdStoreError::Alone`] if they cannot be reached.
    fn publish(&self, _key: Option<Room>, _spoken: Spoken) -> StoreFuture<'_, ()> {
        Box::pin(std::future::ready(Ok(())))
    }

    /// What was said in the room through any node, as far as it is kept, in no order. What this node has kept itself
    /// is known without the store.
    fn get_history_by_key(&self, _key: Room) -> StoreFuture<'_, Vec<Spoken>> {
        Box::pin(std::future::ready(Ok(Vec::new())))
    }

    /// Lets other nodes know a connection of this node by this name; `None` takes it back.
    fn set_name(&self, _fd: Fd, _name: Option<Arc<str>>) -> StoreFuture<'_, ()> {
        Box::pin(std::future::ready(Ok(())))
    }

    /// The names of connections of *other* nodes, of those that have one.
    fn get_names(&self, _fds: Vec<Fd>) -> StoreFuture<'_, Vec<Arc<str>>> {
        Box::pin(std::future::ready(Ok(Vec::new())))
    }

    /// Whether there ought to be other nodes, and they cannot be reached at the moment.
    fn is_alone(&self) -> bool {
        false
    }

    /// Leaves nothing of this node behind. Nothing is asked of the store afterwards.
    fn close(&self) -> StoreFuture<'_, ()> {
        Box::pin(std::future::ready(Ok(())))
    }
}

/// Through what a shared store hands over what other nodes send.
#[derive(Clone)]
pub struct Inbox(Arc<Deliver>);

type Deliver = dyn Fn(Recipients<'_>, Spoken) + Send + Sync;

/// The connections of this node for which a message is.
#[derive(Debug, Clone, Copy)]
pub enum Recipients<'a> {
    /// All of them.
    All,
    /// These members of the room.
    Room(&'a Room, &'a [Fd]),
}

impl Inbox {
    /// An inbox that is emptied by `deliver`.
    pub fn new(deliver: impl Fn(Recipients<'_>, Spoken) + Send + Sync + 'static) -> Self {
        Self(Arc::new(deliver))
    }

    /// Queues a message to connections of this node. It never waits.
    pub fn deliver(&self, recipients: Recipients<'_>, spoken: Spoken) {
        (self.0)(recipients, spoken);
    }
}

impl fmt::Debug for Inbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Inbox(..)")
    }
}

/// Why a store cannot be opened or did not take a change.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FdStoreError {
    /// The store's part of services.toml is wrong.
    #[error("config: {0}")]
    Config(String),
    /// The file could not be read or written.
    #[error("{} {}: {source}", .action, .path.display())]
    Io {
        /// What was tried, as in "cannot write".
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Another process works on the file.
    #[error("{} is in use by another process; give each process its own fdStoreConf path", .0.display())]
    InUse(PathBuf),
    /// The file is something else.
    #[error("{} is not a store of this server; move it away or change the fdStoreConf path", .0.display())]
    NotAStore(PathBuf),
    /// An earlier write failed and could not be undone.
    #[error("{} takes no changes since a write failed; restart the server", .0.display())]
    Broken(PathBuf),
    /// The store stopped while it worked on the change.
    #[error("the store has stopped")]
    Stopped,
    /// The other nodes cannot be reached.
    #[error("the other nodes cannot be reached")]
    Alone,
}

/// What a store is opened with.
#[derive(Debug)]
pub struct Opening {
    /// The node whose connections it is about.
    pub node: NodeId,
    /// The `config` of services.toml.
    pub config: StoreConfig,
    /// Where what other nodes send goes.
    pub inbox: Inbox,
    /// What this node has kept of what was said, and how much may be kept.
    pub history: Arc<History>,
}

/// A store that `className` can name.
pub struct Registered {
    name: &'static str,
    open: fn(Opening) -> StoreFuture<'static, Arc<dyn FdStore>>,
}

/// The store in memory, and the default.
pub static MEMORY: Registered = Registered::new("memory", |opening| {
    Box::pin(async { Ok(Arc::new(MemoryFdStore::from_config(opening)?) as _) })
});

/// The store in a file.
pub static FILE: Registered = Registered::new("file", |opening| {
    Box::pin(async { Ok(Arc::new(FileFdStore::from_config(opening).await?) as _) })
});

/// The store in Redis.
pub static REDIS: Registered = Registered::new("redis", |opening| {
    Box::pin(async { Ok(Arc::new(RedisFdStore::from_config(opening)?) as _) })
});

static STORES: &[&Registered] = &[&MEMORY, &FILE, &REDIS];

/// The store of this name.
pub fn find(name: &str) -> Option<&'static Registered> {
    STORES.iter().copied().find(|store| store.name == name)
}

/// The names of all stores.
pub fn names() -> impl Iterator<Item = &'static str> {
    STORES.iter().map(|store| store.name)
}

impl Registered {
    /// A store for `className` that `open` opens.
    pub const fn new(
        name: &'static str,
        open: fn(Opening) -> StoreFuture<'static, Arc<dyn FdStore>>,
    ) -> Self {
        Self { name, open }
    }

    /// The name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Opens the store.
    pub async fn open(&self, opening: Opening) -> Result<Arc<dyn FdStore>, FdStoreError> {
        (self.open)(opening).await
    }
}

impl PartialEq for Registered {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Registered {}

impl fmt::Debug for Registered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}
