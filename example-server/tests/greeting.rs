//! PHPServer down, slow or wrong: an error to who asked and a metric, never a lost connection.

mod common;

use std::future::pending;

use common::{Chat, greeter, start_with};
use example_server::php_server;
use example_server::servant::php_test::php_server::obj::TestTafServiceServant;
use tars_rpc::server::{Dispatch, Request, Servant, Server};
use tars_rpc::{Communicator, Error};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// Asks for a greeting over the WebSocket and over HTTP, and says why there was none.
async fn no_greeting(chat: &Chat, status: u16) -> String {
    let mut member = chat.connect().await;
    member.ask("subscribe|room1").await;
    let error = member.ask("hello|ted").await;
    assert!(error.starts_with("Error: PHPServer "), "{error}");
    // The connection lives, and is where it was.
    let said = member
        .ask(r#"sendByRoom|{"roomNum":"room1","message":"still here"}"#)
        .await;
    assert_eq!(said, "still here");

    let answer = chat.get("/Index/hello?name=ted").await;
    assert_eq!((answer.status, &answer.body), (status, &error));
    let metrics = chat.get("/metrics").await.body;
    assert!(metrics.contains("chat_rpc_seconds_count 2\n"), "{metrics}");
    let failed = metrics
        .lines()
        .find(|line| line.starts_with("chat_rpc_errors_total{"));
    let failed = failed.unwrap_or_else(|| panic!("{metrics}"));
    assert!(failed.ends_with(" 2"), "{failed}");
    if let Some(code) = error.strip_prefix("Error: PHPServer failed with code ") {
        assert!(failed.contains(&format!("{code:?}")), "{failed} of {code}");
    }
    error
}

fn servant_at(port: u16) -> TestTafServiceServant {
    let address = format!("{}@tcp -h 127.0.0.1 -p {port} -t 3000", php_server::NAME);
    TestTafServiceServant::new(Communicator::new().string_to_proxy(&address).unwrap())
}

#[tokio::test]
async fn it_is_down() {
    let nobody = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = nobody.local_addr().unwrap().port();
    drop(nobody);
    let chat = start_with("", servant_at(port)).await;
    no_greeting(&chat, 502).await;
}

#[tokio::test]
async fn it_is_slow() {
    let servant = greeter(|_| pending()).await;
    let chat = start_with("obj.limits.helloTimeoutMs = 20", servant).await;
    let error = no_greeting(&chat, 504).await;
    assert_eq!(error, "Error: PHPServer did not answer within 20 ms");
}

#[tokio::test]
async fn it_says_that_it_failed() {
    let servant = greeter(async |_| Err(Error::new(77, "secret"))).await;
    let chat = start_with("", servant).await;
    let error = no_greeting(&chat, 502).await;
    assert_eq!(error, "Error: PHPServer failed with code 77");
}

#[tokio::test]
async fn it_panics() {
    let servant = greeter(|_| async { panic!("on purpose") }).await;
    let chat = start_with("", servant).await;
    let error = no_greeting(&chat, 502).await;
    assert_eq!(error, "Error: PHPServer failed with code -99");
}

#[tokio::test]
async fn it_speaks_something_else() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 1024]).await;
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        }
    });
    let chat = start_with("", servant_at(port)).await;
    no_greeting(&chat, 502).await;
}

/// Answers every call without its out parameter.
struct Forgetful;

impl Servant for Forgetful {
    fn dispatch(&self, request: Request) -> Dispatch {
        let (cx, _) = request.into_parts();
        Box::pin(async move { Ok(cx.reply()) })
    }
}

#[tokio::test]
async fn its_answer_has_no_greeting() {
    let server = Server::builder()
        .bind(([127, 0, 0, 1], 0).into())
        .servant(php_server::NAME, Forgetful)
        .listen()
        .await
        .unwrap();
    let port = server.local_addrs()[0].port();
    tokio::spawn(server.serve(pending()));
    let chat = start_with("", servant_at(port)).await;
    no_greeting(&chat, 502).await;
}
