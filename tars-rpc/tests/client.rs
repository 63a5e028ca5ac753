//! The client against a server that the test plays, in memory and in virtual time.

mod common;

use std::{
    future::Future,
    io,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};

use common::{OBJ, TestTafServiceServant, client_of, greeting, in_memory, recorded};
use tars_rpc::{
    Communicator, Disconnect, Endpoint, Error, Full, Result,
    client::{CallOptions, Config, Connecting, Connector},
    codes,
};
use tokio::{runtime::Handle, task::JoinHandle, time::Instant};

fn spawn(client: &TestTafServiceServant, name: &str) -> JoinHandle<Result<String>> {
    let (client, name) = (client.clone(), name.to_owned());
    tokio::spawn(async move { client.say_hello_world(&name).await })
}

async fn cause(call: JoinHandle<Result<String>>) -> Disconnect {
    match call.await.unwrap().unwrap_err() {
        Error::Disconnected { cause, .. } => cause,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_thousand_calls_answered_in_reverse() {
    let (client, communicator, mut server) = in_memory(1 << 16, |_| {});
    let calls: Vec<_> = (0..1000).map(|n| spawn(&client, &n.to_string())).collect();
    let mut server = server.accept().await;
    let mut requests = Vec::new();
    for _ in 0..1000 {
        requests.push(server.request().await.unwrap());
    }
    for request in requests.iter().rev() {
        let name = String::from_utf8_lossy(&request.body[2..]);
        server.send(&greeting(request.request_id, &name)).await;
    }
    for (n, call) in calls.into_iter().enumerate() {
        assert_eq!(call.await.unwrap().unwrap(), n.to_string());
    }
    assert_eq!(communicator.stats().connects.get(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_call_times_out_alone_and_its_late_answer_is_nobodys() {
    let (client, communicator, mut server) = in_memory(1 << 16, |_| {});
    let began = Instant::now();
    let slow = spawn(&client, "slow");
    let hasty = client.with(CallOptions::new().timeout(Duration::from_millis(20)));
    let hasty = spawn(&hasty, "hasty");
    let mut server = server.accept().await;
    let timeouts = [
        server.request().await.unwrap(),
        server.request().await.unwrap(),
    ];
    assert_eq!(timeouts.map(|request| request.timeout), [3000, 20]);

    let error = hasty.await.unwrap().unwrap_err();
    assert_eq!(error.code(), codes::INVOKE_TIMEOUT);
    assert!(
        error
            .to_string()
            .contains("no answer from tcp in.memory:1 within 20ms"),
        "{error}"
    );
    assert_eq!(began.elapsed(), Duration::from_millis(20));
    server.send(&greeting(2, "late")).await;

    let error = slow.await.unwrap().unwrap_err();
    assert!(matches!(error, Error::Timeout { .. }), "{error:?}");
    assert_eq!(began.elapsed(), Duration::from_secs(3));

    let next = spawn(&client, "next");
    let id = server.request().await.unwrap().request_id;
    assert_eq!(id, 3);
    server.send(&greeting(id, "in time")).await;
    assert_eq!(next.await.unwrap().unwrap(), "in time");
    let stats = communicator.stats();
    assert_eq!(
        (
            stats.timeouts.get(),
            stats.stray_answers.get(),
            stats.connects.get()
        ),
        (2, 1, 1)
    );
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_closes_fails_the_calls_and_is_called_again() {
    let (client, communicator, mut server) = in_memory(1 << 16, |_| {});
    let answered = spawn(&client, "answered");
    let calls = [spawn(&client, "a"), spawn(&client, "b")];
    let mut connection = server.accept().await;
    for _ in 0..3 {
        connection.request().await.unwrap();
    }
    connection.send(&greeting(1, "done")).await;
    connection
        .send(&greeting(2, "half of an answer")[..9])
        .await;
    drop(connection);
    assert_eq!(answered.await.unwrap().unwrap(), "done");
    for call in calls {
        assert!(matches!(cause(call).await, Disconnect::Closed));
    }
    assert_eq!(communicator.stats().closed_by_peer.get(), 1);

    let next = spawn(&client, "next");
    let mut connection = server.accept().await;
    let id = connection.request().await.unwrap().request_id;
    connection.send(&greeting(id, "back")).await;
    assert_eq!(next.await.unwrap().unwrap(), "back");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_given_up_frees_its_place() {
    let (client, communicator, mut server) = in_memory(1 << 16, |c| c.max_pending = 2);
    let kept = spawn(&client, "kept");
    let given_up = spawn(&client, "given up");
    let mut server = server.accept().await;
    server.request().await.unwrap();
    server.request().await.unwrap();

    let error = client.say_hello_world("one too many").await.unwrap_err();
    assert_eq!(error.code(), codes::OVERLOAD);
    let Error::QueueFull {
        full: Full::Pending(2),
        ..
    } = error
    else {
        panic!("{error:?}")
    };

    given_up.abort();
    given_up.await.unwrap_err();
    let next = spawn(&client, "next");
    let id = server.request().await.unwrap().request_id;
    for (id, text) in [(2, "for nobody"), (id, "next"), (1, "kept")] {
        server.send(&greeting(id, text)).await;
    }
    assert_eq!(kept.await.unwrap().unwrap(), "kept");
    assert_eq!(next.await.unwrap().unwrap(), "next");
    assert_eq!(communicator.stats().abandoned.get(), 1);
    assert_eq!(communicator.stats().stray_answers.get(), 1);
}

#[tokio::test(start_paused = true)]
async fn calls_given_up_before_they_are_sent_are_not_sent() {
    let (client, communicator, mut server) = in_memory(1 << 16, |_| {});
    for _ in 0..10 {
        let mut call = pin!(client.say_hello_world("given up"));
        let mut cx = Context::from_waker(Waker::noop());
        assert!(call.as_mut().poll(&mut cx).is_pending());
    }
    let kept = spawn(&client, "kept");
    let mut server = server.accept().await;
    let request = server.request().await.unwrap();
    assert_eq!(&request.body[2..], b"kept");
    server.send(&greeting(request.request_id, "kept")).await;
    kept.await.unwrap().unwrap();
    assert_eq!(communicator.stats().abandoned.get(), 10);
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_refuses() {
    let (client, communicator, _server) = in_memory(1 << 16, |c| c.max_queue = 3);
    // Nothing runs between these polls, so that the owner takes nothing from the queue.
    let mut cx = Context::from_waker(Waker::noop());
    let mut calls: Vec<_> = (0..4)
        .map(|_| Box::pin(client.say_hello_world("x")))
        .collect();
    let polled: Vec<_> = calls
        .iter_mut()
        .map(|call| call.as_mut().poll(&mut cx))
        .collect();
    assert!(polled[..3].iter().all(Poll::is_pending));
    let Poll::Ready(Err(Error::QueueFull { full, .. })) = &polled[3] else {
        panic!("{polled:?}")
    };
    assert_eq!(*full, Full::Queue(3));
    assert_eq!(communicator.stats().refused.get(), 1);
}

#[tokio::test(start_paused = true)]
async fn bytes_in_the_queue_are_bounded() {
    let body = 100; // head, length and 98 letters
    for (limit, refused) in [(3 * body - 1, 2), (3 * body, 1), (3 * body + 1, 1)] {
        let (client, ..) = in_memory(1 << 16, |c| c.max_queued_bytes = limit);
        let name = "x".repeat(98);
        let mut cx = Context::from_waker(Waker::noop());
        let mut calls: Vec<_> = (0..4)
            .map(|_| Box::pin(client.say_hello_world(&name)))
            .collect();
        let mut ready = 0;
        for call in &mut calls {
            ready += usize::from(call.as_mut().poll(&mut cx).is_ready());
        }
        assert_eq!(ready, refused, "{limit} bytes");
    }
}

/// Limits of nothing: one call after the other.
#[tokio::test(start_paused = true)]
async fn one_call_always_has_room() {
    let (client, _communicator, mut server) = in_memory(1 << 16, |c| {
        c.max_queue = 0;
        c.max_pending = 0;
        c.max_queued_bytes = 0;
    });
    tokio::spawn(async move {
        let mut server = server.accept().await;
        while let Some(request) = server.request().await {
            server.send(&greeting(request.request_id, "x")).await;
        }
    });
    for _ in 0..2 {
        assert_eq!(client.say_hello_world("x").await.unwrap(), "x");
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_takes_nothing_is_given_up() {
    let (client, communicator, mut server) = in_memory(64, |_| {});
    let patient = client.with(CallOptions::new().timeout(Duration::from_secs(60)));
    let began = Instant::now();
    let call = spawn(&patient, &"x".repeat(1000));
    let _never_read = server.accept().await;
    assert!(matches!(cause(call).await, Disconnect::Stalled(_)));
    assert_eq!(began.elapsed(), Config::default().write_stall);
    assert_eq!(communicator.stats().closed_stalled.get(), 1);
}

#[tokio::test(start_paused = true)]
async fn unsent_bytes_are_bounded_while_the_peer_takes_nothing() {
    let (client, _communicator, mut server) = in_memory(64, |c| c.max_queued_bytes = 10_000);
    let first = spawn(&client, &"x".repeat(4_990));
    let second = spawn(&client, &"x".repeat(4_990));
    let _never_read = server.accept().await;
    tokio::task::yield_now().await;
    let error = spawn(&client, "small").await.unwrap().unwrap_err();
    assert!(
        matches!(
            error,
            Error::QueueFull {
                full: Full::Bytes(10_000),
                ..
            }
        ),
        "{error:?}"
    );
    for call in [first, second] {
        assert!(matches!(
            call.await.unwrap().unwrap_err(),
            Error::Timeout { .. }
        ));
    }
}

/// The last caller has gone, its request waits to be written, and then the connection breaks: nothing is left.
#[tokio::test(start_paused = true)]
async fn a_connection_that_breaks_after_the_last_caller_has_gone_ends() {
    let (client, communicator, mut server) = in_memory(16, |_| {});
    let oneway = client.with(CallOptions::new().oneway());
    let call = tokio::spawn(async move { oneway.test_taf_server().await });
    let connection = server.accept().await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    call.abort();
    drop((client, communicator));
    // It has lived for so long that another connection would be made at once.
    tokio::time::sleep(Duration::from_secs(6)).await;
    drop((connection, server));
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(Handle::current().metrics().num_alive_tasks(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_oneway_call_ends_when_it_is_sent() {
    let (client, _, mut server) = in_memory(16, |_| {});
    let oneway = client.with(CallOptions::new().oneway());
    let call = tokio::spawn(async move { oneway.test_taf_server().await });
    let mut server = server.accept().await;
    assert!(!call.is_finished());
    assert!(server.request().await.unwrap().is_oneway());
    call.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_closes_idle_connections_is_not_ejected() {
    let (client, communicator, mut server) = in_memory(1 << 16, |_| {});
    let client = client.with(CallOptions::new().oneway());
    for _ in 0..10 {
        let calling = client.clone();
        let call = tokio::spawn(async move { calling.test_taf_server().await });
        let mut connection = server.accept().await;
        connection.request().await.unwrap();
        call.await.unwrap().unwrap();
        tokio::time::sleep(Duration::from_secs(6)).await;
        drop(connection);
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    assert_eq!(communicator.stats().ejected.get(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_answers_of_php_are_decoded() {
    for (func, value) in [
        ("sayHelloWorld", "hello world!"),
        ("testBasic", "here i am"),
    ] {
        let (client, _, mut server) = in_memory(1 << 16, |_| {});
        let call = tokio::spawn(async move {
            match func {
                "testBasic" => client.test_basic(true, 1, "333").await.map(|reply| reply.f),
                _ => client.say_hello_world("ted").await,
            }
        });
        let mut server = server.accept().await;
        server.request().await.unwrap();
        server
            .send(&recorded("php-frames.json", func, "response_hex"))
            .await;
        assert_eq!(call.await.unwrap().unwrap(), value);
    }
}

/// No answer would ever bring the endpoint back. (Five in a row would say that it cannot be connected to.)
#[tokio::test(start_paused = true)]
async fn oneway_calls_that_are_lost_do_not_eject() {
    let (client, communicator, mut server) = in_memory(64, |_| {});
    let client = client.with(CallOptions::new().oneway());
    for _ in 0..4 {
        let sent = spawn(&client, &"x".repeat(1000));
        drop(server.accept().await);
        assert!(matches!(cause(sent).await, Disconnect::Io(_)));
        tokio::time::sleep(Duration::from_secs(61)).await;
    }
    assert_eq!(communicator.stats().ejected.get(), 0);
}

/// Counts attempts, and fails or hangs.
#[derive(Debug)]
struct Away {
    attempts: Arc<AtomicU32>,
    hangs: bool,
}

impl Connector for Away {
    fn connect(&self, _: Arc<Endpoint>) -> Connecting {
        self.attempts.fetch_add(1, Ordering::Relaxed);
        let hangs = self.hangs;
        Box::pin(async move {
            if hangs {
                std::future::pending::<()>().await;
            }
            Err(io::Error::new(
                io::ErrorKind::ConnectionRefused,
                "nobody is there",
            ))
        })
    }
}

fn away(hangs: bool) -> (TestTafServiceServant, Communicator, Arc<AtomicU32>) {
    let attempts = Arc::new(AtomicU32::new(0));
    let connector = Away {
        attempts: Arc::clone(&attempts),
        hangs,
    };
    let communicator = Communicator::builder().connector(connector).build();
    let client = client_of(&communicator, &format!("{OBJ}@tcp -h in.memory -p 1"));
    (client, communicator, attempts)
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_is_away_is_tried_less_and_less() {
    let (client, communicator, attempts) = away(false);
    let began = Instant::now();
    for _ in 0..100 {
        let error = client.test_taf_server().await.unwrap_err();
        assert!(matches!(error, Error::Connect { .. }), "{error:?}");
        assert!(error.to_string().contains("nobody is there"), "{error}");
    }
    assert_eq!(attempts.load(Ordering::Relaxed), 1);
    assert_eq!(began.elapsed(), Duration::ZERO, "refused at once");
    while began.elapsed() < Duration::from_secs(20) {
        client.test_taf_server().await.unwrap_err();
        tokio::time::advance(Duration::from_millis(10)).await;
    }
    let attempts = attempts.load(Ordering::Relaxed);
    assert!((8..20).contains(&attempts), "{attempts}");
    assert_eq!(
        communicator.stats().connect_failures.get(),
        u64::from(attempts)
    );
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_hangs_ends_and_calls_keep_their_deadlines_meanwhile() {
    let (client, _communicator, attempts) = away(true);
    let began = Instant::now();
    let patient = spawn(&client, "patient");
    let hasty = client.with(CallOptions::new().timeout(Duration::from_millis(100)));
    let error = hasty.test_taf_server().await.unwrap_err();
    assert!(matches!(error, Error::Timeout { .. }), "{error:?}");
    assert_eq!(began.elapsed(), Duration::from_millis(100));
    let error = patient.await.unwrap().unwrap_err();
    assert!(
        error.to_string().contains("no connection within 1.5s"),
        "{error}"
    );
    assert_eq!(began.elapsed(), Duration::from_millis(1500));
    assert_eq!(attempts.load(Ordering::Relaxed), 1);
}

#[test]
fn the_end_of_a_runtime_ends_its_calls() {
    let runtime = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
    };
    let (client, _communicator, server) = in_memory(1 << 16, |_| {});
    let first = runtime();
    let mut call = Box::pin(client.test_taf_server());
    first.block_on(async {
        tokio::select! {
            biased;
            _ = &mut call => panic!("there is no answer"),
            () = tokio::task::yield_now() => {}
        }
    });
    drop(first);
    let error = runtime().block_on(call).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("the runtime of the connection has ended"),
        "{error}"
    );
    runtime().block_on(client.test_taf_server()).unwrap_err();
    drop(server);
}
