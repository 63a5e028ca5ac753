//! The server against a client that the test plays, in memory and in virtual time.

mod common;

use std::{future::pending, sync::Arc, time::Duration};

use common::{OBJ, Raw, Running, example, greet, in_memory, peer, recorded};
use tars_rpc::{
    Communicator, Disconnect, Error,
    codec::RequestPacket,
    codes,
    server::{Limits, Server, Stats},
};
use tokio::{io::AsyncWriteExt, sync::mpsc, task::JoinHandle};
use tokio_util::sync::CancellationToken;

/// A server in memory with one connection.
struct Connected {
    client: Raw,
    stats: Arc<Stats>,
    gate: CancellationToken,
    begun: mpsc::UnboundedReceiver<String>,
    connection: JoinHandle<()>,
}

async fn connect(size: usize, change: impl FnOnce(&mut Limits)) -> Connected {
    let mut limits = Limits::default();
    change(&mut limits);
    let (servant, gate, begun) = example();
    let server = Server::builder()
        .servant(OBJ, servant)
        .limits(limits)
        .listen()
        .await
        .unwrap();
    let (ours, theirs) = tokio::io::duplex(size);
    Connected {
        client: Raw::new(ours),
        stats: server.stats(),
        gate,
        begun,
        connection: tokio::spawn(server.serve_stream(theirs, peer())),
    }
}

