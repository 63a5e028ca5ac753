//! What runs around servants.

mod common;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use common::{OBJ, Raw, client_of, example, greet, peer};
use tars_rpc::{
    Communicator, Error, codes,
    server::{
        Dispatch, Reply, Request, Server, ServerBuilder,
        layer::{RateLimit, Trace},
    },
    testing::Network,
};
use tower::Service;

/// Counts requests, and keeps those for `secret` to itself.
#[derive(Clone)]
struct Guard<S>(S, Arc<AtomicUsize>);

impl<S: Service<Request, Response = Reply, Error = Error>> Service<Request> for Guard<S>
where
    S::Future: Send + 'static,
{
    type Response = Reply;
    type Error = Error;
    type Future = Dispatch;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Dispatch {
        self.1.fetch_add(1, Ordering::Relaxed);
        if request.context().func() == "secret" {
            return Box::pin(async { Err(Error::new(403, "not for you")) });
        }
        Box::pin(self.0.call(request))
    }
}

#[tokio::test(start_paused = true)]
async fn layers_see_requests_and_results() {
    let (servant, ..) = example();
    let count = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&count);
    let server = Server::builder()
        .servant(OBJ, servant)
        .layer(Trace::new())
        .layer(tower::timeout::TimeoutLayer::new(Duration::from_secs(1)))
        .layer(tower::limit::GlobalConcurrencyLimitLayer::new(2))
        .layer(tower_layer::layer_fn(move |inner| {
            Guard(inner, Arc::clone(&counter))
        }))
        .listen()
        .await;
    let server = server.unwrap();
    let (ours, theirs) = tokio::io::duplex(1 << 16);
    tokio::spawn(server.serve_stream(theirs, peer()));
    let mut client = Raw::new(ours);
    client.send(&greet(1, "ted", |_| {})).await;
    assert_eq!(client.answer().await.unwrap().ret, codes::OK);
    client
        .send(&greet(2, "ted", |r| r.func = "secret".to_owned()))
        .await;
    let answer = client.answer().await.unwrap();
    assert_eq!(
        (answer.ret, answer.result_desc.as_str()),
        (403, "not for you")
    );
    client.send(&greet(3, "wait", |_| {})).await;
    let answer = client.answer().await.unwrap();
    assert_eq!(
        (answer.ret, answer.result_desc.as_str()),
        (codes::UNKNOWN, "request timed out")
    );
    client.send(&greet(4, "fail", |_| {})).await;
    assert_eq!(client.answer().await.unwrap().ret, 1234);
    assert_eq!(count.load(Ordering::Relaxed), 4);
}

/// A server of two names, and its clients.
async fn serve(
    layers: impl FnOnce(ServerBuilder) -> ServerBuilder,
) -> (Server, [common::TestTafServiceServant; 2], Network) {
    let server = Server::builder()
        .servant(OBJ, example().0)
        .servant("App.Server.other", example().0);
    let server = layers(server).listen().await.unwrap();
    let network = Network::default();
    let communicator = Communicator::builder().connector(network.clone()).build();
    let clients = [OBJ, "App.Server.other"]
        .map(|name| client_of(&communicator, &format!("{name}@tcp -h a -p 1")));
    (server, clients, network)
}

#[tokio::test(start_paused = true)]
async fn requests_above_the_rate_are_refused() {
    let (server, [one, other], network) = serve(|s| s.layer(RateLimit::per_second(5))).await;
    let stats = server.stats();
    network.serve("a", 1, server);
    let mut refused = 0;
    for _ in 0..10 {
        for client in [&one, &other] {
            if let Err(error) = client.test_taf_server().await {
                assert_eq!(error.code(), codes::OVERLOAD);
                assert!(error.is_not_run(), "clients try it elsewhere");
                assert!(error.to_string().ends_with("more than 5 requests a second"));
                refused += 1;
            }
        }
    }
    assert_eq!(refused, 15, "all servants together");
    assert_eq!((stats.overloads.get(), stats.succeeded.get()), (15, 5));
    tokio::time::sleep(Duration::from_millis(200)).await;
    one.test_taf_server().await.unwrap();
    other.test_taf_server().await.unwrap_err();
}

