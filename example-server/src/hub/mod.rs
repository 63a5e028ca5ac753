//! The chat: who is connected to this node, who is in which room, delivery to them and beyond.

mod connections;
mod people;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use self::connections::{Connections, Member};
use crate::component::fd_store::{Fd, FdStore, FdStoreError, Inbox, NodeId, Opening, Recipients};
use crate::component::history::History;
use crate::component::room::Room;
use crate::component::spoken::{Spoken, SpokenId};
use crate::metrics::{Metrics, Now};
use crate::services::{Limits, Services};
use crate::ws::connection::close_going_away;
use crate::ws::flusher::Flushers;
use crate::ws::outbox::Outbox;

/// How often some of many connections have their turn at something.
const STEP: Duration = Duration::from_millis(10);

/// The connections and their rooms.
#[derive(Debug)]
pub struct Hub {
    node: NodeId,
    store: Arc<dyn FdStore>,
    next_number: AtomicU64,
    next_spoken: AtomicU64,
    connections: Arc<Connections>,
    flushers: Flushers,
    history: Arc<History>,
    limits: Limits,
}

/// Why a room was not joined, or not everywhere.
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
    /// The room is joined, but messages of other nodes do not arrive before these are back.
    #[error("the other nodes cannot be reached: subscribed on this node only, until they are back")]
    Alone,
}

/// Why a message was not delivered, or not everywhere.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// The store failed; nobody received the message.
    #[error("the members of the room could not be found: {0}")]
    Store(#[from] FdStoreError),
    /// Everybody on this node received it, and nobody else.
    #[error("the other nodes cannot be reached: delivered on this node only")]
    Alone,
}

impl Hub {
    /// A hub without connections.
    pub async fn open(services: &Services) -> Result<Self, FdStoreError> {
        let node = NodeId::random();
        let connections = Arc::new(Connections::new(node));
        let history = Arc::new(History::new(services.history.clone()));
        let inbox = Inbox::new({
            let connections = Arc::clone(&connections);
            let history = Arc::clone(&history);
            move |recipients, spoken| {
                connections.metrics.relayed.inc();
                connections.deliver(recipients, &spoken.text);
                if let Recipients::Room(room, _) = recipients {
                    history.record(room, spoken);
                }
            }
        });
        let opening = Opening {
            node,
            config: services.fd_store.config.clone(),
            inbox,
            history: Arc::clone(&history),
        };
        Ok(Self {
            node,
            store: services.fd_store.store.open(opening).await?,
            next_number: AtomicU64::new(1),
            next_spoken: AtomicU64::new(1),
            connections,
            flushers: Flushers::start(),
            history,
            limits: services.limits.clone(),
        })
    }

    /// Takes a new connection; from now on it receives what everybody receives.
    ///
    /// `None` while the server goes down.
    pub fn connect(self: &Arc<Self>) -> Option<Session> {
        let number = self.next_number.fetch_add(1, Ordering::Relaxed);
        let fd = Fd::new(self.node, number);
        let outbox = Arc::new(Outbox::new(
            self.limits.max_queue_size,
            self.limits.slow_consumer,
            self.flushers.of(number),
        ));
        let taken = self.connections.insert(fd, Arc::clone(&outbox));
        taken.then(|| Session {
            hub: Arc::clone(self),
            fd,
            outbox,
            left: false,
        })
    }

