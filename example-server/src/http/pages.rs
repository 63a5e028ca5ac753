//! The pages, embedded in the binary.

use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Uri, header};
use axum::response::{IntoResponse, Response};

use super::access::Guard;
use super::{Site, authority};

const CSP: HeaderName = header::CONTENT_SECURITY_POLICY;

pub(super) async fn index(State(site): State<Site>, uri: Uri, headers: HeaderMap) -> Response {
    page(
        &site,
        &uri,
        &headers,
        include_str!("../../clients/index.html"),
    )
}

pub(super) async fn client1(State(site): State<Site>, uri: Uri, headers: HeaderMap) -> Response {
    page(
        &site,
        &uri,
        &headers,
        include_str!("../../clients/client1.html"),
    )
}

pub(super) async fn client2(State(site): State<Site>, uri: Uri, headers: HeaderMap) -> Response {
    page(
        &site,
        &uri,
        &headers,
        include_str!("../../clients/client2.html"),
    )
}

pub(super) async fn script() -> Response {
    asset(
        "text/javascript; charset=utf-8",
        include_str!("../../clients/chat.js"),
    )
}

pub(super) async fn style() -> Response {
    asset(
        "text/css; charset=utf-8",
        include_str!("../../clients/chat.css"),
    )
}

pub(super) async fn icon() -> Response {
    asset("image/svg+xml", include_str!("../../clients/icon.svg"))
}

fn page(site: &Site, uri: &Uri, headers: &HeaderMap, html: &'static str) -> Response {
    let policy = content_security_policy(&site.guard, authority(uri, headers));
    let headers = [
        (CSP, policy),
        (
            header::REFERRER_POLICY,
            HeaderValue::from_static("no-referrer"),
        ),
    ];
    (headers, asset("text/html; charset=utf-8", html)).into_response()
}

/// No script, style or connection but the server's own.
///
/// The WebSocket is named beside 'self', which older browsers do not extend to `ws:`. A `Host` that
/// is not plainly a host and a port does not get into the header.
fn content_security_policy(guard: &Guard, host: Option<&str>) -> HeaderValue {
    let ws = host
        .and_then(|host| guard.authority(host))
        .map(|(host, port)| format!(" {}://{host}:{port}", guard.websocket_scheme()))
        .unwrap_or_default();
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
         connect-src 'self'{ws}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
}

fn asset(content_type: &'static str, text: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, content_type),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // The files have no version in their names.
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, text).into_response()
}
