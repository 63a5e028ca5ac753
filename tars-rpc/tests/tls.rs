//! `ssl` endpoints, with certificates made for each test.

mod common;

use std::{path::PathBuf, sync::Arc, time::Duration};

use common::{OBJ, client_of, example};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tars_rpc::{
    Communicator, Error, Result,
    client::{CallOptions, NetConnector},
    codes,
    config::{ApplicationConfig, Document},
    server::{Adapter, Limits, Server, Stats},
    tls::{ClientTls, Identity, Roots, ServerTls},
};
use tempfile::TempDir;
use tokio::{net::TcpStream, task::JoinHandle};
use tokio_util::sync::CancellationToken;

/// A certificate authority whose files are in a directory.
struct Authority {
    dir: TempDir,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        // Another for each, or one would be taken for the other.
        let name = format!("authority {:x}", fastrand::u64(..));
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let this = Self {
            dir: tempfile::tempdir().unwrap(),
            issuer: CertifiedIssuer::self_signed(params, key).unwrap(),
        };
        this.write("ca.crt", &this.issuer.pem());
        this
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    fn roots(&self) -> Roots {
        Roots::from_pem_file(self.dir.path().join("ca.crt")).unwrap()
    }

    /// The files of a certificate for these names and its key.
    fn issue(&self, file: &str, names: &[&str]) -> (PathBuf, PathBuf) {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(names).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        (
            self.write(&format!("{file}.crt"), &certificate.pem()),
            self.write(&format!("{file}.key"), &key.serialize_pem()),
        )
    }

    fn identity(&self, file: &str, names: &[&str]) -> Identity {
        let (certificate, key) = self.issue(file, names);
        Identity::from_pem_files(certificate, key).unwrap()
    }
}

struct Served {
    endpoint: String,
    port: u16,
    stats: Arc<Stats>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

async fn serve(tls: ServerTls, change: impl FnOnce(&mut Limits)) -> Served {
    let (servant, ..) = example();
    let mut limits = Limits::default();
    change(&mut limits);
    let adapter = Adapter::new("secret")
        .endpoint("ssl -h 127.0.0.1 -p 0".parse().unwrap())
        .servant(OBJ, servant)
        .limits(limits)
        .tls(tls);
    let server = Server::builder().adapter(adapter).listen().await.unwrap();
    let stop = CancellationToken::new();
    let port = server.local_addrs()[0].port();
    Served {
        endpoint: format!("ssl -h 127.0.0.1 -p {port}"),
        port,
        stats: server.stats(),
        task: tokio::spawn(server.serve(stop.clone().cancelled_owned())),
        stop,
    }
}

impl Served {
    async fn greet(&self, tls: Option<ClientTls>, host: &str) -> Result<String> {
        let connector = match tls {
            Some(tls) => NetConnector::new().tls(tls),
            None => NetConnector::new(),
        };
        let communicator = Communicator::builder().connector(connector).build();
        let address = format!("{OBJ}@ssl -h {host} -p {}", self.port);
        let patient = CallOptions::new().timeout(Duration::from_secs(30));
        client_of(&communicator, &address)
            .with(patient)
            .say_hello_world("ted")
            .await
    }

