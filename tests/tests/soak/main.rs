//! Many connections through a proxy that breaks them, and a server that is restarted: every call ends exactly once,
//! with the right answer or a typed error, and nothing is left behind.
//!
//! `TARS_SOAK_SECONDS` says for how long; `scripts/soak.sh` prints the numbers.

mod chaos;

use std::{
    collections::BTreeMap,
    fs,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use tars_rpc::{
    Communicator, Error, Version,
    client::{CallOptions, Config, ServantProxy},
    server::{Dispatch, Limits, Request, Servant, Server},
};
use tokio::{net::TcpListener, runtime::Handle, sync::watch, task::JoinSet, time::sleep};
use tokio_util::sync::CancellationToken;

const CONNECTIONS: usize = 200;
const CALLERS: usize = 3;
const NAME: &str = "Soak.Server.Obj";

/// After less, the heap still grows to the size of the load.
const WARM_UP: Duration = Duration::from_secs(10);

/// Longer than any call may take after its timeout.
const HANGS: Duration = Duration::from_secs(10);

struct Echo;

impl Servant for Echo {
    fn dispatch(&self, request: Request) -> Dispatch {
        Box::pin(async move {
            let (cx, mut args) = request.into_parts();
            let text: String = args.take(1, "text")?;
            let ms: i32 = args.take(2, "ms")?;
            match cx.func() {
                "echo" => {}
                "fail" => return Err(Error::new(1234, text)),
                "panic" => panic!("{text}"),
                _ => return Err(cx.unknown_function()),
            }
            if ms > 0 {
                sleep(Duration::from_millis(ms.unsigned_abs().into())).await;
            }
            let mut reply = cx.reply();
            reply.put_result(&text);
            Ok(reply)
        })
    }
}

/// How calls ended.
type Counts = BTreeMap<String, u64>;

/// What a process holds.
#[derive(Debug)]
struct Held {
    fds: usize,
    tasks: usize,
    rss_kib: u64,
}

impl Held {
    fn now() -> Self {
        let status = fs::read_to_string("/proc/self/status").unwrap();
        let rss = status
            .lines()
            .find_map(|l| l.strip_prefix("VmRSS:"))
            .unwrap();
        Self {
            fds: fs::read_dir("/proc/self/fd").unwrap().count(),
            tasks: Handle::current().metrics().num_alive_tasks(),
            rss_kib: rss.trim().trim_end_matches(" kB").parse().unwrap(),
        }
    }
}

#[test]
#[ignore = "takes a minute; ten with scripts/soak.sh"]
fn every_call_ends_once_and_nothing_is_left() {
    let seconds = std::env::var("TARS_SOAK_SECONDS").map_or(60, |text| text.parse().unwrap());
    std::panic::set_hook(Box::new(|info| {
        // The servant's are part of the test.
        if info.payload_as_str() != Some("soak") {
            eprintln!("{info}");
        }
    }));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        // What the runtime and the allocator keep, they have after a while.
        eprintln!("{}", run(WARM_UP).await);
        let before = settled().await;
        eprintln!("before: {before:?}");
        let rest = Duration::from_secs(seconds).saturating_sub(WARM_UP);
        eprintln!("{}", run(rest).await);
        let after = settled().await;
        eprintln!("after: {after:?}");
        assert_eq!((after.fds, after.tasks), (before.fds, before.tasks));
        let allowed = before.rss_kib + before.rss_kib / 4 + (8 << 10);
        assert!(after.rss_kib <= allowed, "memory has grown");
    });
}

/// Waits for the tasks of what was dropped to end.
async fn settled() -> Held {
    let until = Instant::now() + Duration::from_secs(20);
    loop {
        let held = Held::now();
        if held.tasks == 0 || Instant::now() > until {
            return held;
        }
        sleep(Duration::from_millis(50)).await;
    }
}

/// Says what happened.
async fn run(duration: Duration) -> String {
    let started = Instant::now();
    let until = started + duration;
    let faults = Arc::default();
    let stop = CancellationToken::new();

    let (address, server) = watch::channel(SocketAddr::from(([127, 0, 0, 1], 1)));
    let servers = tokio::spawn(restarting_server(address, stop.clone()));
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let proxy_port = listener.local_addr().unwrap().port();
    let proxy = tokio::spawn(chaos::proxy(listener, server, Arc::clone(&faults)));

    let mut callers = JoinSet::new();
    let mut clients = Vec::new();
    for connection in 0..CONNECTIONS {
        let communicator = Communicator::builder().config(config()).build();
        let address = format!("{NAME}@tcp -h 127.0.0.1 -p {proxy_port}");
        let proxy = communicator.string_to_proxy(&address).unwrap();
        clients.push(communicator);
        for caller in 0..CALLERS {
            let id = format!("{connection}.{caller}");
            callers.spawn(call_until(until, proxy.clone(), id));
        }
    }
    let mut counts = Counts::new();
    while let Some(ended) = callers.join_next().await {
        for (kind, count) in ended.expect("a caller found a fault") {
            *counts.entry(kind).or_default() += count;
        }
    }
    stop.cancel();
    let restarts = servers.await.unwrap();
    proxy.abort();
    let connects: u64 = clients.iter().map(|c| c.stats().connects.get()).sum();
    assert!(counts.contains_key("right answer"));
    format!(
        "{:?}: {} calls on {connects} connections, {restarts} servers, {} faults: {counts:?}",
        started.elapsed(),
        counts.values().sum::<u64>(),
        faults.count(),
    )
}

