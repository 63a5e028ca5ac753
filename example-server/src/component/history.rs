//! The last messages of each room, for who comes later. In memory of this node, bounded, and off if it shall be.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::room::Room;

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

/// A message that was sent to a room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Spoken {
    /// When, in milliseconds since 1970.
    pub time: u64,
    /// What.
    pub text: Arc<str>,
}

#[derive(Debug, Default)]
struct State {
    rooms: HashMap<Room, Log>,
    recorded: u64,
}

#[derive(Debug, Default)]
struct Log {
    messages: VecDeque<Spoken>,
    bytes: usize,
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

    /// Keeps a message that is sent to `room` now.
    pub fn record(&self, room: &Room, text: &str) {
        let HistoryConf {
            messages,
            bytes,
            rooms,
        } = self.conf;
        if messages == 0 || rooms == 0 || text.len() > bytes {
            return;
        }
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH);
        let spoken = Spoken {
            time: since_1970.map_or(0, |time| {
                u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
            }),
            text: text.into(),
        };
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.recorded += 1;
        let now = state.recorded;
        if !state.rooms.contains_key(room) && state.rooms.len() >= rooms {
            state.forget_the_most_silent();
        }
        let log = state.rooms.entry(room.clone()).or_default();
        log.last = now;
        log.bytes += text.len();
        log.messages.push_back(spoken);
        while log.messages.len() > messages || log.bytes > bytes {
            let Some(oldest) = log.messages.pop_front() else {
                break;
            };
            log.bytes -= oldest.text.len();
        }
    }

    /// What is kept of a room, the oldest first.
    pub fn of(&self, room: &Room) -> Vec<Spoken> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let log = state.rooms.get(room);
        log.map(|log| log.messages.iter().cloned().collect())
            .unwrap_or_default()
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

    fn texts(history: &History, room: &Room) -> Vec<String> {
        let kept = history.of(room);
        kept.iter().map(|spoken| spoken.text.to_string()).collect()
    }

    #[test]
    fn borders_of_messages_bytes_and_rooms() {
        let [a, b, c] = ["a", "b", "c"].map(|name| Room::new(name).unwrap());
        let history = History::new(HistoryConf {
            messages: 3,
            bytes: 6,
            rooms: 2,
        });
        for text in ["1", "2", "3"] {
            history.record(&a, text);
        }
        assert_eq!(texts(&history, &a), ["1", "2", "3"]);
        history.record(&a, "4");
        assert_eq!(texts(&history, &a), ["2", "3", "4"]);

        for (text, kept) in [
            ("four", vec!["3", "4", "four"]),
            ("sixsix", vec!["sixsix"]),
            ("seven77", vec!["sixsix"]),
        ] {
            history.record(&a, text);
            assert_eq!(texts(&history, &a), kept);
        }

        history.record(&b, "b");
        history.record(&a, "a");
        history.record(&c, "c");
        assert_eq!(texts(&history, &b), [""; 0]);
        assert_eq!(texts(&history, &a), ["a"]);
        assert_eq!(texts(&history, &c), ["c"]);
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
            history.record(&room, "text");
            assert_eq!(history.of(&room), []);
        }
    }
}