    async fn drain(self) {
        self.stop.cancel();
        self.task.await.unwrap();
        assert_eq!(self.stats.open.get(), 0);
    }
}

fn refused(result: Result<String>, text: &str) {
    let error = result.unwrap_err();
    assert_eq!(error.code(), codes::PROXY_CONNECT, "{error}");
    assert!(error.to_string().contains(text), "{error}");
}

#[tokio::test]
async fn calls_are_encrypted_and_the_server_is_known() {
    let authority = Authority::new();
    let identity = authority.identity("server", &["localhost", "127.0.0.1"]);
    let served = serve(ServerTls::new(identity).unwrap(), |_| {}).await;
    let tls = ClientTls::new(authority.roots()).unwrap();
    for host in ["127.0.0.1", "localhost"] {
        let greeting = served.greet(Some(tls.clone()), host).await.unwrap();
        assert_eq!(greeting, "hello world!");
    }
    refused(
        served.greet(None, "127.0.0.1").await,
        "whom to trust: `NetConnector::tls`",
    );

    let stranger = ClientTls::new(Authority::new().roots()).unwrap();
    refused(
        served.greet(Some(stranger), "127.0.0.1").await,
        "UnknownIssuer",
    );
    assert_eq!(
        served.endpoint,
        format!("ssl -h 127.0.0.1 -p {}", served.port)
    );
    served.drain().await;
}

#[tokio::test]
async fn a_server_behind_an_address_is_asked_for_by_name() {
    let authority = Authority::new();
    let identity = authority.identity("server", &["greeter.example"]);
    let served = serve(ServerTls::new(identity).unwrap(), |_| {}).await;
    let tls = ClientTls::new(authority.roots()).unwrap();
    refused(
        served.greet(Some(tls.clone()), "127.0.0.1").await,
        "not valid for name",
    );
    let named = tls.clone().server_name("greeter.example").unwrap();
    served.greet(Some(named), "127.0.0.1").await.unwrap();
    let other = tls.clone().server_name("other.example").unwrap();
    refused(
        served.greet(Some(other), "127.0.0.1").await,
        "not valid for name",
    );
    let error = tls.server_name("no name").unwrap_err();
    assert_eq!(
        error.to_string(),
        "`no name` is neither a DNS name nor an IP address"
    );
    served.drain().await;
}

#[tokio::test]
async fn clients_that_must_show_who_they_are() {
    let authority = Authority::new();
    let clients = Authority::new();
    let identity = authority.identity("server", &["127.0.0.1"]);
    let tls = ServerTls::with_client_auth(identity, clients.roots()).unwrap();
    let served = serve(tls, |_| {}).await;
    let known = clients.identity("client", &["somebody"]);
    let tls = ClientTls::with_identity(authority.roots(), known).unwrap();
    assert_eq!(
        served.greet(Some(tls), "127.0.0.1").await.unwrap(),
        "hello world!"
    );

    let anonymous = ClientTls::new(authority.roots()).unwrap();
    served
        .greet(Some(anonymous), "127.0.0.1")
        .await
        .unwrap_err();
    let unknown = authority.identity("unknown", &["somebody"]);
    let tls = ClientTls::with_identity(authority.roots(), unknown).unwrap();
    served.greet(Some(tls), "127.0.0.1").await.unwrap_err();
    assert_eq!(served.stats.handshakes_failed.get(), 2);
    assert_eq!(served.stats.requests.get(), 1);
    served.drain().await;
}

#[tokio::test]
async fn a_handshake_has_an_end() {
    let authority = Authority::new();
    let identity = authority.identity("server", &["127.0.0.1"]);
    let tls = ServerTls::new(identity).unwrap();
    let served = serve(tls, |l| l.handshake_timeout = Duration::from_millis(20)).await;
    let mut silent = TcpStream::connect(("127.0.0.1", served.port))
        .await
        .unwrap();
    let n = tokio::io::AsyncReadExt::read(&mut silent, &mut [0; 10]).await;
    assert!(matches!(n, Ok(0) | Err(_)), "{n:?}");
    assert_eq!(served.stats.handshakes_failed.get(), 1);

    // Who does not speak TLS is told so.
    let mut plain = TcpStream::connect(("127.0.0.1", served.port))
        .await
        .unwrap();
    let bytes = common::greet(1, "ted", |_| {});
    tokio::io::AsyncWriteExt::write_all(&mut plain, &bytes)
        .await
        .unwrap();
    let mut rest = Vec::new();
    let _ = tokio::io::AsyncReadExt::read_to_end(&mut plain, &mut rest).await;
    assert_eq!(served.stats.requests.get(), 0);
    served.drain().await;
}

#[tokio::test]
async fn files_that_are_wrong_are_named() {
    let authority = Authority::new();
    let (certificate, key) = authority.issue("server", &["localhost"]);
    let (_, other_key) = authority.issue("other", &["localhost"]);
    let empty = authority.write("empty", "");
    let broken = authority.write("broken", "-----BEGIN CERTIFICATE-----\nxx");
    let missing = authority.dir.path().join("missing");
    let name = |path: &PathBuf| path.display().to_string();

    for (chain, key, wrong, text) in [
        (&missing, &key, &missing, "cannot read"),
        (&certificate, &missing, &missing, "cannot read"),
        (&empty, &key, &empty, "has no certificate in PEM form"),
        (&broken, &key, &broken, "is no PEM file"),
        (
            &certificate,
            &certificate,
            &certificate,
            "has no private key in PEM form",
        ),
    ] {
        let error = Identity::from_pem_files(chain, key)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains(&name(wrong)) && error.contains(text),
            "{error}"
        );
    }
    let mixed = Identity::from_pem_files(&certificate, &other_key).unwrap();
    let error = ServerTls::new(mixed).unwrap_err().to_string();
    assert!(error.contains(&name(&other_key)), "{error}");
    assert!(Roots::from_pem_file(&empty).is_err());

