//! The pages, embedded in the binary.

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::access::Guard;
use super::{Site, authority};

/// The file of each path; a page is HTML, and has a policy.
const FILES: &[(&str, &str, &str)] = &[
    ("/", HTML, INDEX),
    ("/index.html", HTML, INDEX),
    // One page, which begins in another room.
    ("/client1.html", HTML, ROOM),
    ("/client2.html", HTML, ROOM),
    (
        "/admin.html",
        HTML,
        include_str!("../../clients/admin.html"),
    ),
    ("/texts.js", SCRIPT, include_str!("../../clients/texts.js")),
    (
        "/connection.js",
        SCRIPT,
        include_str!("../../clients/connection.js"),
    ),
    ("/chat.js", SCRIPT, include_str!("../../clients/chat.js")),
    ("/index.js", SCRIPT, include_str!("../../clients/index.js")),
    (
        "/metrics.js",
        SCRIPT,
        include_str!("../../clients/metrics.js"),
    ),
    ("/admin.js", SCRIPT, include_str!("../../clients/admin.js")),
    (
        "/chat.css",
        "text/css; charset=utf-8",
        include_str!("../../clients/chat.css"),
    ),
    (
        "/icon.svg",
        "image/svg+xml",
        include_str!("../../clients/icon.svg"),
    ),
];
const INDEX: &str = include_str!("../../clients/index.html");
const ROOM: &str = include_str!("../../clients/room.html");
const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// A route for each file.
pub(super) fn routes(router: Router<Site>) -> Router<Site> {
    FILES.iter().fold(router, |router, &(path, kind, text)| {
        let answer = async move |State(site): State<Site>, uri: Uri, headers: HeaderMap| {
            if kind == HTML {
                page(&site, &uri, &headers, text)
            } else {
                asset(kind, text)
            }
        };
        router.route(path, get(answer))
    })
}

fn page(site: &Site, uri: &Uri, headers: &HeaderMap, html: &'static str) -> Response {
    let policy = content_security_policy(&site.guard, authority(uri, headers));
    let headers = [
        (header::CONTENT_SECURITY_POLICY, policy),
        (
            header::REFERRER_POLICY,
            HeaderValue::from_static("no-referrer"),
        ),
    ];
    (headers, asset(HTML, html)).into_response()
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
