//! Adapters: who may connect, what they serve, and what a config file says of them. (`load.rs` has what they hold.)

mod common;

use std::{io, sync::Arc, time::Duration};

use common::{OBJ, client_of, example, greet};
use tars_rpc::{
    Communicator, Error, codes,
    config::{ApplicationConfig, Document, ServerConfig},
    server::{Adapter, AllowList, Limits, Protocol, RawConnection, Servant, Server, Serving},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

async fn listening(change: impl FnOnce(Adapter) -> Adapter) -> (Server, CancellationToken) {
    let (servant, gate, _) = example();
    let adapter = Adapter::new("adapter")
        .endpoint("tcp -h 127.0.0.1 -p 0".parse().unwrap())
        .servant(OBJ, servant);
    let server = Server::builder().adapter(change(adapter)).listen().await;
    (server.unwrap(), gate)
}

fn start(server: Server) -> (CancellationToken, JoinHandle<()>) {
    let stop = CancellationToken::new();
    (
        stop.clone(),
        tokio::spawn(server.serve(stop.cancelled_owned())),
    )
}

async fn is_served(stream: &mut TcpStream) -> bool {
    let frame = greet(1, "", |r| r.func = "tars_ping".to_owned());
    stream.write_all(&frame).await.is_ok() && matches!(stream.read(&mut [0; 100]).await, Ok(1..))
}

#[tokio::test]
async fn connections_are_limited_in_all_and_by_address() {
    let limits: [fn(&mut Limits); 2] = [
        |l| l.max_connections = 2,
        |l| l.max_connections_per_address = 2,
    ];
    for limit in limits {
        let mut with = Limits::default();
        limit(&mut with);
        let (server, _) = listening(|a| a.limits(with)).await;
        let (address, stats) = (server.local_addrs()[0], server.stats());
        let (stop, task) = start(server);
        let mut connections = Vec::new();
        for n in 0..3 {
            let mut stream = TcpStream::connect(address).await.unwrap();
            assert_eq!(is_served(&mut stream).await, n < 2);
            connections.push(stream);
        }
        assert_eq!((stats.refused.get(), stats.open.get()), (1, 2));
        connections.clear();
        while stats.open.get() > 0 {
            tokio::task::yield_now().await;
        }
        let mut again = TcpStream::connect(address).await.unwrap();
        assert!(is_served(&mut again).await);
        stop.cancel();
        task.await.unwrap();
    }
}

#[tokio::test]
async fn only_those_on_the_list_may_connect() {
    for (list, allowed) in [("127.0.0.*", true), ("10.0.0.0/8", false), ("", true)] {
        let list: AllowList = list.parse().unwrap();
        let (server, _) = listening(|a| a.allow(list)).await;
        let (address, stats) = (server.local_addrs()[0], server.stats());
        let (stop, task) = start(server);
        let mut stream = TcpStream::connect(address).await.unwrap();
        assert_eq!(is_served(&mut stream).await, allowed);
        assert_eq!(stats.denied.get(), u64::from(!allowed));
        stop.cancel();
        task.await.unwrap();
    }
}

#[tokio::test]
async fn several_adapters_drain_together() {
    let (one, gate, mut begun) = example();
    let (two, ..) = example();
    let local = || "tcp -h 127.0.0.1 -p 0".parse().unwrap();
    let server = Server::builder()
        .adapter(
            Adapter::new("one")
                .endpoint(local())
                .servant("A.B.One", one),
        )
        .adapter(
            Adapter::new("two")
                .endpoint(local())
                .endpoint(local())
                .servant("A.B.Two", two),
        )
        .drain(Duration::from_secs(3600))
        .listen()
        .await
        .unwrap();
    let names: Vec<_> = server.adapters().map(|a| a.name().to_owned()).collect();
    assert_eq!(names, ["one", "two"]);
    let endpoints: Vec<String> = server
        .adapters()
        .flat_map(|a| a.endpoints().map(ToString::to_string))
        .collect();
    let stats: Vec<_> = server.adapters().map(|a| a.stats()).collect();
    let all = server.stats();
    let (stop, task) = start(server);
    let communicator = Communicator::new();
    let one = client_of(&communicator, &format!("A.B.One@{}", endpoints[0]));
    let two = client_of(
        &communicator,
        &format!("A.B.Two@{}:{}", endpoints[1], endpoints[2]),
    );
    let wrong = client_of(&communicator, &format!("A.B.Two@{}", endpoints[0]));
    two.say_hello_world("ted").await.unwrap();
    two.say_hello_world("ted").await.unwrap();
    let error = wrong.say_hello_world("ted").await.unwrap_err();
    assert_eq!(error.code(), codes::NO_SERVANT);
    let call = tokio::spawn(async move { one.say_hello_world("wait").await });
    begun.recv().await.unwrap();
    stop.cancel();
    // The other adapter is done at once, the one with a request when that is.
    while stats[1].closed_drained.get() < 2 {
        tokio::task::yield_now().await;
    }
    assert!(!task.is_finished());
    gate.cancel();
    assert_eq!(call.await.unwrap().unwrap(), "the wait is over");
    task.await.unwrap();
    assert_eq!(
        (
            stats[0].requests.get(),
            stats[1].requests.get(),
            all.requests.get()
        ),
        (2, 2, 4)
    );
    assert_eq!((all.open.get(), all.aborted.get()), (0, 0));
}

/// Capitals, a line at a time.
struct Shout;

impl Protocol for Shout {
    fn serve(&self, connection: RawConnection) -> Serving {
        Box::pin(async move {
            let draining = connection.draining();
            tokio::pin!(draining);
            assert_eq!(connection.adapter(), "adapter");
            let mut connection = BufReader::new(connection);
            let mut line = String::new();
            loop {
                line.clear();
                tokio::select! {
                    n = connection.read_line(&mut line) => if n? == 0 { return Ok(()) },
                    () = &mut draining => {
                        connection.write_all(b"BYE\n").await?;
                        return connection.shutdown().await;
                    }
                }
                if line == "panic\n" {
                    panic!("somebody said panic");
                }
                connection.write_all(line.to_uppercase().as_bytes()).await?;
            }
        })
    }
}

#[tokio::test]
async fn another_protocol_has_the_same_limits_drain_and_counters() {
    let mut limits = Limits::default();
    limits.max_connections = 2;
    limits.header_timeout = Duration::from_millis(50);
    let adapter = Adapter::new("adapter")
        .endpoint("tcp -h 127.0.0.1 -p 0".parse().unwrap())
        .protocol(Shout)
        .limits(limits);
    let server = Server::builder().adapter(adapter).listen().await.unwrap();
    let (address, stats) = (server.local_addrs()[0], server.stats());
    let (stop, task) = start(server);
    let mut stream = BufReader::new(TcpStream::connect(address).await.unwrap());
    let mut line = String::new();
    stream.write_all(b"hello\n").await.unwrap();
    stream.read_line(&mut line).await.unwrap();
    assert_eq!(line, "HELLO\n");

    // One that says nothing is closed, one that makes a panic loses its connection only.
    let mut silent = TcpStream::connect(address).await.unwrap();
    assert_eq!(silent.read(&mut [0; 10]).await.unwrap(), 0);
    while stats.open.get() > 1 {
        tokio::task::yield_now().await;
    }
    let mut panics = TcpStream::connect(address).await.unwrap();
    panics.write_all(b"panic\n").await.unwrap();
    assert!(matches!(panics.read(&mut [0; 10]).await, Ok(0) | Err(_)));
    while stats.panics.get() == 0 {
        tokio::task::yield_now().await;
    }
    stop.cancel();
    line.clear();
    stream.read_line(&mut line).await.unwrap();
    assert_eq!(line, "BYE\n");
    task.await.unwrap();
    assert_eq!(
        (
            stats.accepted.get(),
            stats.open.get(),
            stats.closed_broken.get()
        ),
        (3, 0, 1)
    );
}

#[tokio::test]
async fn settings_that_contradict_each_other() {
    let udp = || "udp -h 127.0.0.1 -p 0".parse().unwrap();
    let (servant, ..) = example();
    for (adapter, text) in [
        (
            Adapter::new("a").endpoint(udp()).protocol(Shout),
            "adapter a: `udp -h 127.0.0.1 -p 0` has no connections that another protocol could serve",
        ),
        (
            Adapter::new("a").protocol(Shout).servant(OBJ, servant),
            "adapter a: it serves another protocol, in which nobody can reach PHPTest.PHPServer.obj",
        ),
        (
            Adapter::new("main"),
            "adapter main: there is another of this name",
        ),
    ] {
        let error = Server::builder()
            .adapter(adapter)
            .listen()
            .await
            .unwrap_err();
        assert_eq!(error.to_string(), text);
    }
    let endpoint = "tcp -h no.such.host.invalid -p 1".parse().unwrap();
    let adapter = Adapter::new("a").endpoint(endpoint);
    let error = Server::builder()
        .adapter(adapter)
        .listen()
        .await
        .unwrap_err();
    let Error::Listen { .. } = error else {
        panic!("{error:?}")
    };
    assert!(
        error
            .to_string()
            .starts_with("cannot listen on `tcp -h no.such.host.invalid -p 1`: ")
    );
}

/// A config file with an adapter that has these lines beside its servant and its endpoint.
fn config(endpoint: &str, lines: &str) -> ServerConfig {
    let text = format!(
        "<tars>\n<application>\n<server>\napp=PHPTest\nserver=PHPServer\n<objAdapter>\nservant={OBJ}\n\
         endpoint={endpoint}\n{lines}\n</objAdapter>\n</server>\n</application>\n</tars>\n"
    );
    let document = Document::parse(&text).unwrap();
    ApplicationConfig::new(&document).unwrap().server.unwrap()
}

fn from_config(endpoint: &str, lines: &str) -> Result<Adapter, Error> {
    let config = config(endpoint, lines);
    Adapter::from_config(&config.adapters[0])
}

#[tokio::test]
async fn an_adapter_is_what_the_config_file_says() {
    let lines = "maxconns=2\nqueuecap=1\nqueuetimeout=50\nthreads=5\nallow=127.0.0.1;10.*.*.*";
    let adapter = from_config("tcp -h 127.0.0.1 -p 0 -t 60000", lines).unwrap();
    let limits = format!("{adapter:?}");
    for part in [
        "name: \"objAdapter\"",
        "max_connections: 2,",
        "max_queue: 1,",
        "queue_timeout: 50ms,",
    ] {
        assert!(limits.contains(part), "{part} in {limits}");
    }
    let (servant, ..) = example();
    let server = Server::builder()
        .adapter(adapter.servant(OBJ, servant))
        .listen()
        .await
        .unwrap();
    let (address, stats) = (server.local_addrs()[0], server.stats());
    let (stop, task) = start(server);
    let mut connections = Vec::new();
    for _ in 0..2 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        assert!(is_served(&mut stream).await);
        connections.push(stream);
    }
    let mut third = TcpStream::connect(address).await.unwrap();
    assert!(!is_served(&mut third).await);
    assert_eq!(stats.refused.get(), 1);
    stop.cancel();
    task.await.unwrap();

    // Those who may not connect, and those who may in spite of that.
    for (lines, served) in [
        ("deny=127.*.*.*", false),
        ("allow=127.0.0.1\ndeny=127.*.*.*", true),
        ("allow=127.0.0.1\ndeny=127.*.*.*\norder=deny,allow", false),
        ("allow=10.0.0.1", false),
    ] {
        let adapter = from_config("tcp -h 127.0.0.1 -p 0", lines).unwrap();
        let server = Server::builder()
            .adapter(adapter.servant(OBJ, example().0))
            .listen();
        let server = server.await.unwrap();
        let address = server.local_addrs()[0];
        let (stop, task) = start(server);
        let mut stream = TcpStream::connect(address).await.unwrap();
        assert_eq!(is_served(&mut stream).await, served, "{lines}");
        stop.cancel();
        task.await.unwrap();
    }
}

