//! Calls of `sayHelloWorld` in a closed loop, client and server on one thread:
//! `cargo bench -p tars-benches --bench rpc`.
//!
//! A time is that of one call. `memory` leaves the kernel out, and so shows what this project costs.

#![allow(missing_docs)] // criterion_group makes a public function

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use tars_rpc::{
    Communicator, Result,
    client::{ServantProxy, layer::Trace},
    server::{Dispatch, Request, Servant, Server},
    testing::Network,
};
use tokio::{runtime, task::JoinSet};

const OBJ: &str = "App.Server.obj";

struct Greeter;

impl Servant for Greeter {
    fn dispatch(&self, request: Request) -> Dispatch {
        Box::pin(async move {
            let (cx, mut args) = request.into_parts();
            let name: String = args.take(1, "name")?;
            let mut reply = cx.reply();
            reply.put(
                2,
                "outGreetings",
                if name == "ted" {
                    "hello world!"
                } else {
                    "hello!"
                },
            );
            Ok(reply)
        })
    }
}

async fn say_hello_world(proxy: &ServantProxy) -> Result<String> {
    let mut reply = proxy
        .call("sayHelloWorld", |args| args.put(1, "name", "ted"))
        .await?;
    reply.take(2, "outGreetings")
}

/// Makes this many calls, so many at a time.
async fn closed_loop(proxy: &ServantProxy, calls: u64, at_a_time: u64) -> Duration {
    let mut tasks = JoinSet::new();
    let began = Instant::now();
    for task in 0..at_a_time {
        let proxy = proxy.clone();
        let calls = calls / at_a_time + u64::from(task < calls % at_a_time);
        tasks.spawn(async move {
            for _ in 0..calls {
                black_box(say_hello_world(&proxy).await.expect("an answer"));
            }
        });
    }
    tasks.join_all().await;
    began.elapsed()
}

fn server() -> tars_rpc::server::ServerBuilder {
    Server::builder().servant(OBJ, Greeter)
}

/// A proxy by way of memory, for one endpoint or several.
async fn in_memory(endpoints: &[&str]) -> ServantProxy {
    let network = Network::default();
    for host in endpoints {
        network.serve(*host, 1, server().listen().await.expect("a server"));
    }
    let endpoints: Vec<_> = endpoints
        .iter()
        .map(|host| format!("tcp -h {host} -p 1"))
        .collect();
    let address = format!("{OBJ}@{}", endpoints.join(":"));
    let communicator = Communicator::builder().connector(network).build();
    communicator.string_to_proxy(&address).expect("an address")
}

async fn over_loopback() -> ServantProxy {
    let server = server().bind(([127, 0, 0, 1], 0).into()).listen();
    let server = server.await.expect("a free port");
    let port = server.local_addrs()[0].port();
    tokio::spawn(server.serve(std::future::pending()));
    let address = format!("{OBJ}@tcp -h 127.0.0.1 -p {port}");
    Communicator::new()
        .string_to_proxy(&address)
        .expect("an address")
}

fn calls(c: &mut Criterion) {
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let one = runtime.block_on(in_memory(&["a"]));
    let ways = [
        ("memory", one.clone()),
        (
            "memory, 3 endpoints",
            runtime.block_on(in_memory(&["a", "b", "c"])),
        ),
        ("memory, a layer", one.layer(&Trace::new())),
        ("loopback", runtime.block_on(over_loopback())),
    ];
    for (way, proxy) in &ways {
        let mut group = c.benchmark_group(*way);
        group.throughput(Throughput::Elements(1));
        for at_a_time in [1, 100, 1000] {
            let id = BenchmarkId::new("outstanding", at_a_time);
            group.bench_function(id, |b| {
                b.iter_custom(|calls| runtime.block_on(closed_loop(proxy, calls, at_a_time)));
            });
        }
        group.finish();
    }
}

criterion_group!(benches, calls);
criterion_main!(benches);
