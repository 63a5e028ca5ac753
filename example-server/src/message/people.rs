//! `name`, `who` and `history`: commands that TarsPHP does not have. The pages use them; a client that does not ask
//! notices nothing.
//!
//! | sent | answer |
//! |---|---|
//! | `name\|ted` | `Name:ted success!` |
//! | `who\|{"roomNum":"room1","id":"7"}` | `Who:{"id":"7","roomNum":"room1","count":2,"names":["ted"]}` |
//! | `history\|{"roomNum":"room1","id":"8"}` | `History:{"id":"8","roomNum":"room1","messages":[{"time":1764000000000,"text":"hi"}]}` |
//!
//! `id` is optional and any text or number: it is sent back as text, so that a client that chose one nobody can guess
//! knows the answer from a message that looks like one. `"alone":true` in an answer says that other nodes cannot be
//! reached at the moment, so that it is about this one.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::example_websocket::{CommandError, object, text_field};
use crate::app::App;
use crate::component::fd_store::Fd;
use crate::component::room::Room;
use crate::component::spoken::Spoken;

/// The longest name of a person, in characters.
pub const MAX_NAME: usize = 32;
/// Names in one answer; `count` counts all.
pub const MAX_NAMES: usize = 100;
/// The longest `id`, in bytes.
pub const MAX_ID: usize = 128;

/// The JSON of `who` and `history`; further fields mean nothing.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Question<'a> {
    #[serde(borrow)]
    room_num: Option<&'a RawValue>,
    #[serde(borrow)]
    id: Option<&'a RawValue>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Who<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    room_num: &'a str,
    count: usize,
    names: Vec<Arc<str>>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    alone: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Told<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    room_num: &'a str,
    messages: Vec<Spoken>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    alone: bool,
}

/// `name`: what others shall call this connection. An empty one takes it back.
pub(super) async fn name(
    app: &App,
    from: Fd,
    argument: Option<&str>,
) -> Result<String, CommandError> {
    let name = argument.unwrap_or_default().trim();
    if name.chars().nth(MAX_NAME).is_some() || name.chars().any(char::is_control) {
        return Err(CommandError::Name);
    }
    app.hub.rename(from, name).await?;
    Ok(format!("Name:{name} success!"))
}

/// `who`: who is in a room.
pub(super) async fn who(app: &App, argument: Option<&str>) -> Result<String, CommandError> {
    let question: Question<'_> = object("who", argument)?;
    let (room, id) = question.check()?;
    let present = app.hub.present(room.clone(), MAX_NAMES).await?;
    let answer = Who {
        id: id.as_deref(),
        room_num: room.as_str(),
        count: present.count,
        names: present.names,
        alone: present.alone,
    };
    Ok(format!("Who:{}", serde_json::to_string(&answer)?))
}

/// `history`: what was said in a room.
pub(super) async fn history(app: &App, argument: Option<&str>) -> Result<String, CommandError> {
    let question: Question<'_> = object("history", argument)?;
    let (room, id) = question.check()?;
    let heard = app.hub.heard(room.clone()).await?;
    let answer = Told {
        id: id.as_deref(),
        room_num: room.as_str(),
        messages: heard.messages,
        alone: heard.alone,
    };
    Ok(format!("History:{}", serde_json::to_string(&answer)?))
}

impl Question<'_> {
    fn check(&self) -> Result<(Room, Option<String>), CommandError> {
        let room = Room::new(&text_field("roomNum", self.room_num)?)?;
        let id = match self.id {
            None => None,
            given => Some(text_field("id", given)?.into_owned()),
        };
        if id.as_ref().is_some_and(|id| id.len() > MAX_ID) {
            return Err(CommandError::LongId);
        }
        Ok((room, id))
    }
}
