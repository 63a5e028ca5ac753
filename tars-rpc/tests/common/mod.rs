//! A servant and its client, written by hand in the shape that tars2rs generates, and ways to connect them.

#![allow(dead_code, unreachable_pub)] // each test file uses its part

#[cfg(feature = "metrics")]
pub mod numbers;
pub mod registry;

use std::{future::Future, net::SocketAddr, sync::Arc};

use bytes::BytesMut;
use tars_rpc::{
    Communicator, Endpoint, Result,
    client::{self, BoxedStream, Config, Connecting, Connector},
    codec::{Bytes, FrameSplitter, RequestPacket, ResponsePacket, Writer, decode_bytes, write},
    server::{self, Limits, Server, ServerBuilder, Stats},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream},
    sync::mpsc,
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

pub const OBJ: &str = "PHPTest.PHPServer.obj";

/// Answer of `testBasic`.
#[derive(Debug, Clone, PartialEq)]
pub struct TestBasicReply {
    pub result: i32,
    pub d: bool,
    pub e: i32,
    pub f: String,
}

/// Client proxy of the interface `TestTafService`.
#[derive(Debug, Clone)]
pub struct TestTafServiceServant {
    proxy: client::ServantProxy,
}

impl TestTafServiceServant {
    pub fn new(proxy: client::ServantProxy) -> Self {
        Self { proxy }
    }

    pub fn proxy(&self) -> &client::ServantProxy {
        &self.proxy
    }

    #[must_use]
    pub fn with(&self, options: client::CallOptions) -> Self {
        Self {
            proxy: self.proxy.with(options),
        }
    }

    pub async fn test_taf_server(&self) -> Result<()> {
        self.proxy.call("testTafServer", |_| {}).await?;
        Ok(())
    }

    pub async fn say_hello_world(&self, name: &str) -> Result<String> {
        let mut reply = self
            .proxy
            .call("sayHelloWorld", |args| {
                args.put(1, "name", name);
            })
            .await?;
        reply.take(2, "outGreetings")
    }

    pub async fn test_basic(&self, a: bool, b: i32, c: &str) -> Result<TestBasicReply> {
        let mut reply = self
            .proxy
            .call("testBasic", |args| {
                args.put(1, "a", &a);
                args.put(2, "b", &b);
                args.put(3, "c", c);
            })
            .await?;
        Ok(TestBasicReply {
            result: reply.take_result()?,
            d: reply.take(4, "d")?,
            e: reply.take(5, "e")?,
            f: reply.take(6, "f")?,
        })
    }
}

/// Server side of the interface `TestTafService`.
pub trait TestTafService: Send + Sync + 'static {
    fn test_taf_server(&self, cx: &server::Context) -> impl Future<Output = Result<()>> + Send;

    fn say_hello_world(
        &self,
        cx: &server::Context,
        name: String,
    ) -> impl Future<Output = Result<String>> + Send;

    fn test_basic(
        &self,
        cx: &server::Context,
        a: bool,
        b: i32,
        c: String,
    ) -> impl Future<Output = Result<TestBasicReply>> + Send;
}

/// Dispatches the calls of `TestTafService` to an implementation.
#[derive(Debug)]
pub struct TestTafServiceServer<T>(Arc<T>);

impl<T: TestTafService> TestTafServiceServer<T> {
    pub fn new(service: T) -> Self {
        Self(Arc::new(service))
    }
}

impl<T: TestTafService> server::Servant for TestTafServiceServer<T> {
    fn dispatch(&self, request: server::Request) -> server::Dispatch {
        let service = Arc::clone(&self.0);
        Box::pin(async move {
            let (cx, mut args) = request.into_parts();
            let mut reply = cx.reply();
            match cx.func() {
                "testTafServer" => service.test_taf_server(&cx).await?,
                "sayHelloWorld" => {
                    let name = args.take::<String>(1, "name")?;
                    let out_greetings = service.say_hello_world(&cx, name).await?;
                    reply.put(2, "outGreetings", &out_greetings);
                }
                "testBasic" => {
                    let a = args.take(1, "a")?;
                    let b = args.take(2, "b")?;
                    let c = args.take(3, "c")?;
                    let answer = service.test_basic(&cx, a, b, c).await?;
                    reply.put_result(&answer.result);
                    reply.put(4, "d", &answer.d);
                    reply.put(5, "e", &answer.e);
                    reply.put(6, "f", &answer.f);
                }
                _ => return Err(cx.unknown_function()),
            }
            Ok(reply)
        })
    }
}

