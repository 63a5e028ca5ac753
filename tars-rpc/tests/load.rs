//! What the connections of an adapter share: handlers, queue, time in it, bytes.

mod common;

use std::{sync::Arc, time::Duration};

use common::{OBJ, Raw, example, greet, peer};
use tars_rpc::{
    codes,
    server::{Limits, Server, Stats},
};
use tokio::{sync::mpsc, task::JoinSet};
use tokio_util::sync::CancellationToken;

/// A server in memory, to which any number of connections can be made.
struct Memory {
    server: Server,
    stats: Arc<Stats>,
    gate: CancellationToken,
    begun: mpsc::UnboundedReceiver<String>,
    connections: JoinSet<()>,
}

impl Memory {
    async fn new(change: impl FnOnce(&mut Limits)) -> Self {
        let mut limits = Limits::default();
        change(&mut limits);
        let (servant, gate, begun) = example();
        let builder = Server::builder().servant(OBJ, servant).limits(limits);
        let server = builder.listen().await.unwrap();
        Self {
            stats: server.stats(),
            server,
            gate,
            begun,
            connections: JoinSet::new(),
        }
    }

    fn connect(&mut self) -> Raw {
        let (ours, theirs) = tokio::io::duplex(1 << 16);
        self.connections
            .spawn(self.server.serve_stream(theirs, peer()));
        Raw::new(ours)
    }

    async fn end(mut self) {
        self.gate.cancel();
        while let Some(ended) = self.connections.join_next().await {
            ended.unwrap();
        }
        let stats = &self.stats;
        assert_eq!(stats.open.get(), 0);
        assert_eq!(
            stats.requests.get(),
            stats.succeeded.get() + stats.failed.get()
        );
    }
}

