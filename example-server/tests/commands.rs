//! The commands of the chat, one connection or a few, over real sockets.

mod common;

use std::sync::Arc;

use common::{greeter, start, start_with};
use example_server::servant::php_test::php_server::obj::TestTafServiceServant;
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::sync::Semaphore;
use tokio_tungstenite::tungstenite::Message;

#[tokio::test]
async fn each_command_and_its_answer() {
    let chat = start("").await;
    let mut a = chat.connect().await;
    for (sent, answer) in [
        ("ping", "pong"),
        ("ping|extra", "pong"),
        ("subscribe|room1", "Subscribe roomNum:room1 success!"),
        ("subscribe|room1", "Subscribe roomNum:room1 success!"),
        ("subscribe|房间|a", "Subscribe roomNum:房间|a success!"),
        ("unsubscribe|房间|a", "Unsubscribe roomNum:房间|a success!"),
        (
            "unsubscribe|never joined",
            "Unsubscribe roomNum:never joined success!",
        ),
        (
            r#"sendByRoom|{"roomNum":"nobody","message":"x"}"#,
            "SendByRoom success!",
        ),
        ("hello|ted", "hello ted"),
        ("hello|a|b", "hello a|b"),
        ("", "Rsp from server: this is server"),
        ("|", "Rsp from server: this is server"),
        ("PING", "Rsp from server: this is server"),
        (" ping", "Rsp from server: this is server"),
        ("whatever|1", "Rsp from server: this is server"),
    ] {
        assert_eq!(a.ask(sent).await, answer, "{sent}");
    }
}

#[tokio::test]
async fn binary_messages_are_commands_too() {
    let chat = start("").await;
    let mut a = chat.connect().await;
    for (sent, answer) in [
        (&b"ping"[..], "pong"),
        (b"subscribe|1", "Subscribe roomNum:1 success!"),
        (b"subscribe|\xFF", "Error: the argument is not UTF-8"),
        (b"\xFF\xFE", "Rsp from server: this is server"),
    ] {
        a.socket.send(Message::binary(sent)).await.unwrap();
        assert_eq!(a.next().await, answer);
    }
}

