//! A server whose clients do everything wrong, in virtual time: thousands of schedules, each by its seed.
//!
//! What must hold in all of them: a request is answered at most once, and exactly once if an answer is wanted and the
//! connection lives; and when all is over nothing is left: no task, no connection, no slot, no byte.

mod common;

use std::{collections::HashMap, sync::Arc, time::Duration};

use bytes::BytesMut;
use common::{OBJ, Raw, greet, peer};
use fastrand::Rng;
use tars_rpc::{
    Error,
    codec::{FrameSplitter, ResponsePacket, decode_bytes},
    server::{Dispatch, Limits, Push, Request, Servant, Server, Stats},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream},
    runtime::Handle,
    task::JoinHandle,
    time::{Instant, advance, sleep, timeout},
};

/// Names of callers say what becomes of their requests.
struct Moody;

impl Servant for Moody {
    fn dispatch(&self, request: Request) -> Dispatch {
        let (cx, mut args) = request.into_parts();
        Box::pin(async move {
            let name: String = args.take(1, "name")?;
            let mut reply = cx.reply();
            let (mood, time) = name.split_once(' ').unwrap_or((&name, "0"));
            let time = Duration::from_millis(time.parse().unwrap_or(0));
            match mood {
                "sleep" => sleep(time).await,
                "defer" => {
                    if let Some(responder) = cx.defer() {
                        tokio::spawn(async move {
                            sleep(time).await;
                            let reply = responder.reply();
                            responder.send(Ok(reply));
                        });
                    }
                }
                "forget" => drop(cx.defer()),
                "push" => {
                    let push = Push::builder("onEvent").build()?;
                    let _ = cx.connection().push(&push); // the client may have gone
                }
                "much" => reply.put(2, "outGreetings", &"x".repeat(5000)),
                "panic" => panic!("somebody said panic"),
                "fail" => return Err(Error::new(1, "failed")),
                _ => {}
            }
            Ok(reply)
        })
    }
}

const MOODS: [&str; 10] = [
    "ted", "ted", "sleep", "sleep", "defer", "forget", "push", "much", "fail", "panic",
];

/// The client of one schedule.
struct Client {
    stream: Option<DuplexStream>,
    /// What is to be written.
    output: Vec<u8>,
    written: usize,
    input: BytesMut,
    /// How often each request was answered.
    answers: HashMap<i32, u32>,
    /// The requests whose answers are wanted.
    wanted: Vec<i32>,
    oneway: Vec<i32>,
    /// Nobody knows what the server reads.
    garbled: bool,
}

impl Client {
    fn new(stream: DuplexStream, rng: &mut Rng) -> Self {
        let mut client = Self {
            stream: Some(stream),
            output: Vec::new(),
            written: 0,
            input: BytesMut::new(),
            answers: HashMap::new(),
            wanted: Vec::new(),
            oneway: Vec::new(),
            garbled: false,
        };
        for id in 1..=rng.i32(1..40) {
            let mood = MOODS[rng.usize(..MOODS.len())];
            let name = format!("{mood} {}", rng.u32(..3000));
            let oneway = rng.u8(..8) == 0;
            let timeout = if rng.bool() { rng.i32(..4000) } else { 0 };
            let frame = greet(id, &name, |r| {
                r.packet_type = i8::from(oneway);
                r.timeout = timeout;
                if rng.u8(..10) == 0 {
                    r.func = "tars_ping".to_owned();
                }
                if rng.u8(..20) == 0 {
                    r.servant = "No.Such.Obj".to_owned();
                }
            });
            client.output.extend(frame);
            if oneway {
                client.oneway.push(id);
            } else {
                client.wanted.push(id);
            }
        }
        client
    }

    /// Writes up to `n` bytes, as far as the server takes them now.
    async fn write(&mut self, n: usize) {
        let Some(stream) = &mut self.stream else {
            return;
        };
        let end = (self.written + n).min(self.output.len());
        let part = &self.output[self.written..end];
        if let Ok(Ok(n)) = timeout(Duration::from_micros(1), stream.write(part)).await {
            self.written += n;
        }
    }

    /// Reads what there is, up to `n` bytes. False at the end.
    async fn read(&mut self, n: usize) -> bool {
        let Some(stream) = &mut self.stream else {
            return false;
        };
        let mut buf = vec![0; n];
        let read = timeout(Duration::from_micros(1), stream.read(&mut buf)).await;
        match read {
            Err(_) => return true,
            Ok(Ok(0) | Err(_)) => return false,
            Ok(Ok(n)) => self.input.extend_from_slice(&buf[..n]),
        }
        self.take_answers();
        true
    }

