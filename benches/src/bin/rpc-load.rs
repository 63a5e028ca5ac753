//! A server to call, and the load that calls it: `scripts/bench-rpc.sh` runs both beside those of peers.
//!
//! `rpc-load server [threads=N]` prints its port and serves `sayHelloWorld` until it is ended.
//!
//! `rpc-load client port=P [connections=1] [outstanding=1] [parked=0] [size=1024] [seconds=2] [threads=N]` calls it in
//! a closed loop, each of so many callers going over the connections in turn. With `parked`, so many other calls wait
//! for their answers meanwhile. It prints `begin` when the time that counts begins, and then one JSON object.

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
    time::{Duration, Instant},
};

use tars_rpc::{
    Communicator, Error, Result,
    client::{CallOptions, Config, ServantProxy},
    server::{Dispatch, Limits, Request, Servant, Server},
};
use tokio::{
    task::JoinSet,
    time::{sleep, timeout},
};

const NAME: &str = "PHPTest.PHPServer.obj";

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
        "server" => run(&options, server()),
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

async fn server() -> Result<()> {
    let mut limits = Limits::default();
    limits.max_connections = 20_000;
    limits.max_in_flight = 200_000;
    limits.max_in_flight_per_connection = 200_000;
    let server = Server::builder()
        .bind(SocketAddr::from(([127, 0, 0, 1], 0)))
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

async fn client(options: &Options) -> Result<()> {
    let proxies: Arc<[_]> = (0..options.get("connections", 1))
        .map(|_| proxy(options.get("port", 0)))
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
    let mut callers = JoinSet::new();
    for caller in 0..options.get("outstanding", 1) {
        let (proxies, name) = (Arc::clone(&proxies), Arc::clone(&name));
        let (stop, counts) = (Arc::clone(&stop), Arc::clone(&counts));
        callers.spawn(async move {
            let mut latencies = Vec::new();
            for proxy in proxies.iter().cycle().skip(caller % proxies.len()) {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                let counted = counts.load(Ordering::Relaxed);
                let begun = Instant::now();
                greet(proxy, &name).await?;
                if counted {
                    latencies.push(begun.elapsed());
                }
            }
            Ok::<_, Error>(latencies)
        });
    }
    sleep(WARM_UP).await;
    // Parked calls have arrived by then, or something is wrong with them.
    if let Ok(Some(ended)) = timeout(Duration::ZERO, parked.join_next()).await {
        ended.map_err(|error| Error::new(1, error.to_string()))??;
    }
    print("begin");
    counts.store(true, Ordering::Relaxed);
    let (begun, cpu) = (Instant::now(), cpu_seconds());
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
        at.map_or(0.0, |latency| latency.as_secs_f64() * 1e6)
    };
    print(&format!(
        r#"{{"calls": {}, "seconds": {elapsed:.6}, "cpu": {cpu:.3}, "p50": {:.1}, "p99": {:.1}, "p999": {:.1}}}"#,
        latencies.len(),
        quantile(0.5),
        quantile(0.99),
        quantile(0.999),
    ));
    Ok(())
}

/// A proxy with a connection of its own: proxies of a communicator share one.
fn proxy(port: u16) -> Result<ServantProxy> {
    let mut config = Config::default();
    config.timeout = Duration::from_secs(60);
    config.keep_alive = None; // the pings of thousands of connections are not the cost of a call
    config.max_queue = 200_000;
    config.max_pending = 200_000;
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
