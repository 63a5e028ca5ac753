//! UDP, IPv6, host names, and what else an endpoint says.

mod common;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use common::{OBJ, TestTafServiceServant, client_of, example, greet, greeting};
use tars_rpc::{
    Communicator, Error,
    client::CallOptions,
    codes,
    server::{Adapter, Limits, Server, Stats},
};
use tokio::{net::UdpSocket, sync::mpsc, task::JoinHandle, time::timeout};
use tokio_util::sync::CancellationToken;

/// A server with one adapter, on the endpoint that it is told.
struct Served {
    endpoints: Vec<String>,
    stats: Arc<Stats>,
    begun: mpsc::UnboundedReceiver<String>,
    gate: CancellationToken,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

async fn serve(endpoint: &str, change: impl FnOnce(&mut Limits)) -> Served {
    let (servant, gate, begun) = example();
    let mut limits = Limits::default();
    change(&mut limits);
    let adapter = Adapter::new("adapter")
        .endpoint(endpoint.parse().unwrap())
        .servant(OBJ, servant)
        .limits(limits);
    let server = Server::builder().adapter(adapter).listen().await.unwrap();
    let listening = server.adapters().next().unwrap();
    let stop = CancellationToken::new();
    Served {
        endpoints: listening.endpoints().map(ToString::to_string).collect(),
        stats: listening.stats(),
        begun,
        gate,
        task: tokio::spawn(server.serve(stop.clone().cancelled_owned())),
        stop,
    }
}

impl Served {
    fn client(&self) -> TestTafServiceServant {
        self.client_at(&self.endpoints[0])
    }

    fn client_at(&self, endpoint: &str) -> TestTafServiceServant {
        client_of(&Communicator::new(), &format!("{OBJ}@{endpoint}"))
    }

    fn port(&self) -> u16 {
        let endpoint: tars_rpc::Endpoint = self.endpoints[0].parse().unwrap();
        endpoint.port
    }

    async fn drain(self) {
        self.stop.cancel();
        self.task.await.unwrap();
        assert_eq!(self.stats.aborted.get(), 0);
        assert_eq!(self.stats.open.get(), 0);
    }
}

fn has_ipv6() -> bool {
    std::net::UdpSocket::bind("[::1]:0").is_ok()
}

#[tokio::test]
async fn calls_over_udp() {
    let mut served = serve("udp -h 127.0.0.1 -p 0", |_| {}).await;
    let client = served.client();
    let calls: Vec<_> = ["ted", "yield", "fail", "panic", "panic later", "anna"]
        .into_iter()
        .map(|name| {
            let client = client.clone();
            tokio::spawn(async move { client.say_hello_world(name).await })
        })
        .collect();
    let mut results = Vec::new();
    for call in calls {
        results.push(call.await.unwrap().map_err(|e| e.code()));
    }
    assert_eq!(
        results,
        [
            Ok("hello world!".to_owned()),
            Ok("hello again!".to_owned()),
            Err(1234),
            Err(codes::UNKNOWN),
            Err(codes::UNKNOWN),
            Ok("hello anna!".to_owned()),
        ]
    );
    let oneway = client.with(CallOptions::new().oneway());
    let _ = oneway.say_hello_world("oneway").await;
    while served.begun.recv().await.unwrap() != "oneway" {}
    assert_eq!(served.stats.requests.get(), 7);
    served.drain().await;
}

#[tokio::test]
async fn what_does_not_fit_into_a_datagram() {
    let served = serve("udp -h 127.0.0.1 -p 0", |_| {}).await;
    let client = served.client();
    let error = client
        .say_hello_world(&"x".repeat(65_600))
        .await
        .unwrap_err();
    let Error::Encode { .. } = error else {
        panic!("{error:?}")
    };
    assert!(error.to_string().contains("65507"), "{error}");
    let error = client.say_hello_world("much").await.unwrap_err();
    assert_eq!(error.code(), codes::SERVER_ENCODE);
    assert!(error.to_string().contains("65507"), "{error}");

    // A request that fills a datagram.
    let peer = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    peer.connect(("127.0.0.1", served.port())).await.unwrap();
    let about = greet(1, &"x".repeat(60_000), |_| {}).len() - 60_000;
    let most = greet(1, &"x".repeat(65_507 - about), |_| {});
    assert_eq!(most.len(), 65_507);
    peer.send(&most).await.unwrap();
    let mut buf = vec![0; 1 << 16];
    assert!(peer.recv(&mut buf).await.unwrap() > 65_000);
    assert_eq!(client.say_hello_world("ted").await.unwrap(), "hello world!");
    served.drain().await;
}

/// A socket that sends whatever it likes.
#[tokio::test]
async fn datagrams_that_are_no_request_are_dropped() {
    let served = serve("udp -h 127.0.0.1 -p 0", |_| {}).await;
    let peer = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    peer.connect(("127.0.0.1", served.port())).await.unwrap();
    let valid = greet(7, "ted", |_| {});
    for garbage in [
        &b""[..],
        b"x",
        &[0, 0, 0, 4],
        &[0xff; 100],
        &valid[..valid.len() - 1],
        &[&valid[..], b"x"].concat(),
        &[&valid[..], &valid].concat(),
        &[0, 0, 0, 6, 0x10, 1],
    ] {
        peer.send(garbage).await.unwrap();
    }
    peer.send(&valid).await.unwrap();
    let mut buf = [0; 1000];
    let n = peer.recv(&mut buf).await.unwrap();
    assert_eq!(buf[..n], greeting(7, "hello world!"));
    assert_eq!(
        (
            served.stats.requests.get(),
            served.stats.closed_bad_frame.get(),
            served.stats.closed_bad_packet.get()
        ),
        (1, 7, 1)
    );
    served.drain().await;
}

#[tokio::test]
async fn a_udp_adapter_is_bounded_and_drains() {
    let mut served = serve("udp -h 127.0.0.1 -p 0", |l| {
        l.max_in_flight = 1;
        l.max_queue = 1;
    })
    .await;
    let client = served
        .client()
        .with(CallOptions::new().timeout(Duration::from_secs(60)));
    let call = |name: &'static str| {
        let client = client.clone();
        tokio::spawn(async move { client.say_hello_world(name).await })
    };
    let first = call("wait");
    assert_eq!(served.begun.recv().await.unwrap(), "wait");
    // Of two more, one waits and one is refused; which one is the network's choice.
    let others = [call("wait"), call("wait")];
    while served.stats.overloads.get() == 0 {
        tokio::task::yield_now().await;
    }
    served.stop.cancel();
    tokio::task::yield_now().await;
    assert!(!served.task.is_finished());
    served.gate.cancel();
    let mut codes = Vec::new();
    for other in others {
        codes.push(other.await.unwrap().map_or_else(|e| e.code(), |_| 0));
    }
    codes.sort_unstable();
    assert_eq!(codes, [codes::OVERLOAD, codes::OK]);
    assert_eq!(first.await.unwrap().unwrap(), "the wait is over");
    served.drain().await;
}

