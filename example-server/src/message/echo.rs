//! Sends every message back: what the conformance suite talks to.

use super::{Answer, HandlerFuture, MessageHandler};
use crate::component::fd_store::Fd;
use crate::ws::message::Message;

/// The handler behind `--echo`.
#[derive(Debug, Clone, Copy)]
pub struct Echo;

impl MessageHandler for Echo {
    fn on_message(&self, _from: Fd, message: Message) -> HandlerFuture<'_, Answer> {
        Box::pin(std::future::ready(Answer::Now(message)))
    }
}
