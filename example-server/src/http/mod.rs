//! HTTP on the chat port: the WebSocket upgrade, the pages and the controllers.

pub mod access;
mod operations;
mod pages;
mod upgrade;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::middleware;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

use crate::app::App;
use crate::component::controller::{self, Access, Controllers};
use crate::ws::connection::Shared;
use access::Guard;

/// What answering a request takes.
#[derive(Clone)]
pub(crate) struct Site {
    pub(crate) app: App,
    pub(crate) controllers: Arc<Controllers>,
    pub(crate) guard: Arc<Guard>,
    /// What the WebSocket connections share.
    pub(crate) shared: Arc<Shared>,
    /// One permit a WebSocket connection.
    pub(crate) slots: Arc<Semaphore>,
    /// The tasks of the WebSocket connections.
    pub(crate) connections: TaskTracker,
}

/// The routes of the chat port.
pub(crate) fn router(site: Site) -> Router {
    pages::routes(Router::new())
        .route("/healthz", get(operations::healthz))
        .route("/readyz", get(operations::readyz))
        .route("/metrics", get(operations::metrics))
        .fallback(controllers)
        // An upgrade is taken on any path, so it is looked for before the routes.
        .layer(middleware::from_fn_with_state(site.clone(), upgrade::layer))
        .with_state(site)
}

/// `/<Controller>/<action>`.
async fn controllers(State(site): State<Site>, request: Request) -> Response {
    let Some(action) = site.controllers.find(request.uri().path()) else {
        return plain(StatusCode::NOT_FOUND, "not found");
    };
    // hyper sends the head alone of an answer to HEAD.
    if ![Method::GET, Method::HEAD, Method::POST].contains(request.method()) {
        let refusal = plain(StatusCode::METHOD_NOT_ALLOWED, "use GET, HEAD or POST");
        return ([(header::ALLOW, "GET, HEAD, POST")], refusal).into_response();
    }
    if action.access == Access::Push
        && let Err(denied) = site.guard.check_push(host(&request), request.headers())
    {
        return denied.into_response();
    }
    let (parts, body) = request.into_parts();
    match controller::read_request(&parts, body).await {
        Ok(request) => action.call(request).await,
        Err(refusal) => refusal.into_response(),
    }
}

/// The authority that the client addressed: of the request line if it has one, else of `Host`.
fn host(request: &Request) -> Option<&str> {
    authority(request.uri(), request.headers())
}

fn authority<'a>(uri: &'a Uri, headers: &'a HeaderMap) -> Option<&'a str> {
    if let Some(authority) = uri.authority() {
        return Some(authority.as_str());
    }
    let mut values = headers.get_all(header::HOST).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

/// A plain text answer: what it says may come from a client, so no browser may guess it to be HTML.
pub(crate) fn plain(status: StatusCode, text: impl Into<String>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (status, headers, text.into()).into_response()
}
