//! Adapters: their limits, who may connect, what they serve.

mod common;

use std::{io, sync::Arc, time::Duration};

use common::{OBJ, Raw, client_of, example, greet, peer};
use tars_rpc::{
    Communicator, Error, codes,
    config::{ApplicationConfig, Document, ServerConfig},
    server::{
        Adapter, AllowList, Limits, Protocol, RawConnection, Servant, Server, Serving, Stats,
    },
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    sync::mpsc,
    task::{JoinHandle, JoinSet},
};
use tokio_util::sync::CancellationToken;

/// A server in memory, to which any number of connections can be made.
struct Memory {
    server: Server,
    stats: Arc<Stats>,
    gate: CancellationToken,
    begun: mpsc::UnboundedReceiver<String>,
    connections: JoinSet<()>,
}

impl Memory {
    async fn new(change: impl FnOnce(&mut Limits)) -> Self {
        let mut limits = Limits::default();
        change(&mut limits);
        let (servant, gate, begun) = example();
        let builder = Server::builder().servant(OBJ, servant).limits(limits);
        let server = builder.listen().await.unwrap();
        Self {
            stats: server.stats(),
            server,
            gate,
            begun,
            connections: JoinSet::new(),
        }
    }

    fn connect(&mut self) -> Raw {
        let (ours, theirs) = tokio::io::duplex(1 << 16);
        self.connections
            .spawn(self.server.serve_stream(theirs, peer()));
        Raw::new(ours)
    }

    async fn end(mut self) {
        self.gate.cancel();
        while let Some(ended) = self.connections.join_next().await {
            ended.unwrap();
        }
        let stats = &self.stats;
        assert_eq!(stats.open.get(), 0);
        assert_eq!(
            stats.requests.get(),
            stats.succeeded.get() + stats.failed.get()
        );
    }
}

