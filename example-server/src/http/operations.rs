//! What operators and their machines ask: `/healthz`, `/readyz`, `/metrics`.

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};

use super::{Site, host, plain};
use crate::app::App;

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Whether the process lives.
pub(super) async fn healthz() -> Response {
    plain(StatusCode::OK, "ok")
}

/// Whether new connections are welcome. A node that has lost the others still serves its own.
pub(super) async fn readyz(State(site): State<Site>) -> Response {
    let App { hub, missing, .. } = &site.app;
    if hub.is_draining() {
        plain(StatusCode::SERVICE_UNAVAILABLE, "draining")
    } else if hub.is_alone() {
        plain(
            StatusCode::OK,
            format!("ready, alone: the other nodes cannot be reached{missing}"),
        )
    } else {
        plain(StatusCode::OK, format!("ready{missing}"))
    }
}

/// The metrics, for who may push.
pub(super) async fn metrics(State(site): State<Site>, request: Request) -> Response {
    let allowed = site.guard.check_push(host(&request), request.headers());
    if let Err(denied) = allowed {
        return denied.into_response();
    }
    let text = site.app.hub.render_metrics().await;
    let headers = [
        (header::CONTENT_TYPE, OPEN_METRICS),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (headers, text).into_response()
}
