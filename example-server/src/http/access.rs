//! Who may do what: origins of WebSocket upgrades, callers of the push actions.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use subtle::ConstantTimeEq as _;

use super::plain;
use crate::services::{PushToken, Services};

/// An origin as a browser sends it: scheme, host and port, or `null`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A page opened from a file, or one in a sandbox.
    Null,
    /// A page of a server.
    Server {
        /// `http` or `https`, lower case.
        scheme: String,
        /// The host, lower case.
        host: String,
        /// The port, written or implied.
        port: u16,
    },
}

/// Why a text is no origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected scheme://host or scheme://host:port without a path, http or https, or null")]
pub struct OriginError;

impl FromStr for Origin {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Self, OriginError> {
        if text == "null" {
            return Ok(Self::Null);
        }
        let (scheme, authority) = text.split_once("://").ok_or(OriginError)?;
        let scheme = scheme.to_ascii_lowercase();
        let default_port = match scheme.as_str() {
            "http" => 80,
            "https" => 443,
            _ => return Err(OriginError),
        };
        let (host, port) = split_authority(authority, default_port).ok_or(OriginError)?;
        Ok(Self::Server { scheme, host, port })
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Server { scheme, host, port } => write!(f, "{scheme}://{host}:{port}"),
        }
    }
}

/// Host (lower case) and port of `host`, `host:port`, `[v6]` or `[v6]:port`.
fn split_authority(authority: &str, default_port: u16) -> Option<(String, u16)> {
    let (host, port) = match authority.rfind(':') {
        Some(colon) if !authority[colon..].contains(']') => {
            (&authority[..colon], authority[colon + 1..].parse().ok()?)
        }
        _ => (authority, default_port),
    };
    let plausible = match host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
    {
        Some(v6) => v6.parse::<std::net::Ipv6Addr>().is_ok(),
        None => {
            let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
            !host.is_empty() && host.bytes().all(allowed)
        }
    };
    plausible.then(|| (host.to_ascii_lowercase(), port))
}

/// The rules of this server.
#[derive(Debug)]
pub(crate) struct Guard {
    allowed_origins: Vec<Origin>,
    push_token: Option<PushToken>,
    /// Only this host can reach the server at all.
    on_loopback: bool,
    /// The server speaks TLS, and nothing else.
    tls: bool,
}

/// An upgrade from an origin that may not connect.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ForeignOrigin;

/// Why a push is not taken.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Denied {
    /// No token, or a wrong one.
    Token,
    /// No token is configured, and the caller is not known to be a program on this host.
    NotLocal,
}

impl Guard {
    pub(crate) fn new(services: &Services, listening: &[SocketAddr]) -> Self {
        Self {
            allowed_origins: services.allowed_origins.clone(),
            push_token: services.push_token.clone(),
            on_loopback: listening
                .iter()
                .all(|address| address.ip().to_canonical().is_loopback()),
            tls: services.tls.is_some(),
        }
    }

    /// Whether a WebSocket may be opened: by a program that is no browser, by this server's own
    /// pages and by pages of the allowed origins.
    pub(crate) fn check_origin(
        &self,
        host: Option<&str>,
        headers: &HeaderMap,
    ) -> Result<(), ForeignOrigin> {
        match origin(headers)? {
            None => Ok(()),
            Some(origin) if self.allowed_origins.contains(&origin) => Ok(()),
            Some(origin) if self.is_same(&origin, host) => Ok(()),
            Some(_) => Err(ForeignOrigin),
        }
    }

    /// Host and port by which the client addressed this server.
    pub(super) fn authority(&self, host: &str) -> Option<(String, u16)> {
        split_authority(host, if self.tls { 443 } else { 80 })
    }

    /// The scheme of this server's WebSockets.
    pub(super) fn websocket_scheme(&self) -> &'static str {
        if self.tls { "wss" } else { "ws" }
    }

    /// Whether the origin is this server, as the client addressed it.
    fn is_same(&self, origin: &Origin, addressed: Option<&str>) -> bool {
        let own_scheme = if self.tls { "https" } else { "http" };
        match origin {
            Origin::Server { scheme, host, port } if scheme == own_scheme => addressed
                .and_then(|addressed| self.authority(addressed))
                .is_some_and(|addressed| addressed == (host.clone(), *port)),
            _ => false,
        }
    }

    /// Whether a push may be made.
    ///
    /// A configured token is asked of everybody. Without one, a push is taken while nobody else can
    /// reach the server, and then not from a browser that was led here by a foreign page: such a
    /// request has a foreign `Origin`, a `Sec-Fetch-Site`, or (a name rebound to loopback) a `Host`
    /// that is not loopback.
    pub(crate) fn check_push(&self, host: Option<&str>, headers: &HeaderMap) -> Result<(), Denied> {
        if let Some(token) = &self.push_token {
            let presented = bearer(headers).unwrap_or_default();
            let equal: bool = presented.as_bytes().ct_eq(token.as_bytes()).into();
            return if equal { Ok(()) } else { Err(Denied::Token) };
        }
        let same_origin = match origin(headers) {
            Ok(None) => true,
            Ok(Some(origin)) => self.is_same(&origin, host),
            Err(ForeignOrigin) => false,
        };
        let from_a_foreign_page = headers.get_all("sec-fetch-site").iter().any(|site| {
            let site = site.as_bytes();
            site != b"none" && site != b"same-origin"
        });
        if self.on_loopback && same_origin && !from_a_foreign_page && is_loopback(host) {
            Ok(())
        } else {
            Err(Denied::NotLocal)
        }
    }
}

impl IntoResponse for Denied {
    fn into_response(self) -> Response {
        match self {
            Self::Token => {
                let answer = plain(StatusCode::UNAUTHORIZED, "Error: a bearer token is needed");
                ([(header::WWW_AUTHENTICATE, "Bearer")], answer).into_response()
            }
            Self::NotLocal => plain(
                StatusCode::FORBIDDEN,
                "Error: pushing is open to programs on the server's host only; \
                 set pushToken in services.toml for others",
            ),
        }
    }
}

/// The request's origin. Several of them, or one that is none, are foreign.
fn origin(headers: &HeaderMap) -> Result<Option<Origin>, ForeignOrigin> {
    let mut values = headers.get_all(header::ORIGIN).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(ForeignOrigin);
    }
    let text = value.to_str().map_err(|_| ForeignOrigin)?;
    text.parse().map(Some).map_err(|_| ForeignOrigin)
}

fn is_loopback(addressed: Option<&str>) -> bool {
    let Some((host, _)) = addressed.and_then(|addressed| split_authority(addressed, 80)) else {
        return false;
    };
    let ip = host.trim_matches(['[', ']']).parse::<IpAddr>();
    host == "localhost" || ip.is_ok_and(|ip| ip.to_canonical().is_loopback())
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let value = values.next()?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    (values.next().is_none() && scheme.eq_ignore_ascii_case("bearer")).then(|| token.trim())
}

#[cfg(test)]
#[path = "access_tests.rs"]
mod tests;
