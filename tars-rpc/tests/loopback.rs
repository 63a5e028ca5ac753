//! Client and server over real sockets on loopback.

mod common;

use std::{sync::Arc, time::Duration};

use common::{Running, client_of};
use tars_rpc::{
    Communicator, Error,
    client::{CallOptions, Config},
    codes,
    server::Limits,
};
use tokio::task::JoinSet;

#[tokio::test]
async fn calls_of_every_shape() {
    let server = Running::start(Limits::default()).await;
    let client = server.client(&Communicator::new());
    client.test_taf_server().await.unwrap();
    assert_eq!(client.say_hello_world("ted").await.unwrap(), "hello world!");
    assert_eq!(
        client.say_hello_world("yield").await.unwrap(),
        "hello again!"
    );
    let basic = client.test_basic(true, 1, "333").await.unwrap();
    assert_eq!(
        (basic.result, basic.d, basic.e, basic.f.as_str()),
        (-99, false, 111, "here i am")
    );
}

#[tokio::test]
async fn context_and_status_reach_the_servant() {
    let server = Running::start(Limits::default()).await;
    let options = CallOptions::new()
        .context("trace", "1")
        .status("STATUS_GRID_KEY", "g");
    let client = server.client(&Communicator::new()).with(options);
    assert_eq!(
        client.say_hello_world("context").await.unwrap(),
        r#"{"trace": "1"} {"STATUS_GRID_KEY": "g"}"#
    );
}

#[tokio::test]
async fn failures_have_their_code_and_text() {
    let server = Running::start(Limits::default()).await;
    let communicator = Communicator::new();
    let client = server.client(&communicator);
    for (name, code, text) in [
        ("fail", 1234, "no greetings today"),
        ("panic", codes::UNKNOWN, "the servant panicked"),
        ("panic later", codes::UNKNOWN, "the servant panicked"),
    ] {
        let error = client.say_hello_world(name).await.unwrap_err();
        assert_eq!(error.code(), code);
        let Error::Server { message, .. } = &error else {
            panic!("{error:?}")
        };
        assert_eq!(message, text);
        assert_eq!(
            error.to_string(),
            format!("PHPTest.PHPServer.obj.sayHelloWorld: the server answered {code}: {text}")
        );
    }
    assert_eq!(server.stats.panics.get(), 2);
    assert_eq!(client.say_hello_world("ted").await.unwrap(), "hello world!");

    let address = format!("{}@{}", common::OBJ, server.endpoint());
    let proxy = communicator.string_to_proxy(&address).unwrap();
    let error = proxy.call("noSuchFunction", |_| {}).await.unwrap_err();
    assert_eq!(error.code(), codes::NO_FUNCTION);
    assert!(error.to_string().contains("noSuchFunction"), "{error}");
    let error = proxy
        .call("testBasic", |args| args.put(1, "a", &true))
        .await
        .unwrap_err();
    assert_eq!(error.code(), codes::SERVER_DECODE);
    assert!(
        error
            .to_string()
            .ends_with("argument b (tag 2): required, but missing, at byte 2"),
        "{error}"
    );
    proxy.call("tars_ping", |_| {}).await.unwrap();
    let mut reply = proxy.call("testTafServer", |_| {}).await.unwrap();
    let error = reply.take_result::<i32>().unwrap_err();
    assert_eq!(error.code(), codes::CLIENT_DECODE);

    let other = communicator
        .string_to_proxy(&format!("No.Such.Obj@{}", server.endpoint()))
        .unwrap();
    assert_eq!(
        other.call("f", |_| {}).await.unwrap_err().code(),
        codes::NO_SERVANT
    );
    assert_eq!(
        other.call("tars_ping", |_| {}).await.unwrap_err().code(),
        codes::NO_SERVANT
    );
    assert_eq!(
        server.stats.open.get(),
        1,
        "all proxies share one connection"
    );
    assert_eq!(server.stats.unknown_servants.get(), 2);
    assert_eq!(server.stats.unknown_functions.get(), 1);
    assert_eq!(server.stats.decode_errors.get(), 1);
}