#[cfg(feature = "metrics")]
#[test]
fn requests_are_counted_however_they_end() {
    use common::numbers::Numbers;
    use tars_rpc::server::layer::Metrics;

    let numbers = Numbers::record(async {
        let (server, [client, _], network) = serve(|s| s.layer(Metrics)).await;
        network.serve("a", 1, server);
        client.say_hello_world("ted").await.unwrap();
        client.say_hello_world("fail").await.unwrap_err();
        client.say_hello_world("panic").await.unwrap_err();
        client.proxy().call("inventMe", |_| {}).await.unwrap_err();
        let given_up = client.say_hello_world("wait");
        tokio::time::timeout(Duration::from_secs(1), given_up)
            .await
            .unwrap_err();
        network.remove("a", 1);
        tokio::time::sleep(Duration::from_secs(1)).await;
    });
    let count = |func: &str, code: &str| {
        let labels = format!("servant={OBJ} func={func} code={code}");
        numbers.get(&format!("tars_server_requests_total[{labels}]"))
    };
    for code in ["0", "1234", "abandoned"] {
        let expected = if code == "abandoned" { 2 } else { 1 }; // a panic ends nothing
        assert_eq!(count("sayHelloWorld", code), expected, "{code}");
    }
    assert_eq!(count("unknown", "-3"), 1);
    let gauge = numbers.get(&format!("tars_server_requests_in_flight[servant={OBJ}]"));
    assert_eq!(f64::from_bits(gauge), 0.0);
}

/// Whatever refuses a request before anybody has looked for its function. Nor can they take the labels of functions
/// that there are.
#[cfg(feature = "metrics")]
#[test]
fn callers_cannot_fill_the_memory() {
    use common::numbers::Numbers;
    use tars_rpc::server::layer::Metrics;

    /// All is for others but one function.
    #[derive(Clone)]
    struct Locked<S>(S);

    impl<S: Service<Request, Response = Reply, Error = Error>> Service<Request> for Locked<S>
    where
        S::Future: Send + 'static,
    {
        type Response = Reply;
        type Error = Error;
        type Future = Dispatch;

        fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
            self.0.poll_ready(cx)
        }

        fn call(&mut self, request: Request) -> Dispatch {
            if request.context().func() != "testTafServer" {
                return Box::pin(async { Err(Error::new(403, "not for you")) });
            }
            Box::pin(self.0.call(request))
        }
    }

    const INVENTED: u64 = 2000;
    /// Of functions that have never succeeded.
    const MAX: u64 = 512;
    let run = |layers: fn(ServerBuilder) -> ServerBuilder| {
        Numbers::record(async move {
            let (server, ..) = serve(layers).await;
            let (ours, theirs) = tokio::io::duplex(1 << 16);
            tokio::spawn(server.serve_stream(theirs, peer()));
            let mut client = Raw::new(ours);
            let first = ["sayHelloWorld", "sayHelloWorld", &"x".repeat(129)].map(str::to_owned);
            let invented = (1..INVENTED).map(|i| format!("inventMe{i}"));
            let last = ["testTafServer".to_owned()];
            for func in first.into_iter().chain(invented).chain(last) {
                client.send(&greet(1, "ted", |r| r.func = func)).await;
                client.answer().await.unwrap();
            }
        })
    };
    let count = |numbers: &Numbers, func: &str, code: &str| {
        let labels = format!("servant={OBJ} func={func} code={code}");
        numbers.get(&format!("tars_server_requests_total[{labels}]"))
    };

    let limited = run(|s| s.layer(Metrics).layer(RateLimit::per_second(1)));
    assert_eq!(count(&limited, "sayHelloWorld", "0"), 1);
    assert_eq!(count(&limited, "sayHelloWorld", "-9"), 1);
    assert_eq!(count(&limited, "unknown", "-9"), INVENTED + 1);
    assert_eq!(limited.len(), 4, "and the gauge");

    let locked = run(|s| s.layer(Metrics).layer(tower_layer::layer_fn(Locked)));
    assert_eq!(count(&locked, "sayHelloWorld", "403"), 2);
    assert_eq!(count(&locked, "unknown", "403"), INVENTED - (MAX - 1));
    assert_eq!(count(&locked, "testTafServer", "0"), 1);
    assert_eq!(locked.len() as u64, MAX + 3, "with the gauge");
}
