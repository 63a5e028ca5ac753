//! Who is in which room: the trait `FdStore` and its implementations.
//!
//! [`MemoryFdStore`] is the default, [`FileFdStore`] also records every change in a file. A store of
//! your own implements the trait and gets a name in [`open`].

pub mod file;
mod log;
mod membership;
pub mod memory;

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

pub use file::FileFdStore;
pub use membership::Membership;
pub use memory::MemoryFdStore;

use super::room::Room;
use crate::services::FdStoreConf;

/// A connection's number: never used twice while the process lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fd(u64);

impl Fd {
    /// The connection of this number.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number.
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Fd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a store answers with: a future, since a store may be on another host.
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, FdStoreError>> + Send + 'a>>;

/// A store of who is in which room.
///
/// A change that was answered with `Ok` is seen by every later question, whoever asks.
pub trait FdStore: fmt::Debug + Send + Sync {
    /// Puts `fd` into the room. Says whether it was not there before.
    fn add_fd_by_key(&self, key: Room, fd: Fd) -> StoreFuture<'_, bool>;

    /// Takes `fd` out of the room. Says whether it was there.
    fn del_fd_by_key(&self, key: Room, fd: Fd) -> StoreFuture<'_, bool>;

    /// Everybody in the room, each once.
    fn get_fds_by_key(&self, key: Room) -> StoreFuture<'_, Vec<Fd>>;

    /// Takes `fd` out of every room. Says of how many.
    fn del_fd(&self, fd: Fd) -> StoreFuture<'_, usize>;
}

/// Why a store cannot be opened or did not take a change.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FdStoreError {
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
}

/// Opens the store that the configuration names.
pub async fn open(conf: &FdStoreConf) -> Result<Arc<dyn FdStore>, FdStoreError> {
    Ok(match conf {
        FdStoreConf::Memory => Arc::new(MemoryFdStore::default()),
        FdStoreConf::File { path } => Arc::new(FileFdStore::open(path.clone()).await?),
    })
}
