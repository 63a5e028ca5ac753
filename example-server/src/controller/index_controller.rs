//! `/Index/...`: pushes from outside to the browsers, and the greeting.

use std::sync::Arc;

use axum::http::StatusCode;
use axum::response::Response;

use crate::app::App;
use crate::component::controller::{Access, Actions, Controller, Refusal, Request, text};
use crate::component::room::Room;

pub(super) struct IndexController {
    app: App,
}

impl Controller for IndexController {
    const NAME: &'static str = "Index";

    fn actions(actions: &mut Actions<Self>) {
        actions.add("index", Access::Open, Self::index);
        actions.add("pushByRoom", Access::Push, Self::push_by_room);
        actions.add("pushAll", Access::Push, Self::push_all);
        actions.add("hello", Access::Open, Self::hello);
    }
}

impl IndexController {
    pub(super) fn new(app: App) -> Self {
        Self { app }
    }

    async fn index(self: Arc<Self>, _request: Request) -> Result<Response, Refusal> {
        Ok(text("index success!!"))
    }

    async fn push_by_room(self: Arc<Self>, request: Request) -> Result<Response, Refusal> {
        let room = Room::new(request.parameter("roomNum")?)?;
        self.app
            .hub
            .send_to_room(room, self.message(&request)?)
            .await?;
        Ok(text("pushBy room success"))
    }

    async fn push_all(self: Arc<Self>, request: Request) -> Result<Response, Refusal> {
        self.app.hub.send_to_all(self.message(&request)?).await?;
        Ok(text("pushBy all success"))
    }

    /// What is to be pushed. A longer one than a client may send would not fit into the queue of any client, and close
    /// all of them.
    fn message<'r>(&self, request: &'r Request) -> Result<&'r str, Refusal> {
        let message = request.parameter("message")?;
        let max = self.app.services.limits.max_message_size;
        if message.len() > max {
            let text = format!(
                "the message has {} bytes, at most {max} are allowed",
                message.len()
            );
            return Err(Refusal::Unreadable(StatusCode::PAYLOAD_TOO_LARGE, text));
        }
        Ok(message)
    }

    async fn hello(self: Arc<Self>, request: Request) -> Result<Response, Refusal> {
        Ok(text(self.app.hello(request.parameter("name")?).await?))
    }
}