#[test]
fn a_config_that_cannot_be_kept_is_refused() {
    for (lines, text) in [
        (
            "allow=somebody",
            "adapter objAdapter: allow: `somebody` is no IP address",
        ),
        (
            "deny=10.0.0.0/99",
            "adapter objAdapter: deny: `10.0.0.0/99` is no IP address",
        ),
        (
            "accesskey=me\nsecretkey=x",
            "adapter objAdapter: `accesskey` is not supported",
        ),
    ] {
        let error = from_config("tcp -h 127.0.0.1 -p 0", lines).unwrap_err();
        assert!(error.to_string().starts_with(text), "{error}");
    }
}

#[tokio::test]
async fn times_that_close_every_connection_are_refused() {
    type Change = fn(&mut Limits);
    let listen = async |endpoint: &str, change: Change| {
        let mut limits = Limits::default();
        change(&mut limits);
        let adapter = Adapter::new("a").endpoint(endpoint.parse().unwrap());
        let server = Server::builder().adapter(adapter.limits(limits));
        server.listen().await.map(drop).map_err(|e| e.to_string())
    };
    let place = "tcp -h 127.0.0.1 -p 0";
    assert_eq!(
        listen(&format!("{place} -t 0"), |_| {}).await.unwrap_err(),
        format!(
            "adapter a: `{place} -t 0` closes each connection at once; \
             without `-t`, the time is `Limits::idle_timeout`"
        )
    );
    listen(&format!("{place} -t 1"), |_| {}).await.unwrap();
    // There are no connections.
    listen("udp -h 127.0.0.1 -p 0 -t 0", |_| {}).await.unwrap();
    let limits: [(&str, Change); 5] = [
        ("handshake_timeout", |l| {
            l.handshake_timeout = Duration::ZERO;
        }),
        ("header_timeout", |l| l.header_timeout = Duration::ZERO),
        ("body_timeout", |l| l.body_timeout = Duration::ZERO),
        ("idle_timeout", |l| l.idle_timeout = Duration::ZERO),
        ("write_stall", |l| l.write_stall = Duration::ZERO),
    ];
    for (name, limit) in limits {
        assert_eq!(
            listen(place, limit).await.unwrap_err(),
            format!("adapter a: `Limits::{name}` must not be zero; `Duration::MAX` is no limit")
        );
    }
}

/// A servant may be shared by adapters.
#[test]
fn a_shared_servant_is_a_servant() {
    fn check(_: impl Servant) {}
    let shared: Arc<dyn Servant> = Arc::new(example().0);
    check(shared);
    fn protocol(_: &dyn Protocol) -> io::Result<()> {
        Ok(())
    }
    protocol(&Shout).unwrap();
}
