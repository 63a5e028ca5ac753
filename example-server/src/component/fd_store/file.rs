//! A store that records every change in a file, for those who look into it or restart from it.
//!
//! The file is an append log (its bytes: `log.rs`). A change is written before it is acknowledged, so
//! `kill -9` loses no acknowledged join. When most of the log is history it is rewritten: to a
//! temporary file, synced, renamed over the log, the directory synced; whenever the process dies,
//! the path is the old log or the new one. Fds die with their process, so the members that a former
//! process left are dropped when the log is opened.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rustix::fs::FlockOperation;
use serde::Deserialize;

use super::log::{self, Change, MAGIC, Replay};
use super::{Fd, FdStore, FdStoreError, Membership, NodeId, Opening, StoreFuture};
use crate::component::room::Room;

/// A log is not rewritten below this size.
const COMPACT_MIN: u64 = 64 * 1024;
/// A log is rewritten when it has grown by this factor since the last time.
const COMPACT_GROWTH: u64 = 4;

/// A store in a file.
#[derive(Debug)]
pub struct FileFdStore {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    node: NodeId,
    membership: Membership,
    file: File,
    /// Where the next record begins.
    end: u64,
    /// The size at which the log is rewritten.
    compact_at: u64,
    /// A failed write could not be undone: what is in the file is not known.
    broken: bool,
    /// Held while the store lives. Not the log itself, which is replaced.
    _lock: File,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    path: PathBuf,
}

impl FileFdStore {
    pub(super) async fn from_config(opening: Opening) -> Result<Self, FdStoreError> {
        let config: Config = opening.config.clone().read()?;
        Self::open(opening.config.path(&config.path), opening.node).await
    }

    /// Opens the log at `path` for the connections of `node`, or makes one.
    pub async fn open(path: PathBuf, node: NodeId) -> Result<Self, FdStoreError> {
        let inner = blocking(move || Inner::open(path, node, COMPACT_MIN)).await?;
        Ok(Self {
            inner: Arc::new(Mutex::new(inner)),
        })
    }

    /// What the log at `path` says, as a look from outside: the members that its process had.
    ///
    /// A torn tail is ignored, and nothing is changed.
    pub fn inspect(path: &Path) -> Result<Membership, FdStoreError> {
        let bytes = fs::read(path).map_err(io_error("cannot read", path))?;
        let replay = log::replay(&bytes).ok_or_else(|| FdStoreError::NotAStore(path.to_owned()))?;
        Ok(replay.membership)
    }

    /// Runs a change where it may wait for the disk. It completes even if nobody waits for it.
    fn apply<T: Send + 'static>(
        &self,
        change: impl FnOnce(&mut Inner) -> Result<T, FdStoreError> + Send + 'static,
    ) -> StoreFuture<'_, T> {
        let inner = Arc::clone(&self.inner);
        Box::pin(blocking(move || {
            change(&mut inner.lock().unwrap_or_else(PoisonError::into_inner))
        }))
    }
}

impl FdStore for FileFdStore {
    fn add_fd_by_key(&self, key: Room, fd: Fd) -> StoreFuture<'_, bool> {
        self.apply(move |inner| {
            if inner.membership.contains(&key, fd) {
                return Ok(false);
            }
            inner.append(&Change::Add(key.clone(), fd))?;
            inner.membership.add(key, fd);
            inner.compact_if_grown();
            Ok(true)
        })
    }

    fn del_fd_by_key(&self, key: Room, fd: Fd) -> StoreFuture<'_, bool> {
        self.apply(move |inner| {
            if !inner.membership.contains(&key, fd) {
                return Ok(false);
            }
            inner.append(&Change::Del(key.clone(), fd))?;
            inner.membership.remove(&key, fd);
            inner.compact_if_grown();
            Ok(true)
        })
    }

    fn get_fds_by_key(&self, key: Room) -> StoreFuture<'_, Vec<Fd>> {
        // No disk: the lock is held for at most one change.
        self.apply(move |inner| Ok(inner.membership.members(&key)))
    }

    fn count_keys(&self) -> StoreFuture<'_, usize> {
        self.apply(|inner| Ok(inner.membership.rooms()))
    }

    fn del_fd(&self, fd: Fd) -> StoreFuture<'_, usize> {
        self.apply(move |inner| {
            if !inner.membership.contains_fd(fd) {
                return Ok(0);
            }
            // The connection is gone, whatever the disk says: memory comes first here.
            let left = inner.membership.remove_all(fd);
            inner.append(&Change::DelAll(fd))?;
            inner.compact_if_grown();
            Ok(left)
        })
    }
}

