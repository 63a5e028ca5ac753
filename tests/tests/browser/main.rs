//! The pages in a real browser: rooms, people, history, reconnect, what a hostile message or page achieves, operations.
//!
//! Screenshots go to `artifacts/`.

mod driver;

use std::{fs, path::Path};

use driver::{Driver, Screen};
use tars_tests::ChatServer;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

const ENTER: &str = "\u{e007}";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs chromium and chromedriver; run by .ci/run"]
async fn two_pages_chat_see_each_other_and_are_greeted() {
    let server = ChatServer::start().await;
    let driver = Driver::start().await;
    let ted = driver.open(&server.url("/client1.html")).await;
    let amy = driver.open(&server.url("/client2.html")).await;
    for page in [&ted, &amy] {
        page.wait_for_status("open").await;
    }
    for (page, name) in [(&ted, "Ted"), (&amy, "Amy")] {
        page.type_into("#name", &format!("{name}{ENTER}")).await;
        page.wait_for_text("#people", name).await;
    }

    // Ask PHPServer: the answer goes to the asking page alone.
    ted.click("#hello").await;
    ted.wait_for_text("#log", "hello world!").await;

    // A broadcast reaches both rooms; markup stays text.
    ted.type_into("#message", "<img src=x onerror=alert(1)> to everyone")
        .await;
    ted.click("#broadcast").await;
    for page in [&ted, &amy] {
        page.wait_for_text("#log", "<img src=x onerror=alert(1)> to everyone")
            .await;
        assert_eq!(page.count("#log img").await, 0);
    }

    // A message to room 2 reaches that page; room 1 does not see it.
    amy.type_into("#message", &format!("only for room 2{ENTER}"))
        .await;
    amy.wait_for_text("#log", "only for room 2").await;
    assert!(!ted.text("#log").await.contains("only for room 2"));
    assert!(!amy.text("#log").await.contains("hello world!"));

    // Any room can be joined, and says what was said in it before.
    ted.type_into("#other", &format!("room2{ENTER}")).await;
    ted.wait_for_text("#log", "only for room 2").await;
    for page in [&ted, &amy] {
        page.wait_for_text("#people", "Amy").await;
        page.wait_for_text("#people", "Ted").await;
    }
    ted.wait_for_text("#count", "2").await;
    ted.type_into("#message", &format!("Hello Amy, here I am.{ENTER}"))
        .await;
    amy.wait_for_text("#log", "here I am").await;
    amy.type_into("#message", &format!("你好!欢迎来到 room2{ENTER}"))
        .await;
    ted.wait_for_text("#log", "欢迎").await;
    ted.wait_for("#log .mine").await;

    ted.screenshot("room.png").await;
    amy.click("#language").await;
    amy.wait_for("html[lang=zh]").await;
    amy.screenshot("room-zh.png").await;
    ted.close().await;
    // Who leaves is not there any more.
    amy.wait_for_text("#count", "1").await;
    assert!(!amy.text("#people").await.contains("Ted"));
    amy.close().await;
    driver.stop().await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs chromium and chromedriver; run by .ci/run"]
async fn a_page_comes_back_after_a_reload_and_after_a_restart_of_the_server() {
    let server = ChatServer::start().await;
    let address = server.address();
    let driver = Driver::start().await;
    let page = driver.open(&server.url("/client1.html?room=lobby")).await;
    page.wait_for_status("open").await;
    page.type_into("#message", &format!("before the reload{ENTER}"))
        .await;
    page.wait_for_text("#log", "before the reload").await;
    page.goto(&server.url("/client1.html?room=lobby")).await;
    page.wait_for_text("#log", "before the reload").await;

    // Rooms are like pages: the browser goes back to the one before.
    page.type_into("#other", &format!("elsewhere{ENTER}")).await;
    page.wait_for_text("#log", "elsewhere").await;
    page.run("history.back(); return null;").await;
    page.wait_for_text("#log", "before the reload").await;
    assert_eq!(page.text("#room").await, "lobby");

    server.stop().await;
    page.wait_for_status("closed").await;
    assert!(!page.text("#status").await.is_empty());
    page.screenshot("disconnected.png").await;
    let server = ChatServer::start_at(address, None).await;
    page.wait_for_status("open").await;
    page.type_into("#message", &format!("after the restart{ENTER}"))
        .await;
    page.wait_for_text("#log", "after the restart").await;
    // What was on the page is still there, once.
    let log = page.text("#log").await;
    assert_eq!(log.matches("before the reload").count(), 1, "{log}");
    assert_eq!(log.matches("after the restart").count(), 1, "{log}");
    page.close().await;
    driver.stop().await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs chromium and chromedriver; run by .ci/run"]
async fn what_was_missed_is_shown_once() {
    let server = ChatServer::start().await;
    let driver = Driver::start().await;
    let away = driver.open(&server.url("/client1.html")).await;
    let there = driver.open(&server.url("/client1.html")).await;
    for page in [&away, &there] {
        page.wait_for_status("open").await;
    }
    there
        .type_into("#message", &format!("one{ENTER}two{ENTER}"))
        .await;
    away.wait_for_text("#log", "two").await;
    // The page loses its connection, and two messages are sent before it comes back.
    away.run("window.setTimeout = () => 0; connection.drop(); return null;")
        .await;
    away.wait_for_status("closed").await;
    there
        .type_into("#message", &format!("three{ENTER}four{ENTER}"))
        .await;
    there.wait_for_text("#log", "four").await;
    away.click("#retry").await;
    away.wait_for_text("#log", "four").await;
    let log = away
        .run("return [...document.querySelectorAll('#log .said span')].map((line) => line.textContent)")
        .await;
    assert_eq!(log, serde_json::json!(["one", "two", "three", "four"]));
    away.close().await;
    there.close().await;
    driver.stop().await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs chromium and chromedriver; run by .ci/run"]
async fn a_phone_shows_a_room_in_chinese() {
    let server = ChatServer::start().await;
    let driver = Driver::start().await;
    let url = server.url("/client1.html");
    let page = driver.open_on(Screen::Phone, &url).await;
    page.wait_for_status("open").await;
    page.click("#language").await;
    page.wait_for_text("#send", "发送").await;
    assert_eq!(page.run("return document.documentElement.lang").await, "zh");
    page.type_into("#name", &format!("小明{ENTER}")).await;
    page.wait_for_text("#people", "小明").await;
    for text in ["大家好!", "这个聊天室在手机上也很好用。"] {
        page.type_into("#message", &format!("{text}{ENTER}")).await;
        page.wait_for_text("#log", text).await;
    }
    page.run("scrollTo(0, 0); return null;").await;
    page.screenshot("phone.png").await;
    for path in ["/client1.html", "/index.html", "/admin.html"] {
        page.goto(&server.url(path)).await;
        let overflows = "return document.documentElement.scrollWidth > innerWidth";
        assert_eq!(page.run(overflows).await, false, "{path}");
        // The choice outlives the page.
        page.wait_for("html[lang=zh]").await;
        page.screenshot(&format!("phone{}.png", path.replace(['/', '.'], "-")))
            .await;
    }
    page.close().await;
    driver.stop().await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs chromium and chromedriver; run by .ci/run"]
async fn every_control_has_a_name_and_is_reached_by_the_keyboard() {
    let server = ChatServer::start().await;
    let driver = Driver::start().await;
    let page = driver.open(&server.url("/client1.html")).await;
    page.wait_for_status("open").await;
    let nameless = "return [...document.querySelectorAll('a, button, input')].filter((control) => \
        !(control.textContent.trim() || control.getAttribute('aria-label') || control.labels?.length)).map((control) => control.outerHTML)";
    for path in ["/", "/client1.html", "/admin.html"] {
        page.goto(&server.url(path)).await;
        page.wait_for("#language").await;
        assert_eq!(page.run(nameless).await, serde_json::json!([]), "{path}");
    }
    page.goto(&server.url("/client1.html")).await;
    page.wait_for_status("open").await;
    // From the message field, which has the focus, through everything in the order in which it is read.
    let mut reached = Vec::new();
    for _ in 0..9 {
        reached.push(page.run("return document.activeElement.id || document.activeElement.dataset.room || document.activeElement.type").await);
        page.press("\u{e004}").await;
    }
    let expected = [
        "message",
        "send",
        "broadcast",
        "name",
        "save",
        "hello",
        "other",
        "submit",
        "room1",
    ];
    assert_eq!(serde_json::json!(reached), serde_json::json!(expected));
    page.close().await;
    driver.stop().await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs chromium and chromedriver; run by .ci/run"]
async fn a_page_of_another_origin_gets_no_connection_and_no_script_runs_inline() {
    let server = ChatServer::start().await;
    let chat = server.url("/").replace("http", "ws");
    let elsewhere = serve(format!(
        "<!doctype html><title>waiting</title><script>const socket = new WebSocket('{chat}');\
         socket.onopen = () => document.body.id = 'open'; socket.onerror = () => document.body.id = 'refused';</script><body>"
    ))
    .await;
    let driver = Driver::start().await;
    let page = driver.open(&elsewhere).await;
    page.wait_for("#refused").await;

    // The policy of the chat's own pages: what would be slipped into one does not run.
    page.goto(&server.url("/client1.html")).await;
    page.wait_for_status("open").await;
    page.run(
        "document.addEventListener('securitypolicyviolation', () => document.body.classList.add('stopped')); \
         const script = document.createElement('script'); script.textContent = 'document.body.id = \"owned\"'; \
         document.body.append(script); return null;",
    )
    .await;
    page.wait_for("body.stopped").await;
    assert_eq!(page.count("#owned").await, 0);
    page.close().await;
    driver.stop().await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs chromium and chromedriver; run by .ci/run"]
async fn operations_are_shown_to_who_has_the_token() {
    let services = Path::new(env!("CARGO_TARGET_TMPDIR")).join("admin-services.toml");
    fs::write(&services, "obj.pushToken = 'a-token-of-the-tests'").unwrap();
    let server = ChatServer::start_at(([127, 0, 0, 1], 0).into(), Some(services)).await;
    let driver = Driver::start().await;
    let chat = driver.open(&server.url("/client1.html")).await;
    chat.wait_for_status("open").await;
    chat.type_into("#name", "Ted").await;

    let page = driver.open(&server.url("/admin.html")).await;
    for wrong in ["", "a-wrong-token"] {
        page.type_into("#token", &format!("{wrong}{ENTER}")).await;
        page.wait_for_status("closed").await;
        assert!(page.text("#status").await.contains("token"));
        assert_eq!(page.count("#charts[hidden]").await, 1);
    }
    page.type_into("#token", &format!("a-token-of-the-tests{ENTER}"))
        .await;
    page.wait_for_status("open").await;
    page.wait_for_text("#chart-connections .value", "1 / 1")
        .await;
    // Load, so that there is something to see: connections that come and go, broadcasts and greetings.
    chat.run(
        "const others = []; let turn = 0; setInterval(() => { turn += 1; \
         if (turn % 4 === 0 && others.length < 40) { others.push(new WebSocket(`ws://${location.host}/`)); } \
         for (const other of others.slice(0, turn % 7)) { \
         if (other.readyState === WebSocket.OPEN) { other.send('broadcast|{\"message\":\"load\"}'); other.send('hello|load'); } } \
         if (turn % 60 === 0) { others.splice(0, 15).forEach((other) => other.close()); } }, 100); return null;",
    )
    .await;
    let drawn = "return document.querySelector('#chart-deliveries polyline').points.numberOfItems";
    while page.run(drawn).await.as_u64().unwrap() < 20 {
        page.wait_for_text("#chart-rpc .value", "/").await;
    }
    page.wait_for_text("#counters", "deliveries").await;
    page.screenshot("operations.png").await;
    page.click("#language").await;
    page.wait_for("html[lang=zh]").await;
    page.screenshot("operations-zh.png").await;
    for page in [page, chat] {
        page.close().await;
    }
    driver.stop().await;
    server.stop().await;
}

/// A server of one page; its URL.
async fn serve(page: String) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{page}",
        page.len()
    );
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let answer = answer.clone();
            tokio::spawn(async move {
                let _ = stream.read(&mut [0; 4096]).await;
                let _ = stream.write_all(answer.as_bytes()).await;
            });
        }
    });
    url
}
