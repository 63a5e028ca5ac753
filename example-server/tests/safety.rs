//! What an attacker, or a broken client, does to the server; and what comes of it.

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::{Chat, Client, greeter, start, start_with};
use example_server::metrics::Metrics;
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::{Notify, mpsc};
use tokio_tungstenite::tungstenite::Message;

/// Resident memory of this process, in bytes.
fn memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kilobytes = line.unwrap().split_whitespace().nth(1).unwrap();
    kilobytes.parse::<u64>().unwrap() * 1024
}

fn to_room(message: &str) -> String {
    format!(r#"sendByRoom|{{"roomNum":"room","message":"{message}"}}"#)
}

async fn members(chat: &Chat, count: usize) -> Vec<Client> {
    let mut members = Vec::new();
    for _ in 0..count {
        let mut member = chat.connect().await;
        member.ask("subscribe|room").await;
        members.push(member);
    }
    members
}

/// 300 members that never read, and one that does, until each of the 300 has met the policy. Memory
/// stays below what their queues may hold together, and twice that. Says who is left.
async fn three_hundred_that_never_read(policy: &str) -> (usize, Arc<Metrics>) {
    const QUEUE: u64 = 100_000;
    let chat = start(&format!(
        "obj.limits = {{ maxMessageSize = 10000, maxQueueSize = {QUEUE}, slowConsumer = '{policy}' }}"
    ))
    .await;
    let _silent = members(&chat, 300).await;
    let mut reader = members(&chat, 1).await.pop().unwrap();
    let mut sender = chat.connect().await;
    let metrics = Arc::clone(chat.hub.metrics());
    let before = memory();
    let text = "x".repeat(9_000);
    let mut sent = 0;
    while metrics.slow_consumers.get() < 300 && metrics.dropped.get() < 300 * 100 {
        assert_eq!(sender.ask(&to_room(&text)).await, "SendByRoom success!");
        assert_eq!(reader.next().await, text);
        sent += 1;
        assert!(sent < 10_000, "they take everything");
    }
    // Who is closed leaves in its own time.
    while metrics.slow_consumers.get() > 0 && chat.hub.len() > 2 {
        tokio::task::yield_now().await;
    }
    let growth = memory().saturating_sub(before);
    assert!(growth < 2 * 300 * QUEUE, "{policy}: {growth}");
    (chat.hub.len(), metrics)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_never_reads_is_closed() {
    let (left, metrics) = three_hundred_that_never_read("close").await;
    assert_eq!(metrics.dropped.get(), 0);
    assert_eq!(left, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_never_reads_gets_no_more() {
    for policy in ["dropNewest", "dropOldest"] {
        let (left, metrics) = three_hundred_that_never_read(policy).await;
        assert_eq!(metrics.slow_consumers.get(), 0, "{policy}");
        assert_eq!(left, 302, "{policy}");
    }
}

/// Fills the queue of a member that does not read, lets it read, and returns the numbers it received.
async fn received_after_a_pause(policy: &str) -> (Vec<u32>, u64) {
    let chat = start(&format!(
        "obj.limits = {{ maxMessageSize = 100000, maxQueueSize = 1_000_000, slowConsumer = '{policy}' }}"
    ))
    .await;
    let mut slow = members(&chat, 1).await.pop().unwrap();
    let mut sender = chat.connect().await;
    let filler = "x".repeat(50_000);
    let mut count = 0u32;
    while chat.hub.metrics().dropped.get() < 20 {
        sender.ask(&to_room(&format!("{count} {filler}"))).await;
        count += 1;
    }
    // Also while its queue is full it is answered.
    slow.send("ping").await;
    let mut received = Vec::<u32>::new();
    loop {
        let text = slow.next().await;
        if text == "pong" {
            break;
        }
        received.push(text.split(' ').next().unwrap().parse().unwrap());
    }
    while received.len() + (chat.hub.metrics().dropped.get() as usize) < count as usize {
        let text = slow.next().await;
        received.push(text.split(' ').next().unwrap().parse().unwrap());
    }
    let dropped = chat.hub.metrics().dropped.get();
    assert_eq!(received.len() as u64 + dropped, u64::from(count));
    assert!(received.is_sorted());
    (received, count.into())
}

#[tokio::test]
async fn the_policies_drop_what_they_say() {
    let (newest, count) = received_after_a_pause("dropNewest").await;
    let kept = newest.len() as u32;
    assert!(
        newest.iter().copied().eq(0..kept),
        "the first ones: {newest:?}"
    );
    assert!(u64::from(kept) < count);

    let (oldest, count) = received_after_a_pause("dropOldest").await;
    assert_eq!(oldest.last().copied().map(u64::from), Some(count - 1));
    assert!((oldest.len() as u64) < count);
}

#[tokio::test]
async fn a_flood_is_refused_and_then_closed() {
    let chat = start("obj.limits = { messagesPerSecond = 5, maxRefusals = 10 }").await;
    let mut other = chat.connect().await;
    let mut flood = chat.connect().await;
    for _ in 0..1_000 {
        flood
            .socket
            .feed(Message::text(r#"broadcast|{"message":"spam"}"#))
            .await
            .unwrap();
    }
    // It may be closed before everything is sent.
    let _ = flood.socket.flush().await;
    let mut refused = 0;
    let code = loop {
        match flood.socket.next().await.unwrap().unwrap() {
            Message::Text(text) if text.starts_with("Error: ") => {
                assert_eq!(
                    text.as_str(),
                    "Error: too many messages, at most 5 a second"
                );
                refused += 1;
            }
            Message::Text(_) => {}
            Message::Close(frame) => break u16::from(frame.unwrap().code),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!((code, refused), (1008, 10));
    assert_eq!(chat.hub.metrics().rate_limited.get(), 10);
    assert_eq!(chat.hub.metrics().rate_limit_closed.get(), 1);
    let received = other.received().await;
    assert!((5..10).contains(&received.len()), "{received:?}");
}

#[tokio::test]
async fn a_flood_of_pings_counts_too() {
    let chat = start("obj.limits = { messagesPerSecond = 5, maxRefusals = 10 }").await;
    let mut flood = chat.connect().await;
    for _ in 0..100 {
        let ping = Message::Ping(Vec::new().into());
        flood.socket.feed(ping).await.unwrap();
    }
    let _ = flood.socket.flush().await;
    assert_eq!(flood.closed().await, 1008);
}

#[tokio::test]
async fn a_huge_message_costs_nothing() {
    let chat = start("").await;
    let before = memory();
    let mut stream = Vec::new();
    for _ in 0..50 {
        // 2^62 bytes are announced, and many are sent.
        let mut client = chat.connect().await;
        let socket = client.socket.get_mut();
        let mut frame = vec![0x82, 0xFF, 0x40, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4];
        frame.resize(100_000, 0);
        let _ = socket.write_all(&frame).await;
        assert_eq!(client.closed().await, 1009);
        stream.push(client);
    }
    assert!(memory().saturating_sub(before) < 20_000_000);
    assert_eq!(chat.hub.metrics().violations.get(), 50);
}

#[tokio::test]
async fn a_slow_handshake_is_ended() {
    let chat = start("obj.limits.handshakeTimeoutMs = 200").await;
    for sent in [
        "",
        "GET / HTT",
        "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n",
    ] {
        let mut slow = TcpStream::connect(chat.address).await.unwrap();
        slow.write_all(sent.as_bytes()).await.unwrap();
        let mut rest = Vec::new();
        // The end of the connection, with or without an answer.
        let _ = slow.read_to_end(&mut rest).await;
        assert!(!rest.starts_with(b"HTTP/1.1 101"), "{sent}");
    }
    // A byte now and then does not help.
    let mut drip = TcpStream::connect(chat.address).await.unwrap();
    while drip.write_all(b"G").await.is_ok() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(chat.hub.is_empty());
}

#[tokio::test]
async fn idle_sockets_do_not_block_the_door() {
    let chat = start("").await;
    let mut idle = Vec::new();
    for i in 0..1_500 {
        let mut socket = TcpStream::connect(chat.address).await.unwrap();
        if i % 2 == 0 {
            socket.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
        }
        idle.push(socket);
    }
    // Both ways in are open, at once.
    let mut client = chat.connect().await;
    assert_eq!(client.ask("ping").await, "pong");
    assert_eq!(chat.get("/Index/index").await.status, 200);
    assert!(chat.hub.metrics().http_evicted.get() >= 1_500 - 1_024);
}

/// Who sends the body of a request slowly idles; who waits for the answer of a whole one does not.
#[tokio::test]
async fn slow_bodies_do_not_block_the_door() {
    let answer = Arc::new(Notify::new());
    let (asked, mut is_asked) = mpsc::unbounded_channel();
    let servant = greeter({
        let answer = Arc::clone(&answer);
        move |name| {
            let answer = Arc::clone(&answer);
            asked.send(()).unwrap();
            async move {
                answer.notified().await;
                Ok(format!("hello {name}"))
            }
        }
    })
    .await;
    let chat = start_with("obj.limits.helloTimeoutMs = 60000", servant).await;
    let form = "application/x-www-form-urlencoded";
    let whole = chat.post("/Index/hello", form, "name=ted");
    let others = async {
        is_asked.recv().await.unwrap();
        let head = format!(
            "POST /Index/hello HTTP/1.1\r\nHost: {}\r\nContent-Type: {form}\r\n\
             Content-Length: 1000\r\nExpect: 100-continue\r\n\r\n",
            chat.address
        );
        let mut slow = Vec::new();
        for _ in 0..1_023 {
            let mut socket = TcpStream::connect(chat.address).await.unwrap();
            socket.write_all(head.as_bytes()).await.unwrap();
            // The server waits for the body.
            let mut goes_on = [0; 25];
            socket.read_exact(&mut goes_on).await.unwrap();
            assert_eq!(goes_on, *b"HTTP/1.1 100 Continue\r\n\r\n");
            slow.push(socket);
        }
        assert_eq!(chat.hub.metrics().http_evicted.get(), 0);
        assert_eq!(chat.get("/Index/index").await.status, 200);
        assert_eq!(chat.hub.metrics().http_evicted.get(), 1);
        let gone = slow[0].read(&mut [0; 100]).await;
        assert!(matches!(gone, Ok(0) | Err(_)), "{gone:?}");
        answer.notify_one();
    };
    let (whole, ()) = tokio::join!(whole, others);
    assert_eq!((whole.status, whole.body.as_str()), (200, "hello ted"));
}

#[tokio::test]
async fn a_half_open_connection_is_found() {
    let limits = "obj.limits = { pingIntervalMs = 50, idleTimeoutMs = 200 }";
    let chat = start(limits).await;
    let _half_open = members(&chat, 1).await;
    // A client library answers pings while it reads.
    let mut alive = chat.connect().await;
    let mut pings = 0;
    while chat.hub.len() == 2 || pings < 10 {
        match alive.socket.next().await.unwrap().unwrap() {
            Message::Ping(_) => pings += 1,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(chat.hub.metrics().idle_closed.get(), 1);
    assert_eq!(chat.hub.len(), 1);
    assert_eq!(alive.ask("ping").await, "pong");
}

#[tokio::test]
async fn a_room_is_a_name_and_never_a_path() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("data/fd.log");
    let chat = start(&format!(
        "obj.fdStoreConf = {{ className = 'file', config = {{ path = '{}' }} }}",
        path.display()
    ))
    .await;
    let mut a = chat.connect().await;
    for name in ["../x", "/etc/passwd", "..", ".", "a/b", "房/../..", "a\\b"] {
        let answer = a.ask(&format!("subscribe|{name}")).await;
        assert_eq!(answer, format!("Subscribe roomNum:{name} success!"));
    }
    let mut files: Vec<_> = walk(directory.path());
    files.sort();
    assert_eq!(files, ["data", "fd.log", "fd.log.lock"]);
    let nul = a.ask("subscribe|../x\0").await;
    assert_eq!(nul, "Error: a room name has no control characters");
}

fn walk(directory: &std::path::Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).unwrap().map(Result::unwrap);
    entries
        .flat_map(|entry| {
            let mut names = vec![entry.file_name().into_string().unwrap()];
            if entry.file_type().unwrap().is_dir() {
                names.extend(walk(&entry.path()));
            }
            names
        })
        .collect()
}

#[tokio::test]
async fn a_server_that_drains_says_so_and_closes_a_few_at_a_time() {
    let chat = start("obj.limits.drainMs = 1000").await;
    let mut clients = Vec::new();
    for _ in 0..100 {
        clients.push(chat.connect().await);
    }
    assert_eq!(chat.get("/readyz").await.status, 200);
    chat.shutdown.cancel();
    let answer = chat.get("/readyz").await;
    assert_eq!((answer.status, answer.body.as_str()), (503, "draining"));
    assert_eq!(chat.connect_with(&[]).await.err(), Some(503));
    assert!(chat.hub.len() > 50, "{} are left", chat.hub.len());
    for client in &mut clients {
        assert_eq!(client.closed().await, 1001);
        assert!(client.socket.next().await.is_none());
    }
    tokio::time::timeout(Duration::from_secs(10), chat.task)
        .await
        .unwrap()
        .unwrap();
}
