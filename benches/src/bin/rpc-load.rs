//! A server to call, and the load that calls it: `scripts/bench-rpc.sh` runs both beside those of peers.
//!
//! `rpc-load server [threads=N] [shards=N]` prints its port and serves `sayHelloWorld` until it is ended; with `shards`,
//! so many threads have each a runtime and a server of its own, and the kernel spreads connections over them.
//! `busy_poll=US` on either side keeps its thread awake for so long.
//!
//! `rpc-load client port=P [connections=1] [outstanding=1] [stay=0] [parked=0] [slow=0] [rate=0] [size=1024]
//! [seconds=2] [threads=N]` calls it in a closed loop, each of so many callers going over the connections in turn, or
//! with `stay=1` keeping to one. With `parked`, so many other calls wait for their answers meanwhile; with `slow`, so
//! many callers make calls that take the servant 50 ms. With `rate`, calls begin at so many a second, whatever becomes
//! of those before (an open loop), and a latency counts from when the calls of its millisecond were due. It prints
//! `begin` when the time that counts begins, and then one JSON object.

#![forbid(unsafe_code)]

use std::{
    collections::HashMap,
    env, fs,
    future::Future,
    io::{self, Write},
    net::SocketAddr,
    str::FromStr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use tars_rpc::{
    Communicator, Error, Result,
    client::{CallOptions, Config, ServantProxy},
    server::{Dispatch, Limits, Request, Servant, Server},
};
use tokio::{
    net::TcpSocket,
    sync::mpsc,
    task::JoinSet,
    time::{sleep, timeout},
};

const NAME: &str = "PHPTest.PHPServer.obj";

/// Of an open loop.
const TICK: Duration = Duration::from_millis(1);

/// Before the time that counts.
const WARM_UP: Duration = Duration::from_millis(500);

fn main() -> io::Result<()> {
    let mut args = env::args().skip(1);
    let side = args.next().unwrap_or_default();
    let options = Options(
        args.filter_map(|arg| {
            arg.split_once('=')
                .map(|(k, v)| (k.to_owned(), v.to_owned()))
        })
        .collect(),
    );
    match side.as_str() {
        "server" => serve(&options),
        "client" => run(&options, client(&options)),
        _ => Err(io::Error::other("`server` or `client`, see the source")),
    }
}

/// `key=value` of the command line.
struct Options(HashMap<String, String>);

impl Options {
    fn get<T: FromStr>(&self, key: &str, default: T) -> T {
        let given = self.0.get(key).and_then(|value| value.parse().ok());
        given.unwrap_or(default)
    }
}

/// One thread is tokio's `current_thread`; more are `multi_thread`.
fn run(options: &Options, job: impl Future<Output = Result<()>>) -> io::Result<()> {
    let mut builder = match options.get("threads", 2) {
        1 => tokio::runtime::Builder::new_current_thread(),
        threads => {
            let mut builder = tokio::runtime::Builder::new_multi_thread();
            builder.worker_threads(threads);
            builder
        }
    };
    let runtime = builder.enable_all().build()?;
    runtime.block_on(job).map_err(io::Error::other)
}

fn serve(options: &Options) -> io::Result<()> {
    let shards: usize = options.get("shards", 0);
    if shards == 0 {
        return run(options, server(([127, 0, 0, 1], 0).into(), limits(options)));
    }
    // A port for all of them, held until they have it.
    let first = reusable(([127, 0, 0, 1], 0).into())?;
    let address = first.local_addr()?;
    print(&format!("port {}", address.port()));
    let threads: Vec<_> = (0..shards)
        .map(|_| {
            let limits = limits(options);
            thread::spawn(move || {
                let one = Options([("threads".to_owned(), "1".to_owned())].into());
                run(&one, shard(address, limits))
            })
        })
        .collect();
    drop(first);
    for thread in threads {
        thread
            .join()
            .map_err(|_| io::Error::other("a shard panicked"))??;
    }
    Ok(())
}

fn reusable(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseport(true)?;
    socket.bind(address)?;
    Ok(socket)
}

/// A server with an accept loop of its own.
async fn shard(address: SocketAddr, limits: Limits) -> Result<()> {
    let failed = |error: io::Error| Error::new(1, error.to_string());
    let listener = reusable(address).and_then(|socket| socket.listen(1024));
    let listener = listener.map_err(failed)?;
    let server = Server::builder()
        .limits(limits)
        .servant(NAME, Greeter)
        .listen()
        .await?;
    loop {
        let (stream, peer) = listener.accept().await.map_err(failed)?;
        stream.set_nodelay(true).map_err(failed)?;
        tokio::spawn(server.serve_stream(stream, peer));
    }
}

fn print(line: &str) {
    let mut out = io::stdout().lock();
    // Without a reader there is nobody to tell.
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

struct Greeter;

impl Servant for Greeter {
    fn dispatch(&self, request: Request) -> Dispatch {
        Box::pin(async move {
            let (cx, mut args) = request.into_parts();
            if cx.func() != "sayHelloWorld" {
                return Err(cx.unknown_function());
            }
            let name: String = args.take(1, "name")?;
            if let Some(ms) = name.strip_prefix("sleep:") {
                sleep(Duration::from_millis(ms.parse().unwrap_or(0))).await;
            }
            let mut reply = cx.reply();
            reply.put(2, "outGreetings", &format!("hello {name}"));
            Ok(reply)
        })
    }
}

fn busy_poll(options: &Options) -> Duration {
    Duration::from_micros(options.get("busy_poll", 0))
}

fn limits(options: &Options) -> Limits {
    let mut limits = Limits::default();
    limits.busy_poll = busy_poll(options);
    limits.max_connections = 20_000;
    limits.max_in_flight = 200_000;
    limits.max_in_flight_per_connection = 200_000;
    limits
}

async fn server(address: SocketAddr, limits: Limits) -> Result<()> {
    let server = Server::builder()
        .bind(address)
        .limits(limits)
        .servant(NAME, Greeter)
        .listen()
        .await?;
    for address in server.local_addrs() {
        print(&format!("port {}", address.port()));
    }
    server.serve(std::future::pending()).await;
    Ok(())
}

/// In nanoseconds. A thousand callers note it in as many places, which shall take little of the cache.
type Latency = u32;

fn latency(begun: Instant) -> Latency {
    u32::try_from(begun.elapsed().as_nanos()).unwrap_or(u32::MAX)
}

/// What is called, and until when.
#[derive(Clone)]
struct Load {
    proxies: Arc<[ServantProxy]>,
    name: Arc<str>,
    counts: Arc<AtomicBool>,
    stop: Arc<AtomicBool>,
}

impl Load {
    /// One call after the other. Gives the latencies of those that count.
    async fn looped(self, caller: usize, stay: bool) -> Result<Vec<Latency>> {
        let mut latencies = Vec::new();
        let from = caller % self.proxies.len();
        let mut turns = self.proxies.iter().cycle().skip(from);
        let mut proxy = &self.proxies[from];
        while !self.stop.load(Ordering::Relaxed) {
            if !stay && let Some(next) = turns.next() {
                proxy = next;
            }
            let counted = self.counts.load(Ordering::Relaxed);
            let begun = Instant::now();
            greet(proxy, &self.name).await?;
            if counted {
                latencies.push(latency(begun));
            }
        }
        Ok(latencies)
    }

    /// So many calls a second, whatever becomes of them: those of a millisecond at its begin. Gives the latencies of
    /// those that count.
    async fn paced(self, rate: f64) -> Result<Vec<Latency>> {
        let began = Instant::now();
        let (ticks, mut begins) = mpsc::unbounded_channel();
        // The runtime's timer has whole milliseconds, and may be one late.
        thread::spawn(move || {
            for tick in 1.. {
                let at = began + TICK * tick;
                thread::sleep(at.saturating_duration_since(Instant::now()));
                if ticks.send(at).is_err() {
                    return;
                }
            }
        });
        let mut calls = JoinSet::new();
        let mut made = 0_u32;
        let mut latencies = Vec::new();
        while !self.stop.load(Ordering::Relaxed)
            && let Some(at) = begins.recv().await
        {
            let due = ((at - began).as_secs_f64() * rate) as u32;
            while made < due {
                let proxy = self.proxies[made as usize % self.proxies.len()].clone();
                let name = Arc::clone(&self.name);
                let counted = self.counts.load(Ordering::Relaxed);
                calls.spawn(async move {
                    greet(&proxy, &name).await?;
                    Ok::<_, Error>(counted.then(|| latency(at)))
                });
                made += 1;
            }
            while let Some(ended) = calls.try_join_next() {
                let latency = ended.map_err(|error| Error::new(1, error.to_string()))??;
                latencies.extend(latency);
            }
        }
        for ended in calls.join_all().await {
            latencies.extend(ended?);
        }
        Ok(latencies)
    }
}

async fn client(options: &Options) -> Result<()> {
    let proxies: Arc<[_]> = (0..options.get("connections", 1))
        .map(|_| proxy(options))
        .collect::<Result<_>>()?;
    let name: Arc<str> = "x".repeat(options.get("size", 1024)).into();
    for proxy in proxies.iter() {
        greet(proxy, &name).await?;
    }

    let seconds = Duration::from_secs_f64(options.get("seconds", 2.0));
    let mut parked = JoinSet::new();
    for _ in 0..options.get("parked", 0) {
        let proxy = proxies[0].clone();
        let options = CallOptions::new().timeout(Duration::from_secs(600));
        parked.spawn(async move { greet(&proxy.with(options), "sleep:600000").await });
    }
    let stop = Arc::new(AtomicBool::new(false));
    let counts = Arc::new(AtomicBool::new(false));
    for _ in 0..options.get("slow", 0) {
        let (proxy, stop) = (proxies[0].clone(), Arc::clone(&stop));
        parked.spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                greet(&proxy, "sleep:50").await?;
            }
            Ok(())
        });
    }
    let mut callers = JoinSet::new();
    let load = Load {
        proxies,
        name,
        counts: Arc::clone(&counts),
        stop: Arc::clone(&stop),
    };
    let rate = options.get("rate", 0.0);
    if rate > 0.0 {
        callers.spawn(load.paced(rate));
    } else {
        let stay = options.get("stay", 0) == 1;
        for caller in 0..options.get("outstanding", 1) {
            callers.spawn(load.clone().looped(caller, stay));
        }
    }
    sleep(WARM_UP).await;
    // Parked calls have arrived by then, or something is wrong with them.
    if let Ok(Some(ended)) = timeout(Duration::ZERO, parked.join_next()).await {
        ended.map_err(|error| Error::new(1, error.to_string()))??;
    }
    print("begin");
    counts.store(true, Ordering::Relaxed);
    let (begun, cpu, rss) = (Instant::now(), cpu_seconds(), rss_kib());
    sleep(seconds).await;
    let (elapsed, cpu) = (begun.elapsed().as_secs_f64(), cpu_seconds() - cpu);
    stop.store(true, Ordering::Relaxed);
    let mut latencies = Vec::new();
    while let Some(ended) = callers.join_next().await {
        latencies.extend(ended.map_err(|error| Error::new(1, error.to_string()))??);
    }
    latencies.sort_unstable();
    let quantile = |part: f64| {
        let index = (latencies.len() as f64 * part) as usize;
        let at = latencies.get(index.min(latencies.len().saturating_sub(1)));
        at.map_or(0.0, |latency| f64::from(*latency) / 1e3)
    };
    print(&format!(
        r#"{{"calls": {}, "seconds": {elapsed:.6}, "cpu": {cpu:.3}, "rss": {rss}, "p50": {:.1}, "p99": {:.1}, "p999": {:.1}}}"#,
        latencies.len(),
        quantile(0.5),
        quantile(0.99),
        quantile(0.999),
    ));
    Ok(())
}

