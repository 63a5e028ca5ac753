//! A client whose server does everything wrong, in virtual time: a thousand schedules, each by its seed.
//!
//! What must hold in all of them: every call ends exactly once and in time, with its own answer or a typed error; and
//! when all is over nothing is left: no pending call, no task, no socket, no memory.

mod common;

use std::{
    collections::BTreeMap,
    fs, io,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use common::{OBJ, Raw, TestTafServiceServant, client_of, failure, greeting};
use fastrand::Rng;
use tars_rpc::{
    Communicator, Endpoint, Error, Result,
    client::{BoxedStream, CallOptions, Config, Connecting, Connector},
    codec::RequestPacket,
    codes,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf},
    runtime::Handle,
    sync::mpsc,
    task::JoinSet,
    time::{Instant, advance, sleep, timeout},
};

/// Callers of a schedule, and as many calls may be pending.
const CALLERS: usize = 8;
const CALLS: usize = 10;

/// What the server does with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fault {
    /// It closes the connection, after a part of the answer.
    Cut,
    Never,
    Twice,
    Late,
    OutOfOrder,
    WrongId,
    /// For a long time it neither reads nor writes nor closes.
    HalfOpen,
    /// Pushes and answers that nobody asked for.
    Flood,
    /// It takes a while to read on, a few bytes at a time.
    SlowReader,
    ClockJump,
    BadFrame,
    BadPacket,
    Overload,
    /// It does not take the next connection.
    Away,
}

const FAULTS: [Fault; 14] = [
    Fault::Cut,
    Fault::Never,
    Fault::Twice,
    Fault::Late,
    Fault::OutOfOrder,
    Fault::WrongId,
    Fault::HalfOpen,
    Fault::Flood,
    Fault::SlowReader,
    Fault::ClockJump,
    Fault::BadFrame,
    Fault::BadPacket,
    Fault::Overload,
    Fault::Away,
];

/// The client's end of a connection, which is counted as long as it is there.
struct Counted(DuplexStream, Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.1.fetch_sub(1, Ordering::Relaxed);
    }
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl AsyncWrite for Counted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

#[derive(Debug)]
struct Wire {
    size: usize,
    accepted: mpsc::UnboundedSender<DuplexStream>,
    sockets: Arc<AtomicUsize>,
    away: Arc<AtomicUsize>,
}

impl Connector for Wire {
    fn connect(&self, _: Arc<Endpoint>) -> Connecting {
        let refused = || Err(io::ErrorKind::ConnectionRefused.into());
        let is_away = |n: usize| n.checked_sub(1);
        let away = self
            .away
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, is_away);
        let (ours, theirs) = tokio::io::duplex(self.size);
        if away.is_ok() || self.accepted.send(theirs).is_err() {
            return Box::pin(async move { refused() });
        }
        self.sockets.fetch_add(1, Ordering::Relaxed);
        let counted = Counted(ours, Arc::clone(&self.sockets));
        Box::pin(async { Ok(Box::new(counted) as BoxedStream) })
    }
}

type Faults = Arc<Mutex<BTreeMap<Fault, u32>>>;

struct Misbehaving {
    rng: Rng,
    away: Arc<AtomicUsize>,
    faults: Faults,
    /// Requests that are to be answered after a later one.
    held: Vec<RequestPacket>,
}

/// An echo; pings have nothing to echo.
fn answer(request: &RequestPacket) -> Vec<u8> {
    match request.body.get(2..) {
        Some(name) => greeting(request.request_id, &String::from_utf8_lossy(name)),
        None => failure(request.request_id, codes::OK),
    }
}

impl Misbehaving {
    async fn serve(mut self, mut accepted: mpsc::UnboundedReceiver<DuplexStream>) {
        while let Some(stream) = accepted.recv().await {
            let mut connection = Raw::new(stream);
            connection.lenient = true; // the client closes where it is when it has seen something wrong
            self.held.clear();
            while let Some(request) = connection.request().await {
                if self.act(&mut connection, request).await.is_err() {
                    break;
                }
            }
        }
    }

    fn fault(&mut self) -> Option<Fault> {
        if self.rng.u8(..3) > 0 {
            return None;
        }
        let fault = FAULTS[self.rng.usize(..FAULTS.len())];
        // These end a connection, or the calls of all.
        let is_grave = matches!(
            fault,
            Fault::Cut | Fault::HalfOpen | Fault::ClockJump | Fault::BadFrame | Fault::BadPacket
        );
        let happens = !is_grave || self.rng.bool();
        happens.then(|| {
            *self.faults.lock().unwrap().entry(fault).or_default() += 1;
            fault
        })
    }