#[tokio::test(start_paused = true)]
async fn handlers_and_queue_are_shared_by_connections() {
    for (in_flight, queue) in [(1, 0), (1, 1), (2, 3), (5, 2)] {
        let mut memory = Memory::new(|l| {
            l.max_in_flight = in_flight;
            l.max_queue = queue;
        })
        .await;
        let room = in_flight + queue;
        let mut clients = Vec::new();
        for id in 0..room {
            let mut client = memory.connect();
            client.send(&greet(id as i32, "wait", |_| {})).await;
            if id < in_flight {
                assert_eq!(memory.begun.recv().await.unwrap(), "wait");
            }
            clients.push(client);
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        let mut refused = memory.connect();
        refused.send(&greet(7, "wait", |_| {})).await;
        assert_eq!(refused.answer().await.unwrap().ret, codes::OVERLOAD);
        assert_eq!(memory.stats.overloads.get(), 1);
        // A ping needs no room.
        refused
            .send(&greet(8, "", |r| r.func = "tars_ping".to_owned()))
            .await;
        assert_eq!(refused.answer().await.unwrap().ret, codes::OK);
        memory.gate.cancel();
        for client in &mut clients {
            assert_eq!(client.answer().await.unwrap().ret, codes::OK);
        }
        drop((clients, refused));
        memory.end().await;
    }
}

/// Each connection that waits gets its turn, however many requests another one has.
#[tokio::test(start_paused = true)]
async fn connections_take_turns() {
    let mut memory = Memory::new(|l| l.max_in_flight = 1).await;
    let mut greedy = memory.connect();
    for id in 0..100 {
        let name = if id == 0 { "wait" } else { "yield" };
        greedy.send(&greet(id, name, |_| {})).await;
    }
    memory.begun.recv().await.unwrap();
    let mut modest = memory.connect();
    modest.send(&greet(1000, "modest", |_| {})).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    memory.gate.cancel();
    assert_eq!(modest.answer().await.unwrap().ret, codes::OK);
    assert_eq!(memory.begun.recv().await.unwrap(), "yield");
    assert_eq!(memory.begun.recv().await.unwrap(), "modest");
    for id in 0..100 {
        assert_eq!(greedy.answer().await.unwrap().request_id, id);
    }
    drop((greedy, modest));
    memory.end().await;
}

/// A connection whose peer does not read must not keep the others from running.
#[tokio::test(start_paused = true)]
async fn a_stalled_connection_gives_its_place_to_others() {
    let mut memory = Memory::new(|l| {
        l.max_in_flight = 1;
        l.max_unsent = 1000;
    })
    .await;
    let mut running = memory.connect();
    running.send(&greet(1, "wait", |_| {})).await;
    memory.begun.recv().await.unwrap();
    let mut deaf = memory.connect();
    let frames: Vec<u8> = (1..10).flat_map(|id| greet(id, "much", |_| {})).collect();
    deaf.send(&frames).await;
    let mut other = memory.connect();
    other.send(&greet(2, "ted", |_| {})).await;
    tokio::task::yield_now().await;
    memory.gate.cancel();
    assert_eq!(other.answer().await.unwrap().ret, codes::OK);
    drop((running, other, deaf));
    memory.end().await;
}

#[tokio::test(start_paused = true)]
async fn the_time_in_the_queue_is_bounded() {
    for (waited, ret) in [
        (999, codes::OK),
        (1000, codes::QUEUE_TIMEOUT),
        (1001, codes::QUEUE_TIMEOUT),
    ] {
        let mut memory = Memory::new(|l| {
            l.max_in_flight = 1;
            l.queue_timeout = Duration::from_secs(1);
        })
        .await;
        let mut client = memory.connect();
        client.send(&greet(1, "wait", |_| {})).await;
        memory.begun.recv().await.unwrap();
        client
            .send(&greet(2, "anna", |r| r.timeout = 3_600_000))
            .await;
        tokio::time::sleep(Duration::from_millis(waited)).await;
        memory.gate.cancel();
        let mut answers = [
            client.answer().await.unwrap(),
            client.answer().await.unwrap(),
        ];
        answers.sort_by_key(|answer| answer.request_id);
        assert_eq!(
            answers.map(|answer| answer.ret),
            [codes::OK, ret],
            "{waited} ms"
        );
        drop(client);
        memory.end().await;
    }
}

/// It is told so although no handler ends.
#[tokio::test(start_paused = true)]
async fn who_waits_too_long_is_told_at_once() {
    let mut memory = Memory::new(|l| {
        l.max_in_flight = 1;
        l.queue_timeout = Duration::from_secs(1);
    })
    .await;
    let mut client = memory.connect();
    client.send(&greet(1, "wait", |_| {})).await;
    memory.begun.recv().await.unwrap();
    let began = tokio::time::Instant::now();
    client.send(&greet(2, "anna", |_| {})).await;
    let answer = client.answer().await.unwrap();
    assert_eq!((answer.request_id, answer.ret), (2, codes::QUEUE_TIMEOUT));
    assert_eq!(began.elapsed(), Duration::from_secs(1));
    assert_eq!(
        answer.result_desc,
        format!(
            "{OBJ}.sayHelloWorld waited in the queue of main for too long: its timeout is 0 ms, that of the queue 1000 ms"
        )
    );
    drop(client);
    memory.end().await;
}

#[tokio::test(start_paused = true)]
async fn bytes_of_running_and_waiting_requests_are_bounded() {
    let body = greet(1, &"x".repeat(1000), |_| {});
    let body = common::body_len(&body);
    for (per_connection, connections) in [(false, 1), (false, 3), (true, 1)] {
        for (limit, taken) in [(3 * body - 1, 2), (3 * body, 3), (3 * body + 1, 3), (1, 1)] {
            let mut memory = Memory::new(|l| {
                l.max_in_flight = 1; // so that the others wait
                if per_connection {
                    l.max_request_bytes_per_connection = limit;
                } else {
                    l.max_request_bytes = limit;
                }
            })
            .await;
            let mut clients: Vec<_> = (0..connections).map(|_| memory.connect()).collect();
            for n in 0..5_usize {
                let client = &mut clients[n % connections];
                // "wait" padded to the size of the others
                let name = format!("{:<1000}", "wait");
                client.send(&greet(n as i32, &name, |_| {})).await;
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            assert_eq!(memory.stats.overloads.get(), 5 - taken, "{limit}");
            drop(clients);
            memory.end().await;
        }
    }
}

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