    fn take_answers(&mut self) {
        while let Some(packet) = FrameSplitter::default().split(&mut self.input).unwrap() {
            let Ok(answer) = decode_bytes::<ResponsePacket>(&packet) else {
                assert!(self.garbled); // TUP, whose answers look like requests
                continue;
            };
            if answer.request_id != 0 {
                *self.answers.entry(answer.request_id).or_default() += 1;
            }
        }
    }

    /// Writes and reads the rest like a good client. True if the server has taken and answered all.
    async fn finish(&mut self) -> bool {
        let Some(stream) = self.stream.take() else {
            return false;
        };
        let (mut read, mut write) = tokio::io::split(stream);
        let output = self.output.split_off(self.written);
        let writing = async move {
            let written = write.write_all(&output).await.is_ok();
            written && write.shutdown().await.is_ok()
        };
        let reading = async { while let Ok(1..) = read.read_buf(&mut self.input).await {} };
        let (written, ()) = tokio::join!(writing, reading);
        self.take_answers();
        written
    }

    fn check(&self, seed: u64, all: bool) {
        if self.garbled {
            return;
        }
        for (id, times) in &self.answers {
            assert_eq!(*times, 1, "seed {seed}: answers to {id}");
            assert!(!self.oneway.contains(id), "seed {seed}: {id} is oneway");
        }
        assert!(!all || self.input.is_empty(), "seed {seed}: half an answer");
        for id in self.wanted.iter().filter(|_| all) {
            assert!(
                self.answers.contains_key(id),
                "seed {seed}: no answer to {id}"
            );
        }
    }
}

fn limits(rng: &mut Rng) -> Limits {
    let mut limits = Limits::default();
    limits.max_in_flight = rng.usize(1..6);
    limits.max_queue = rng.usize(..10);
    limits.queue_timeout = Duration::from_millis(rng.u64(1..5000));
    limits.max_request_bytes = rng.usize(1..2000);
    limits.max_in_flight_per_connection = rng.usize(1..6);
    limits.max_queue_per_connection = rng.usize(..10);
    limits.max_unsent = rng.usize(1..10_000);
    limits.max_frame = 1 << 16;
    if rng.bool() {
        // Some of these will be met.
        for time in [
            &mut limits.header_timeout,
            &mut limits.body_timeout,
            &mut limits.idle_timeout,
            &mut limits.write_stall,
        ] {
            *time = Duration::from_millis(rng.u64(1..5000));
        }
    }
    limits
}

struct Served {
    server: Server,
    stats: Arc<Stats>,
    limits: Limits,
}

impl Served {
    async fn new(limits: Limits) -> Self {
        let builder = Server::builder().servant(OBJ, Moody).limits(limits.clone());
        let server = builder.listen().await.unwrap();
        Self {
            stats: server.stats(),
            server,
            limits,
        }
    }

    fn connect(&self, size: usize) -> (DuplexStream, JoinHandle<()>) {
        let (ours, theirs) = tokio::io::duplex(size);
        (ours, tokio::spawn(self.server.serve_stream(theirs, peer())))
    }

    /// When all connections are over: nothing is left.
    async fn nothing_is_left(self, seed: u64) {
        sleep(Duration::from_secs(3600)).await;
        let stats = &self.stats;
        assert_eq!(stats.open.get(), 0, "seed {seed}");
        let ended = stats.succeeded.get() + stats.failed.get();
        assert_eq!(stats.requests.get(), ended, "seed {seed}: {stats:?}");
        let closed = [
            &stats.closed_by_peer,
            &stats.closed_broken,
            &stats.closed_bad_frame,
            &stats.closed_bad_packet,
            &stats.closed_stalled,
            &stats.closed_slow,
            &stats.closed_idle,
        ];
        let closed: u64 = closed.iter().map(|counter| counter.get()).sum();
        assert_eq!(closed, stats.accepted.get(), "seed {seed}: {stats:?}");
        let tasks = Handle::current().metrics().num_alive_tasks();
        assert_eq!(tasks, 0, "seed {seed}");

        // Each slot and each place in the queue can be had again; where few bytes can, one request at least.
        let limits = &self.limits;
        let all = limits.max_in_flight + limits.max_queue;
        let probes = if limits.max_request_bytes < 500 {
            1
        } else {
            all
        };
        let overloads = stats.overloads.get();
        let mut clients = Vec::new();
        for _ in 0..probes {
            let (stream, task) = self.connect(1 << 16);
            let mut client = Raw::new(stream);
            client.send(&greet(1, "sleep 0", |_| {})).await;
            clients.push((client, task));
        }
        for (client, task) in &mut clients {
            client.answer().await.unwrap();
            client.stream.shutdown().await.unwrap();
            task.await.unwrap();
        }
        assert_eq!(stats.overloads.get(), overloads, "seed {seed}");
    }
}

