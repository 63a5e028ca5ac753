//! `maxconns`, `queuecap`, `queuetimeout` and `deactivating-timeout` of the platform, in the chat.

use std::future::pending;
use std::time::Duration;

use tars_tests::platform::StandIn;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::common::Client;
use crate::deployed::Deployed;
use crate::{connected, greeter};

const ADAPTER: &str = "server/PHPTest.PhpDummy.objAdapter";

#[tokio::test]
async fn as_many_connections_as_maxconns() {
    let mut deployed = Deployed::new("PhpDummy", None);
    deployed.set(&format!("{ADAPTER}<maxconns>"), "2");
    let _server = deployed.start();
    let chat = deployed.address("objAdapter");
    connected(chat).await;
    let mut clients = [Client::connect(chat).await, Client::connect(chat).await];
    assert_eq!(clients[1].ask("ping").await, "pong");
    let stream = connected(chat).await;
    let refused = tokio_tungstenite::client_async(format!("ws://{chat}/"), stream).await;
    match refused {
        Err(tokio_tungstenite::tungstenite::Error::Http(answer)) => {
            assert_eq!(answer.status(), 503);
        }
        other => panic!("{other:?}"),
    }
}

/// Of requests that wait for PHPServer there are `queuecap` at most, each for `queuetimeout` at most.
#[tokio::test]
async fn as_many_greetings_as_queuecap_for_queuetimeout() {
    let stand_in = StandIn::start().await;
    let mut deployed = Deployed::new("PhpDummy", Some(&stand_in));
    deployed.set(&format!("{ADAPTER}<queuecap>"), "2");
    deployed.set(&format!("{ADAPTER}<queuetimeout>"), "700");
    let deaf = greeter(async |_| pending().await).await;
    stand_in
        .services()
        .objects()
        .add("PHPTest.PHPServer.obj", deaf.address);
    let _server = deployed.start();
    let chat = deployed.address("objAdapter");
    connected(chat).await;
    let mut clients = [Client::connect(chat).await, Client::connect(chat).await];
    for client in &mut clients {
        client.send("hello|ted").await;
        // The answer comes later; this one says that the command was read.
        assert_eq!(client.ask("ping").await, "pong");
    }
    let mut one_more = Client::connect(chat).await;
    assert_eq!(
        one_more.ask("hello|ted").await,
        "Error: too many wait for PHPServer; try again later"
    );
    for client in &mut clients {
        assert_eq!(
            client.next().await,
            "Error: PHPServer did not answer within 700 ms"
        );
    }
}

/// A client that never answers the close does not hold the server beyond its time.
#[tokio::test]
async fn it_ends_in_time_whoever_is_connected() {
    let deployed = Deployed::new("PhpDummy", None);
    let mut server = deployed.start();
    let chat = deployed.address("objAdapter");
    let mut deaf = connected(chat).await;
    let upgrade = format!(
        "GET / HTTP/1.1\r\nHost: {chat}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    deaf.write_all(upgrade.as_bytes()).await.unwrap();
    assert_eq!(deaf.read_u8().await.unwrap(), b'H');
    server.signal("-TERM");
    let status = server.ended_within(Duration::from_secs(3));
    assert_eq!(status.code(), Some(0), "within deactivating-timeout");
    assert!(server.id() > 0);
}