#[tokio::test]
async fn oneway_calls_run_and_are_not_answered() {
    let mut server = Running::start(Limits::default()).await;
    let communicator = Communicator::new();
    let client = server.client(&communicator);
    let oneway = client.with(CallOptions::new().oneway());
    // It ends without the greeting that the signature promises.
    oneway.say_hello_world("oneway").await.unwrap_err();
    oneway.test_taf_server().await.unwrap();
    assert_eq!(server.begun.recv().await.unwrap(), "oneway");
    client.test_taf_server().await.unwrap();
    assert_eq!(communicator.stats().answers.get(), 1);
    assert_eq!(communicator.stats().stray_answers.get(), 0);
    assert_eq!(server.stats.succeeded.get(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_tasks_on_one_connection() {
    let server = Running::start(Limits::default()).await;
    let communicator = Communicator::new();
    let client = server.client(&communicator);
    let mut tasks = JoinSet::new();
    for task in 0..100 {
        let client = client.clone();
        tasks.spawn(async move {
            for call in 0..100 {
                let name = format!("{task}-{call}");
                let greeting = client.say_hello_world(&name).await.unwrap();
                assert_eq!(greeting, format!("hello {name}!"));
            }
        });
    }
    tasks.join_all().await;
    assert_eq!(server.stats.accepted.get(), 1);
    assert_eq!(server.stats.succeeded.get(), 10_000);
    assert_eq!(communicator.stats().answers.get(), 10_000);
}

#[tokio::test]
async fn a_peer_that_is_away_is_a_clear_error_and_is_found_when_it_is_back() {
    let server = Running::start(Limits::default()).await;
    let address = server.address;
    let mut config = Config::default();
    config.backoff_first = Duration::from_millis(1);
    config.backoff_last = Duration::from_millis(2);
    let communicator = Communicator::builder().config(config).build();
    let client = server.client(&communicator);
    client.test_taf_server().await.unwrap();
    server.stop.cancel();
    server.task.await.unwrap();

    let error = loop {
        match client.test_taf_server().await.unwrap_err() {
            Error::Disconnected { .. } => {} // it was noticed by this call
            error => break error,
        }
    };
    assert!(matches!(error, Error::Connect { .. }), "{error:?}");
    assert_eq!(error.code(), codes::PROXY_CONNECT);
    let text = error.to_string();
    assert!(
        text.starts_with(&format!(
            "PHPTest.PHPServer.obj.testTafServer: cannot connect to tcp {address}: "
        )),
        "{text}"
    );

    let (servant, ..) = common::example();
    let again = tars_rpc::server::Server::builder()
        .bind(address)
        .servant(common::OBJ, servant)
        .listen()
        .await
        .unwrap();
    tokio::spawn(again.serve(std::future::pending()));
    while let Err(error) = client.test_taf_server().await {
        assert!(matches!(error, Error::Connect { .. }), "{error:?}");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn endpoints_in_turn_without_those_that_are_down() {
    let servers = [
        Running::start(Limits::default()).await,
        Running::start(Limits::default()).await,
    ];
    // Nobody listens on a port that was just given back.
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = free.local_addr().unwrap().port();
    drop(free);
    let address = format!(
        "{}@{}:tcp -h 127.0.0.1 -p {nobody}:{}",
        common::OBJ,
        servers[0].endpoint(),
        servers[1].endpoint()
    );
    let mut config = Config::default();
    config.backoff_first = Duration::from_secs(3600);
    config.backoff_last = Duration::from_secs(3600);
    let communicator = Communicator::builder().config(config).build();
    let client = client_of(&communicator, &address);
    for _ in 0..30 {
        client.test_taf_server().await.unwrap();
    }
    assert_eq!(
        communicator.stats().retries.get(),
        1,
        "only the call that found it"
    );
    let [first, second] = servers.map(|server| server.stats.succeeded.get());
    assert_eq!(first + second, 30);
    assert!(first.abs_diff(second) <= 2, "{first} {second}");
}

#[tokio::test]
async fn the_last_proxy_closes_the_connection() {
    let server = Running::start(Limits::default()).await;
    let communicator = Communicator::new();
    let client = server.client(&communicator);
    client.test_taf_server().await.unwrap();
    drop(client);
    while server.stats.closed_by_peer.get() == 0 {
        tokio::task::yield_now().await;
    }
    let client = server.client(&communicator);
    client.test_taf_server().await.unwrap();
    assert_eq!(server.stats.accepted.get(), 2);
}

#[tokio::test]
async fn connections_above_the_limit_are_closed() {
    for limit in [1, 2] {
        let mut limits = Limits::default();
        limits.max_connections = limit;
        let server = Running::start(limits).await;
        let communicators: Vec<_> = (0..=limit).map(|_| Communicator::new()).collect();
        let mut clients = Vec::new();
        for communicator in &communicators {
            clients.push(server.client(communicator));
        }
        for client in &clients[..limit] {
            client.test_taf_server().await.unwrap();
        }
        let error = clients[limit].test_taf_server().await.unwrap_err();
        assert!(matches!(error, Error::Disconnected { .. }), "{error:?}");
        assert_eq!(server.stats.refused.get(), 1);
    }
}

#[tokio::test]
async fn futures_and_handles_can_move_between_threads() {
    fn check<T: Send + 'static>(_: &T) {}
    let server = Running::start(Limits::default()).await;
    let client = server.client(&Communicator::new());
    check(&client);
    let client = Arc::new(client);
    let call = async move { client.say_hello_world("ted").await };
    check(&call);
    tokio::spawn(call).await.unwrap().unwrap();
}

#[tokio::test]
async fn addresses_that_cannot_be_called_say_why() {
    let communicator = Communicator::new();
    for (address, text) in [
        (
            "App.Server.Obj",
            "App.Server.Obj has no endpoint: the address is a bare name",
        ),
        ("", "the name of an object is missing, at column 1 of ``"),
    ] {
        let error = communicator.string_to_proxy(address).unwrap_err();
        assert_eq!(error.code(), codes::NO_ENDPOINT);
        assert!(error.to_string().starts_with(text), "{error}");
    }
}
