//! The last messages of each room, for who comes later. Bounded, and off if it shall be.
//!
//! A node keeps what passes through it. Nodes that share a store keep there what all of them say; a question is then
//! answered from both, so that it is answered without the store, too.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Deserialize;

use super::fd_store::NodeId;
use super::room::Room;
use super::spoken::Spoken;

/// `[obj.history]` of services.toml: how much is kept.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct HistoryConf {
    /// Messages of one room; 0 keeps none at all.
    pub messages: usize,
    /// Bytes of the messages of one room; a longer message is not kept.
    pub bytes: usize,
    /// Rooms; of one more than these, the one that was silent longest is forgotten.
    pub rooms: usize,
}

impl Default for HistoryConf {
    fn default() -> Self {
        Self {
            messages: 50,
            bytes: 32 * 1024,
            rooms: 500,
        }
    }
}

/// The last messages of each room.
#[derive(Debug)]
pub struct History {
    conf: HistoryConf,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    rooms: HashMap<Room, Log>,
    recorded: u64,
}

/// The messages of a room in the order of their times.
#[derive(Debug, Clone, Default)]
struct Log {
    messages: VecDeque<Spoken>,
    bytes: usize,
    /// There were more than may be kept.
    is_full: bool,
    /// The number of its last message among those of all rooms.
    last: u64,
}

impl History {
    /// An empty history.
    pub fn new(conf: HistoryConf) -> Self {
        Self {
            conf,
            state: Mutex::default(),
        }
    }

    /// How much is kept.
    pub fn conf(&self) -> &HistoryConf {
        &self.conf
    }

    /// Whether a message is kept at all.
    pub fn keeps(&self, spoken: &Spoken) -> bool {
        !self.is_off() && spoken.text.len() <= self.conf.bytes
    }

    fn is_off(&self) -> bool {
        self.conf.messages == 0 || self.conf.rooms == 0
    }

    /// Keeps a message of `room`. A second time changes nothing.
    pub fn record(&self, room: &Room, spoken: Spoken) {
        if !self.keeps(&spoken) {
            return;
        }
        let mut state = self.lock();
        state.recorded += 1;
        let now = state.recorded;
        if !state.rooms.contains_key(room) && state.rooms.len() >= self.conf.rooms {
            state.forget_the_most_silent();
        }
        let log = state.rooms.entry(room.clone()).or_default();
        log.last = now;
        log.insert(spoken, &self.conf);
    }

    /// What is kept of a room, the oldest first, together with what `others` have kept.
    pub fn of(&self, room: &Room, others: Vec<Spoken>) -> Vec<Spoken> {
        if self.is_off() {
            return Vec::new();
        }
        let mut log = self.lock().rooms.get(room).cloned().unwrap_or_default();
        for spoken in others {
            log.insert(spoken, &self.conf);
        }
        log.messages.into()
    }

    /// Messages of the room from before this time are more than may be kept. `None` if there is no such time, as far
    /// as this node knows.
    pub fn cut(&self, room: &Room) -> Option<u64> {
        let state = self.lock();
        let log = state.rooms.get(room).filter(|log| log.is_full)?;
        log.messages.front().map(|oldest| oldest.time)
    }

