//! Who is in a room and what was said there, on all nodes or, while they cannot be reached, on this one.

use std::sync::Arc;

use super::Hub;
use crate::component::fd_store::{Fd, FdStoreError};
use crate::component::room::Room;
use crate::component::spoken::Spoken;

/// Connections of other nodes whose names are asked for.
const MAX_ASKED: usize = 1000;

/// Who is in a room.
#[derive(Debug)]
pub struct Present {
    /// How many.
    pub count: usize,
    /// The names of some that have one, sorted.
    pub names: Vec<Arc<str>>,
    /// Only this node is known: the others cannot be reached.
    pub alone: bool,
}

/// What was said in a room.
#[derive(Debug)]
pub struct Heard {
    /// The last messages, the oldest first.
    pub messages: Vec<Spoken>,
    /// Only this node is known: the others cannot be reached.
    pub alone: bool,
}

impl Hub {
    /// Everybody in a room, on all nodes.
    pub async fn members(&self, room: Room) -> Result<Vec<Fd>, FdStoreError> {
        self.store.get_fds_by_key(room).await
    }

    /// How many are in a room, and the names of at most so many.
    pub async fn present(&self, room: Room, at_most: usize) -> Result<Present, FdStoreError> {
        let (fds, mut alone) = match self.store.get_fds_by_key(room.clone()).await {
            Err(FdStoreError::Alone) => (self.store.get_local_fds_by_key(room).await?, true),
            fds => (fds?, false),
        };
        let (here, elsewhere): (Vec<Fd>, Vec<Fd>) =
            fds.iter().partition(|fd| fd.node() == self.node);
        let members = here.iter().filter_map(|&fd| self.connections.get(fd));
        let named = members.filter_map(|member| member.name());
        let mut names: Vec<_> = named.take(at_most).collect();
        if names.len() < at_most && !elsewhere.is_empty() {
            let asked = elsewhere.into_iter().take(MAX_ASKED).collect();
            match self.store.get_names(asked).await {
                Err(FdStoreError::Alone) => alone = true,
                others => names.extend(others?),
            }
            names.truncate(at_most);
        }
        names.sort_unstable();
        Ok(Present {
            count: fds.len(),
            names,
            alone,
        })
    }

    /// Lets others know a connection of this node by this name; an empty one takes it back.
    pub async fn rename(&self, fd: Fd, name: &str) -> Result<(), FdStoreError> {
        let Some(member) = self.connections.get(fd) else {
            return Ok(());
        };
        let name: Option<Arc<str>> = (!name.is_empty()).then(|| name.into());
        member.rename(name.clone());
        self.store.set_name(fd, name).await
    }

    /// The last messages of a room.
    pub async fn heard(&self, room: Room) -> Result<Heard, FdStoreError> {
        let (others, alone) = match self.store.get_history_by_key(room.clone()).await {
            Err(FdStoreError::Alone) => (Vec::new(), true),
            others => (others?, false),
        };
        Ok(Heard {
            messages: self.history.of(&room, others),
            alone,
        })
    }
}
