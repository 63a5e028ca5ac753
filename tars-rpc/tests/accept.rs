//! A process without file descriptors left. Alone in its file, since it takes them from the whole process.

#![cfg(target_os = "linux")]

mod common;

use std::{fs::File, time::Duration};

use common::{OBJ, client_of, example};
use rustix::process::{Resource, getrlimit, setrlimit};
use tars_rpc::{Communicator, server::Server};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

#[tokio::test]
async fn accepting_goes_on_when_there_are_descriptors_again() {
    let (servant, ..) = example();
    let server = Server::builder()
        .bind(([127, 0, 0, 1], 0).into())
        .servant(OBJ, servant)
        .listen()
        .await
        .unwrap();
    let (address, stats) = (server.local_addrs()[0], server.stats());
    let stop = CancellationToken::new();
    let task = tokio::spawn(server.serve(stop.clone().cancelled_owned()));
    let endpoint = format!("{OBJ}@tcp -h 127.0.0.1 -p {}", address.port());
    let client = client_of(&Communicator::new(), &endpoint);
    client.say_hello_world("ted").await.unwrap();

    let mut limit = getrlimit(Resource::Nofile);
    limit.current = Some(64);
    setrlimit(Resource::Nofile, limit).unwrap();
    let mut files = Vec::new();
    while let Ok(file) = File::open("/dev/null") {
        files.push(file);
    }
    // One for the connection's own end; there is none for the server's.
    files.pop();
    let mut waiting = TcpStream::connect(address).await.unwrap();
    while stats.accept_errors.get() < 3 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(stats.accept_errors.get() < 10, "it does not spin");
    // Who is connected is served all the while.
    client.say_hello_world("ted").await.unwrap();

    drop(files);
    let ping = common::greet(1, "ted", |_| {});
    tokio::io::AsyncWriteExt::write_all(&mut waiting, &ping)
        .await
        .unwrap();
    let n = tokio::io::AsyncReadExt::read(&mut waiting, &mut [0; 100]).await;
    assert!(n.unwrap() > 0);
    drop((waiting, client));
    stop.cancel();
    task.await.unwrap();
    assert_eq!(stats.open.get(), 0);
}
