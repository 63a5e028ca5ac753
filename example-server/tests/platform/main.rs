//! The program on a Tars platform: the configs that a real `tarsnode` wrote, its start script and its orders, against a
//! stand-in for the platform.
#![cfg(target_os = "linux")] // it looks into /proc

mod commands;
#[path = "../common/mod.rs"]
mod common;
mod deployed;
mod guide;
mod life;
mod limits;
mod tls;

use std::net::SocketAddr;
use std::time::Duration;

use example_server::tars_servants;
use tars_rpc::server::{Adapter, Server};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

/// A PHPServer that greets as `name`, until it is dropped.
pub(crate) struct PhpServer {
    pub(crate) address: SocketAddr,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for PhpServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Waits until somebody listens.
pub(crate) async fn connected(address: SocketAddr) -> TcpStream {
    let tried = timeout(Duration::from_secs(20), async {
        loop {
            match TcpStream::connect(address).await {
                Ok(stream) => return stream,
                Err(_) => sleep(Duration::from_millis(10)).await,
            }
        }
    });
    tried.await.expect("somebody listens")
}

/// The body of a page; nothing, if the connection is closed before.
pub(crate) async fn get(address: SocketAddr, path: &str) -> String {
    let mut stream = connected(address).await;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    let mut answer = String::new();
    let asked = async {
        stream.write_all(request.as_bytes()).await?;
        stream.read_to_string(&mut answer).await
    };
    let _ = asked.await;
    answer
        .split_once("\r\n\r\n")
        .map(|(_, body)| body.to_owned())
        .unwrap_or_default()
}

/// PHPServer on a port of its own.
pub(crate) async fn php_server() -> PhpServer {
    let adapter = Adapter::new("obj").endpoint("tcp -h 127.0.0.1 -p 0".parse().unwrap());
    let adapter = tars_servants::DEFAULT.serve(adapter, "PHPTest.PHPServer.obj");
    let server = Server::builder().adapter(adapter).listen().await.unwrap();
    PhpServer {
        address: server.local_addrs()[0],
        task: tokio::spawn(server.serve(std::future::pending())),
    }
}

/// One that answers `sayHelloWorld` in its own way.
pub(crate) async fn greeter<G, F>(greet: G) -> PhpServer
where
    G: Fn(String) -> F + Send + Sync + 'static,
    F: Future<Output = tars_rpc::Result<String>> + Send + 'static,
{
    let (address, task) = common::serve_greeter(greet).await;
    PhpServer { address, task }
}
