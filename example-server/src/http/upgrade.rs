//! From an upgrade request to a running WebSocket connection.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

use super::{Site, host, plain};
use crate::hub::Session;
use crate::metrics::RefusedUpgrade;
use crate::ws::connection::Connection;
use crate::ws::handshake::{self, HandshakeError};
use crate::ws::socket::Socket;

/// Answers upgrade requests; others go on to the routes.
pub(super) async fn layer(State(site): State<Site>, request: Request, next: Next) -> Response {
    if handshake::is_upgrade(request.headers()) {
        upgrade(&site, request)
    } else {
        next.run(request).await
    }
}

fn upgrade(site: &Site, mut request: Request) -> Response {
    let accept = match handshake::accept(&request) {
        Ok(accept) => accept,
        Err(error) => return refuse(error),
    };
    if site
        .guard
        .check_origin(host(&request), request.headers())
        .is_err()
    {
        site.app.hub.metrics().refused(RefusedUpgrade::Origin);
        return plain(StatusCode::FORBIDDEN, "Error: this origin may not connect");
    }
    let Ok(slot) = site.slots.clone().try_acquire_owned() else {
        site.app.hub.metrics().refused(RefusedUpgrade::Limit);
        return plain(
            StatusCode::SERVICE_UNAVAILABLE,
            "Error: too many connections",
        );
    };
    // The connection is a member before its client knows: what is sent from then on reaches it.
    let Some(session) = site.app.hub.connect() else {
        site.app.hub.metrics().refused(RefusedUpgrade::Draining);
        return plain(
            StatusCode::SERVICE_UNAVAILABLE,
            "Error: the server is going away",
        );
    };
    let upgraded = hyper::upgrade::on(&mut request);
    let site_of_task = site.clone();
    site.connections.spawn(async move {
        run(site_of_task, session, upgraded).await;
        drop(slot);
    });
    switching_protocols(accept)
}

async fn run(site: Site, session: Session, upgraded: OnUpgrade) {
    let Some((socket, early)) = socket(upgraded).await else {
        session.leave().await;
        return;
    };
    // Events carry the fd themselves: a span would be held by each idle connection (0.4 KB) and
    // entered with each of its turns.
    let fd = session.fd();
    tracing::debug!(%fd, "connected");
    let outbox = session.outbox().clone();
    let mut connection = Connection::new(fd, socket, outbox, site.shared);
    let end = connection.run(early).await;
    tracing::debug!(%fd, ?end, "disconnected");
    session.leave().await;
    connection.finish(end).await;
}

/// The socket under hyper's connection, and what hyper has read behind the request.
///
/// A copy of it, almost always empty: hyper's own buffer would live as long as the connection.
async fn socket(upgraded: OnUpgrade) -> Option<(Socket, Vec<u8>)> {
    let upgraded = match upgraded.await.ok()?.downcast::<TokioIo<TcpStream>>() {
        Ok(parts) => return Some((parts.io.into_inner().into(), parts.read_buf.to_vec())),
        Err(upgraded) => upgraded,
    };
    match upgraded.downcast::<TokioIo<TlsStream<TcpStream>>>() {
        Ok(parts) => Some((parts.io.into_inner().into(), parts.read_buf.to_vec())),
        Err(_) => {
            tracing::error!("the upgraded connection is neither TCP nor TLS");
            None
        }
    }
}

fn refuse(error: HandshakeError) -> Response {
    let status = match error {
        HandshakeError::Version => StatusCode::UPGRADE_REQUIRED,
        _ => StatusCode::BAD_REQUEST,
    };
    let answer = plain(status, format!("Error: {error}"));
    ([(header::SEC_WEBSOCKET_VERSION, "13")], answer).into_response()
}

fn switching_protocols(accept: HeaderValue) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    response
}