    /// What has happened.
    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.connections.metrics
    }

    /// Everything counted, in Prometheus' text format.
    pub async fn render_metrics(&self) -> String {
        let now = Now {
            connections: self.len(),
            rooms: self.rooms().await,
            alone: self.is_alone(),
        };
        self.metrics().render(now)
    }

    /// How many connections this node has.
    pub fn len(&self) -> usize {
        self.connections.len()
    }

    /// How many rooms have members on this node; 0 if the store cannot tell.
    pub async fn rooms(&self) -> usize {
        self.store.count_keys().await.unwrap_or_default()
    }

    /// Whether nobody is connected.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether there ought to be other nodes, and they cannot be reached at the moment.
    pub fn is_alone(&self) -> bool {
        self.store.is_alone()
    }

    /// Puts a connection into a room. A second time changes nothing.
    pub async fn subscribe(&self, fd: Fd, room: Room) -> Result<(), SubscribeError> {
        let member = self.member(fd)?;
        if self.store.add_fd_by_key(room.clone(), fd).await?
            && member.rooms.fetch_add(1, Ordering::Relaxed) >= self.limits.max_rooms_per_connection
        {
            member.rooms.fetch_sub(1, Ordering::Relaxed);
            self.store.del_fd_by_key(room, fd).await?;
            return Err(SubscribeError::TooManyRooms(
                self.limits.max_rooms_per_connection,
            ));
        }
        tracing::debug!(%fd, %room, "subscribed");
        if self.is_alone() {
            return Err(SubscribeError::Alone);
        }
        Ok(())
    }

    /// Takes a connection out of a room, if it is there.
    pub async fn unsubscribe(&self, fd: Fd, room: Room) -> Result<(), SubscribeError> {
        let member = self.member(fd)?;
        if self.store.del_fd_by_key(room.clone(), fd).await? {
            member.rooms.fetch_sub(1, Ordering::Relaxed);
            tracing::debug!(%fd, %room, "unsubscribed");
        }
        Ok(())
    }

    /// Sends a text to everybody in a room, on all nodes.
    pub async fn send_to_room(&self, room: Room, text: &str) -> Result<(), SendError> {
        let fds = self.store.get_local_fds_by_key(room.clone()).await?;
        let spoken = self.spoken(text);
        self.history.record(&room, spoken.clone());
        self.connections
            .deliver(Recipients::Room(&room, &fds), text);
        self.publish(Some(room), spoken).await
    }

    /// Sends a text to every connection, on all nodes.
    pub async fn send_to_all(&self, text: &str) -> Result<(), SendError> {
        self.connections.deliver(Recipients::All, text);
        self.publish(None, self.spoken(text)).await
    }

    fn spoken(&self, text: &str) -> Spoken {
        let id = SpokenId {
            node: self.node,
            number: self.next_spoken.fetch_add(1, Ordering::Relaxed),
        };
        Spoken::now(id, text)
    }

    async fn publish(&self, room: Option<Room>, spoken: Spoken) -> Result<(), SendError> {
        match self.store.publish(room, spoken).await {
            Ok(()) => Ok(()),
            Err(error) => {
                if !matches!(error, FdStoreError::Alone) {
                    tracing::warn!(%error, "the other nodes did not receive a message");
                }
                Err(SendError::Alone)
            }
        }
    }

    /// Whether no new connection is taken any more.
    pub fn is_draining(&self) -> bool {
        self.connections.is_closed()
    }

    /// Takes no more connections and closes those that are there with 1001, spread over `window`, so
    /// that they do not all come back at the same moment elsewhere.
    pub async fn drain(&self, window: Duration) {
        let members = self.connections.close();
        spread(&members, window, |member| close_going_away(&member.outbox)).await;
    }

    /// Makes each connection look for life once in an interval, for ever. Not all at once: each look
    /// may be a ping.
    pub async fn look_for_life(&self, interval: Duration) {
        loop {
            let next = tokio::time::Instant::now() + interval;
            // Their names: who leaves meanwhile is not held.
            let fds = self.connections.fds();
            spread(&fds, interval, |&fd| {
                if let Some(member) = self.connections.get(fd) {
                    member.outbox.look_for_life();
                }
            })
            .await;
            tokio::time::sleep_until(next).await;
        }
    }

    /// Leaves nothing in the store. For when every connection is closed.
    pub async fn leave_store(&self) {
        if let Err(error) = self.store.close().await {
            tracing::warn!(%error, "the store was not left");
        }
    }

    fn member(&self, fd: Fd) -> Result<Arc<Member>, SubscribeError> {
        self.connections.get(fd).ok_or(SubscribeError::Gone)
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
    /// The connection's name.
    pub fn fd(&self) -> Fd {
        self.fd
    }

    /// The frames to send to it.
    pub fn outbox(&self) -> &Arc<Outbox> {
        &self.outbox
    }

    /// Leaves every room and the hub.
    pub async fn leave(mut self) {
        // Delivery goes by the hub's connections, so who is not there receives nothing.
        self.hub.connections.remove(self.fd);
        self.left = true;
        leave_rooms(&*self.hub.store, self.fd).await;
    }
}

impl Drop for Session {
    /// The way out of a task that panicked or was aborted.
    fn drop(&mut self) {
        if self.left {
            return;
        }
        self.hub.connections.remove(self.fd);
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

/// Does something to each, a few at a time over the window. The first is done at once.
async fn spread<T>(all: &[T], window: Duration, mut each: impl FnMut(&T)) {
    let (start, mut done) = (tokio::time::Instant::now(), 0);
    while done < all.len() {
        let part = if window.is_zero() {
            1.0
        } else {
            start.elapsed().as_secs_f64() / window.as_secs_f64()
        };
        let due = (all.len() as f64 * part) as usize + 1;
        let due = due.min(all.len());
        for one in &all[done..due] {
            each(one);
        }
        done = due;
        if done < all.len() {
            tokio::time::sleep(STEP).await;
        }
    }
}
