//! What runs around calls.

mod common;

use std::{
    collections::BTreeMap,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
    time::Duration,
};

use common::{Example, OBJ, TestTafServiceServer, client_of};
use tars_rpc::{
    Communicator, CommunicatorBuilder, Error, Result,
    client::{
        CallOptions, Reply,
        layer::{CallRequest, CallService, RateLimit, Trace},
    },
    codes,
    server::Server,
    testing::Network,
};
use tower_layer::{Layer, layer_fn};
use tower_service::Service;

async fn builder() -> CommunicatorBuilder {
    let network = Network::default();
    let servant = TestTafServiceServer::new(Example::default());
    let server = Server::builder()
        .servant(OBJ, servant)
        .listen()
        .await
        .unwrap();
    network.serve("a", 1, server);
    Communicator::builder().connector(network)
}

fn client(communicator: &Communicator) -> common::TestTafServiceServant {
    client_of(communicator, &format!("{OBJ}@tcp -h a -p 1"))
}

/// Notes what it sees under its name.
#[derive(Clone)]
struct Noted {
    name: &'static str,
    notes: Arc<Mutex<Vec<String>>>,
    inner: CallService,
}

impl Noted {
    fn layer(
        name: &'static str,
        notes: &Arc<Mutex<Vec<String>>>,
    ) -> impl Layer<CallService, Service = Self> + Clone + use<> {
        let notes = Arc::clone(notes);
        layer_fn(move |inner| Self {
            name,
            notes: Arc::clone(&notes),
            inner,
        })
    }
}

impl Service<CallRequest> for Noted {
    type Response = Reply;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Reply>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: CallRequest) -> Self::Future {
        let Self { name, notes, .. } = self.clone();
        let note = move |text: String| notes.lock().unwrap().push(format!("{name}: {text}"));
        note(format!(
            "{} of {} bytes",
            request.func(),
            request.body().len()
        ));
        request.change_options(|options| options.context(name, "was here"));
        let call = self.inner.call(request);
        Box::pin(async move {
            let result = call.await;
            note(match &result {
                Ok(_) => "ok".to_owned(),
                Err(error) => error.code().to_string(),
            });
            result
        })
    }
}

#[tokio::test(start_paused = true)]
async fn layers_are_around_those_that_were_given_before() {
    let notes = Arc::default();
    let communicator = builder()
        .await
        .layer(Noted::layer("inner", &notes))
        .layer(Noted::layer("middle", &notes))
        .build();
    let client = client(&communicator);
    let proxy = client.proxy().layer(&Noted::layer("outer", &notes));
    let client = common::TestTafServiceServant::new(proxy);
    let seen = client.say_hello_world("context").await.unwrap();
    assert_eq!(
        seen,
        r#"{"inner": "was here", "middle": "was here", "outer": "was here"} {}"#
    );
    let order: Vec<_> = notes.lock().unwrap().drain(..).collect();
    assert_eq!(
        order,
        [
            "outer: sayHelloWorld of 9 bytes",
            "middle: sayHelloWorld of 9 bytes",
            "inner: sayHelloWorld of 9 bytes",
            "inner: ok",
            "middle: ok",
            "outer: ok"
        ]
    );
    client.say_hello_world("fail").await.unwrap_err();
    assert_eq!(notes.lock().unwrap().last().unwrap(), "outer: 1234");
    let other = client.with(CallOptions::new().timeout(Duration::from_secs(1)));
    other.say_hello_world("wait").await.unwrap_err();
    assert_eq!(notes.lock().unwrap().last().unwrap(), "outer: -7");
}

#[tokio::test(start_paused = true)]
async fn a_layer_may_answer_by_itself_and_drop_what_is_inside() {
    #[derive(Clone)]
    struct Refusing;

    impl Service<CallRequest> for Refusing {
        type Response = Reply;
        type Error = Error;
        type Future = std::future::Ready<Result<Reply>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<()>> {
            Poll::Ready(Err(Error::new(7, "not ready")))
        }

        fn call(&mut self, _: CallRequest) -> Self::Future {
            unreachable!("it is never ready")
        }
    }

    let communicator = builder().await.layer(layer_fn(|_| Refusing)).build();
    let error = client(&communicator).test_taf_server().await.unwrap_err();
    assert_eq!(error.code(), 7);
    assert_eq!(communicator.stats().calls.get(), 0);
}

