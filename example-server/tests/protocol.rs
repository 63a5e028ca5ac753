//! The WebSocket protocol on a real socket: limits, close codes, backpressure.

mod common;

use common::start;
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

/// A masked frame (the mask is zero, so the payload is as given).
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![
        first,
        0x80 | u8::try_from(payload.len()).unwrap(),
        0,
        0,
        0,
        0,
    ];
    frame.extend(payload);
    frame
}

/// A connection for bytes that no client library would send.
async fn raw(chat: &common::Chat, early: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(chat.address).await.unwrap();
    let mut request = format!(
        "GET / HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        chat.address
    )
    .into_bytes();
    request.extend(early);
    stream.write_all(&request).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    let head = String::from_utf8(head).unwrap();
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    assert!(head.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "{head}");
    stream
}

/// Everything up to the end of the stream.
async fn rest(mut stream: TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    bytes
}

fn close_code(bytes: &[u8]) -> u16 {
    assert_eq!(bytes[0], 0x88, "{bytes:?}");
    u16::from_be_bytes([bytes[2], bytes[3]])
}

#[tokio::test]
async fn frames_that_come_with_the_handshake_are_answered() {
    let chat = start("").await;
    let mut early = frame(0x81, b"ping");
    early.extend(frame(0x88, &[0x03, 0xE8]));
    let stream = raw(&chat, &early).await;
    assert_eq!(rest(stream).await, b"\x81\x04pong\x88\x02\x03\xE8");
}

#[tokio::test]
async fn violations_close_with_their_code() {
    let chat = start("").await;
    let violations = [
        (frame(0x81, b"\xFF"), 1007),
        (frame(0x81, b"\xE6\x88"), 1007),
        (frame(0xC1, b"ping"), 1002),
        (frame(0x83, b""), 1002),
        (frame(0x80, b"ping"), 1002),
        (frame(0x09, b""), 1002),
        (vec![0x81, 0x04, b'p', b'i', b'n', b'g'], 1002),
        (frame(0x88, b"\x03"), 1002),
        (frame(0x88, &[0x03, 0xED]), 1002),
        (frame(0x88, &[0x03, 0xE8, 0xFF]), 1007),
        (
            vec![0x82, 0xFF, 0x00, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0],
            1009,
        ),
    ];
    for (bytes, code) in &violations {
        let stream = raw(&chat, bytes).await;
        assert_eq!(close_code(&rest(stream).await), *code, "{bytes:?}");
    }
    assert!(chat.hub.is_empty(), "who is closed is no member");
    let counted = chat.hub.metrics().violations.get();
    assert_eq!(counted, violations.len() as u64);
}

#[tokio::test]
async fn messages_at_the_limit() {
    let chat = start("obj.limits.maxMessageSize = 1000").await;
    for (length, fits) in [(999, true), (1000, true), (1001, false)] {
        let mut a = chat.connect().await;
        a.send(&"x".repeat(length)).await;
        if fits {
            assert_eq!(a.next().await, "Rsp from server: this is server");
        } else {
            assert_eq!(a.closed().await, 1009);
        }
    }
}

#[tokio::test]
async fn the_close_handshake_of_a_client() {
    let chat = start("").await;
    let mut a = chat.connect().await;
    let frame = CloseFrame {
        code: 4000.into(),
        reason: "bye".into(),
    };
    a.socket.close(Some(frame)).await.unwrap();
    assert_eq!(a.closed().await, 4000);
    assert!(a.socket.next().await.is_none());
}

#[tokio::test]
async fn going_down_closes_with_1001_and_ends() {
    let chat = start("obj.limits.drainMs = 0").await;
    let mut clients = [chat.connect().await, chat.connect().await];
    let idle_http = TcpStream::connect(chat.address).await.unwrap();
    chat.shutdown.cancel();
    for client in &mut clients {
        assert_eq!(client.closed().await, 1001);
        // Sends the answering close frame and reads to the end.
        assert!(client.socket.next().await.is_none());
    }
    drop(idle_http);
    chat.task.await.unwrap();
    assert!(TcpStream::connect(chat.address).await.is_err());
}

