//! Connections that look for bytes without letting their thread sleep.

mod common;

use std::time::Duration;

use common::{OBJ, Raw, Running, example, greet, greeting, in_memory, peer};
use tars_rpc::{
    Communicator,
    client::Config,
    server::{Limits, Server},
};

const TIME: Duration = Duration::from_millis(1);

fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.busy_poll = TIME;
    limits
}

async fn calls_over_sockets() {
    let mut config = Config::default();
    config.busy_poll = TIME;
    let server = Running::start(limits()).await;
    server.gate.cancel();
    let client = server.client(&Communicator::builder().config(config).build());
    for _ in 0..100 {
        assert_eq!(client.say_hello_world("x").await.unwrap(), "hello x!");
    }
    let many = (0..100).map(|_| {
        let client = client.clone();
        tokio::spawn(async move { client.say_hello_world("x").await })
    });
    for call in many.collect::<Vec<_>>() {
        call.await.unwrap().unwrap();
    }
    server.stop.cancel();
    server.task.await.unwrap();
}

#[tokio::test]
async fn on_one_thread() {
    calls_over_sockets().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_two_threads() {
    calls_over_sockets().await;
}

/// It ends though the clock of the runtime stands still meanwhile, and an answer that comes later is taken.
#[tokio::test(start_paused = true)]
async fn a_client_looks_for_a_while_and_then_waits() {
    let (client, _communicator, mut server) = in_memory(1 << 16, |config| config.busy_poll = TIME);
    let call = tokio::spawn(async move { client.say_hello_world("x").await });
    let mut connection = server.accept().await;
    let id = connection.request().await.unwrap().request_id;
    tokio::time::sleep(Duration::from_secs(2)).await;
    connection.send(&greeting(id, "late")).await;
    assert_eq!(call.await.unwrap().unwrap(), "late");
}

#[tokio::test(start_paused = true)]
async fn a_server_looks_for_a_while_and_then_waits() {
    let (servant, gate, _begun) = example();
    gate.cancel();
    let server = Server::builder()
        .servant(OBJ, servant)
        .limits(limits())
        .listen()
        .await
        .unwrap();
    let (ours, theirs) = tokio::io::duplex(1 << 16);
    tokio::spawn(server.serve_stream(theirs, peer()));
    let mut connection = Raw::new(ours);
    for id in 1..3 {
        connection.send(&greet(id, "x", |_| {})).await;
        assert_eq!(connection.answer().await.unwrap().request_id, id);
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
}
