//! The connections of this process, by number, and delivery to them.

use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use bytes::Bytes;
use rustc_hash::FxHashMap;

use crate::component::fd_store::{Fd, NodeId, Recipients};
use crate::metrics::Metrics;
use crate::ws::frame::{self, OpCode};
use crate::ws::outbox::{Outbox, Pushed};

/// Who is connected.
#[derive(Debug)]
pub(super) struct Connections {
    node: NodeId,
    state: RwLock<State>,
    pub(super) metrics: Arc<Metrics>,
}

#[derive(Debug, Default)]
struct State {
    /// Nobody but this node chooses the numbers, so a quick hash will do.
    by_number: FxHashMap<u64, Arc<Member>>,
    /// No connection is taken any more.
    closed: bool,
}

/// A connection as others see it.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) outbox: Arc<Outbox>,
    /// How many rooms it is in. Only the connection itself changes it.
    pub(super) rooms: AtomicUsize,
    /// What others call it.
    name: Mutex<Option<Arc<str>>>,
}

impl Member {
    pub(super) fn rename(&self, name: Option<Arc<str>>) {
        *self.name.lock().unwrap_or_else(PoisonError::into_inner) = name;
    }

    pub(super) fn name(&self) -> Option<Arc<str>> {
        let name = self.name.lock().unwrap_or_else(PoisonError::into_inner);
        name.clone()
    }
}

impl Connections {
    pub(super) fn new(node: NodeId) -> Self {
        Self {
            node,
            state: RwLock::default(),
            metrics: Arc::default(),
        }
    }

    /// Takes a connection, unless none is taken any more.
    pub(super) fn insert(&self, fd: Fd, outbox: Arc<Outbox>) -> bool {
        let member = Member {
            outbox,
            rooms: AtomicUsize::new(0),
            name: Mutex::default(),
        };
        let mut state = self.write();
        if !state.closed {
            state.by_number.insert(fd.number(), Arc::new(member));
        }
        !state.closed
    }

    pub(super) fn remove(&self, fd: Fd) {
        self.write().by_number.remove(&fd.number());
    }

    pub(super) fn get(&self, fd: Fd) -> Option<Arc<Member>> {
        let state = self.read();
        let member = state.by_number.get(&fd.number());
        member.filter(|_| fd.node() == self.node).cloned()
    }

    pub(super) fn len(&self) -> usize {
        self.read().by_number.len()
    }

    pub(super) fn is_closed(&self) -> bool {
        self.read().closed
    }

    pub(super) fn fds(&self) -> Vec<Fd> {
        let state = self.read();
        let numbers = state.by_number.keys();
        numbers.map(|&number| Fd::new(self.node, number)).collect()
    }

    /// Takes no more connections. Those that are there are returned.
    pub(super) fn close(&self) -> Vec<Arc<Member>> {
        let mut state = self.write();
        state.closed = true;
        state.by_number.values().cloned().collect()
    }

    /// Queues a text to connections. It is encoded once.
    pub(super) fn deliver(&self, recipients: Recipients<'_>, text: &str) {
        let mut queued = 0;
        let mut frame = None;
        let mut push = |number: u64, member: &Member| {
            let frame = frame.get_or_insert_with(|| frame::encode(OpCode::Text, text.as_bytes()));
            queued += u64::from(self.push(number, member, frame));
        };
        let state = self.read();
        match recipients {
            Recipients::Room(_, fds) => {
                for fd in fds.iter().filter(|fd| fd.node() == self.node) {
                    if let Some(member) = state.by_number.get(&fd.number()) {
                        push(fd.number(), member);
                    }
                }
            }
            Recipients::All => {
                for (&number, member) in &state.by_number {
                    push(number, member);
                }
            }
        }
        drop(state);
        self.metrics.deliveries.inc_by(queued);
    }

    /// Says whether the frame is queued.
    fn push(&self, number: u64, member: &Member, frame: &Bytes) -> bool {
        let pushed = member.outbox.push(frame.clone());
        match pushed {
            Pushed::Queued | Pushed::Closing => {}
            Pushed::Dropped(count) => {
                self.metrics.dropped.inc_by(count as u64);
            }
            Pushed::Overflow => {
                self.metrics.slow_consumers.inc();
                let fd = Fd::new(self.node, number);
                tracing::info!(%fd, "closed: it does not read what it is sent");
            }
        }
        pushed == Pushed::Queued
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}
