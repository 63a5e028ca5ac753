//! `/Index/...`: pushes from outside to the browsers, and the greeting.

use std::sync::Arc;

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
            .send_to_room(room, request.parameter("message")?)
            .await?;
        Ok(text("pushBy room success"))
    }

    async fn push_all(self: Arc<Self>, request: Request) -> Result<Response, Refusal> {
        let message = request.parameter("message")?;
        self.app.hub.send_to_all(message).await?;
        Ok(text("pushBy all success"))
    }

    async fn hello(self: Arc<Self>, request: Request) -> Result<Response, Refusal> {
        Ok(text(self.app.hello(request.parameter("name")?).await?))
    }
}