#[tokio::test(start_paused = true)]
async fn handlers_and_queue_are_shared_by_connections() {
    for (in_flight, queue) in [(1, 0), (1, 1), (2, 3), (5, 2)] {
        let mut memory = Memory::new(|l| {
            l.max_in_flight = in_flight;
            l.max_queue = queue;
        })
        .await;
        let room = in_flight + queue;
        let mut clients = Vec::new();
        for id in 0..room {
            let mut client = memory.connect();
            client.send(&greet(id as i32, "wait", |_| {})).await;
            if id < in_flight {
                assert_eq!(memory.begun.recv().await.unwrap(), "wait");
            }
            clients.push(client);
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        let mut refused = memory.connect();
        refused.send(&greet(7, "wait", |_| {})).await;
        assert_eq!(refused.answer().await.unwrap().ret, codes::OVERLOAD);
        assert_eq!(memory.stats.overloads.get(), 1);
        // A ping needs no room.
        refused
            .send(&greet(8, "", |r| r.func = "tars_ping".to_owned()))
            .await;
        assert_eq!(refused.answer().await.unwrap().ret, codes::OK);
        memory.gate.cancel();
        for client in &mut clients {
            assert_eq!(client.answer().await.unwrap().ret, codes::OK);
        }
        drop((clients, refused));
        memory.end().await;
    }
}

/// What was received whole is run, though the caller is gone before the first of the answers is written.
#[tokio::test(start_paused = true)]
async fn requests_are_run_though_nobody_takes_their_answers() {
    const REQUESTS: u64 = 100; // some answers are written before the last request is run
    let mut memory = Memory::new(|_| {}).await;
    let mut caller = memory.connect();
    let requests = (0..REQUESTS).flat_map(|id| greet(id as i32, "x", |_| {}));
    caller.send(&requests.collect::<Vec<_>>()).await;
    drop(caller);
    let stats = Arc::clone(&memory.stats);
    memory.end().await;
    assert_eq!(stats.requests.get(), REQUESTS);
}

/// Each connection that waits gets its turn, however many requests another one has.
#[tokio::test(start_paused = true)]
async fn connections_take_turns() {
    let mut memory = Memory::new(|l| l.max_in_flight = 1).await;
    let mut greedy = memory.connect();
    for id in 0..100 {
        let name = if id == 0 { "wait" } else { "yield" };
        greedy.send(&greet(id, name, |_| {})).await;
    }
    memory.begun.recv().await.unwrap();
    let mut modest = memory.connect();
    modest.send(&greet(1000, "modest", |_| {})).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    memory.gate.cancel();
    assert_eq!(modest.answer().await.unwrap().ret, codes::OK);
    assert_eq!(memory.begun.recv().await.unwrap(), "yield");
    assert_eq!(memory.begun.recv().await.unwrap(), "modest");
    for id in 0..100 {
        assert_eq!(greedy.answer().await.unwrap().request_id, id);
    }
    drop((greedy, modest));
    memory.end().await;
}

/// A connection whose peer does not read must not keep the others from running.
#[tokio::test(start_paused = true)]
async fn a_stalled_connection_gives_its_place_to_others() {
    let mut memory = Memory::new(|l| {
        l.max_in_flight = 1;
        l.max_unsent = 1000;
    })
    .await;
    let mut running = memory.connect();
    running.send(&greet(1, "wait", |_| {})).await;
    memory.begun.recv().await.unwrap();
    let mut deaf = memory.connect();
    let frames: Vec<u8> = (1..10).flat_map(|id| greet(id, "much", |_| {})).collect();
    deaf.send(&frames).await;
    let mut other = memory.connect();
    other.send(&greet(2, "ted", |_| {})).await;
    tokio::task::yield_now().await;
    memory.gate.cancel();
    assert_eq!(other.answer().await.unwrap().ret, codes::OK);
    drop((running, other, deaf));
    memory.end().await;
}

#[tokio::test(start_paused = true)]
async fn the_time_in_the_queue_is_bounded() {
    for (waited, ret) in [
        (999, codes::OK),
        (1000, codes::QUEUE_TIMEOUT),
        (1001, codes::QUEUE_TIMEOUT),
    ] {
        let mut memory = Memory::new(|l| {
            l.max_in_flight = 1;
            l.queue_timeout = Duration::from_secs(1);
        })
        .await;
        let mut client = memory.connect();
        client.send(&greet(1, "wait", |_| {})).await;
        memory.begun.recv().await.unwrap();
        client
            .send(&greet(2, "anna", |r| r.timeout = 3_600_000))
            .await;
        tokio::time::sleep(Duration::from_millis(waited)).await;
        memory.gate.cancel();
        let mut answers = [
            client.answer().await.unwrap(),
            client.answer().await.unwrap(),
        ];
        answers.sort_by_key(|answer| answer.request_id);
        assert_eq!(
            answers.map(|answer| answer.ret),
            [codes::OK, ret],
            "{waited} ms"
        );
        drop(client);
        memory.end().await;
    }
}

/// It is told so although no handler ends.
#[tokio::test(start_paused = true)]
async fn who_waits_too_long_is_told_at_once() {
    let mut memory = Memory::new(|l| {
        l.max_in_flight = 1;
        l.queue_timeout = Duration::from_secs(1);
    })
    .await;
    let mut client = memory.connect();
    client.send(&greet(1, "wait", |_| {})).await;
    memory.begun.recv().await.unwrap();
    let began = tokio::time::Instant::now();
    client.send(&greet(2, "anna", |_| {})).await;
    let answer = client.answer().await.unwrap();
    assert_eq!((answer.request_id, answer.ret), (2, codes::QUEUE_TIMEOUT));
    assert_eq!(began.elapsed(), Duration::from_secs(1));
    assert_eq!(
        answer.result_desc,
        format!(
            "{OBJ}.sayHelloWorld waited in the queue of main for too long: its timeout is 0 ms, that of the queue 1000 ms"
        )
    );
    drop(client);
    memory.end().await;
}

#[tokio::test(start_paused = true)]
async fn bytes_of_running_and_waiting_requests_are_bounded() {
    // The bytes are in the body, or beside it.
    let wait = |n: usize, beside: bool| {
        let len = if beside { 4 } else { 1000 };
        greet(n as i32, &format!("{:<len$}", "wait"), |packet| {
            if beside {
                packet.context.insert("k".into(), "x".repeat(995));
            }
        })
    };
    let names = OBJ.len() + "sayHelloWorld".len();
    for (per_connection, connections, beside) in [
        (false, 1, false),
        (false, 3, false),
        (true, 1, false),
        (false, 1, true),
        (true, 1, true),
    ] {
        let context = if beside { 996 } else { 0 };
        let size = common::body_len(&wait(1, beside)) + names + context;
        for (limit, taken) in [(3 * size - 1, 2), (3 * size, 3), (3 * size + 1, 3), (1, 1)] {
            let mut memory = Memory::new(|l| {
                l.max_in_flight = 1; // so that the others wait
                if per_connection {
                    l.max_request_bytes_per_connection = limit;
                } else {
                    l.max_request_bytes = limit;
                }
            })
            .await;
            let mut clients: Vec<_> = (0..connections).map(|_| memory.connect()).collect();
            for n in 0..5_usize {
                let client = &mut clients[n % connections];
                client.send(&wait(n, beside)).await;
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            assert_eq!(memory.stats.overloads.get(), 5 - taken, "{limit}");
            drop(clients);
            memory.end().await;
        }
    }
}