    let adapter = Adapter::new("secret").endpoint("ssl -h 127.0.0.1 -p 0".parse().unwrap());
    let error = Server::builder()
        .adapter(adapter)
        .listen()
        .await
        .unwrap_err();
    let Error::Adapter { .. } = error else {
        panic!("{error:?}")
    };
    assert_eq!(
        error.to_string(),
        "adapter secret: `ssl -h 127.0.0.1 -p 0` needs a certificate and a key; `Adapter::tls` takes them"
    );
}

/// A config file with these lines in `<server>` and `<client>`.
fn config(server: &str, client: &str) -> ApplicationConfig {
    let text = format!(
        "<tars>\n<application>\n<server>\napp=PHPTest\nserver=PHPServer\n{server}\n<objAdapter>\nservant={OBJ}\n\
         endpoint=ssl -h 127.0.0.1 -p 0\n</objAdapter>\n</server>\n<client>\n{client}\n</client>\n\
         </application>\n</tars>\n"
    );
    ApplicationConfig::new(&Document::parse(&text).unwrap()).unwrap()
}

#[tokio::test]
async fn certificates_come_from_a_config_file() {
    let (servers, clients) = (Authority::new(), Authority::new());
    let path = |authority: &Authority| authority.dir.path().join("ca.crt").display().to_string();
    let (cert, key) = servers.issue("server", &["127.0.0.1"]);
    let of_server = format!(
        "cert={}\nkey={}\nca={}\nverifyclient=1",
        cert.display(),
        key.display(),
        path(&clients)
    );
    let (cert, key) = clients.issue("client", &["somebody"]);
    let of_client = format!(
        "ca={}\ncert={}\nkey={}",
        path(&servers),
        cert.display(),
        key.display()
    );
    let config = self::config(&of_server, &of_client);
    let server = config.server.as_ref().unwrap();
    let adapter = Adapter::from_config(&server.adapters[0]).unwrap();
    let listening = Server::builder()
        .adapter(adapter.servant(OBJ, example().0))
        .listen()
        .await
        .unwrap();
    let address = format!(
        "{OBJ}@ssl -h 127.0.0.1 -p {}",
        listening.local_addrs()[0].port()
    );
    tokio::spawn(listening.serve(std::future::pending()));
    let communicator = Communicator::from_config(&config).unwrap();
    let client = client_of(&communicator, &address);
    assert_eq!(client.say_hello_world("ted").await.unwrap(), "hello world!");
    let stranger = self::config(&of_server, &format!("ca={}", path(&servers)));
    let stranger = Communicator::from_config(&stranger).unwrap();
    client_of(&stranger, &address)
        .say_hello_world("ted")
        .await
        .unwrap_err();

    // What is missing is said when the file is read, not at the first call.
    for (lines, text) in [
        (
            format!("cert={}", cert.display()),
            "the key `ca` is missing",
        ),
        (
            format!("ca={}\ncert={}", path(&servers), cert.display()),
            "the key `key` is missing",
        ),
        (
            "ca=/no/such/file".to_owned(),
            "cannot read /no/such/file: No such file",
        ),
    ] {
        let error = Communicator::from_config(&self::config(&of_server, &lines)).unwrap_err();
        assert!(error.to_string().starts_with(text), "{error}");
    }
    let config = self::config("cert=/no/such/file\nkey=/no/such/file", "");
    let server = config.server.as_ref().unwrap();
    let error = Adapter::from_config(&server.adapters[0]).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("adapter objAdapter: cannot read /no/such/file"),
        "{error}"
    );
}
