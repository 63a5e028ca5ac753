//! Tables of who may and who may not.

use std::path::Path;

use super::*;

const HOST: &str = "127.0.0.1:20083";

fn guard(services: &str, listening: &str) -> Guard {
    Guard::new(
        &Services::parse(services, Path::new("")).unwrap(),
        &[listening.parse().unwrap()],
    )
}

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    pairs
        .iter()
        .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
        .collect()
}

fn may_connect(guard: &Guard, host: &str, origin: &str) -> bool {
    guard
        .check_origin(Some(host), &headers(&[("origin", origin)]))
        .is_ok()
}

#[test]
fn origins_by_default() {
    let guard = guard("", HOST);
    assert!(guard.check_origin(Some(HOST), &HeaderMap::new()).is_ok());
    for (host, origin, expected) in [
        (HOST, "http://127.0.0.1:20083", true),
        ("Chat.Example", "http://chat.example:80", true),
        ("[::1]:80", "http://[::1]", true),
        (HOST, "https://127.0.0.1:20083", false),
        (HOST, "http://127.0.0.1:20084", false),
        (HOST, "http://127.0.0.1", false),
        (HOST, "http://localhost:20083", false),
        (HOST, "http://127.0.0.1:20083.example", false),
        (HOST, "http://127.0.0.1:20083@evil.example", false),
        (HOST, "http://evil.example#127.0.0.1:20083", false),
        (HOST, "null", false),
        (HOST, "", false),
    ] {
        assert_eq!(
            may_connect(&guard, host, origin),
            expected,
            "{origin} to {host}"
        );
    }
    let mut two = headers(&[("origin", "http://127.0.0.1:20083")]);
    two.append("origin", "http://evil.example".parse().unwrap());
    assert!(guard.check_origin(Some(HOST), &two).is_err());
    assert!(
        guard
            .check_origin(None, &headers(&[("origin", "http://127.0.0.1:20083")]))
            .is_err()
    );
}

#[test]
fn origins_of_a_server_with_tls() {
    let guard = guard("obj.tls = { certificate = 'c', key = 'k' }", HOST);
    for (host, origin, expected) in [
        (HOST, "https://127.0.0.1:20083", true),
        ("chat.example", "https://chat.example", true),
        (HOST, "http://127.0.0.1:20083", false),
        ("chat.example", "https://chat.example:80", false),
    ] {
        assert_eq!(may_connect(&guard, host, origin), expected, "{origin}");
    }
}

#[test]
fn origins_of_the_list() {
    let guard = guard(
        "obj.allowedOrigins = ['https://Chat.example', 'null']",
        HOST,
    );
    assert!(may_connect(&guard, HOST, "https://chat.example"));
    assert!(may_connect(&guard, HOST, "https://chat.example:443"));
    assert!(may_connect(&guard, HOST, "null"));
    assert!(may_connect(&guard, HOST, "http://127.0.0.1:20083"));
    assert!(!may_connect(&guard, HOST, "http://chat.example"));
    assert!(!may_connect(&guard, HOST, "https://chat.example:8443"));
}

#[test]
fn pushes_without_a_token() {
    let local = guard("", HOST);
    let none: &[(&str, &str)] = &[];
    for (host, pairs, expected) in [
        (HOST, none, true),
        ("localhost:20083", none, true),
        ("[::1]:20083", none, true),
        (HOST, &[("origin", "http://127.0.0.1:20083")], true),
        (HOST, &[("sec-fetch-site", "same-origin")], true),
        (HOST, &[("sec-fetch-site", "none")], true),
        (HOST, &[("sec-fetch-site", "cross-site")], false),
        (HOST, &[("sec-fetch-site", "same-site")], false),
        (HOST, &[("origin", "http://evil.example")], false),
        (HOST, &[("origin", "null")], false),
        ("evil.example:20083", none, false),
        ("localhost.evil.example", none, false),
        (
            "evil.example:20083",
            &[("origin", "http://evil.example:20083")],
            false,
        ),
    ] {
        let allowed = local.check_push(Some(host), &headers(pairs)).is_ok();
        assert_eq!(allowed, expected, "{host} {pairs:?}");
    }
    assert_eq!(
        local.check_push(None, &HeaderMap::new()),
        Err(Denied::NotLocal)
    );
    let public = guard("", "0.0.0.0:20083");
    assert_eq!(
        public.check_push(Some(HOST), &HeaderMap::new()),
        Err(Denied::NotLocal)
    );
}

#[test]
fn pushes_with_a_token() {
    for listening in [HOST, "0.0.0.0:20083"] {
        let guard = guard("obj.pushToken = 'abcdefghijklmnop'", listening);
        for (authorization, expected) in [
            ("Bearer abcdefghijklmnop", true),
            ("bearer abcdefghijklmnop", true),
            ("Bearer abcdefghijklmno", false),
            ("Bearer abcdefghijklmnoq", false),
            ("Bearer ", false),
            ("Basic abcdefghijklmnop", false),
        ] {
            let headers = headers(&[("authorization", authorization)]);
            let allowed = guard.check_push(Some("chat.example"), &headers).is_ok();
            assert_eq!(allowed, expected, "{authorization}");
        }
        assert_eq!(
            guard.check_push(Some(HOST), &HeaderMap::new()),
            Err(Denied::Token)
        );
    }
}
