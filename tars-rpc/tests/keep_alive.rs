//! Connections on which nothing happens, and what servers send by themselves; in memory and in virtual time.

mod common;

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use common::{
    Accepting, OBJ, Raw, TestTafServiceServant, client_of, greeting, in_memory, recorded,
};
use tars_rpc::{
    Communicator, Disconnect, Endpoint, Error, Result,
    client::{BoxedStream, CallOptions, Connecting, Connector, PushEvent},
    codec::{RequestPacket, ResponsePacket},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, DuplexStream, ReadBuf},
    task::JoinHandle,
    time::Instant,
};

const SECOND: Duration = Duration::from_secs(1);

fn spawn(client: &TestTafServiceServant, options: CallOptions) -> JoinHandle<Result<String>> {
    let client = client.with(options);
    tokio::spawn(async move { client.say_hello_world("x").await })
}

fn patient() -> CallOptions {
    CallOptions::new().timeout(300 * SECOND)
}

/// A client whose first call was answered, and the server's end of its connection.
async fn connected(
    change: impl FnOnce(&mut tars_rpc::client::Config),
) -> (TestTafServiceServant, Communicator, Accepting, Raw) {
    let (client, communicator, mut server) = in_memory(1 << 16, change);
    let call = spawn(&client, patient());
    let mut connection = server.accept().await;
    let id = connection.request().await.unwrap().request_id;
    connection.send(&greeting(id, "hello")).await;
    call.await.unwrap().unwrap();
    (client, communicator, server, connection)
}

fn assert_ping(request: &RequestPacket) {
    assert_eq!(
        (request.servant.as_str(), request.func.as_str()),
        (OBJ, "tars_ping")
    );
    assert_eq!(
        (request.version, request.timeout, request.body.len()),
        (1, 5000, 0)
    );
}

fn push(body: &'static [u8]) -> Vec<u8> {
    let packet = ResponsePacket {
        version: 1,
        body: body.into(),
        status: [("TARS_FUNC".to_owned(), "onNews".to_owned())].into(),
        ..ResponsePacket::default()
    };
    let mut frame = Vec::new();
    let head = packet.head();
    head.write_frame(&mut frame, |w| w.append(&packet.body))
        .unwrap();
    frame
}