    /// An error: the connection is over.
    async fn act(&mut self, connection: &mut Raw, request: RequestPacket) -> io::Result<()> {
        let answer = answer(&request);
        let stream = &mut connection.stream;
        match self.fault() {
            Some(Fault::Cut) => {
                let part = &answer[..self.rng.usize(..answer.len())];
                stream.write_all(part).await?;
                return Err(io::ErrorKind::ConnectionReset.into());
            }
            Some(Fault::Never) => return Ok(()),
            Some(Fault::Twice) => stream.write_all(&answer.repeat(2)).await?,
            Some(Fault::Late) => {
                sleep(Duration::from_millis(self.rng.u64(..300))).await;
                stream.write_all(&answer).await?;
            }
            Some(Fault::OutOfOrder) => {
                self.held.push(request);
                return Ok(());
            }
            Some(Fault::WrongId) => {
                let id = self.rng.i32(1 << 30..) * if self.rng.bool() { 1 } else { -1 };
                stream.write_all(&greeting(id, "whose?")).await?;
            }
            Some(Fault::HalfOpen) => {
                sleep(Duration::from_millis(self.rng.u64(..20_000))).await;
                return Err(io::ErrorKind::TimedOut.into());
            }
            Some(Fault::Flood) => {
                for n in 0..self.rng.i32(1..300) {
                    let id = if n % 2 == 0 { 0 } else { -n };
                    stream.write_all(&greeting(id, "news")).await?;
                }
                stream.write_all(&answer).await?;
            }
            Some(Fault::SlowReader) => {
                let mut some = [0; 3];
                let n = stream.read(&mut some).await?;
                sleep(Duration::from_millis(self.rng.u64(..200))).await;
                connection.input.extend_from_slice(&some[..n]);
                connection.stream.write_all(&answer).await?;
            }
            Some(Fault::ClockJump) => {
                advance(Duration::from_secs(self.rng.u64(1..100_000))).await;
                stream.write_all(&answer).await?;
            }
            Some(Fault::BadFrame) => stream.write_all(&[0, 0, 0, 3]).await?,
            Some(Fault::BadPacket) => stream.write_all(&[0, 0, 0, 6, 0x10, 1]).await?,
            Some(Fault::Overload) => {
                let refusal = failure(request.request_id, codes::OVERLOAD);
                stream.write_all(&refusal).await?;
            }
            Some(Fault::Away) => {
                self.away.store(self.rng.usize(1..8), Ordering::Relaxed);
                return Err(io::ErrorKind::ConnectionReset.into());
            }
            None => stream.write_all(&answer).await?,
        }
        for request in self.held.drain(..) {
            let late = self::answer(&request);
            connection.stream.write_all(&late).await?;
        }
        Ok(())
    }
}

/// How calls ended: the codes of their errors, 0 for answers.
type Ends = BTreeMap<i32, u64>;

async fn call(client: TestTafServiceServant, mut rng: Rng, caller: usize) -> Ends {
    let mut ends = Ends::new();
    for call in 0..CALLS {
        sleep(Duration::from_millis(rng.u64(..20))).await;
        let mut options = CallOptions::new().timeout(Duration::from_millis(rng.u64(1..150)));
        let is_oneway = rng.u8(..10) == 0;
        if is_oneway {
            options = options.oneway();
        }
        if rng.u8(..4) == 0 {
            options = options.idempotent();
        }
        let name = format!("{caller}-{call}");
        let client = client.with(options);
        let call = client
            .proxy()
            .call("sayHelloWorld", |args| args.put(1, "name", &*name));
        let patience = Duration::from_millis(if rng.u8(..5) == 0 {
            rng.u64(..20)
        } else {
            1000
        });
        // A jump of the clock ends both at once; else a call ends by its own deadline.
        let Ok(result) = timeout(patience, call).await else {
            *ends.entry(1).or_default() += 1; // given up
            continue;
        };
        let code = result.and_then(|mut reply| {
            if !is_oneway {
                let greeting: String = reply.take(2, "outGreetings")?;
                assert_eq!(greeting, name, "an answer finds its own call");
            }
            Ok(())
        });
        *ends.entry(code_of(&code)).or_default() += 1;
    }
    ends
}