#[tokio::test(start_paused = true)]
async fn calls_above_the_rate_are_refused() {
    let communicator = builder().await.layer(RateLimit::per_second(5)).build();
    let (one, two) = (client(&communicator), client(&communicator));
    let mut ended = BTreeMap::<i32, u32>::new();
    for _ in 0..10 {
        for client in [&one, &two] {
            let code = client
                .test_taf_server()
                .await
                .map_or_else(|e| e.code(), |()| 0);
            *ended.entry(code).or_default() += 1;
        }
    }
    assert_eq!(ended, [(0, 5), (codes::OVERLOAD, 15)].into());
    tokio::time::sleep(Duration::from_millis(200)).await;
    one.test_taf_server().await.unwrap();
    let error = two.test_taf_server().await.unwrap_err();
    assert!(matches!(error, Error::RateLimited { per_second: 5, .. }) && error.is_not_run());
}

#[tokio::test(start_paused = true)]
async fn a_trace_goes_on_at_the_server() {
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let trace = |text: &str| {
        let (_, rest) = text.split_once("\"traceparent\": \"").unwrap();
        rest.split('"').next().unwrap().to_owned()
    };
    let communicator = builder().await.layer(Trace::new()).build();
    let fresh = client(&communicator);
    let first = trace(&fresh.say_hello_world("context").await.unwrap());
    let second = trace(&fresh.say_hello_world("context").await.unwrap());
    assert_ne!(first[..35], second[..35], "two traces");

    let inherited = fresh.with(CallOptions::new().context("traceparent", parent));
    let child = trace(&inherited.say_hello_world("context").await.unwrap());
    assert_eq!(child[..36], parent[..36]);
    assert_ne!(child, parent, "a span of its own");

    let told = builder()
        .await
        .layer(Trace::new().parent(move || Some(parent.to_owned())));
    let child = client(&told.build())
        .say_hello_world("context")
        .await
        .unwrap();
    assert_eq!(trace(&child)[..36], parent[..36]);
}

#[cfg(feature = "metrics")]
#[test]
fn calls_are_counted_however_they_end() {
    use common::numbers::Numbers;
    use tars_rpc::client::layer::Metrics;

    let numbers = Numbers::record(async {
        let communicator = builder().await.layer(Metrics).build();
        let client = client(&communicator);
        client.say_hello_world("ted").await.unwrap();
        client.say_hello_world("fail").await.unwrap_err();
        let given_up = client.say_hello_world("wait");
        tokio::time::timeout(Duration::from_secs(1), given_up)
            .await
            .unwrap_err();
    });
    for code in ["0", "1234", "abandoned"] {
        let labels = format!("servant={OBJ} func=sayHelloWorld code={code}");
        let count = numbers.get(&format!("tars_client_calls_total[{labels}]"));
        assert_eq!(count, 1, "{code}");
    }
    let gauge = numbers.get(&format!("tars_client_calls_in_flight[servant={OBJ}]"));
    assert_eq!(f64::from_bits(gauge), 0.0);
}

#[cfg(feature = "blocking")]
mod blocking {
    use tars_rpc::client::Blocking;

    use super::*;

    #[test]
    fn calls_without_a_runtime() {
        let blocking = Blocking::new().unwrap();
        let builder = blocking.run(async { Ok(builder().await) }).unwrap();
        let client = client(&builder.build());
        for _ in 0..2 {
            assert_eq!(
                blocking.run(client.say_hello_world("ted")).unwrap(),
                "hello world!"
            );
        }
        let error = blocking.run(client.say_hello_world("fail")).unwrap_err();
        assert_eq!(error.code(), 1234);
    }

    #[tokio::test]
    async fn within_a_runtime_it_is_an_error_and_no_panic() {
        let blocking = Blocking::new().unwrap();
        let communicator = builder().await.build();
        let error = blocking
            .run(client(&communicator).test_taf_server())
            .unwrap_err();
        assert!(matches!(error, Error::WithinRuntime), "{error}");
        drop(blocking);
    }
}
