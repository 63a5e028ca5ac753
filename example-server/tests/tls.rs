//! The chat port with TLS.

mod common;

use std::sync::Arc;

use common::start;
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

/// services.toml with a certificate for localhost in `directory`, and the certificate.
fn certificate(directory: &std::path::Path) -> (String, CertificateDer<'static>) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (certificate, key) = (directory.join("c.pem"), directory.join("k.pem"));
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let services = format!(
        "obj.tls = {{ certificate = '{}', key = '{}' }}\n\
         obj.limits = {{ handshakeTimeoutMs = 500, maxMessageSize = 3000000, maxQueueSize = 20000000 }}\n\
         obj.home-class = 'ExampleWebsocket'",
        certificate.display(),
        key.display()
    );
    (services, made.cert.der().clone())
}

async fn connect(chat: &common::Chat, root: &CertificateDer<'static>) -> TlsStream<TcpStream> {
    let mut roots = RootCertStore::empty();
    roots.add(root.clone()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(chat.address).await.unwrap();
    TlsConnector::from(Arc::new(config))
        .connect(ServerName::try_from("localhost").unwrap(), stream)
        .await
        .unwrap()
}

#[tokio::test]
async fn the_chat_speaks_tls() {
    let directory = tempfile::tempdir().unwrap();
    let (services, root) = certificate(directory.path());
    let chat = start(&services).await;

    // HTTP, with the scheme in the policy of the page.
    let mut http = connect(&chat, &root).await;
    http.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        .await
        .unwrap();
    let mut page = String::new();
    http.read_to_string(&mut page).await.unwrap();
    assert!(page.starts_with("HTTP/1.1 200"), "{page:.900}");
    assert!(page.contains("wss://localhost:443;"), "{page:.900}");

    // WebSocket: small and large messages, both ways, several at once.
    let mut sockets = Vec::new();
    for origin in ["https://localhost", "https://localhost:443"] {
        let mut request = "wss://localhost/".into_client_request().unwrap();
        let headers = request.headers_mut();
        headers.insert("origin", origin.parse().unwrap());
        let stream = connect(&chat, &root).await;
        let (socket, _) = tokio_tungstenite::client_async(request, stream)
            .await
            .unwrap();
        sockets.push(socket);
    }
    let [a, b] = &mut sockets[..] else { panic!() };
    for size in [0, 1, 16_383, 16_384, 16_385, 70_000, 2_000_000] {
        let text = "x".repeat(size);
        for _ in 0..3 {
            let command = format!(r#"broadcast|{{"message":"{text}"}}"#);
            a.send(Message::text(command)).await.unwrap();
        }
        for _ in 0..3 {
            assert!(b.next().await.unwrap().unwrap() == Message::text(text.clone()));
        }
        let mut own = Vec::new();
        for _ in 0..6 {
            own.push(a.next().await.unwrap().unwrap().into_text().unwrap());
        }
        own.retain(|own| own.as_str() != "Broadcast success!");
        assert!(own.iter().all(|own| own.as_str() == text) && own.len() == 3);
    }
    a.close(None).await.unwrap();
    while a.next().await.is_some() {}
    chat.shutdown.cancel();
    let closed = b.next().await.unwrap().unwrap();
    assert!(closed.is_close(), "{closed:?}");
    while b.next().await.is_some() {}
    chat.task.await.unwrap();
}

#[tokio::test]
async fn who_speaks_no_tls_is_let_go() {
    let directory = tempfile::tempdir().unwrap();
    let (services, root) = certificate(directory.path());
    let chat = start(&services).await;
    for sent in ["GET / HTTP/1.1\r\nHost: x\r\n\r\n", "", "\u{16}\u{3}\u{1}"] {
        let mut stream = TcpStream::connect(chat.address).await.unwrap();
        stream.write_all(sent.as_bytes()).await.unwrap();
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest).await;
        assert!(!rest.starts_with(b"HTTP"));
    }
    // A page of the same host without TLS is another origin.
    let mut request = "wss://localhost/".into_client_request().unwrap();
    let headers = request.headers_mut();
    headers.insert("origin", "http://localhost".parse().unwrap());
    let stream = connect(&chat, &root).await;
    let refused = tokio_tungstenite::client_async(request, stream).await;
    assert!(refused.is_err());
}

#[tokio::test]
async fn mistakes_name_the_file() {
    use example_server::server::Server;
    use example_server::services::Services;

    let directory = tempfile::tempdir().unwrap();
    let (services, _) = certificate(directory.path());
    let other = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = directory.path().join("k.pem");
    for (content, told) in [
        (
            Some(other.signing_key.serialize_pem()),
            "certificate and key",
        ),
        (Some("no key".to_owned()), "k.pem"),
        (None, "k.pem"),
    ] {
        match content {
            Some(content) => std::fs::write(&key, content).unwrap(),
            None => std::fs::remove_file(&key).unwrap(),
        }
        let services = Services::parse(&services, "".as_ref()).unwrap();
        let servant = common::greeter(async |_| Ok(String::new())).await;
        let listen = ([127, 0, 0, 1], 0).into();
        let error = Server::with_services(listen, services, servant).await;
        let error = error.unwrap_err().to_string();
        assert!(
            error.starts_with("tls: ") && error.contains(told),
            "{error}"
        );
    }
}