/// Answers as TarsPHP's example server does; the names of some callers make it misbehave.
#[derive(Debug, Default)]
pub struct Example {
    /// Calls of `wait` stay until this is cancelled.
    pub gate: CancellationToken,
    /// Hears of each call that has begun.
    pub begun: Option<mpsc::UnboundedSender<String>>,
}

impl TestTafService for Example {
    async fn test_taf_server(&self, _: &server::Context) -> Result<()> {
        Ok(())
    }

    async fn say_hello_world(&self, cx: &server::Context, name: String) -> Result<String> {
        if let Some(begun) = &self.begun {
            let _ = begun.send(name.clone()); // a test may not listen
        }
        match name.as_str() {
            "ted" | "tars" => Ok("hello world!".to_owned()),
            "panic" => panic!("somebody said panic"),
            "panic later" => {
                tokio::task::yield_now().await;
                panic!("somebody said panic")
            }
            "fail" => Err(tars_rpc::Error::new(1234, "no greetings today")),
            _ if name.trim_end() == "wait" => {
                self.gate.cancelled().await;
                Ok("the wait is over".to_owned())
            }
            "yield" => {
                tokio::task::yield_now().await;
                Ok("hello again!".to_owned())
            }
            "context" => Ok(format!("{:?} {:?}", cx.context(), cx.status())),
            "much" => Ok("x".repeat(100_000)),
            _ => Ok(format!("hello {name}!")),
        }
    }

    async fn test_basic(
        &self,
        _: &server::Context,
        a: bool,
        b: i32,
        c: String,
    ) -> Result<TestBasicReply> {
        let _ = (a, b, c);
        Ok(TestBasicReply {
            result: -99,
            d: false,
            e: 111,
            f: "here i am".to_owned(),
        })
    }
}

/// A server on a free port of loopback.
pub struct Running {
    pub address: SocketAddr,
    pub stats: Arc<Stats>,
    pub gate: CancellationToken,
    pub stop: CancellationToken,
    pub begun: mpsc::UnboundedReceiver<String>,
    pub task: JoinHandle<()>,
}

impl Running {
    pub async fn start(limits: Limits) -> Self {
        Self::start_with(|builder| builder.limits(limits)).await
    }

    pub async fn start_with(change: impl FnOnce(ServerBuilder) -> ServerBuilder) -> Self {
        let (servant, gate, begun) = example();
        let builder = Server::builder()
            .bind(([127, 0, 0, 1], 0).into())
            .servant(OBJ, servant);
        let server = change(builder).listen().await.unwrap();
        let stop = CancellationToken::new();
        Self {
            address: server.local_addrs()[0],
            stats: server.stats(),
            gate,
            begun,
            task: tokio::spawn(server.serve(stop.clone().cancelled_owned())),
            stop,
        }
    }

    pub fn endpoint(&self) -> String {
        let port = self.address.port();
        format!("tcp -h 127.0.0.1 -p {port} -t 60000")
    }

    pub fn client(&self, communicator: &Communicator) -> TestTafServiceServant {
        client_of(communicator, &format!("{OBJ}@{}", self.endpoint()))
    }
}

pub fn client_of(communicator: &Communicator, address: &str) -> TestTafServiceServant {
    TestTafServiceServant::new(communicator.string_to_proxy(address).unwrap())
}

pub fn example() -> (
    TestTafServiceServer<Example>,
    CancellationToken,
    mpsc::UnboundedReceiver<String>,
) {
    let gate = CancellationToken::new();
    let (sender, begun) = mpsc::unbounded_channel();
    let example = Example {
        gate: gate.clone(),
        begun: Some(sender),
    };
    (TestTafServiceServer::new(example), gate, begun)
}

/// Hands the other end of each stream to the test, which plays the server.
#[derive(Debug)]
pub struct InMemory {
    size: usize,
    accepted: mpsc::UnboundedSender<DuplexStream>,
}

/// What plays the server.
#[derive(Debug)]
pub struct Accepting(mpsc::UnboundedReceiver<DuplexStream>);

impl Accepting {
    pub async fn accept(&mut self) -> Raw {
        Raw::new(self.0.recv().await.unwrap())
    }
}

/// A client whose connections come out of the other value, with buffers of `size` bytes.
pub fn in_memory(
    size: usize,
    change: impl FnOnce(&mut Config),
) -> (TestTafServiceServant, Communicator, Accepting) {
    let (accepted, streams) = mpsc::unbounded_channel();
    let mut config = Config::default();
    change(&mut config);
    let communicator = Communicator::builder()
        .connector(InMemory { size, accepted })
        .config(config)
        .build();
    let client = client_of(&communicator, &format!("{OBJ}@tcp -h in.memory -p 1"));
    (client, communicator, Accepting(streams))
}