impl Inner {
    fn open(path: PathBuf, node: NodeId, compact_min: u64) -> Result<Self, FdStoreError> {
        if let Some(directory) = directory_of(&path) {
            fs::create_dir_all(directory).map_err(io_error("cannot create", directory))?;
        }
        let lock = lock(&path)?;
        let mut bytes = Vec::new();
        match File::open(&path) {
            Ok(mut file) => {
                file.read_to_end(&mut bytes)
                    .map_err(io_error("cannot read", &path))?;
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(io_error("cannot open", &path)(error)),
        }
        let Some(Replay {
            membership, valid, ..
        }) = log::replay(&bytes)
        else {
            return Err(FdStoreError::NotAStore(path));
        };
        if !bytes.is_empty() {
            let torn = bytes.len() - valid;
            tracing::info!(path = %path.display(), dropped = membership.len(), torn, "members of the former process dropped");
        }
        let membership = Membership::default();
        let (file, end) = rewrite(&path, node, &membership)?;
        let compact_at = compact_min.max(end * COMPACT_GROWTH);
        Ok(Self {
            path,
            node,
            membership,
            file,
            end,
            compact_at,
            broken: false,
            _lock: lock,
        })
    }

    /// Writes a record, or leaves the log as it was.
    fn append(&mut self, change: &Change) -> Result<(), FdStoreError> {
        if self.broken {
            return Err(FdStoreError::Broken(self.path.clone()));
        }
        let mut record = Vec::new();
        change.encode(self.node, &mut record);
        if let Err(error) = self.file.write_all(&record) {
            // A part of a record would end the log for all that follow.
            let undone = self.file.set_len(self.end);
            let undone = undone.and_then(|()| self.file.seek(SeekFrom::Start(self.end)));
            self.broken = undone.is_err();
            return Err(io_error("cannot write", &self.path)(error));
        }
        self.end += record.len() as u64;
        Ok(())
    }

    /// Rewrites a log that is mostly history. If that fails the log goes on growing as it is.
    fn compact_if_grown(&mut self) {
        if self.end < self.compact_at {
            return;
        }
        match rewrite(&self.path, self.node, &self.membership) {
            Ok((file, end)) => (self.file, self.end) = (file, end),
            Err(error) => tracing::warn!(%error, "the log was not compacted"),
        }
        self.compact_at = COMPACT_MIN.max(self.end * COMPACT_GROWTH);
    }
}

/// Replaces the log by one that only says who is there now.
fn rewrite(
    path: &Path,
    node: NodeId,
    membership: &Membership,
) -> Result<(File, u64), FdStoreError> {
    let mut bytes = MAGIC.to_vec();
    Change::Start.encode(node, &mut bytes);
    for (room, fd) in membership.iter() {
        Change::Add(room.clone(), fd).encode(node, &mut bytes);
    }
    let temporary = sibling(path, ".new");
    let mut file = File::create(&temporary).map_err(io_error("cannot create", &temporary))?;
    file.write_all(&bytes)
        .map_err(io_error("cannot write", &temporary))?;
    file.sync_all()
        .map_err(io_error("cannot sync", &temporary))?;
    fs::rename(&temporary, path).map_err(io_error("cannot replace", path))?;
    let directory = directory_of(path).unwrap_or_else(|| Path::new("."));
    let synced = File::open(directory).and_then(|directory| directory.sync_all());
    if let Err(error) = synced {
        // The new log is in place; only a power cut could bring the old one back.
        tracing::warn!(%error, directory = %directory.display(), "cannot sync");
    }
    Ok((file, bytes.len() as u64))
}

/// Keeps a second process off the log.
fn lock(path: &Path) -> Result<File, FdStoreError> {
    let path_of_lock = sibling(path, ".lock");
    let lock = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path_of_lock)
        .map_err(io_error("cannot open", &path_of_lock))?;
    match rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(lock),
        Err(rustix::io::Errno::WOULDBLOCK) => Err(FdStoreError::InUse(path.to_owned())),
        Err(error) => Err(io_error("cannot lock", &path_of_lock)(error.into())),
    }
}

fn sibling(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn directory_of(path: &Path) -> Option<&Path> {
    path.parent()
        .filter(|directory| !directory.as_os_str().is_empty())
}

fn io_error(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> FdStoreError {
    let path = path.to_owned();
    move |source| FdStoreError::Io {
        action,
        path,
        source,
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, FdStoreError> + Send + 'static,
) -> Result<T, FdStoreError> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or(Err(FdStoreError::Stopped))
}

#[cfg(test)]
#[path = "file_tests.rs"]
mod tests;
