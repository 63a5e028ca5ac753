//! What goes along with a call, and from one call into the next.

mod common;

use std::{future::Future, sync::Arc, time::Duration};

use common::{OBJ, greeting, in_memory};
use tars_rpc::{
    Communicator, Error, Result,
    client::{CallOptions, ServantProxy},
    codec::RequestPacket,
    server::{Dispatch, Request, Servant, Server},
    testing::Network,
};
use tokio::{sync::mpsc, time::Instant};

/// The request that a call with these options makes.
async fn request(options: CallOptions) -> RequestPacket {
    let (client, _communicator, mut server) = in_memory(1 << 16, |_| {});
    let client = client.with(options);
    let call = tokio::spawn(async move { client.say_hello_world("x").await });
    let mut server = server.accept().await;
    let request = server.request().await.unwrap();
    server.send(&greeting(request.request_id, "x")).await;
    call.await.unwrap().unwrap();
    request
}

#[tokio::test(start_paused = true)]
async fn bits_and_entries() {
    let plain = request(CallOptions::new()).await;
    assert_eq!((plain.message_type, plain.status.len()), (0, 0));
    for (options, bits, entry) in [
        (CallOptions::new().hash(7), 0x01, None),
        (CallOptions::new().consistent_hash(7), 0x01, None),
        (
            CallOptions::new().routekey("k"),
            0x02,
            Some("STATUS_GRID_KEY"),
        ),
        (CallOptions::new().dyed("k"), 0x04, Some("STATUS_DYED_KEY")),
        (
            CallOptions::new().set_name("k"),
            0x80,
            Some("STATUS_SETNAME_VALUE"),
        ),
        (
            CallOptions::new().trace("k"),
            0x100,
            Some("STATUS_TRACE_KEY"),
        ),
    ] {
        let request = request(options).await;
        assert_eq!(request.message_type, bits);
        let entries: Vec<_> = request
            .status
            .iter()
            .map(|(k, v)| (k.as_str(), v.as_str()))
            .collect();
        assert_eq!(
            entries,
            entry.map(|key| (key, "k")).into_iter().collect::<Vec<_>>()
        );
    }
    let both = request(CallOptions::new().dyed("a").trace("b")).await;
    assert_eq!((both.message_type, both.status.len()), (0x104, 2));
}

#[tokio::test(start_paused = true)]
async fn the_timeout_of_a_function_comes_before_that_of_the_call() {
    let seconds = Duration::from_secs;
    let timeout = |options| async { request(options).await.timeout };
    assert_eq!(timeout(CallOptions::new()).await, 3000);
    let options = CallOptions::new().timeout(seconds(1));
    assert_eq!(timeout(options.clone()).await, 1000);
    let options = options.timeout_of("sayHelloWorld", seconds(9));
    let options = options
        .timeout_of("sayHelloWorld", seconds(2))
        .timeout_of("other", seconds(7));
    assert_eq!(timeout(options).await, 2000);
}

type Seen = mpsc::UnboundedSender<(i32, Vec<String>, i64)>;

/// Calls the next servant, with what its own caller has given.
struct Chain {
    next: Option<ServantProxy>,
    seen: Seen,
    takes: Duration,
}

impl Servant for Chain {
    fn dispatch(&self, request: Request) -> Dispatch {
        let (next, seen, takes) = (self.next.clone(), self.seen.clone(), self.takes);
        Box::pin(async move {
            let (cx, _) = request.into_parts();
            let left = cx.deadline().map(|at| at - Instant::now().into_std());
            let mut words: Vec<_> = cx
                .status()
                .iter()
                .map(|(k, v)| format!("{k}={v}"))
                .collect();
            words.extend(cx.context().iter().map(|(k, v)| format!("{k}={v}")));
            let left = left.map_or(-1, |left| i64::try_from(left.as_millis()).unwrap());
            seen.send((cx.message_type(), words, left)).unwrap();
            tokio::time::sleep(takes).await;
            if let Some(next) = next {
                let next = next.with(CallOptions::new().inherit(&cx));
                next.call("f", |_| {}).await?;
            }
            Ok(cx.reply())
        })
    }
}

async fn chain(
    takes: Duration,
) -> (
    ServantProxy,
    mpsc::UnboundedReceiver<(i32, Vec<String>, i64)>,
) {
    let (seen, sights) = mpsc::unbounded_channel();
    let network = Network::default();
    let communicator = Communicator::builder().connector(network.clone()).build();
    let proxy = |host: &str| {
        let address = format!("{OBJ}@tcp -h {host} -p 1");
        communicator.string_to_proxy(&address).unwrap()
    };
    for (host, next) in [("first", Some(proxy("second"))), ("second", None)] {
        let seen = seen.clone();
        let servant = Chain { next, seen, takes };
        let server = Server::builder().servant(OBJ, servant).listen();
        network.serve(host, 1, server.await.unwrap());
    }
    (proxy("first"), sights)
}

#[tokio::test(start_paused = true)]
async fn dyeing_and_tracing_go_on_and_nothing_else() {
    let (proxy, mut seen) = chain(Duration::from_millis(500)).await;
    let options = CallOptions::new()
        .dyed("d")
        .trace("t")
        .routekey("mine")
        .status("other", "mine")
        .context("user", "mine")
        .context("traceparent", "00-1-2-01")
        .timeout(Duration::from_secs(2));
    proxy.with(options).call("f", |_| {}).await.unwrap();
    let (bits, words, left) = seen.recv().await.unwrap();
    assert_eq!((bits, words.len(), left), (0x106, 6, 2000));
    let (bits, words, left) = seen.recv().await.unwrap();
    assert_eq!(bits, 0x104);
    assert_eq!(
        words,
        [
            "STATUS_DYED_KEY=d",
            "STATUS_TRACE_KEY=t",
            "traceparent=00-1-2-01"
        ]
    );
    assert_eq!(left, 1500, "what the first servant has left");
}

#[tokio::test(start_paused = true)]
async fn a_call_for_a_caller_that_has_gone_is_not_made() {
    let (proxy, mut seen) = chain(Duration::from_secs(5)).await;
    let began = Instant::now();
    let error = proxy.call("f", |_| {}).await.unwrap_err();
    assert!(matches!(error, Error::Timeout { .. }), "{error}");
    assert_eq!(began.elapsed(), Duration::from_secs(3));
    seen.recv().await.unwrap();
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!(seen.try_recv().is_err(), "the second servant saw nothing");
}

/// Futures of calls are `Send`, and not large: callers hold many of them.
#[tokio::test]
async fn the_future_of_a_call_is_small() {
    fn size<F: Future<Output = Result<tars_rpc::client::Reply>> + Send>(future: &F) -> usize {
        size_of_val(future)
    }
    let communicator = Arc::new(Communicator::new());
    let proxy = communicator
        .string_to_proxy(&format!("{OBJ}@tcp -h a -p 1"))
        .unwrap();
    let size = size(&proxy.call("f", |_| {}));
    assert!(size < 1500, "{size}");
}