#[tokio::test(start_paused = true)]
async fn answers_are_those_of_cpp_to_the_byte() {
    let mut c = connect(1 << 16, |_| {}).await;
    for (request, answer) in [
        ("frame_req_sayHelloWorld", "frame_rsp_sayHelloWorld"),
        ("frame_req_sayHelloWorld_sync", "frame_rsp_sayHelloWorld"),
        ("frame_req_testBasic", "frame_rsp_testBasic"),
        ("frame_req_tars_ping", "frame_rsp_tars_ping"),
    ] {
        c.client
            .send(&recorded("vectors.json", request, "hex"))
            .await;
        let expected = recorded("vectors.json", answer, "hex");
        assert_eq!(c.client.frame().await.unwrap(), expected, "{request}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_requests_of_php_are_answered() {
    let mut c = connect(1 << 16, |_| {}).await;
    for (func, code) in [
        ("sayHelloWorld", codes::OK),
        ("testBasic", codes::OK),
        ("testTafServer", codes::OK),
        ("tars_ping", codes::OK),
        ("noSuchFunction", codes::NO_FUNCTION),
        ("noSuchServant", codes::NO_SERVANT),
    ] {
        c.client
            .send(&recorded("php-frames.json", func, "request_hex"))
            .await;
        let answer = c.client.answer().await.unwrap();
        assert_eq!((answer.ret, answer.request_id), (code, 1), "{func}");
        assert_eq!(answer.result_desc.is_empty(), code == codes::OK);
    }
    for case in [
        "tars sayHelloWorld missing arg",
        "tars testBasic wrong type for int",
    ] {
        c.client
            .send(&recorded("php-extra-frames.json", case, "request_hex"))
            .await;
        let answer = c.client.answer().await.unwrap();
        assert_eq!(answer.ret, codes::SERVER_DECODE, "{case}");
        assert!(
            answer.result_desc.starts_with("argument "),
            "{}",
            answer.result_desc
        );
    }
    assert_eq!(c.stats.decode_errors.get(), 2);
}

#[tokio::test(start_paused = true)]
async fn unknown_versions_are_answered_in_version_1() {
    let mut c = connect(1 << 16, |_| {}).await;
    for version in [0, 4, 6, 9, -1, i16::MAX] {
        c.client
            .send(&greet(7, "ted", |r| r.version = version))
            .await;
        let answer = c.client.answer().await.unwrap();
        assert_eq!(
            (answer.version, answer.ret, answer.request_id),
            (1, codes::SERVER_DECODE, 7)
        );
        assert_eq!(
            answer.result_desc,
            format!(
                "protocol version {version} is not supported; \
                 1 (TARS), 2 and 3 (TUP) and 5 (JSON) are"
            )
        );
    }
}

#[tokio::test(start_paused = true)]
async fn oneway_is_never_answered() {
    let mut c = connect(1 << 16, |_| {}).await;
    for name in ["ted", "fail", "panic", "panic later", "yield"] {
        c.client.send(&greet(1, name, |r| r.packet_type = 1)).await;
        assert_eq!(c.begun.recv().await.unwrap(), name);
    }
    let changes: [fn(&mut RequestPacket); 7] = [
        |r| r.func = "noSuchFunction".to_owned(),
        |r| r.func = "tars_ping".to_owned(),
        |r| r.servant = "No.Such.Obj".to_owned(),
        |r| r.body = Default::default(),
        |r| r.version = 3,
        |r| r.version = 4,
        |r| r.version = 5,
    ];
    for change in changes {
        let both = |r: &mut RequestPacket| {
            r.packet_type = 1;
            change(r);
        };
        c.client.send(&greet(1, "ted", both)).await;
    }
    c.client.stream.shutdown().await.unwrap();
    assert_eq!(c.client.frame().await, None);
    c.connection.await.unwrap();
    assert_eq!((c.stats.succeeded.get(), c.stats.failed.get()), (3, 9));
}

#[tokio::test(start_paused = true)]
async fn malformed_bytes_close_the_connection_and_are_counted() {
    let counts = |s: &Stats| (s.closed_bad_frame.get(), s.closed_bad_packet.get());
    let cases: [(&[u8], _); 6] = [
        (&[0, 0, 0, 4, 0], (1, 0)),
        (&[0, 0, 0, 0], (1, 0)),
        (&[0xff; 64], (1, 0)),
        (b"GET / HTTP/1.1\r\n\r\n", (1, 0)),
        (&[0, 0, 0, 6, 0x10, 1], (0, 1)),
        (&[0, 0, 0, 8, 0x10, 1, 0xae, 0], (0, 1)),
    ];
    for (bytes, expected) in cases {
        let mut c = connect(1 << 16, |_| {}).await;
        // What came before is still answered, what comes after is not read.
        let valid = greet(1, "yield", |_| {});
        c.client.send(&[&valid, bytes, &valid].concat()).await;
        assert_eq!(c.client.answer().await.unwrap().request_id, 1);
        assert_eq!(c.client.frame().await, None);
        c.connection.await.unwrap();
        assert_eq!(counts(&c.stats), expected, "{bytes:?}");
        assert_eq!((c.stats.requests.get(), c.stats.open.get()), (1, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn frames_above_the_limit_close_the_connection() {
    let frame = greet(1, "ted", |_| {});
    for (limit, answered) in [
        (frame.len() - 1, false),
        (frame.len(), true),
        (frame.len() + 1, true),
    ] {
        let mut c = connect(1 << 16, |l| l.max_frame = limit).await;
        c.client.send(&frame).await;
        c.client.stream.shutdown().await.unwrap();
        assert_eq!(c.client.frame().await.is_some(), answered, "{limit} bytes");
        c.connection.await.unwrap();
        assert_eq!(c.stats.closed_bad_frame.get(), u64::from(!answered));
    }
}

#[tokio::test(start_paused = true)]
async fn random_bytes_close_the_connection_or_are_answered() {
    let valid = greet(1, "ted", |r| {
        r.context.insert("k".to_owned(), "v".to_owned());
    });
    for seed in 0..300 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut bytes = valid.repeat(3);
        for _ in 0..rng.usize(1..6) {
            let at = rng.usize(..bytes.len());
            bytes[at] = rng.u8(..);
        }
        let mut c = connect(1 << 16, |l| l.max_frame = 1 << 10).await;
        c.client.send(&bytes).await;
        c.client.stream.shutdown().await.unwrap();
        while c.client.frame().await.is_some() {}
        c.connection.await.unwrap();
        assert_eq!(c.stats.panics.get(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn requests_wait_expire_and_are_refused() {
    let mut c = connect(1 << 16, |l| {
        l.max_in_flight = 1;
        l.max_queue = 2;
    })
    .await;
    c.client.send(&greet(1, "wait", |r| r.timeout = 1000)).await;
    c.client
        .send(&greet(2, "too late", |r| r.timeout = 1000))
        .await;
    c.client.send(&greet(3, "patient", |_| {})).await;
    c.client.send(&greet(4, "one too many", |_| {})).await;
    let answer = c.client.answer().await.unwrap();
    assert_eq!((answer.request_id, answer.ret), (4, codes::OVERLOAD));

    tokio::time::advance(Duration::from_secs(2)).await;
    c.gate.cancel();
    let mut answers = Vec::new();
    for _ in 0..3 {
        let answer = c.client.answer().await.unwrap();
        answers.push((answer.request_id, answer.ret));
    }
    assert_eq!(
        answers,
        [(1, codes::OK), (2, codes::QUEUE_TIMEOUT), (3, codes::OK)]
    );
    c.begun.close();
    let mut begun = Vec::new();
    while let Some(name) = c.begun.recv().await {
        begun.push(name);
    }
    assert_eq!(begun, ["wait", "patient"]);
    assert_eq!((c.stats.overloads.get(), c.stats.expired.get()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn limits_of_handlers_and_queue() {
    for (in_flight, queue) in [(1, 0), (1, 1), (2, 3), (5, 2)] {
        let mut c = connect(1 << 16, |l| {
            l.max_in_flight = in_flight;
            l.max_queue = queue;
        })
        .await;
        let room = i32::try_from(in_flight + queue).unwrap();
        for id in 1..=room + 1 {
            c.client.send(&greet(id, "wait", |_| {})).await;
        }
        let refused = c.client.answer().await.unwrap();
        assert_eq!(
            (refused.request_id, refused.ret),
            (room + 1, codes::OVERLOAD)
        );
        c.gate.cancel();
        for _ in 0..room {
            assert_eq!(c.client.answer().await.unwrap().ret, codes::OK);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_does_not_read_is_not_read_from() {
    let c = connect(1024, |l| {
        l.max_unsent = 250_000;
        l.write_stall = Duration::from_secs(3600);
    })
    .await;
    let pad = |r: &mut RequestPacket| {
        r.context.insert("pad".to_owned(), "x".repeat(1000));
    };
    let requests: Vec<u8> = (1..=100).flat_map(|id| greet(id, "much", pad)).collect();
    let (mut read, mut write) = tokio::io::split(c.client.stream);
    let sending = tokio::spawn(async move { write.write_all(&requests).await });
    // Time moves only when nobody has anything to do.
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(!sending.is_finished());
    assert!(c.stats.requests.get() < 50, "{}", c.stats.requests.get());
    assert_eq!(c.stats.succeeded.get(), 3, "each answer has 100,000 bytes");

    let mut all = 0;
    let mut buf = vec![0; 1 << 16];
    while all < 100 * 100_000 {
        all += tokio::io::AsyncReadExt::read(&mut read, &mut buf)
            .await
            .unwrap();
    }
    sending.await.unwrap().unwrap();
    assert_eq!(c.stats.succeeded.get(), 100);
}

#[tokio::test(start_paused = true)]
async fn what_waits_is_not_run_for_a_peer_that_does_not_read() {
    let mut c = connect(1 << 16, |l| {
        l.max_in_flight = 1;
        l.max_unsent = 250_000;
    })
    .await;
    c.client.send(&greet(1, "wait", |_| {})).await;
    for id in 2..=50 {
        c.client.send(&greet(id, "much", |_| {})).await;
    }
    assert_eq!(c.begun.recv().await.unwrap(), "wait");
    c.gate.cancel();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(c.stats.succeeded.get() < 6, "{}", c.stats.succeeded.get());
    for id in 1..=50 {
        assert_eq!(c.client.answer().await.unwrap().request_id, id);
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_never_reads_is_closed() {
    let mut c = connect(4096, |_| {}).await;
    let began = tokio::time::Instant::now();
    c.client.send(&greet(1, "much", |_| {})).await;
    c.connection.await.unwrap();
    assert_eq!(began.elapsed(), Limits::default().write_stall);
    assert_eq!(c.stats.closed_stalled.get(), 1);
}

/// Both sides have more to send than the pipe between them holds.
#[tokio::test(start_paused = true)]
async fn both_sides_write_and_read_at_once() {
    let (client, _communicator, mut streams) = in_memory(256, |_| {});
    let (servant, ..) = example();
    let server = Server::builder()
        .servant(OBJ, servant)
        .listen()
        .await
        .unwrap();
    let calls: Vec<_> = (0..20)
        .map(|n| {
            let client = client.clone();
            let name = format!("{n}").repeat(10_000);
            tokio::spawn(async move { client.say_hello_world(&name).await })
        })
        .collect();
    let connection = streams.accept().await.stream;
    tokio::spawn(server.serve_stream(connection, peer()));
    for (n, call) in calls.into_iter().enumerate() {
        let expected = format!("hello {}!", format!("{n}").repeat(10_000));
        assert!(call.await.unwrap().unwrap() == expected);
    }
}

#[tokio::test(start_paused = true)]
async fn half_closed_is_answered_and_a_handler_outlives_its_caller() {
    let mut c = connect(1 << 16, |_| {}).await;
    c.client.send(&greet(1, "wait", |_| {})).await;
    c.client.stream.shutdown().await.unwrap();
    assert_eq!(c.begun.recv().await.unwrap(), "wait");
    c.gate.cancel();
    assert_eq!(c.client.answer().await.unwrap().request_id, 1);
    assert_eq!(c.client.frame().await, None);
    c.connection.await.unwrap();

    let mut c = connect(1 << 16, |_| {}).await;
    c.client.send(&greet(1, "wait", |_| {})).await;
    assert_eq!(c.begun.recv().await.unwrap(), "wait");
    drop(c.client);
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(
        c.stats.open.get(),
        1,
        "its handler counts against the limit of connections"
    );
    c.gate.cancel();
    c.connection.await.unwrap();
    assert_eq!(c.stats.open.get(), 0);
    assert_eq!(c.stats.succeeded.get(), 1);
}

#[tokio::test]
async fn a_drain_answers_what_has_begun() {
    let mut server = Running::start(Limits::default()).await;
    let client = server.client(&Communicator::new());
    let call = {
        let client = client.clone();
        tokio::spawn(async move { client.say_hello_world("wait").await })
    };
    assert_eq!(server.begun.recv().await.unwrap(), "wait");
    server.stop.cancel();
    while tokio::net::TcpStream::connect(server.address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    assert!(!server.task.is_finished() && !call.is_finished());
    server.gate.cancel();
    assert_eq!(call.await.unwrap().unwrap(), "the wait is over");
    server.task.await.unwrap();
    assert_eq!(
        (server.stats.closed_drained.get(), server.stats.open.get()),
        (1, 0)
    );
}

#[tokio::test]
async fn a_drain_has_an_end() {
    let mut server = Running::start_with(|builder| builder.drain(Duration::ZERO)).await;
    let client = server.client(&Communicator::new());
    let call = tokio::spawn(async move { client.say_hello_world("wait").await });
    assert_eq!(server.begun.recv().await.unwrap(), "wait");
    server.stop.cancel();
    server.task.await.unwrap();
    let error = call.await.unwrap().unwrap_err();
    let Error::Disconnected {
        cause: Disconnect::Closed,
        ..
    } = error
    else {
        panic!("{error:?}")
    };
    assert_eq!(
        (server.stats.open.get(), server.stats.aborted.get()),
        (0, 1)
    );
}

#[tokio::test]
async fn wrong_settings_are_errors() {
    let ((one, ..), (two, ..)) = (example(), example());
    let error = Server::builder()
        .servant(OBJ, one)
        .servant(OBJ, two)
        .listen()
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("two servants are called {OBJ}; give each its own name")
    );

    let (servant, ..) = example();
    let taken = Server::builder()
        .bind(([127, 0, 0, 1], 0).into())
        .servant(OBJ, servant);
    let taken = taken.listen().await.unwrap();
    let address = taken.local_addrs()[0];
    let error = Server::builder().bind(address).listen().await.unwrap_err();
    assert!(
        error.to_string().starts_with(&format!(
            "cannot listen on `tcp -h 127.0.0.1 -p {}`: ",
            address.port()
        )),
        "{error}"
    );
    drop(taken.serve(pending()));
}