#[tokio::test]
async fn a_room_receives_and_others_do_not() {
    let chat = start("").await;
    let (mut a, mut b, mut c) = (
        chat.connect().await,
        chat.connect().await,
        chat.connect().await,
    );
    a.ask("subscribe|room1").await;
    b.ask("subscribe|room1").await;
    b.ask("subscribe|room1").await;

    c.send(r#"sendByRoom|{"roomNum":"room1","message":"hi"}"#)
        .await;
    assert_eq!(c.received().await, ["SendByRoom success!"]);
    assert_eq!(a.received().await, ["hi"]);
    assert_eq!(
        b.received().await,
        ["hi"],
        "a second subscribe changes nothing"
    );

    a.send(r#"sendByRoom|{"roomNum":"room1","message":"from a"}"#)
        .await;
    assert_eq!(a.received().await, ["from a", "SendByRoom success!"]);
    assert_eq!(b.received().await, ["from a"]);

    b.ask("unsubscribe|room1").await;
    a.send(r#"sendByRoom|{"roomNum":"room1","message":"again"}"#)
        .await;
    assert_eq!(a.received().await, ["again", "SendByRoom success!"]);
    assert_eq!(b.received().await, [""; 0]);
    assert_eq!(c.received().await, [""; 0]);
}

#[tokio::test]
async fn a_broadcast_reaches_everybody() {
    let chat = start("").await;
    let (mut a, mut b) = (chat.connect().await, chat.connect().await);
    b.ask("subscribe|room1").await;
    for (json, message) in [
        (r#"{"message":"hello all"}"#, "hello all"),
        (r#"{"message":"a|b"}"#, "a|b"),
        (r#"{"message":""}"#, ""),
        (r#"{"message":"<b>\u623f\n\"</b>"}"#, "<b>房\n\"</b>"),
        (r#"{"message":5}"#, "5"),
        (r#"{"message":-0.10e3}"#, "-0.10e3"),
        (
            r#"{"message":123456789012345678901234567890}"#,
            "123456789012345678901234567890",
        ),
        (r#" {"more":[],"message":"x"} "#, "x"),
    ] {
        a.send(&format!("broadcast|{json}")).await;
        assert_eq!(
            a.received().await,
            [message, "Broadcast success!"],
            "{json}"
        );
        assert_eq!(b.received().await, [message], "{json}");
    }
}

#[tokio::test]
async fn a_room_number_is_the_room_of_its_text() {
    let chat = start("").await;
    let mut a = chat.connect().await;
    a.ask("subscribe|1").await;
    a.send(r#"sendByRoom|{"roomNum":1,"message":"int room"}"#)
        .await;
    assert_eq!(a.received().await, ["int room", "SendByRoom success!"]);
}

#[tokio::test]
async fn malformed_commands_are_errors_and_reach_nobody() {
    let chat = start("").await;
    let (mut a, mut b) = (chat.connect().await, chat.connect().await);
    b.ask("subscribe|room1").await;
    let long = format!("subscribe|{}", "房".repeat(129));
    for (sent, error) in [
        ("subscribe", "Error: subscribe needs a room"),
        ("subscribe|", "Error: subscribe needs a room"),
        ("unsubscribe", "Error: unsubscribe needs a room"),
        (
            "subscribe|a\nb",
            "Error: a room name has no control characters",
        ),
        (&long, "Error: a room name has at most 128 characters"),
        ("sendByRoom", "Error: sendByRoom needs a JSON object"),
        ("broadcast|", "Error: broadcast needs a JSON object"),
        ("hello", "Error: hello needs a name"),
        ("hello|", "Error: hello needs a name"),
        ("broadcast|{oops", "Error: malformed JSON: "),
        ("broadcast|{}", "Error: message is missing"),
        (
            "broadcast|[\"x\"]",
            "Error: the argument must be a JSON object",
        ),
        (
            "broadcast|\"x\"",
            "Error: the argument must be a JSON object",
        ),
        ("broadcast|7", "Error: the argument must be a JSON object"),
        (
            "sendByRoom|null",
            "Error: the argument must be a JSON object",
        ),
        ("sendByRoom|nul", "Error: malformed JSON: "),
        (r#"broadcast|{"message":"x"} y"#, "Error: malformed JSON: "),
        (
            r#"broadcast|{"message":"\ud800"}"#,
            "Error: malformed JSON: ",
        ),
        (
            r#"broadcast|{"message":[1]}"#,
            "Error: message must be a string or a number",
        ),
        (
            r#"broadcast|{"message":{}}"#,
            "Error: message must be a string or a number",
        ),
        (
            r#"broadcast|{"message":true}"#,
            "Error: message must be a string or a number",
        ),
        (r#"broadcast|{"message":null}"#, "Error: message is missing"),
        (
            r#"sendByRoom|{"roomNum":"room1"}"#,
            "Error: message is missing",
        ),
        (r#"sendByRoom|{"message":"x"}"#, "Error: roomNum is missing"),
        (
            r#"sendByRoom|{"roomNum":"","message":"x"}"#,
            "Error: the room has no name",
        ),
        (
            r#"sendByRoom|{"roomNum":[],"message":"x"}"#,
            "Error: roomNum must be a string",
        ),
    ] {
        let answer = a.ask(sent).await;
        assert!(answer.starts_with(error), "{sent}: {answer}");
        assert!(!answer.contains("Envelope"), "{sent}: {answer}");
    }
    let deep = format!("broadcast|{{\"message\":{}", "[".repeat(100_000));
    assert!(a.ask(&deep).await.starts_with("Error: "));
    assert_eq!(a.received().await, [""; 0]);
    assert_eq!(b.received().await, [""; 0]);
}

#[tokio::test]
async fn rooms_of_one_connection_are_limited() {
    let chat = start("obj.limits.maxRoomsPerConnection = 2").await;
    let mut a = chat.connect().await;
    a.ask("subscribe|a").await;
    a.ask("subscribe|b").await;
    let refused = "Error: a connection may be in at most 2 rooms";
    assert_eq!(a.ask("subscribe|c").await, refused);
    assert_eq!(a.ask("subscribe|b").await, "Subscribe roomNum:b success!");
    a.send(r#"sendByRoom|{"roomNum":"c","message":"x"}"#).await;
    assert_eq!(a.received().await, ["SendByRoom success!"]);
    a.ask("unsubscribe|a").await;
    assert_eq!(a.ask("subscribe|c").await, "Subscribe roomNum:c success!");
}

/// A PHPServer that answers slow names only when it is let, one a permit.
async fn gated(gate: &Arc<Semaphore>) -> TestTafServiceServant {
    let gate = Arc::clone(gate);
    greeter(move |name| {
        let gate = Arc::clone(&gate);
        async move {
            if name.starts_with("slow") {
                gate.acquire().await.unwrap().forget();
            }
            Ok(format!("hello {name}"))
        }
    })
    .await
}

#[tokio::test]
async fn a_slow_greeting_holds_nothing_up_but_later_greetings() {
    let gate = Arc::new(Semaphore::new(0));
    let chat = start_with("", gated(&gate).await).await;
    let (mut a, mut b) = (chat.connect().await, chat.connect().await);
    a.send("hello|slow").await;
    assert_eq!(a.ask("ping").await, "pong");
    assert_eq!(b.ask("hello|b").await, "hello b");
    a.socket
        .send(Message::Ping(b"?".to_vec().into()))
        .await
        .unwrap();
    assert_eq!(
        a.socket.next().await.unwrap().unwrap(),
        Message::Pong(b"?".to_vec().into())
    );
    a.send("hello|quick").await;
    assert_eq!(a.ask("ping").await, "pong");
    gate.add_permits(1);
    assert_eq!(a.next().await, "hello slow");
    assert_eq!(a.next().await, "hello quick");
}

#[tokio::test]
async fn pipelined_greetings_all_come_in_order() {
    let gate = Arc::new(Semaphore::new(0));
    let chat = start_with("obj.limits.maxPendingAnswers = 2", gated(&gate).await).await;
    let mut a = chat.connect().await;
    for i in 0..20 {
        let name = if i % 3 == 0 { "slow" } else { "quick" };
        a.socket
            .feed(Message::text(format!("hello|{name}{i}")))
            .await
            .unwrap();
    }
    a.send("ping").await;
    gate.add_permits(20);
    let mut answers = Vec::new();
    while answers.len() < 21 {
        answers.push(a.next().await);
    }
    answers.retain(|answer| answer != "pong");
    let expected: Vec<_> = (0..20)
        .map(|i| format!("hello {}{i}", if i % 3 == 0 { "slow" } else { "quick" }))
        .collect();
    assert_eq!(answers, expected);
}

#[tokio::test]
async fn who_waits_for_greetings_can_be_closed() {
    let gate = Arc::new(Semaphore::new(0));
    let limits = "obj.limits = { maxPendingAnswers = 1, drainMs = 0 }";
    let chat = start_with(limits, gated(&gate).await).await;
    let mut a = chat.connect().await;
    for _ in 0..3 {
        a.send("hello|slow").await;
    }
    chat.shutdown.cancel();
    assert_eq!(a.closed().await, 1001);
}
