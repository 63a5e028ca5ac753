//! The default store: memory of this process.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Deserialize;

use super::{Fd, FdStore, FdStoreError, Membership, Opening, StoreFuture};
use crate::component::room::Room;

/// A store in memory, exact under any concurrency: one lock, held for the change alone.
#[derive(Debug, Default)]
pub struct MemoryFdStore {
    membership: Mutex<Membership>,
}

/// It has no keys.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {}

impl MemoryFdStore {
    pub(super) fn from_config(opening: Opening) -> Result<Self, FdStoreError> {
        let Config {} = opening.config.read()?;
        Ok(Self::default())
    }

    fn lock(&self) -> MutexGuard<'_, Membership> {
        self.membership
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl FdStore for MemoryFdStore {
    fn add_fd_by_key(&self, key: Room, fd: Fd) -> StoreFuture<'_, bool> {
        Box::pin(async move { Ok(self.lock().add(key, fd)) })
    }

    fn del_fd_by_key(&self, key: Room, fd: Fd) -> StoreFuture<'_, bool> {
        Box::pin(async move { Ok(self.lock().remove(&key, fd)) })
    }

    fn get_fds_by_key(&self, key: Room) -> StoreFuture<'_, Vec<Fd>> {
        Box::pin(async move { Ok(self.lock().members(&key)) })
    }

    fn del_fd(&self, fd: Fd) -> StoreFuture<'_, usize> {
        Box::pin(async move { Ok(self.lock().remove_all(fd)) })
    }

    fn count_keys(&self) -> StoreFuture<'_, usize> {
        Box::pin(async move { Ok(self.lock().rooms()) })
    }
}