#[tokio::test(start_paused = true)]
async fn thousands_of_bad_clients() {
    let (mut all_answered, mut clock_jumps) = (0, 0);
    for seed in 0..2000 {
        let mut rng = Rng::with_seed(seed);
        let served = Served::new(limits(&mut rng)).await;
        let mut connections = Vec::new();
        let mut clients: Vec<_> = (0..rng.usize(1..4))
            .map(|_| {
                let (stream, task) = served.connect(rng.usize(1..4000));
                connections.push(task);
                Client::new(stream, &mut rng)
            })
            .collect();
        for _ in 0..rng.usize(..40) {
            let one = rng.usize(..clients.len());
            let client = &mut clients[one];
            match rng.u8(..20) {
                0 => client.stream = None,
                1 => {
                    if let Some(stream) = &mut client.stream {
                        let _ = stream.shutdown().await;
                    }
                }
                2 => {
                    let at = rng.usize(..client.output.len());
                    client.output[at] ^= 1 << rng.u8(..8);
                    client.garbled |= at >= client.written;
                }
                3 if rng.u8(..5) == 0 => {
                    clock_jumps += 1;
                    advance(Duration::from_secs(rng.u64(3600..200_000))).await;
                }
                3..=6 => sleep(Duration::from_millis(rng.u64(..3000))).await,
                7..=12 => {
                    client.read(rng.usize(1..2000)).await;
                }
                _ => client.write(rng.usize(1..500)).await,
            }
        }
        for client in &mut clients {
            let done = client.finish().await;
            all_answered += u32::from(done);
            client.check(seed, false);
            drop(client.stream.take());
        }
        for connection in connections {
            connection.await.unwrap();
        }
        served.nothing_is_left(seed).await;
    }
    assert!(all_answered > 500, "{all_answered}");
    assert!(clock_jumps > 100, "{clock_jumps}");
}

/// Clients that keep to the rules get every answer, whatever the server's limits and the pieces in which bytes come.
#[tokio::test(start_paused = true)]
async fn good_clients_get_every_answer() {
    for seed in 0..700 {
        let mut rng = Rng::with_seed(seed);
        let mut limits = limits(&mut rng);
        let patient = Limits::default();
        limits.header_timeout = patient.header_timeout;
        limits.body_timeout = patient.body_timeout;
        limits.idle_timeout = patient.idle_timeout;
        limits.write_stall = patient.write_stall;
        let served = Served::new(limits).await;
        let mut connections = Vec::new();
        let mut clients: Vec<_> = (0..rng.usize(1..4))
            .map(|_| {
                let (stream, task) = served.connect(rng.usize(1..4000));
                connections.push(task);
                Client::new(stream, &mut rng)
            })
            .collect();
        for _ in 0..rng.usize(..30) {
            let one = rng.usize(..clients.len());
            clients[one].write(rng.usize(1..500)).await;
            clients[one].read(rng.usize(1..3000)).await;
        }
        let mut finishing = Vec::new();
        for mut client in clients {
            finishing.push(tokio::spawn(async move {
                assert!(client.finish().await, "seed {seed}");
                client
            }));
        }
        for client in finishing {
            client.await.unwrap().check(seed, true);
        }
        for connection in connections {
            connection.await.unwrap();
        }
        served.nothing_is_left(seed).await;
    }
}

