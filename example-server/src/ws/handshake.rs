//! The opening handshake (RFC 6455, section 4.2): from a request's headers to the accept key.

use axum::http::{HeaderMap, HeaderValue, Method, Request, Version, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use sha1::{Digest as _, Sha1};

/// What RFC 6455 appends to the client's key.
const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// Why an upgrade request is not answered with 101.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HandshakeError {
    /// Only `GET` of HTTP/1.1 upgrades.
    #[error("a WebSocket upgrade is a GET of HTTP/1.1")]
    NotGet,
    /// `Connection` does not name the upgrade.
    #[error("Connection: Upgrade is missing")]
    NoConnectionUpgrade,
    /// A version other than 13.
    #[error("Sec-WebSocket-Version must be 13")]
    Version,
    /// A key that is not 16 bytes in base64, or not one key.
    #[error("Sec-WebSocket-Key must be 16 bytes in base64")]
    Key,
}

/// Whether the request asks for a WebSocket (well or not).
pub fn is_upgrade(headers: &HeaderMap) -> bool {
    lists_token(headers, header::UPGRADE, "websocket")
}

/// Checks an upgrade request; the result is the value of `Sec-WebSocket-Accept`.
pub fn accept<B>(request: &Request<B>) -> Result<HeaderValue, HandshakeError> {
    let headers = request.headers();
    if request.method() != Method::GET || request.version() != Version::HTTP_11 {
        return Err(HandshakeError::NotGet);
    }
    if !lists_token(headers, header::CONNECTION, "upgrade") {
        return Err(HandshakeError::NoConnectionUpgrade);
    }
    if single(headers, header::SEC_WEBSOCKET_VERSION) != Some("13") {
        return Err(HandshakeError::Version);
    }
    let key = single(headers, header::SEC_WEBSOCKET_KEY).ok_or(HandshakeError::Key)?;
    if BASE64.decode(key).map_or(0, |bytes| bytes.len()) != 16 {
        return Err(HandshakeError::Key);
    }
    let digest = Sha1::new().chain_update(key).chain_update(GUID).finalize();
    HeaderValue::try_from(BASE64.encode(digest)).map_err(|_| HandshakeError::Key)
}

/// Whether a header that is a list contains `token`.
fn lists_token(headers: &HeaderMap, name: header::HeaderName, token: &str) -> bool {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|item| item.trim().eq_ignore_ascii_case(token))
}

/// The value of a header that comes exactly once.
fn single(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?.trim();
    values.next().is_none().then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(headers: &[(&str, &str)]) -> Request<()> {
        let mut builder = Request::get("/");
        for (name, value) in headers {
            builder = builder.header(*name, *value);
        }
        builder.body(()).unwrap()
    }

    const GOOD: [(&str, &str); 4] = [
        ("Upgrade", "WebSocket"),
        ("Connection", "keep-alive, Upgrade"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];

    #[test]
    fn the_example_of_the_rfc() {
        let request = request(&GOOD);
        assert!(is_upgrade(request.headers()));
        assert_eq!(accept(&request).unwrap(), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn each_requirement_is_checked() {
        let with = |index: usize, value| {
            let mut headers = GOOD;
            headers[index].1 = value;
            accept(&request(&headers))
        };
        assert_eq!(with(1, "close"), Err(HandshakeError::NoConnectionUpgrade));
        assert_eq!(with(2, "8"), Err(HandshakeError::Version));
        assert_eq!(with(3, "dG9vIHNob3J0"), Err(HandshakeError::Key));
        assert_eq!(with(3, "?"), Err(HandshakeError::Key));
        let two_keys: Vec<_> = GOOD.into_iter().chain([GOOD[3]]).collect();
        assert_eq!(accept(&request(&two_keys)), Err(HandshakeError::Key));
    }
}