#[tokio::test(start_paused = true)]
async fn a_silent_peer_is_pinged_and_lives_while_it_answers() {
    let (client, communicator, _server, mut connection) = connected(|c| c.idle = None).await;
    let began = Instant::now();
    for n in 1..10 {
        let ping = connection.request().await.unwrap();
        assert_ping(&ping);
        assert!(
            began.elapsed() <= n * 31 * SECOND,
            "within 60 s, when servers close"
        );
        // One that does not know the ping lives as well.
        let answer = match n % 2 {
            0 => common::failure(ping.request_id, 0),
            _ => common::failure(ping.request_id, -3),
        };
        connection.send(&answer).await;
    }
    let call = spawn(&client, patient());
    let id = connection.request().await.unwrap().request_id;
    connection.send(&greeting(id, "still there")).await;
    assert_eq!(call.await.unwrap().unwrap(), "still there");
    assert_eq!(communicator.stats().connects.get(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_answered_pings_and_then_is_silent_is_gone() {
    let (client, communicator, mut server, mut connection) = connected(|c| c.idle = None).await;
    let ping = connection.request().await.unwrap();
    connection.send(&common::failure(ping.request_id, 0)).await;
    let call = spawn(&client, patient());
    assert_ne!(connection.request().await.unwrap().func, "tars_ping");
    let began = Instant::now();
    let error = call.await.unwrap().unwrap_err();
    let Error::Disconnected {
        cause: Disconnect::Silent(_),
        sent: true,
        ..
    } = error
    else {
        panic!("{error:?}");
    };
    assert!(began.elapsed() <= 40 * SECOND, "{:?}", began.elapsed());
    assert_eq!(communicator.stats().closed_silent.get(), 1);

    let call = spawn(&client, patient());
    let mut connection = server.accept().await;
    let id = connection.request().await.unwrap().request_id;
    connection.send(&greeting(id, "another process")).await;
    call.await.unwrap().unwrap();
}

/// A client whose peer has answered a ping, and calls with more than the socket takes, `after` the answer.
async fn uploading(after: Duration) -> (JoinHandle<Result<String>>, Communicator, Accepting, Raw) {
    let (client, communicator, server, mut connection) = connected(|c| c.idle = None).await;
    let ping = connection.request().await.unwrap();
    connection.send(&common::failure(ping.request_id, 0)).await;
    tokio::time::sleep(after).await;
    let client = client.with(patient());
    let call = tokio::spawn(async move { client.say_hello_world(&"x".repeat(1 << 20)).await });
    (call, communicator, server, connection)
}

/// Reads so many bytes at most.
async fn read(connection: &mut Raw, n: usize) {
    let mut bytes = vec![0; n];
    let n = connection.stream.read(&mut bytes).await.unwrap();
    connection.input.extend_from_slice(&bytes[..n]);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_reads_a_large_request_slowly_is_not_silent() {
    // Slowly, or seldom; the next ping is due after 20 s, somewhere in the request.
    for (pause, n) in [(1, 16 << 10), (9, 64 << 10)] {
        for after in 0..20 {
            let (call, communicator, _server, mut connection) = uploading(after * SECOND).await;
            let answering = tokio::spawn(async move {
                while connection.input.len() < 1 << 20 {
                    tokio::time::sleep(pause * SECOND).await;
                    read(&mut connection, n).await;
                }
                while let Some(request) = connection.request().await {
                    let answer = match &*request.func {
                        "tars_ping" => common::failure(request.request_id, 0),
                        _ => greeting(request.request_id, "that was much"),
                    };
                    connection.send(&answer).await;
                }
            });
            let answer = call.await.unwrap();
            assert!(answer.is_ok(), "{pause}, {after}: {answer:?}");
            assert_eq!(communicator.stats().connects.get(), 1);
            answering.abort();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_has_all_the_time_from_when_the_ping_was_sent() {
    // The next ping waits behind a request that just fills the socket, and that is read before or after.
    for pause in (0..90).map(|n| n * SECOND / 2) {
        let (client, _communicator, _server, mut connection) = connected(|c| c.idle = None).await;
        let client = client.with(patient());
        let call = |len: usize| {
            let client = client.clone();
            tokio::spawn(async move { client.say_hello_world(&"x".repeat(len)).await })
        };
        let first = call(60_000);
        let len = connection.frame().await.unwrap().len();
        connection.send(&greeting(2, "long")).await;
        first.await.unwrap().unwrap();
        let ping = connection.request().await.unwrap();
        connection.send(&common::failure(ping.request_id, 0)).await;

        let full = call(60_000 + (1 << 16) - len);
        tokio::time::sleep(pause).await;
        let answering = tokio::spawn(async move {
            while let Some(request) = connection.request().await {
                if request.func == "tars_ping" {
                    tokio::time::sleep(4 * SECOND).await;
                    let pong = common::failure(request.request_id, 0);
                    connection.send(&pong).await;
                }
            }
        });
        tokio::time::sleep(20 * SECOND).await;
        if full.is_finished() {
            let error = full.await.unwrap().unwrap_err();
            let is_stalled = matches!(
                error,
                Error::Disconnected {
                    cause: Disconnect::Stalled(_),
                    ..
                }
            );
            assert!(is_stalled && pause > 10 * SECOND, "{pause:?}: {error}");
        }
        answering.abort();
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_reads_no_more_of_a_request_is_gone() {
    for after in 0..31 {
        let (call, _communicator, _server, mut connection) = uploading(after * SECOND).await;
        for _ in 0..10 {
            tokio::time::sleep(SECOND).await;
            read(&mut connection, 16 << 10).await;
        }
        let began = Instant::now();
        let error = call.await.unwrap().unwrap_err();
        let is_gone = matches!(error, Error::Disconnected { .. });
        assert!(is_gone && began.elapsed() <= 40 * SECOND, "{error:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_ignores_pings_keeps_its_calls() {
    let (client, communicator, _server, mut connection) = connected(|c| c.idle = None).await;
    let call = spawn(&client, patient());
    let id = connection.request().await.unwrap().request_id;
    assert_ping(&connection.request().await.unwrap());
    tokio::time::sleep(200 * SECOND).await;
    connection.send(&greeting(id, "that took a while")).await;
    assert_eq!(call.await.unwrap().unwrap(), "that took a while");
    let stats = communicator.stats();
    assert_eq!((stats.pings.get(), stats.closed_silent.get()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_ignores_pings_loses_a_connection_without_calls() {
    let (_client, communicator, _server, mut connection) = connected(|c| c.idle = None).await;
    assert_ping(&connection.request().await.unwrap());
    assert!(connection.request().await.is_none(), "closed");
    let stats = communicator.stats();
    assert_eq!(
        (stats.closed_idle.get(), stats.closed_by_peer.get()),
        (1, 0)
    );
}

#[tokio::test(start_paused = true)]
async fn half_an_answer_does_not_stand_before_those_of_the_next_connection() {
    let (client, communicator, mut server, mut connection) = connected(|c| c.idle = None).await;
    let call = spawn(&client, CallOptions::new().timeout(SECOND));
    let id = connection.request().await.unwrap().request_id;
    let answer = greeting(id, "cut");
    connection.send(&answer[..answer.len() - 1]).await;
    let error = call.await.unwrap().unwrap_err();
    assert!(matches!(error, Error::Timeout { .. }), "{error:?}");
    // It is pinged and silent, and nobody calls.
    while connection.request().await.is_some() {}
    assert_eq!(communicator.stats().closed_idle.get(), 1);

    let call = spawn(&client, patient());
    let mut connection = server.accept().await;
    let id = connection.request().await.unwrap().request_id;
    connection.send(&greeting(id, "whole")).await;
    assert_eq!(call.await.unwrap().unwrap(), "whole");
}

#[tokio::test(start_paused = true)]
async fn the_ping_of_php_is_an_answer() {
    let (_client, communicator, _server, mut connection) = connected(|c| c.idle = None).await;
    let ping = connection.request().await.unwrap();
    let mut answer = recorded("php-frames.json", "noSuchFunction", "response_hex");
    // The id of the ping in place of the recorded one; both are of one byte.
    let recorded_id: ResponsePacket = {
        let bytes = tars_rpc::codec::Bytes::from(answer.clone());
        tars_rpc::codec::decode_bytes(&bytes.slice(4..)).unwrap()
    };
    let at = answer
        .windows(2)
        .position(|w| w == [0x30, recorded_id.request_id as u8])
        .unwrap();
    answer[at + 1] = u8::try_from(ping.request_id).unwrap();
    connection.send(&answer).await;
    tokio::time::sleep(10 * SECOND).await;
    let stats = communicator.stats();
    assert_eq!((stats.stray_answers.get(), stats.closed_idle.get()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_connection_without_calls_is_closed_and_made_again() {
    let (client, communicator, mut server, mut connection) = connected(|_| {}).await;
    let began = Instant::now();
    while let Some(ping) = connection.request().await {
        assert_ping(&ping);
        connection.send(&common::failure(ping.request_id, 0)).await;
    }
    let idle = began.elapsed();
    assert!(idle >= 300 * SECOND && idle <= 376 * SECOND, "{idle:?}");
    assert!(!client.proxy().endpoints()[0].is_connected);
    assert_eq!(communicator.stats().closed_idle.get(), 1);

    let call = spawn(&client, patient());
    let mut connection = server.accept().await;
    let id = connection.request().await.unwrap().request_id;
    connection.send(&greeting(id, "back")).await;
    assert_eq!(call.await.unwrap().unwrap(), "back");
    assert!(client.proxy().endpoints()[0].is_connected);
}

/// Connects to a server that greets; its streams never finish their shutdown, as TLS to a peer that takes nothing.
#[derive(Debug)]
struct Stubborn;

struct NeverShut(DuplexStream);

impl Connector for Stubborn {
    fn connect(&self, _: Arc<Endpoint>) -> Connecting {
        let (ours, theirs) = tokio::io::duplex(1 << 16);
        tokio::spawn(async move {
            let mut connection = Raw::new(theirs);
            while let Some(request) = connection.request().await {
                connection
                    .send(&greeting(request.request_id, "hello"))
                    .await;
            }
        });
        Box::pin(async { Ok(Box::new(NeverShut(ours)) as BoxedStream) })
    }
}

impl AsyncRead for NeverShut {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl AsyncWrite for NeverShut {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Pending
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_does_not_wait_for_the_end_of_an_idle_connection() {
    let communicator = Communicator::builder().connector(Stubborn).build();
    let client = client_of(&communicator, &format!("{OBJ}@tcp -h in.memory -p 1"));
    client.say_hello_world("x").await.unwrap();
    while communicator.stats().closed_idle.get() == 0 {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    client.say_hello_world("x").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn pushes_come_and_the_connection_stays_for_them() {
    let (client, communicator, _server, mut connection) = connected(|_| {}).await;
    connection.send(&push(b"nobody listens")).await;
    tokio::time::sleep(SECOND).await;
    let mut pushes = client.proxy().pushes();
    let mut also = client.proxy().pushes();
    let answering = tokio::spawn(async move {
        for _ in 0..100 {
            let ping = connection.request().await.unwrap();
            connection.send(&common::failure(ping.request_id, 0)).await;
        }
        connection.send(&push(&[0x10, 7])).await;
        connection
    });
    for pushes in [&mut pushes, &mut also] {
        let Some(PushEvent::Message(push)) = pushes.recv().await else {
            panic!("no message");
        };
        assert_eq!(push.func(), Some("onNews"));
        assert_eq!(push.get::<i32>(1, "number").unwrap(), 7);
        assert_eq!(push.endpoint().host, "in.memory");
    }
    drop(answering.await.unwrap());
    let Some(PushEvent::Disconnected(endpoint)) = pushes.recv().await else {
        panic!("it was told nothing");
    };
    assert_eq!(endpoint.host, "in.memory");
    let stats = communicator.stats();
    assert_eq!((stats.pushes.get(), stats.pushes_dropped.get()), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn a_subscription_outlives_the_proxy_and_ends_the_connection() {
    let (client, _communicator, _server, mut connection) = connected(|_| {}).await;
    let mut pushes = client.proxy().pushes();
    drop(client);
    connection.send(&push(b"x")).await;
    assert!(matches!(pushes.recv().await, Some(PushEvent::Message(_))));
    drop(pushes);
    assert!(connection.request().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_subscription_that_does_not_listen_loses_messages_and_knows_how_many() {
    for sent in [3, 4, 5] {
        let (client, communicator, _server, mut connection) = connected(|c| c.max_pushes = 4).await;
        let mut pushes = client.proxy().pushes();
        for _ in 0..sent {
            connection.send(&push(b"x")).await;
        }
        tokio::time::sleep(SECOND).await;
        let lost = sent.max(4) - 4;
        assert_eq!(
            (pushes.dropped(), communicator.stats().pushes_dropped.get()),
            (lost, lost)
        );
        for _ in 0..sent - lost {
            assert!(matches!(pushes.recv().await, Some(PushEvent::Message(_))));
        }
    }
}
