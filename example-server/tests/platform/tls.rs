//! `ssl` ports of the platform.

use std::fs;
use std::sync::Arc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::connected;
use crate::deployed::Deployed;

#[tokio::test]
async fn a_port_of_the_chat_may_be_ssl() {
    let mut deployed = Deployed::new("PhpDummy", None);
    let adapter = "server/PHPTest.PhpDummy.objAdapter";
    let endpoint = deployed
        .get(&format!("{adapter}<endpoint>"))
        .replace("tcp", "ssl");
    deployed.set(&format!("{adapter}<endpoint>"), &endpoint);
    let said = deployed.run(&[]);
    assert_eq!(said.code, Some(1));
    assert!(said.err.contains("needs `cert` and `key`"), "{said:?}");

    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    for (key, name, pem) in [
        ("cert", "c.pem", made.cert.pem()),
        ("key", "k.pem", made.signing_key.serialize_pem()),
    ] {
        let path = deployed.path(name);
        fs::write(&path, pem).unwrap();
        deployed.set(&format!("{adapter}<{key}>"), path.to_str().unwrap());
    }
    let _server = deployed.start();
    let mut roots = RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = connected(deployed.address("objAdapter")).await;
    let mut stream = TlsConnector::from(Arc::new(config))
        .connect(ServerName::try_from("localhost").unwrap(), stream)
        .await
        .unwrap();
    let request = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    stream.write_all(request).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.ends_with("\r\n\r\nok"), "{answer}");
}
