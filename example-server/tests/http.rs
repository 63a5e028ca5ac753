//! HTTP on the chat port: actions, methods, errors, pages, who may.

mod common;

use common::start;

#[tokio::test]
async fn actions_by_get() {
    let chat = start("").await;
    let mut member = chat.connect().await;
    member.ask("subscribe|room 1").await;
    for (target, status, body, received) in [
        ("/Index/index", 200, "index success!!", None),
        ("/iNDEX/INDEX?x=1", 200, "index success!!", None),
        ("/Index/index/extra", 200, "index success!!", None),
        (
            "/Index/pushByRoom?roomNum=room+1&message=%E6%88%BF%7C",
            200,
            "pushBy room success",
            Some("房|"),
        ),
        (
            "/Index/pushByRoom?roomNum=2&message=x",
            200,
            "pushBy room success",
            None,
        ),
        (
            "/index/pushall?message=hi",
            200,
            "pushBy all success",
            Some("hi"),
        ),
        (
            "/Index/pushAll?message=",
            200,
            "pushBy all success",
            Some(""),
        ),
        ("/Index/hello?name=ted", 200, "hello ted", None),
        ("/monitor/monitor", 200, r#"{"code":0}"#, None),
        (
            "/Index/pushAll",
            400,
            "Error: missing parameter: message",
            None,
        ),
        (
            "/Index/pushByRoom?message=x",
            400,
            "Error: missing parameter: roomNum",
            None,
        ),
        (
            "/Index/pushByRoom?roomNum=1",
            400,
            "Error: missing parameter: message",
            None,
        ),
        (
            "/Index/pushByRoom?roomNum=&message=x",
            400,
            "Error: roomNum: the room has no name",
            None,
        ),
        ("/Index/hello", 400, "Error: missing parameter: name", None),
        ("/Index/hello?name=", 400, "Error: hello needs a name", None),
        (
            "/Index/pushAll?message=%ff",
            400,
            "Error: the parameters are not UTF-8",
            None,
        ),
        ("/Index/nope", 404, "not found", None),
        ("/Index", 404, "not found", None),
        ("/Index/", 404, "not found", None),
        ("/Nope/index", 404, "not found", None),
        ("//", 404, "not found", None),
        ("/client3.html", 404, "not found", None),
    ] {
        let answer = chat.get(target).await;
        assert_eq!(
            (answer.status, answer.body.as_str()),
            (status, body),
            "{target}"
        );
        let expected: Vec<_> = received.into_iter().collect();
        assert_eq!(member.received().await, expected, "{target}");
    }
    assert!(
        chat.get("/monitor/monitor")
            .await
            .head
            .contains("content-type: application/json")
    );
}

#[tokio::test]
async fn actions_by_post() {
    let chat = start("").await;
    let mut member = chat.connect().await;
    let form = "application/x-www-form-urlencoded";
    let json = "application/json; charset=utf-8";
    for (content_type, body, status, received) in [
        (form, "message=a%26b", 200, Some("a&b")),
        (form, "message=1&message=2", 200, Some("2")),
        (json, r#"{"message":"房","more":1}"#, 200, Some("房")),
        (json, r#"{"message":5}"#, 200, Some("5")),
        (json, r#"{"message":1.50}"#, 200, Some("1.50")),
        (json, r#"["message"]"#, 400, None),
        (json, "{\"message\":\"\\ud800\"}", 400, None),
        ("application/jsonp", "{}", 415, None),
        (json, r#"{"message":[5]}"#, 400, None),
        (json, r#"{"message":"#, 400, None),
        (json, "{}", 400, None),
        (form, "", 400, None),
        (form, "message=%ff", 400, None),
        (form, "message=x&more=%80", 400, None),
        (form, "message=%e6%88%bf+%zz%", 200, Some("房 %zz%")),
        (form, "&message=x&&=&more", 200, Some("x")),
        ("text/plain", "message=x", 415, None),
    ] {
        let answer = chat.post("/Index/pushAll", content_type, body).await;
        assert_eq!(
            answer.status, status,
            "{content_type} {body}: {}",
            answer.body
        );
        assert_eq!(
            member.received().await,
            received.into_iter().collect::<Vec<_>>(),
            "{body}"
        );
    }
    let answer = chat.post("/Index/pushAll?message=q", form, "x=1").await;
    assert_eq!(answer.status, 200);
    assert_eq!(member.received().await, ["q"]);
    let request = format!(
        "DELETE /Index/index HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
        chat.address
    );
    let answer = chat.http(&request).await;
    assert_eq!(answer.status, 405);
    assert!(answer.head.contains("allow: get, head, post"));
}

#[tokio::test]
async fn pushes_need_a_local_caller_or_the_token() {
    let chat = start("").await;
    let mut member = chat.connect().await;
    for headers in [
        "Origin: http://evil.example\r\n",
        "Sec-Fetch-Site: cross-site\r\n",
    ] {
        for target in [
            "/Index/pushAll?message=x",
            "/index/PUSHBYROOM?roomNum=1&message=x",
        ] {
            assert_eq!(chat.get_with(target, headers).await.status, 403);
        }
        assert_eq!(chat.get_with("/Index/index", headers).await.status, 200);
    }
    let rebound =
        "GET /Index/pushAll?message=x HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n";
    assert_eq!(chat.http(rebound).await.status, 403);
    assert_eq!(member.received().await, [""; 0]);

    let chat = start("obj.pushToken = 'abcdefghijklmnop'").await;
    let mut member = chat.connect().await;
    let target = "/Index/pushAll?message=x";
    assert_eq!(chat.get(target).await.status, 401);
    let wrong = chat
        .get_with(target, "Authorization: Bearer abcdefghijklmnoq\r\n")
        .await;
    assert_eq!(wrong.status, 401);
    assert!(wrong.head.contains("www-authenticate: bearer"));
    assert_eq!(member.received().await, [""; 0]);
    let right = chat
        .get_with(target, "Authorization: Bearer abcdefghijklmnop\r\n")
        .await;
    assert_eq!(right.status, 200);
    assert_eq!(member.received().await, ["x"]);
}

#[tokio::test]
async fn pages_have_a_strict_policy_and_nothing_inline() {
    let chat = start("").await;
    for target in ["/", "/client1.html", "/client2.html"] {
        let page = chat.get(target).await;
        assert_eq!(page.status, 200);
        let policy = page
            .head
            .lines()
            .find(|line| line.starts_with("content-security-policy:"))
            .unwrap();
        assert!(policy.contains("default-src 'none'; script-src 'self'; style-src 'self'"));
        assert!(policy.contains(&format!("connect-src 'self' ws://{};", chat.address)));
        assert!(!policy.contains("unsafe"));
        for inline in ["<style", "style=", " onclick", "<script>", "javascript:"] {
            assert!(!page.body.contains(inline), "{target}: {inline}");
        }
    }
    for (target, content_type) in [("/chat.js", "text/javascript"), ("/chat.css", "text/css")] {
        let asset = chat.get(target).await;
        assert_eq!(asset.status, 200);
        assert!(
            asset
                .head
                .contains(&format!("content-type: {content_type}; charset=utf-8"))
        );
    }
    for sink in [
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
    ] {
        assert!(!chat.get("/chat.js").await.body.contains(sink), "{sink}");
    }
    let injected = "GET / HTTP/1.1\r\nHost: x; script-src *\r\nConnection: close\r\n\r\n";
    assert!(!chat.http(injected).await.head.contains("script-src *"));
}

#[tokio::test]
async fn origins_of_upgrades() {
    let chat = start("obj.allowedOrigins = ['https://chat.example']").await;
    let own = format!("http://{}", chat.address);
    for (origin, expected) in [
        (own.as_str(), None),
        ("https://chat.example", None),
        ("http://chat.example", Some(403)),
        ("null", Some(403)),
    ] {
        let refused = chat.connect_with(&[("origin", origin)]).await.err();
        assert_eq!(refused, expected, "{origin}");
    }
}

#[tokio::test]
async fn upgrades_that_are_none() {
    let chat = start("").await;
    let upgrade = async |headers: &str| {
        let request = format!(
            "GET / HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\n{headers}\r\n",
            chat.address
        );
        chat.http(&request).await
    };
    let bad_key = "Connection: Upgrade, close\r\nSec-WebSocket-Version: 13\r\n";
    assert_eq!(upgrade(bad_key).await.status, 400);
    let old = upgrade("Connection: Upgrade, close\r\nSec-WebSocket-Version: 8\r\n").await;
    assert_eq!(old.status, 426);
    assert!(old.head.contains("sec-websocket-version: 13"));
    assert!(chat.hub.is_empty());
}

#[tokio::test]
async fn connections_are_limited_and_given_back() {
    let chat = start("obj.limits.maxConnections = 2").await;
    let first = chat.connect().await;
    let _second = chat.connect().await;
    assert_eq!(chat.connect_with(&[]).await.err(), Some(503));
    drop(first);
    // The server learns of it in its own time.
    while chat.connect_with(&[]).await.is_err() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn head_is_get_without_a_body() {
    let chat = start("").await;
    for target in [
        "/Index/index",
        "/monitor/monitor",
        "/Index/nope",
        "/client1.html",
    ] {
        let host = chat.address;
        let request =
            format!("HEAD {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        let (head, get) = (chat.http(&request).await, chat.get(target).await);
        assert_eq!((head.status, head.body.as_str()), (get.status, ""));
        let length = format!("content-length: {}", get.body.len());
        assert!(head.head.contains(&length), "{target}: {}", head.head);
    }
}

#[tokio::test]
async fn metrics_count_and_are_for_who_may_push() {
    let chat = start("").await;
    let (mut a, mut b) = (chat.connect().await, chat.connect().await);
    a.ask("subscribe|room1").await;
    b.ask("subscribe|room1").await;
    a.send(r#"sendByRoom|{"roomNum":"room1","message":"x"}"#)
        .await;
    a.received().await;
    assert_eq!(b.received().await, ["x"]);
    assert_eq!(b.ask("hello|ted").await, "hello ted");
    let metrics = chat.get("/metrics").await;
    assert_eq!(metrics.status, 200);
    assert!(metrics.head.contains("application/openmetrics-text"));
    for line in [
        "chat_connections 2",
        "chat_rooms 1",
        "chat_alone 0",
        "chat_deliveries_total 2",
        "chat_rpc_seconds_count 1",
        "chat_http_requests_total{status=\"101\"} 2",
        "# EOF",
    ] {
        let found = metrics.body.lines().any(|found| found == line);
        assert!(found, "{line} is not in\n{}", metrics.body);
    }
    let foreign = chat
        .get_with("/metrics", "Origin: http://evil.example\r\n")
        .await;
    assert_eq!(foreign.status, 403);
    let guarded = start("obj.pushToken = 'abcdefghijklmnop'").await;
    assert_eq!(guarded.get("/metrics").await.status, 401);
}

#[tokio::test]
async fn health_is_open_to_everybody() {
    let chat = start("obj.pushToken = 'abcdefghijklmnop'").await;
    assert_eq!(chat.get("/healthz").await.body, "ok");
    assert_eq!(chat.get("/readyz").await.body, "ready");
}

#[tokio::test]
async fn a_push_is_no_longer_than_a_message() {
    let chat = start("obj.limits = { maxMessageSize = 1000, maxQueueSize = 2000 }").await;
    let mut member = chat.connect().await;
    let form = "application/x-www-form-urlencoded";
    for target in ["/Index/pushAll", "/Index/pushByRoom"] {
        for (length, status) in [(999, 200), (1000, 200), (1001, 413)] {
            let text = "x".repeat(length);
            let body = format!("roomNum=r&message={text}");
            let answer = chat.post(target, form, &body).await;
            assert_eq!(answer.status, status, "{target} {length}: {}", answer.body);
            // Nobody is closed for what is too long.
            let arrives = status == 200 && target == "/Index/pushAll";
            let expected: Vec<String> = arrives.then_some(text).into_iter().collect();
            assert_eq!(member.received().await, expected, "{target} {length}");
        }
    }
}
