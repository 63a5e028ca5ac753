//! What becomes of a call in each case of the table "What a server answers" in `docs/tars-rpc.md`, when the server is one
//! of ours or an older one. (`answers.rs` has what our server says. That silence after a ping is not held against a peer
//! while calls succeed is in `keep_alive.rs`.)

mod common;

use std::time::Duration;

use common::{
    OBJ, TestTafServiceServant, client_of, example, failure, greeting, in_memory, recorded,
};
use tars_rpc::{
    Communicator, Error, Result, Version,
    client::CallOptions,
    codes,
    server::{Limits, Server},
    testing::Network,
};
use tokio::{task::JoinHandle, time::Instant};

fn spawn(client: &TestTafServiceServant, name: &str) -> JoinHandle<Result<String>> {
    let (client, name) = (client.clone(), name.to_owned());
    tokio::spawn(async move { client.say_hello_world(&name).await })
}

fn server_code<T>(result: Result<T>) -> i32 {
    match result {
        Err(Error::Server { code, .. }) => code,
        Err(other) => panic!("{other:?}"),
        Ok(_) => codes::OK,
    }
}

#[tokio::test(start_paused = true)]
async fn codes_of_our_server_in_every_version() {
    for version in [
        Version::Tars,
        Version::Tup,
        Version::TupComplex,
        Version::Json,
    ] {
        let mut limits = Limits::default();
        limits.max_in_flight = 1;
        limits.max_queue = 1;
        limits.queue_timeout = Duration::from_secs(1);
        let (servant, gate, mut begun) = example();
        let server = Server::builder().servant(OBJ, servant).limits(limits);
        let network = Network::default();
        network.serve("a", 1, server.listen().await.unwrap());
        let communicator = Communicator::builder().connector(network).build();
        let at = |name: &str| client_of(&communicator, &format!("{name}@tcp -h a -p 1"));
        let options = CallOptions::new().version(version);
        let client = at(OBJ).with(options.clone());
        client.proxy().call("tars_ping", |_| {}).await.unwrap();
        let call = |func: &'static str| {
            let proxy = client.proxy().clone();
            async move { server_code(proxy.call(func, |args| args.put(1, "nom", &1)).await) }
        };
        assert_eq!(call("noSuchFunction").await, codes::NO_FUNCTION);
        assert_eq!(call("sayHelloWorld").await, codes::SERVER_DECODE);
        let other = at("No.Such.Obj").with(options.clone());
        assert_eq!(
            server_code(other.test_taf_server().await),
            codes::NO_SERVANT
        );
        assert_eq!(server_code(client.say_hello_world("fail").await), 1234);
        let panicked = client.say_hello_world("panic").await;
        assert_eq!(server_code(panicked), codes::UNKNOWN);

        while begun.try_recv().is_ok() {}
        let patient = client.with(options.timeout(Duration::from_secs(60)));
        let running = spawn(&patient, "wait");
        assert_eq!(begun.recv().await.unwrap(), "wait");
        let waiting = spawn(&patient, "expires");
        tokio::time::sleep(Duration::from_millis(1)).await;
        assert_eq!(
            server_code(client.say_hello_world("x").await),
            codes::OVERLOAD
        );
        assert_eq!(server_code(waiting.await.unwrap()), codes::QUEUE_TIMEOUT);
        running.abort();
        gate.cancel();
        tokio::time::sleep(Duration::from_millis(1)).await;
        assert_eq!(server_code(client.say_hello_world("ted").await), codes::OK);
    }
}

/// TarsPHP answers calls that want no answer.
#[tokio::test(start_paused = true)]
async fn oneway_with_a_stray_answer() {
    let (client, communicator, mut server) = in_memory(1 << 16, |_| {});
    let oneway = client.with(CallOptions::new().oneway());
    oneway.test_taf_server().await.unwrap();
    let mut server = server.accept().await;
    let stray = server.request().await.unwrap().request_id;
    server.send(&greeting(stray, "unasked")).await;
    let next = spawn(&client, "x");
    let id = server.request().await.unwrap().request_id;
    server.send(&greeting(id, "asked")).await;
    assert_eq!(next.await.unwrap().unwrap(), "asked");
    assert_eq!(communicator.stats().stray_answers.get(), 1);
}

#[tokio::test(start_paused = true)]
async fn unknown_function_as_php_says_it() {
    let (client, _, mut server) = in_memory(1 << 16, |_| {});
    let call = tokio::spawn(async move { client.test_taf_server().await });
    let mut server = server.accept().await;
    server.request().await.unwrap();
    let answer = recorded("php-frames.json", "noSuchFunction", "response_hex");
    server.send(&answer).await;
    let error = call.await.unwrap().unwrap_err();
    let Error::Server {
        code: codes::UNKNOWN,
        message,
        ..
    } = error
    else {
        panic!("{error:?}")
    };
    assert_eq!(message, "-99");
}

/// TarsPHP says nothing at all.
#[tokio::test(start_paused = true)]
async fn unknown_servant_times_out() {
    let (client, _, mut server) = in_memory(1 << 16, |_| {});
    let (began, call) = (Instant::now(), spawn(&client, "x"));
    let mut server = server.accept().await;
    server.request().await.unwrap();
    let error = call.await.unwrap().unwrap_err();
    assert!(matches!(error, Error::Timeout { .. }), "{error}");
    assert_eq!(began.elapsed(), Duration::from_secs(3));
    // The connection is as good as before.
    let next = spawn(&client, "x");
    let id = server.request().await.unwrap().request_id;
    server.send(&failure(id, codes::NO_SERVANT)).await;
    assert_eq!(server_code(next.await.unwrap()), codes::NO_SERVANT);
}

#[tokio::test(start_paused = true)]
async fn undecodable_packet_or_length_out_of_range() {
    let frame: (&[u8], &str) = (&[0, 0, 0, 4], "the peer sent a frame of 4 bytes");
    let packet: (&[u8], &str) = (
        &[0, 0, 0, 6, 0x10, 1],
        "the peer sent a packet that cannot be decoded",
    );
    for (bytes, text) in [frame, packet] {
        let (client, communicator, mut server) = in_memory(1 << 16, |_| {});
        let calls = [spawn(&client, "a"), spawn(&client, "b")];
        let mut server = server.accept().await;
        server.request().await.unwrap();
        server.send(bytes).await;
        for call in calls {
            let error = call.await.unwrap().unwrap_err();
            assert_eq!(error.code(), codes::PROXY_CONNECT);
            assert!(error.to_string().contains(text), "{error}");
        }
        while server.frame().await.is_some() {}
        assert_eq!(communicator.stats().closed_malformed.get(), 1);
        // It may do so again at once: the next call waits for the back-off.
        let error = client.say_hello_world("c").await.unwrap_err();
        assert!(matches!(error, Error::Disconnected { .. }), "{error:?}");
        assert_eq!(communicator.stats().connects.get(), 1);
    }
}
