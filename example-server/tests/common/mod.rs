//! A server of this process and clients for it.

#![allow(dead_code)] // Each test file uses its part.

pub(crate) mod redis;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use example_server::hub::Hub;
use example_server::php_server;
use example_server::servant::php_test::php_server::obj::TestTafServiceServant;
use example_server::server::Server;
use example_server::services::Services;
use futures_util::{SinkExt as _, StreamExt as _};
use tars_rpc::server::{Dispatch, Request, Servant};
use tars_rpc::{Communicator, Result};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_util::sync::CancellationToken;

/// A running server, stopped when dropped with its runtime.
pub(crate) struct Chat {
    pub(crate) address: SocketAddr,
    pub(crate) hub: Arc<Hub>,
    pub(crate) shutdown: CancellationToken,
    pub(crate) task: JoinHandle<()>,
}

/// A server with this services.toml and a PHPServer that greets.
pub(crate) async fn start(services: &str) -> Chat {
    let servant = greeter(async |name| Ok(format!("hello {name}"))).await;
    start_with(services, servant).await
}

pub(crate) async fn start_with(services: &str, servant: TestTafServiceServant) -> Chat {
    let services = Services::parse(services, Path::new("")).unwrap();
    let listen = SocketAddr::from(([127, 0, 0, 1], 0));
    let server = Server::with_services(listen, services, servant)
        .await
        .unwrap();
    let (address, hub) = (server.address(), Arc::clone(server.hub()));
    let shutdown = server.shutdown_handle();
    Chat {
        address,
        hub,
        shutdown,
        task: tokio::spawn(server.run()),
    }
}

/// A proxy of a PHPServer on a port of its own that answers `sayHelloWorld` with `greet`.
pub(crate) async fn greeter<G, F>(greet: G) -> TestTafServiceServant
where
    G: Fn(String) -> F + Send + Sync + 'static,
    F: Future<Output = Result<String>> + Send + 'static,
{
    let (address, _) = serve_greeter(greet).await;
    let address = format!(
        "{}@tcp -h {} -p {}",
        php_server::NAME,
        address.ip(),
        address.port()
    );
    TestTafServiceServant::new(Communicator::new().string_to_proxy(&address).unwrap())
}

/// Where it is, and its task.
pub(crate) async fn serve_greeter<G, F>(greet: G) -> (SocketAddr, JoinHandle<()>)
where
    G: Fn(String) -> F + Send + Sync + 'static,
    F: Future<Output = Result<String>> + Send + 'static,
{
    let server = tars_rpc::server::Server::builder()
        .bind(([127, 0, 0, 1], 0).into())
        .servant(php_server::NAME, Greeter(greet))
        .listen()
        .await
        .unwrap();
    let address = server.local_addrs()[0];
    (address, tokio::spawn(server.serve(std::future::pending())))
}

struct Greeter<G>(G);

impl<G, F> Servant for Greeter<G>
where
    G: Fn(String) -> F + Send + Sync + 'static,
    F: Future<Output = Result<String>> + Send + 'static,
{
    fn dispatch(&self, request: Request) -> Dispatch {
        let (cx, mut args) = request.into_parts();
        let greeting = args.take(1, "name").map(&self.0);
        Box::pin(async move {
            let mut reply = cx.reply();
            reply.put(2, "outGreetings", &greeting?.await?);
            Ok(reply)
        })
    }
}

impl Chat {
    pub(crate) async fn connect(&self) -> Client {
        self.connect_with(&[]).await.unwrap()
    }

    /// Connects with further headers; the status if the upgrade is refused.
    pub(crate) async fn connect_with(
        &self,
        headers: &[(&'static str, &str)],
    ) -> Result<Client, u16> {
        let mut request = format!("ws://{}/any/path", self.address)
            .into_client_request()
            .unwrap();
        for (name, value) in headers {
            request.headers_mut().append(*name, value.parse().unwrap());
        }
        let stream = TcpStream::connect(self.address).await.unwrap();
        match tokio_tungstenite::client_async(request, stream).await {
            Ok((socket, _)) => Ok(Client { socket }),
            Err(tokio_tungstenite::tungstenite::Error::Http(answer)) => Err(answer.status().into()),
            Err(error) => panic!("{error}"),
        }
    }

    /// Status, head and body of a request's answer.
    pub(crate) async fn http(&self, request: &str) -> Answer {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer {
            status,
            head: head.to_ascii_lowercase(),
            body: body.to_owned(),
        }
    }

    pub(crate) async fn get(&self, target: &str) -> Answer {
        self.get_with(target, "").await
    }

    pub(crate) async fn get_with(&self, target: &str, headers: &str) -> Answer {
        let host = self.address;
        self.http(&format!(
            "GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}\r\n"
        ))
        .await
    }

    pub(crate) async fn post(&self, target: &str, content_type: &str, body: &str) -> Answer {
        let (host, length) = (self.address, body.len());
        self.http(&format!(
            "POST {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\
             Content-Type: {content_type}\r\nContent-Length: {length}\r\n\r\n{body}"
        ))
        .await
    }
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

/// A WebSocket client.
pub(crate) struct Client {
    pub(crate) socket: WebSocketStream<TcpStream>,
}

impl Client {
    /// A client of any server.
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        let url = format!("ws://{address}/");
        let (socket, _) = tokio_tungstenite::client_async(url, stream).await.unwrap();
        Self { socket }
    }

    pub(crate) async fn send(&mut self, text: &str) {
        self.socket.send(Message::text(text)).await.unwrap();
    }

    /// The next text.
    pub(crate) async fn next(&mut self) -> String {
        match self.socket.next().await.unwrap().unwrap() {
            Message::Text(text) => text.to_string(),
            other => panic!("expected text, got {other:?}"),
        }
    }

    /// Sends a command and returns its answer.
    pub(crate) async fn ask(&mut self, text: &str) -> String {
        self.send(text).await;
        self.next().await
    }

    /// Everything that has been sent to this client so far.
    ///
    /// Answers come in order, so what comes before the pong is all there was.
    pub(crate) async fn received(&mut self) -> Vec<String> {
        self.send("ping").await;
        let mut texts = Vec::new();
        loop {
            match self.next().await {
                text if text == "pong" => return texts,
                text => texts.push(text),
            }
        }
    }

    /// Reads up to the close frame and returns its code.
    pub(crate) async fn closed(&mut self) -> u16 {
        loop {
            match self.socket.next().await {
                Some(Ok(Message::Close(Some(frame)))) => return frame.code.into(),
                Some(Ok(Message::Close(None))) => return 1005,
                Some(Ok(_)) => {}
                other => panic!("expected a close frame, got {other:?}"),
            }
        }
    }
}