#[tokio::test]
async fn nobody_listens() {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let port = socket.local_addr().unwrap().port();
    drop(socket);
    let options = CallOptions::new().timeout(Duration::from_millis(500));
    let client = client_of(
        &Communicator::new(),
        &format!("{OBJ}@udp -h 127.0.0.1 -p {port}"),
    );
    let error = client
        .with(options)
        .say_hello_world("ted")
        .await
        .unwrap_err();
    // The system tells of it, if it may; otherwise nothing comes.
    assert!(
        [codes::PROXY_CONNECT, codes::INVOKE_TIMEOUT].contains(&error.code()),
        "{error}"
    );
}

#[tokio::test]
async fn names_and_ipv6() {
    for transport in ["tcp", "udp"] {
        for host in ["127.0.0.1", "localhost", "*", "::1", "::"] {
            if host.contains(':') && !has_ipv6() {
                continue;
            }
            let served = serve(&format!("{transport} -h {host} -p 0 -t 60000"), |_| {}).await;
            let port = served.port();
            let hosts: &[_] = match host {
                "localhost" => &["localhost"],
                "*" => &["127.0.0.1", "localhost"],
                "::" => &["::1", "localhost"],
                host => &[host],
            };
            for host in hosts {
                let client = served.client_at(&format!("{transport} -h {host} -p {port}"));
                assert_eq!(
                    client.say_hello_world("ted").await.unwrap(),
                    "hello world!",
                    "{host}"
                );
            }
            for endpoint in &served.endpoints {
                assert!(
                    endpoint.ends_with(&format!("-p {port} -t 60000")),
                    "{endpoint}"
                );
            }
            served.drain().await;
        }
    }
}

#[tokio::test]
async fn the_local_address_of_a_client() {
    for transport in ["tcp", "udp"] {
        let served = serve(&format!("{transport} -h 127.0.0.1 -p 0"), |_| {}).await;
        let endpoint = &served.endpoints[0];
        let bound = served.client_at(&format!("{endpoint} -b 127.0.0.1"));
        bound.say_hello_world("ted").await.unwrap();
        for (bind, text) in [
            ("localhost", "`-b` takes an IP address"),
            (
                "::1",
                "the host has no address (or none of the kind of `-b`)",
            ),
        ] {
            let client = served.client_at(&format!("{endpoint} -b {bind}"));
            let error = client.say_hello_world("ted").await.unwrap_err();
            assert_eq!(error.code(), codes::PROXY_CONNECT);
            assert!(error.to_string().contains(text), "{error}");
        }
        served.drain().await;
    }
}

/// The `-t` of an endpoint closes its idle connections.
#[tokio::test]
async fn an_endpoint_has_its_own_idle_time() {
    let served = serve("tcp -h 127.0.0.1 -p 0 -t 50", |_| {}).await;
    let address = SocketAddr::from(([127, 0, 0, 1], served.port()));
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let mut buf = [0; 10];
    let end = tokio::io::AsyncReadExt::read(&mut stream, &mut buf);
    let end = timeout(Duration::from_secs(30), end).await.unwrap();
    assert_eq!(end.unwrap(), 0);
    drop(stream);
    while served.stats.closed_idle.get() == 0 {
        tokio::task::yield_now().await;
    }
    served.drain().await;
}