/// A proxy with a connection of its own: proxies of a communicator share one.
fn proxy(options: &Options) -> Result<ServantProxy> {
    let port: u16 = options.get("port", 0);
    let mut config = Config::default();
    config.timeout = Duration::from_secs(60);
    config.keep_alive = None; // the pings of thousands of connections are not the cost of a call
    config.max_queue = 200_000;
    config.max_pending = 200_000;
    config.busy_poll = busy_poll(options);
    let communicator = Communicator::builder().config(config).build();
    communicator.string_to_proxy(&format!("{NAME}@tcp -h 127.0.0.1 -p {port}"))
}

async fn greet(proxy: &ServantProxy, name: &str) -> Result<()> {
    let mut reply = proxy
        .call("sayHelloWorld", |args| args.put(1, "name", name))
        .await?;
    let greetings: String = reply.take(2, "outGreetings")?;
    if greetings.len() == name.len() + 6 {
        Ok(())
    } else {
        Err(Error::new(1, "a wrong answer"))
    }
}

/// Of this process, to a hundredth of a second.
fn cpu_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks = after_name.split_whitespace().skip(11).take(2);
    ticks.filter_map(|n| n.parse::<f64>().ok()).sum::<f64>() / 100.0
}

/// Memory of this process.
fn rss_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    kib.unwrap_or_default()
}
