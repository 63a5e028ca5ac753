//! The name of a room.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

/// The longest name, in characters.
pub const MAX_NAME: usize = 128;

/// A room's name: 1 to 128 characters, none of them a control character.
///
/// It is text from a client: it goes into answers and records, never into a path.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Room(Arc<str>);

/// Why a text names no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RoomError {
    /// The name is empty.
    #[error("the room has no name")]
    Empty,
    /// The name is too long.
    #[error("a room name has at most {MAX_NAME} characters")]
    TooLong,
    /// The name contains a control character.
    #[error("a room name has no control characters")]
    Control,
}

impl Room {
    /// The room of this name.
    pub fn new(name: &str) -> Result<Self, RoomError> {
        if name.is_empty() {
            Err(RoomError::Empty)
        } else if name.chars().nth(MAX_NAME).is_some() {
            Err(RoomError::TooLong)
        } else if name.chars().any(char::is_control) {
            Err(RoomError::Control)
        } else {
            Ok(Self(name.into()))
        }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Room {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Room {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn borders_of_a_name() {
        assert_eq!(Room::new(""), Err(RoomError::Empty));
        for (length, fits) in [(1, true), (127, true), (128, true), (129, false)] {
            assert_eq!(Room::new(&"房".repeat(length)).is_ok(), fits, "{length}");
        }
        assert_eq!(Room::new("a\u{7f}"), Err(RoomError::Control));
        assert_eq!(Room::new("a\nb"), Err(RoomError::Control));
        assert!(Room::new("../a b|c").is_ok());
    }
}