    /// What was said through a node and is kept, by room.
    pub fn said_through(&self, node: NodeId) -> Vec<(Room, Vec<Spoken>)> {
        let state = self.lock();
        let rooms = state.rooms.iter().map(|(room, log)| {
            let own = log.messages.iter().filter(|spoken| spoken.id.node == node);
            (room.clone(), own.cloned().collect::<Vec<_>>())
        });
        rooms.filter(|(_, own)| !own.is_empty()).collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Log {
    fn insert(&mut self, spoken: Spoken, conf: &HistoryConf) {
        let order = |spoken: &Spoken| (spoken.time, spoken.id);
        let at = self
            .messages
            .partition_point(|kept| order(kept) < order(&spoken));
        if self
            .messages
            .get(at)
            .is_some_and(|kept| kept.id == spoken.id)
        {
            return;
        }
        self.bytes += spoken.text.len();
        self.messages.insert(at, spoken);
        while self.messages.len() > conf.messages || self.bytes > conf.bytes {
            self.is_full = true;
            let Some(oldest) = self.messages.pop_front() else {
                break;
            };
            self.bytes -= oldest.text.len();
        }
    }
}

impl State {
    fn forget_the_most_silent(&mut self) {
        let silent = self.rooms.iter().min_by_key(|(_, log)| log.last);
        if let Some(room) = silent.map(|(room, _)| room.clone()) {
            self.rooms.remove(&room);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::component::spoken::SpokenId;

    const HERE: NodeId = NodeId::new(1);
    const ELSEWHERE: NodeId = NodeId::new(2);

    fn spoken(node: NodeId, time: u64, text: &str) -> Spoken {
        let id = SpokenId { node, number: time };
        let text = text.into();
        Spoken { id, time, text }
    }

    fn texts(messages: &[Spoken]) -> Vec<&str> {
        messages.iter().map(|spoken| &*spoken.text).collect()
    }

    #[test]
    fn borders_of_messages_bytes_and_rooms() {
        let [a, b, c] = ["a", "b", "c"].map(|name| Room::new(name).unwrap());
        let history = History::new(HistoryConf {
            messages: 3,
            bytes: 6,
            rooms: 2,
        });
        let mut time = 0;
        let mut record = |room: &Room, text: &str| {
            time += 1;
            history.record(room, spoken(HERE, time, text));
        };
        for text in ["1", "2", "3"] {
            record(&a, text);
        }
        assert_eq!(texts(&history.of(&a, vec![])), ["1", "2", "3"]);
        assert_eq!(history.cut(&a), None);
        record(&a, "4");
        assert_eq!(texts(&history.of(&a, vec![])), ["2", "3", "4"]);
        assert_eq!(history.cut(&a), Some(2));

        for (text, kept) in [
            ("four", vec!["3", "4", "four"]),
            ("sixsix", vec!["sixsix"]),
            ("seven77", vec!["sixsix"]),
        ] {
            record(&a, text);
            assert_eq!(texts(&history.of(&a, vec![])), kept);
        }

        record(&b, "b");
        record(&a, "a");
        record(&c, "c");
        for (room, kept) in [(&a, vec!["a"]), (&b, vec![]), (&c, vec!["c"])] {
            assert_eq!(texts(&history.of(room, vec![])), kept);
        }
    }

    #[test]
    fn what_others_keep_is_merged_by_time_and_nothing_is_there_twice() {
        let room = Room::new("a").unwrap();
        let history = History::new(HistoryConf {
            messages: 4,
            ..HistoryConf::default()
        });
        history.record(&room, spoken(HERE, 2, "two"));
        history.record(&room, spoken(ELSEWHERE, 5, "five"));
        history.record(&room, spoken(ELSEWHERE, 4, "came late"));
        history.record(&room, spoken(HERE, 2, "two"));
        assert_eq!(
            texts(&history.of(&room, vec![])),
            ["two", "came late", "five"]
        );
        let others = vec![
            spoken(ELSEWHERE, 1, "one"),
            spoken(ELSEWHERE, 2, "at the same time"),
            spoken(ELSEWHERE, 5, "five"),
            spoken(HERE, 2, "two"),
        ];
        assert_eq!(
            texts(&history.of(&room, others)),
            ["two", "at the same time", "came late", "five"]
        );
        let own = history.said_through(HERE);
        assert_eq!(own, [(room, vec![spoken(HERE, 2, "two")])]);
    }

    #[test]
    fn none_is_kept_when_it_is_off() {
        let room = Room::new("a").unwrap();
        for conf in [(0, 1), (1, 0)] {
            let history = History::new(HistoryConf {
                messages: conf.0,
                rooms: conf.1,
                ..HistoryConf::default()
            });
            history.record(&room, spoken(HERE, 1, "text"));
            assert_eq!(history.of(&room, vec![spoken(HERE, 2, "others")]), []);
        }
    }
}