/// The code of an error that a call may have here.
fn code_of(result: &Result<()>) -> i32 {
    match result {
        Ok(()) => codes::OK,
        Err(
            error @ (Error::Timeout { .. }
            | Error::Connect { .. }
            | Error::Disconnected { .. }
            | Error::QueueFull { .. }
            | Error::Server {
                code: codes::OVERLOAD,
                ..
            }),
        ) => error.code(),
        Err(other) => panic!("{other:?}"),
    }
}

fn rss_kib() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:"));
    line.unwrap()
        .trim()
        .trim_end_matches(" kB")
        .parse()
        .unwrap()
}

async fn schedule(seed: u64, faults: &Faults) -> Ends {
    let mut rng = Rng::with_seed(seed);
    let (accepted, streams) = mpsc::unbounded_channel();
    let (sockets, away) = (Arc::<AtomicUsize>::default(), Arc::default());
    let mut config = Config::default();
    config.max_pending = CALLERS;
    config.backoff_first = Duration::from_millis(1);
    config.backoff_last = Duration::from_millis(10);
    config.keep_alive = Some(Duration::from_secs(2));
    config.keep_alive_timeout = Duration::from_millis(500);
    config.idle = Some(Duration::from_secs(20));
    config.write_stall = Duration::from_millis(500);
    let communicator = Communicator::builder()
        .connector(Wire {
            size: rng.usize(32..2000),
            accepted,
            sockets: Arc::clone(&sockets),
            away: Arc::clone(&away),
        })
        .config(config)
        .build();
    let client = client_of(&communicator, &format!("{OBJ}@tcp -h in.memory -p 1"));
    let server = Misbehaving {
        rng: rng.fork(),
        away,
        faults: Arc::clone(faults),
        held: Vec::new(),
    };
    let server = tokio::spawn(server.serve(streams));
    let mut callers = JoinSet::new();
    for caller in 0..CALLERS {
        callers.spawn(call(client.clone(), rng.fork(), caller));
    }
    let mut ends = Ends::new();
    for (code, times) in callers.join_all().await.into_iter().flatten() {
        *ends.entry(code).or_default() += times;
    }
    assert_eq!(ends.values().sum::<u64>(), (CALLERS * CALLS) as u64);
    let one_at_most = sockets.load(Ordering::Relaxed);
    assert!(one_at_most <= 1, "seed {seed}: {one_at_most} sockets");
    server.abort();
    let _ = server.await; // it may have ended

    // All places are free again: as many calls as ever may wait, each up to its timeout or the end of the back-off.
    sleep(Duration::from_secs(1)).await;
    let mut last = JoinSet::new();
    for _ in 0..CALLERS {
        let client = client.clone();
        last.spawn(async move { client.test_taf_server().await });
    }
    for result in last.join_all().await {
        let error = result.unwrap_err();
        let full = matches!(error, Error::QueueFull { .. });
        assert!(!full, "seed {seed}: {error}");
    }

    drop((client, communicator));
    let until = Instant::now() + Duration::from_secs(60);
    while Handle::current().metrics().num_alive_tasks() > 0 && Instant::now() < until {
        sleep(Duration::from_millis(100)).await;
    }
    let tasks = Handle::current().metrics().num_alive_tasks();
    assert_eq!(
        (tasks, sockets.load(Ordering::Relaxed)),
        (0, 0),
        "seed {seed}"
    );
    ends
}

#[test]
fn whatever_the_server_does_every_call_ends_and_nothing_leaks() {
    const SCHEDULES: u64 = 1000;
    let faults = Faults::default();
    let mut ends = Ends::new();
    let mut warm = 0;
    for seed in 0..SCHEDULES {
        if seed == SCHEDULES / 10 {
            warm = rss_kib();
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap();
        for (code, times) in runtime.block_on(schedule(seed, &faults)) {
            *ends.entry(code).or_default() += times;
        }
    }
    let grown = rss_kib().saturating_sub(warm);
    assert!(grown < 8 << 10, "memory has grown by {grown} KiB");
    let faults = faults.lock().unwrap();
    for fault in FAULTS {
        let times = faults.get(&fault).copied().unwrap_or_default();
        assert!(times > 50, "{fault:?}: {faults:?}");
    }
    for code in [
        codes::OK,
        codes::INVOKE_TIMEOUT,
        codes::PROXY_CONNECT,
        codes::OVERLOAD,
        1,
    ] {
        assert!(ends.get(&code) > Some(&(SCHEDULES / 4)), "{code}: {ends:?}");
    }
}
