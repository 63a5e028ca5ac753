//! `/monitor/monitor`: the platform asks whether the server lives.

use std::sync::Arc;

use axum::Json;
use axum::response::{IntoResponse as _, Response};
use serde_json::json;

use crate::component::controller::{Access, Actions, Controller, Refusal, Request};

pub(super) struct MonitorController;

impl Controller for MonitorController {
    const NAME: &'static str = "Monitor";

    fn actions(actions: &mut Actions<Self>) {
        actions.add("monitor", Access::Open, Self::monitor);
    }
}

impl MonitorController {
    async fn monitor(self: Arc<Self>, _request: Request) -> Result<Response, Refusal> {
        Ok(Json(json!({ "code": 0 })).into_response())
    }
}
