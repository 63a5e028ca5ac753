//! The chat commands of the TarsPHP example: `command` or `command|argument`, one a message.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use tracing::Instrument as _;

use super::{Answer, HandlerFuture, MessageHandler, people};
use crate::app::App;
use crate::component::fd_store::{Fd, FdStoreError};
use crate::component::json_text::json_text;
use crate::component::room::{Room, RoomError};
use crate::hub::{SendError, SubscribeError};
use crate::ws::message::Message;

/// The handler of the chat commands.
#[derive(Debug)]
pub struct ExampleWebsocket {
    app: App,
}

/// What is wrong with a command; the text after `Error: `.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CommandError {
    /// The argument is not UTF-8 (only a binary message can be).
    #[error("the argument is not UTF-8")]
    NotUtf8,
    /// A command without its argument.
    #[error("{command} needs {argument}")]
    NoArgument {
        /// The command.
        command: &'static str,
        /// What belongs behind the `|`.
        argument: &'static str,
    },
    /// The argument is no JSON object.
    #[error("malformed JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// The argument is JSON, but no object.
    #[error("the argument must be a JSON object")]
    NotAnObject,
    /// A field is not there.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// A field has a type that is no text.
    #[error("{0} must be a string or a number")]
    NotText(&'static str),
    /// The room's name is not allowed.
    #[error("{0}")]
    Room(#[from] RoomError),
    /// The room could not be joined or left.
    #[error("{0}")]
    Subscribe(#[from] SubscribeError),
    /// The message was not delivered, or not everywhere.
    #[error("{0}")]
    Send(#[from] SendError),
    /// The store failed.
    #[error("the store of the rooms failed: {0}")]
    Store(#[from] FdStoreError),
    /// The name of a person is not allowed.
    #[error(
        "a name has at most {} characters, and no control characters",
        people::MAX_NAME
    )]
    Name,
    /// The id of a question is too long.
    #[error("an id has at most {} bytes", people::MAX_ID)]
    LongId,
}

/// The JSON of `sendByRoom` and `broadcast`; further fields mean nothing.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope<'a> {
    #[serde(borrow)]
    room_num: Option<&'a RawValue>,
    #[serde(borrow)]
    message: Option<&'a RawValue>,
}

impl ExampleWebsocket {
    /// A handler for this server.
    pub fn new(app: App) -> Self {
        Self { app }
    }

    async fn answer(&self, from: Fd, message: &[u8]) -> Result<Answer, CommandError> {
        // The argument is everything after the first `|`: JSON may contain more of them.
        let cut = message
            .iter()
            .position(|&byte| byte == b'|')
            .unwrap_or(message.len());
        let argument = || text_after(message, cut);
        Ok(match &message[..cut] {
            b"ping" => now("pong"),
            b"subscribe" => {
                let room = room_argument("subscribe", argument()?)?;
                self.app.hub.subscribe(from, room.clone()).await?;
                now(format!("Subscribe roomNum:{room} success!"))
            }
            b"unsubscribe" => {
                let room = room_argument("unsubscribe", argument()?)?;
                self.app.hub.unsubscribe(from, room.clone()).await?;
                now(format!("Unsubscribe roomNum:{room} success!"))
            }
            b"sendByRoom" => {
                let envelope = object::<Envelope<'_>>("sendByRoom", argument()?)?;
                let room = Room::new(&text_field("roomNum", envelope.room_num)?)?;
                let text = text_field("message", envelope.message)?;
                self.app.hub.send_to_room(room, &text).await?;
                now("SendByRoom success!")
            }
            b"broadcast" => {
                let envelope = object::<Envelope<'_>>("broadcast", argument()?)?;
                let text = text_field("message", envelope.message)?;
                self.app.hub.send_to_all(&text).await?;
                now("Broadcast success!")
            }
            b"hello" => self.hello(argument()?.unwrap_or_default().to_owned()),
            b"name" => now(people::name(&self.app, from, argument()?).await?),
            b"who" => now(people::who(&self.app, argument()?).await?),
            b"history" => now(people::history(&self.app, argument()?).await?),
            _ => now("Rsp from server: this is server"),
        })
    }

    /// PHPServer may take its time; the connection's other commands do not wait for it.
    fn hello(&self, name: String) -> Answer {
        let app = self.app.clone();
        Answer::Later(Box::pin(async move {
            match app.hello(&name).await {
                Ok(greeting) => Message::Text(greeting),
                Err(error) => error_answer(&error),
            }
        }))
    }
}

impl MessageHandler for ExampleWebsocket {
    fn on_message(&self, from: Fd, message: Message) -> HandlerFuture<'_, Answer> {
        let answer = async move {
            self.answer(from, message.as_bytes())
                .await
                .unwrap_or_else(|error| Answer::Now(error_answer(&error)))
        };
        // Of the debug level: a span that is not asked for costs nothing.
        Box::pin(answer.instrument(tracing::debug_span!("message", fd = %from)))
    }
}

fn now(text: impl Into<String>) -> Answer {
    Answer::Now(Message::Text(text.into()))
}

fn error_answer(error: &dyn std::error::Error) -> Message {
    Message::Text(format!("Error: {error}"))
}

/// The text behind the `|` at `cut`, if there is one.
fn text_after(message: &[u8], cut: usize) -> Result<Option<&str>, CommandError> {
    let argument = message.get(cut + 1..);
    argument
        .map(std::str::from_utf8)
        .transpose()
        .map_err(|_| CommandError::NotUtf8)
}

fn room_argument(command: &'static str, argument: Option<&str>) -> Result<Room, CommandError> {
    match argument {
        None | Some("") => Err(CommandError::NoArgument {
            command,
            argument: "a room",
        }),
        Some(name) => Ok(Room::new(name)?),
    }
}

/// The argument of a command that takes a JSON object.
pub(super) fn object<'a, T: Deserialize<'a>>(
    command: &'static str,
    argument: Option<&'a str>,
) -> Result<T, CommandError> {
    match argument {
        None | Some("") => Err(CommandError::NoArgument {
            command,
            argument: "a JSON object",
        }),
        Some(json) if json.trim_start().starts_with('{') => Ok(serde_json::from_str(json)?),
        // serde would fill a struct from an array, and name our struct where it is neither.
        Some(json) => {
            serde_json::from_str::<IgnoredAny>(json)?;
            Err(CommandError::NotAnObject)
        }
    }
}

/// A string, or a number as it is written.
pub(super) fn text_field<'a>(
    name: &'static str,
    value: Option<&'a RawValue>,
) -> Result<Cow<'a, str>, CommandError> {
    let value = value.ok_or(CommandError::Missing(name))?;
    json_text(value)?.ok_or(CommandError::NotText(name))
}