impl Connector for InMemory {
    fn connect(&self, _: Arc<Endpoint>) -> Connecting {
        let (ours, theirs) = tokio::io::duplex(self.size);
        let sent = self.accepted.send(theirs);
        Box::pin(async move {
            sent.map_err(|_| std::io::Error::from(std::io::ErrorKind::ConnectionRefused))?;
            Ok(Box::new(ours) as BoxedStream)
        })
    }
}

pub fn peer() -> SocketAddr {
    ([127, 0, 0, 1], 9).into()
}

/// Reads and writes frames: the other side of what is tested.
#[derive(Debug)]
pub struct Raw {
    pub stream: DuplexStream,
    pub input: BytesMut,
    /// Does not mind a stream that ends within a frame.
    pub lenient: bool,
}

impl Raw {
    pub fn new(stream: DuplexStream) -> Self {
        Self {
            stream,
            input: BytesMut::new(),
            lenient: false,
        }
    }

    pub async fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    /// The next frame with its length; `None` at the end of the stream, which must not be within a frame.
    pub async fn frame(&mut self) -> Option<Vec<u8>> {
        loop {
            if let Some(packet) = FrameSplitter::default().split(&mut self.input).unwrap() {
                let len = u32::try_from(packet.len() + 4).unwrap();
                return Some([&len.to_be_bytes(), &packet[..]].concat());
            }
            if self.stream.read_buf(&mut self.input).await.unwrap() == 0 {
                assert!(self.lenient || self.input.is_empty(), "half a frame");
                return None;
            }
        }
    }

    pub async fn request(&mut self) -> Option<RequestPacket> {
        let frame = self.frame().await?;
        Some(decode_bytes(&Bytes::from(frame).slice(4..)).unwrap())
    }

    pub async fn answer(&mut self) -> Option<ResponsePacket> {
        let frame = self.frame().await?;
        Some(decode_bytes(&Bytes::from(frame).slice(4..)).unwrap())
    }
}

/// The frame of a call of `sayHelloWorld`.
pub fn greet(id: i32, name: &str, change: impl FnOnce(&mut RequestPacket)) -> Vec<u8> {
    let mut packet = RequestPacket {
        version: 1,
        request_id: id,
        servant: OBJ.to_owned(),
        func: "sayHelloWorld".to_owned(),
        body: values(|w| w.put(1, name)),
        ..RequestPacket::default()
    };
    change(&mut packet);
    let mut frame = Vec::new();
    let head = packet.head();
    head.write_frame(&mut frame, |w| w.append(&packet.body))
        .unwrap();
    frame
}

/// How many bytes the body of a request's frame has.
pub fn body_len(frame: &[u8]) -> usize {
    let packet: RequestPacket = decode_bytes(&Bytes::from(frame.to_vec()).slice(4..)).unwrap();
    packet.body.len()
}

/// The frame of the answer of `sayHelloWorld`.
pub fn greeting(id: i32, greeting: &str) -> Vec<u8> {
    let packet = ResponsePacket {
        version: 1,
        request_id: id,
        body: values(|w| w.put(2, greeting)),
        ..ResponsePacket::default()
    };
    let mut frame = Vec::new();
    let head = packet.head();
    head.write_frame(&mut frame, |w| w.append(&packet.body))
        .unwrap();
    frame
}

/// The frame of an answer that says that the call failed.
pub fn failure(id: i32, code: i32) -> Vec<u8> {
    let packet = ResponsePacket {
        version: 1,
        request_id: id,
        ret: code,
        ..ResponsePacket::default()
    };
    let mut frame = Vec::new();
    packet.head().write_frame(&mut frame, |_| {}).unwrap();
    frame
}

fn values(put: impl FnOnce(&mut Writer<'_>)) -> Bytes {
    let mut body = Vec::new();
    write(&mut body, put).unwrap();
    body.into()
}

/// A recorded frame: `key` of the first object in the fixture that has `"NAME": "name"` before it.
pub fn recorded(fixture: &str, name: &str, key: &str) -> Vec<u8> {
    let path = format!(
        "{}/../tests/fixtures/wire/{fixture}",
        env!("CARGO_MANIFEST_DIR")
    );
    let text = std::fs::read_to_string(path).unwrap();
    let (_, object) = text.split_once(&format!("\": \"{name}\"")).unwrap();
    let (_, value) = object.split_once(&format!("\"{key}\": \"")).unwrap();
    hex(value.split_once('"').unwrap().0)
}

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<_> = text
        .chars()
        .map(|c| c.to_digit(16).unwrap() as u8)
        .collect();
    digits
        .chunks(2)
        .map(|pair| pair[0] << 4 | pair[1])
        .collect()
}