fn config() -> Config {
    let mut config = Config::default();
    config.timeout = Duration::from_millis(1500);
    config.connect_timeout = Duration::from_millis(500);
    config.backoff_first = Duration::from_millis(10);
    config.backoff_last = Duration::from_millis(300);
    config.write_stall = Duration::from_secs(1);
    config.max_frame = 1 << 20;
    config
}

/// One server after the other, each on a port of its own; every other one is not given the time to drain.
async fn restarting_server(address: watch::Sender<SocketAddr>, stop: CancellationToken) -> u64 {
    let mut limits = Limits::default();
    limits.write_stall = Duration::from_secs(1);
    limits.max_frame = 1 << 20;
    for number in 1.. {
        let server = Server::builder()
            .bind(SocketAddr::from(([127, 0, 0, 1], 0)))
            .limits(limits.clone())
            .drain(Duration::from_secs(2))
            .servant(NAME, Echo)
            .listen()
            .await
            .unwrap();
        address.send_replace(server.local_addrs()[0]);
        let life = Duration::from_millis(fastrand::u64(2_000..8_000));
        if number % 2 == 0 {
            tokio::select! {
                () = server.serve(std::future::pending()) => {}
                () = sleep(life) => {}
                () = stop.cancelled() => {}
            }
        } else {
            server
                .serve(async {
                    tokio::select! {
                        () = sleep(life) => {}
                        () = stop.cancelled() => {}
                    }
                })
                .await;
        }
        if stop.is_cancelled() {
            return number;
        }
    }
    unreachable!("servers are numbered without end")
}

async fn call_until(until: Instant, proxy: ServantProxy, id: String) -> Counts {
    let mut counts = Counts::new();
    let mut number = 0_u64;
    while Instant::now() < until {
        number += 1;
        let call = call(&proxy, format!("{id}.{number}"));
        let kind = tokio::time::timeout(HANGS, call).await;
        *counts
            .entry(kind.expect("a call has not ended"))
            .or_default() += 1;
        sleep(Duration::from_millis(fastrand::u64(..400))).await;
    }
    counts
}

const VERSIONS: [Version; 4] = [
    Version::Tars,
    Version::TupComplex,
    Version::Tup,
    Version::Json,
];

/// Makes one call of some kind and says how it ended.
async fn call(proxy: &ServantProxy, token: String) -> String {
    let version = VERSIONS[fastrand::usize(..VERSIONS.len())];
    let mut options = CallOptions::new().version(version).context("token", &token);
    let mut text = token;
    let mut ms = 0;
    let mut func = "echo";
    let mut dropped = false;
    let mut oneway = false;
    match fastrand::u32(..100) {
        0..=4 => func = "fail",
        5 => (func, text) = ("panic", "soak".to_owned()),
        6..=9 => text = text.repeat(fastrand::usize(1..8000)),
        10..=19 => ms = fastrand::i32(1..300),
        20..=24 => {
            ms = 500;
            options = options.timeout(Duration::from_millis(fastrand::u64(1..400)));
        }
        25..=27 => oneway = true,
        28..=32 => (dropped, ms) = (true, 100),
        _ => {}
    }
    if oneway {
        options = options.oneway();
    }
    let proxy = proxy.with(options);
    let calling = proxy.call(func, |args| {
        args.put(1, "text", &text);
        args.put(2, "ms", &ms);
    });
    let result = if dropped {
        match tokio::time::timeout(Duration::from_millis(fastrand::u64(..50)), calling).await {
            Ok(result) => result,
            Err(_) => return "given up".to_owned(),
        }
    } else {
        calling.await
    };
    match result {
        Ok(_) if oneway => "oneway sent",
        Ok(mut reply) => {
            let got: String = reply.take_result().expect("an answer without a result");
            assert_eq!((func, got), ("echo", text), "the answer of another call");
            "right answer"
        }
        Err(Error::Server { code, message, .. }) => match (func, code) {
            ("fail", 1234) => {
                assert_eq!(message, text, "the error of another call");
                "the servant's error"
            }
            ("panic", -99) => "the servant's panic",
            (_, -6) => "expired at the server",
            (_, -9) => "server overloaded",
            _ => panic!("code {code} {message} from {func}"),
        },
        Err(Error::Timeout { .. }) => "timeout",
        Err(Error::Connect { .. }) => "not connected",
        Err(Error::Disconnected { .. }) => "connection lost",
        Err(Error::QueueFull { .. }) => "queue full",
        Err(other) => panic!("{other}"),
    }
    .to_owned()
}