/// Two requests and the death of the client after each of their bytes.
#[tokio::test(start_paused = true)]
async fn cut_at_every_byte() {
    let frames = [greet(1, "ted", |_| {}), greet(2, "sleep 10", |_| {})];
    let both = frames.concat();
    for cut in 0..=both.len() {
        for half_closed in [false, true] {
            let mut limits = Limits::default();
            limits.max_in_flight = 2;
            limits.max_queue = 2;
            let served = Served::new(limits).await;
            let (stream, task) = served.connect(1 << 16);
            let mut client = Raw::new(stream);
            client.send(&both[..cut]).await;
            let whole = usize::from(cut >= frames[0].len()) + usize::from(cut == both.len());
            if half_closed {
                client.stream.shutdown().await.unwrap();
                for id in 1..=whole {
                    assert_eq!(client.answer().await.unwrap().request_id, id as i32);
                }
                assert_eq!(client.frame().await, None);
            }
            drop(client);
            task.await.unwrap();
            let requests = served.stats.requests.get();
            assert!(requests == whole as u64, "cut at {cut}");
            served.nothing_is_left(cut as u64).await;
        }
    }
}

/// Each time limit is kept to the millisecond.
#[tokio::test(start_paused = true)]
async fn time_limits_are_exact() {
    let ms = Duration::from_millis;
    let mut limits = Limits::default();
    limits.header_timeout = ms(100);
    limits.body_timeout = ms(300);
    limits.idle_timeout = ms(700);

    // Nothing ever comes.
    let served = Served::new(limits.clone()).await;
    let (silent, task) = served.connect(1 << 10);
    let began = Instant::now();
    let mut silent = Raw::new(silent);
    assert_eq!(silent.frame().await, None);
    assert_eq!(began.elapsed(), ms(100));
    drop(silent);
    task.await.unwrap();
    assert_eq!(served.stats.closed_slow.get(), 1);

    // A request comes byte by byte (slowloris), in time or not.
    let frame = greet(1, "ted", |_| {});
    // At 300 ms sharp, whoever looks first is right.
    for (time, answered) in [(299, true), (301, false)] {
        let served = Served::new(limits.clone()).await;
        let (stream, task) = served.connect(1 << 10);
        let mut client = Raw::new(stream);
        let began = Instant::now();
        for byte in &frame[..frame.len() - 1] {
            client.send(&[*byte]).await;
            sleep(ms(2)).await;
        }
        assert!(began.elapsed() < ms(299));
        tokio::time::sleep_until(began + ms(time)).await;
        let _ = client.stream.write_all(&frame[frame.len() - 1..]).await; // it may be closed
        assert_eq!(client.frame().await.is_some(), answered, "{time} ms");
        drop(client);
        task.await.unwrap();
        assert_eq!(served.stats.closed_slow.get(), u64::from(!answered));
    }

    // Idle counts from the last byte, and not while a request runs.
    let served = Served::new(limits).await;
    let (stream, task) = served.connect(1 << 10);
    let mut client = Raw::new(stream);
    client.send(&greet(1, "sleep 5000", |_| {})).await;
    client.answer().await.unwrap();
    sleep(ms(699)).await;
    client.send(&greet(2, "ted", |_| {})).await;
    client.answer().await.unwrap();
    let began = Instant::now();
    assert_eq!(client.frame().await, None);
    assert_eq!(began.elapsed(), ms(700));
    drop(client);
    task.await.unwrap();
    assert_eq!(served.stats.closed_idle.get(), 1);
}

/// A flood of requests that nobody reads the answers of holds no more than the limits say.
#[tokio::test(start_paused = true)]
async fn a_flood_is_bounded() {
    let mut limits = Limits::default();
    limits.max_unsent = 10_000;
    limits.max_queue = 5;
    limits.max_in_flight = 2;
    let served = Served::new(limits).await;
    let (stream, task) = served.connect(1000);
    let (mut read, mut write) = tokio::io::split(stream);
    let flood = tokio::spawn(async move {
        for id in 1..100_000 {
            let mood = MOODS[id as usize % MOODS.len()];
            if write.write_all(&greet(id, mood, |_| {})).await.is_err() {
                return id;
            }
        }
        0
    });
    let sent = flood.await.unwrap();
    assert!(
        sent > 0 && sent < 1000,
        "{sent} requests were taken from who does not read"
    );
    task.await.unwrap();
    assert_eq!(served.stats.closed_stalled.get(), 1);
    let mut rest = Vec::new();
    let _ = read.read_to_end(&mut rest).await;
    assert!(rest.len() <= 1000, "the pipe's own");
    drop(read);
    served.nothing_is_left(0).await;
}
