//! The connections of this process: who is there, who is in which room, delivery to them.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use bytes::Bytes;

use crate::component::fd_store::{Fd, FdStore, FdStoreError};
use crate::component::room::Room;
use crate::stats::Stats;
use crate::ws::connection::close_going_away;
use crate::ws::frame::{self, OpCode};
use crate::ws::outbox::{Outbox, Pushed};

/// The connections and their rooms.
#[derive(Debug)]
pub struct Hub {
    store: Arc<dyn FdStore>,
    next_fd: AtomicU64,
    connections: RwLock<Connections>,
    stats: Stats,
    max_queue: usize,
    max_rooms: usize,
}

#[derive(Debug, Default)]
struct Connections {
    by_fd: HashMap<Fd, Arc<Member>>,
    /// No connection is taken any more.
    closed: bool,
}

/// A connection as others see it.
#[derive(Debug)]
struct Member {
    outbox: Arc<Outbox>,
    /// How many rooms it is in. Only the connection itself changes it.
    rooms: AtomicUsize,
}

/// Why a room was not joined.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SubscribeError {
    /// The connection is in as many rooms as it may.
    #[error("a connection may be in at most {0} rooms")]
    TooManyRooms(usize),
    /// The connection is not there (any more).
    #[error("the connection is gone")]
    Gone,
    /// The store failed.
    #[error("the room could not be changed: {0}")]
    Store(#[from] FdStoreError),
}

impl Hub {
    /// A hub without connections.
    pub fn new(store: Arc<dyn FdStore>, max_queue: usize, max_rooms: usize) -> Self {
        Self {
            store,
            next_fd: AtomicU64::new(1),
            connections: RwLock::default(),
            stats: Stats::default(),
            max_queue,
            max_rooms,
        }
    }

    /// Takes a new connection; from now on it receives what everybody receives.
    ///
    /// `None` while the server goes down.
    pub fn connect(self: &Arc<Self>) -> Option<Session> {
        let fd = Fd::new(self.next_fd.fetch_add(1, Ordering::Relaxed));
        let outbox = Arc::new(Outbox::new(self.max_queue));
        let member = Member {
            outbox: Arc::clone(&outbox),
            rooms: AtomicUsize::new(0),
        };
        let mut connections = self.write();
        if connections.closed {
            return None;
        }
        connections.by_fd.insert(fd, Arc::new(member));
        drop(connections);
        Some(Session {
            hub: Arc::clone(self),
            fd,
            outbox,
            left: false,
        })
    }

    /// What has happened to connections.
    pub fn stats(&self) -> &Stats {
        &self.stats
    }

    /// How many connections there are.
    pub fn len(&self) -> usize {
        self.read().by_fd.len()
    }

    /// Whether nobody is connected.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Puts a connection into a room. A second time changes nothing.
    pub async fn subscribe(&self, fd: Fd, room: Room) -> Result<(), SubscribeError> {
        let member = self.member(fd).ok_or(SubscribeError::Gone)?;
        if !self.store.add_fd_by_key(room.clone(), fd).await? {
            return Ok(());
        }
        if member.rooms.fetch_add(1, Ordering::Relaxed) >= self.max_rooms {
            member.rooms.fetch_sub(1, Ordering::Relaxed);
            self.store.del_fd_by_key(room, fd).await?;
            return Err(SubscribeError::TooManyRooms(self.max_rooms));
        }
        Ok(())
    }

    /// Takes a connection out of a room, if it is there.
    pub async fn unsubscribe(&self, fd: Fd, room: Room) -> Result<(), SubscribeError> {
        let member = self.member(fd).ok_or(SubscribeError::Gone)?;
        if self.store.del_fd_by_key(room, fd).await? {
            member.rooms.fetch_sub(1, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Sends a text to everybody in a room. Says to how many.
    pub async fn send_to_room(&self, room: Room, text: &str) -> Result<usize, FdStoreError> {
        let fds = self.store.get_fds_by_key(room).await?;
        if fds.is_empty() {
            return Ok(0);
        }
        let frame = frame::encode(OpCode::Text, text.as_bytes());
        let connections = self.read();
        let members = fds
            .iter()
            .filter_map(|fd| Some((*fd, connections.by_fd.get(fd)?)));
        Ok(self.deliver(members, &frame))
    }

    /// Sends a text to every connection. Says to how many.
    pub fn send_to_all(&self, text: &str) -> usize {
        let frame = frame::encode(OpCode::Text, text.as_bytes());
        let connections = self.read();
        let members = connections.by_fd.iter();
        self.deliver(members.map(|(fd, member)| (*fd, member)), &frame)
    }

    /// Takes no more connections and closes those that are there with 1001.
    pub fn close(&self) {
        let mut connections = self.write();
        connections.closed = true;
        for member in connections.by_fd.values() {
            close_going_away(&member.outbox);
        }
    }

    fn deliver<'a>(
        &self,
        members: impl Iterator<Item = (Fd, &'a Arc<Member>)>,
        frame: &Bytes,
    ) -> usize {
        let mut delivered = 0;
        for (fd, member) in members {
            match member.outbox.push(frame.clone()) {
                Pushed::Queued => delivered += 1,
                Pushed::Closing => {}
                Pushed::Overflow => {
                    self.stats.slow_consumers.increment();
                    tracing::info!(%fd, "closed: it does not read what it is sent");
                }
            }
        }
        delivered
    }

    fn member(&self, fd: Fd) -> Option<Arc<Member>> {
        self.read().by_fd.get(&fd).map(Arc::clone)
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, Connections> {
        self.connections
            .read()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, Connections> {
        self.connections
            .write()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection's place in the hub, left when dropped.
#[derive(Debug)]
pub struct Session {
    hub: Arc<Hub>,
    fd: Fd,
    outbox: Arc<Outbox>,
    left: bool,
}

impl Session {
    /// The connection's number.
    pub fn fd(&self) -> Fd {
        self.fd
    }

    /// The frames to send to it.
    pub fn outbox(&self) -> &Arc<Outbox> {
        &self.outbox
    }

    /// Leaves every room and the hub.
    pub async fn leave(mut self) {
        self.disconnect();
        self.left = true;
        leave_rooms(&*self.hub.store, self.fd).await;
    }

    /// Delivery goes by the hub's connections, so who is not there receives nothing.
    fn disconnect(&self) {
        self.hub.write().by_fd.remove(&self.fd);
    }
}

impl Drop for Session {
    /// The way out of a task that panicked or was aborted.
    fn drop(&mut self) {
        if self.left {
            return;
        }
        self.disconnect();
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let (store, fd) = (Arc::clone(&self.hub.store), self.fd);
            runtime.spawn(async move { leave_rooms(&*store, fd).await });
        }
    }
}

async fn leave_rooms(store: &dyn FdStore, fd: Fd) {
    if let Err(error) = store.del_fd(fd).await {
        tracing::warn!(%fd, %error, "the rooms of a closed connection were not left");
    }
}