#[tokio::test]
async fn who_does_not_read_is_closed_and_holds_nobody_up() {
    let chat = start("obj.limits.maxQueueSize = 1_100_000").await;
    let mut slow = chat.connect().await;
    let mut sender = chat.connect().await;
    slow.ask("subscribe|room").await;
    let payload = "x".repeat(100_000);
    let command = format!(r#"sendByRoom|{{"roomNum":"room","message":"{payload}"}}"#);
    // What the kernel buffers is not known, so: until the hub has one connection less.
    let mut sent = 0;
    while chat.hub.len() == 2 {
        assert_eq!(sender.ask(&command).await, "SendByRoom success!");
        sent += 1;
        assert!(
            sent < 10_000,
            "the queue of a client that does not read has no bound"
        );
    }
    // It gets whole messages, fewer than were sent, and then learns why there are no more.
    let mut received = 0;
    let code = loop {
        match slow.socket.next().await.unwrap().unwrap() {
            Message::Text(text) => {
                assert_eq!(text.as_str(), payload);
                received += 1;
            }
            Message::Close(frame) => break u16::from(frame.unwrap().code),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(code, 1013);
    assert!(received < sent);
    assert_eq!(chat.hub.metrics().slow_consumers.get(), 1);
    assert_eq!(sender.ask("ping").await, "pong");
}

#[tokio::test]
async fn who_asks_without_reading_is_slowed_down_and_not_closed() {
    let chat = start("obj.limits.messagesPerSecond = 0").await;
    let a = chat.connect().await;
    let (mut write, mut read) = a.socket.split();
    const COUNT: usize = 200_000;
    let asking = tokio::spawn(async move {
        for _ in 0..COUNT {
            write.feed(Message::text("x")).await.unwrap();
        }
        write.flush().await.unwrap();
    });
    for _ in 0..COUNT {
        let answer = read.next().await.unwrap().unwrap();
        assert_eq!(answer, Message::text("Rsp from server: this is server"));
    }
    asking.await.unwrap();
}

#[tokio::test]
async fn what_one_read_asks_for_is_answered_as_the_peer_takes_it() {
    let chat = start("obj.limits.messagesPerSecond = 0").await;
    let mut observer = chat.connect().await;
    observer.ask("subscribe|observed").await;
    let text = r"\u0001".repeat(4000);
    for _ in 0..8 {
        let command = format!(r#"sendByRoom|{{"roomNum":"long","message":"{text}"}}"#);
        assert_eq!(observer.ask(&command).await, "SendByRoom success!");
    }
    let mut input = frame(0x81, br#"history|{"roomNum":"long"}"#).repeat(400);
    input.extend(frame(
        0x81,
        br#"sendByRoom|{"roomNum":"observed","message":"end"}"#,
    ));
    let mut greedy = raw(&chat, &[]).await;
    let before = chat.hub.metrics().deliveries.get();
    greedy.write_all(&input).await.unwrap();
    // Of answers of 190 KB, the kernel holds some dozen; the first has come when none waits for the others.
    let mut first = vec![0; 100_000];
    greedy.read_exact(&mut first).await.unwrap();
    assert_eq!(chat.hub.metrics().deliveries.get(), before, "not yet");
    let reading = tokio::spawn(rest(greedy));
    assert_eq!(
        observer.socket.next().await.unwrap().unwrap(),
        Message::text("end")
    );
    reading.abort();
}

#[tokio::test]
async fn an_echo_of_more_than_the_socket_buffers() {
    let chat = start(
        "obj.home-class = 'Echo'\n\
         obj.limits = { maxMessageSize = 20_000_000, maxQueueSize = 40_000_000 }",
    )
    .await;
    let mut a = chat.connect().await;
    for length in [0, 125, 126, 65_535, 65_536, 16 * 1024 * 1024] {
        let message = Message::binary(vec![7; length]);
        a.socket.send(message.clone()).await.unwrap();
        assert!(
            a.socket.next().await.unwrap().unwrap() == message,
            "{length}"
        );
    }
}
