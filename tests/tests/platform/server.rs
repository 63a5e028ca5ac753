//! A small server, in the shape of an application.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tars_rpc::{
    Communicator, Endpoint, Error, Result,
    client::{CallOptions, ServantProxy},
    config::{ApplicationConfig, Document},
    platform::{AdminFServant, LiveAdapter, Platform, logs::TarsLog},
    server::{Adapter, Dispatch, Request, Servant, Server},
};
use tars_tests::platform::StandIn;
use tempfile::TempDir;
use tokio::{sync::Notify, task::JoinHandle, time::timeout};

/// Greets everybody who has a name.
#[derive(Debug, Clone, Default)]
pub(crate) struct Greeter {
    greeting: Arc<Notify>,
}

impl Greeter {
    /// Who takes his time.
    pub(crate) const SLOW: &str = "slow";
}

impl Servant for Greeter {
    fn dispatch(&self, request: Request) -> Dispatch {
        let greeting = Arc::clone(&self.greeting);
        Box::pin(async move {
            let (cx, mut args) = request.into_parts();
            let name: String = args.take(1, "name")?;
            match name.as_str() {
                "" => return Err(Error::new(7, "who are you?")),
                "panic" => panic!("asked to"),
                Self::SLOW => {
                    greeting.notify_one();
                    tokio::time::sleep(Duration::from_millis(300)).await;
                }
                _ => {}
            }
            let mut reply = cx.reply();
            reply.put(2, "greeting", &format!("hello {name}!"));
            Ok(reply)
        })
    }
}

/// A client of [`Greeter`].
#[derive(Debug, Clone)]
pub(crate) struct GreeterServant(ServantProxy);

impl GreeterServant {
    pub(crate) async fn say_hello(&self, name: &str) -> Result<String> {
        let call = self.0.call("sayHello", |args| args.put(1, "name", name));
        call.await?.take(2, "greeting")
    }
}

/// The server `PHPTest.CppServer`, from the config file that a real `tarsnode` wrote for it, with other ports and
/// directories.
pub(crate) struct TestServer {
    directory: TempDir,
    config: ApplicationConfig,
    communicator: Communicator,
    platform: Arc<Platform>,
    log: TarsLog,
    greeter: Greeter,
    listening: Vec<(String, Endpoint)>,
    task: Option<JoinHandle<()>>,
}

impl TestServer {
    /// Starts everything but its listeners.
    pub(crate) async fn start(stand_in: &StandIn) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let config = config(stand_in, directory.path());
        let communicator = Communicator::from_config(&config).unwrap();
        let log = TarsLog::open(config.server.as_ref().unwrap()).unwrap();
        let platform = Platform::builder(&config, &communicator)
            .log(&log)
            .command("chat.close", |room: &str| format!("room {room} is closed"))
            .start();
        Self {
            directory,
            config,
            communicator,
            platform: Arc::new(platform),
            log,
            greeter: Greeter::default(),
            listening: Vec::new(),
            task: None,
        }
    }

    /// Begins to listen.
    pub(crate) async fn serve(&mut self) {
        let config = self.config.server.as_ref().unwrap();
        let mut server = Server::builder().layer(self.platform.recorder().layer());
        for adapter in &config.adapters {
            let listener = Adapter::new(&adapter.name).endpoint(adapter.endpoint.clone());
            server = server.adapter(listener.servant(&adapter.servant, self.greeter.clone()));
        }
        let admin = Adapter::new("AdminAdapter").endpoint(config.local.clone().unwrap());
        let server = server.adapter(admin.servant("AdminObj", self.platform.admin()));
        let server = server
            .drain(config.deactivating_timeout)
            .listen()
            .await
            .unwrap();
        self.listening = server
            .adapters()
            .map(|adapter| {
                (
                    adapter.name().to_owned(),
                    adapter.endpoints().next().unwrap().clone(),
                )
            })
            .collect();
        self.platform
            .serving(server.adapters().map(LiveAdapter::from));
        let shutdown = self.platform.shutdown_requested();
        self.task = Some(tokio::spawn(server.serve(shutdown)));
    }

    pub(crate) fn platform(&self) -> Arc<Platform> {
        Arc::clone(&self.platform)
    }

    pub(crate) fn log(&self) -> &TarsLog {
        &self.log
    }

    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn port(&self, adapter: &str) -> u16 {
        let mut listening = self.listening.iter();
        listening
            .find(|(name, _)| name == adapter)
            .expect(adapter)
            .1
            .port
    }

    fn proxy(&self, object: &str, adapter: &str) -> ServantProxy {
        let address = format!("{object}@tcp -h 127.0.0.1 -p {}", self.port(adapter));
        self.communicator.string_to_proxy(&address).unwrap()
    }

    pub(crate) fn greeter(&self) -> GreeterServant {
        GreeterServant(self.proxy("PHPTest.CppServer.obj", "PHPTest.CppServer.objAdapter"))
    }

    pub(crate) fn admin(&self) -> AdminFServant {
        AdminFServant::new(self.proxy("AdminObj", "AdminAdapter"))
    }

    /// Waits until it greets somebody slow.
    pub(crate) async fn greeting(&self) {
        self.greeter.greeting.notified().await;
    }

    /// As `tarsnode` does it.
    pub(crate) async fn shut_down_by_node(&self) {
        let options = CallOptions::new().timeout(Duration::from_secs(5)).oneway();
        self.admin().with(options).shutdown().await.unwrap();
    }

    /// Waits for its end, and for its last reports.
    pub(crate) async fn ended(self, time: Duration) {
        timeout(time, self.task.unwrap())
            .await
            .expect("it has drained")
            .unwrap();
        self.platform.stop(time).await;
    }
}

/// The config of the server for this platform.
pub(crate) fn config(stand_in: &StandIn, directory: &Path) -> ApplicationConfig {
    let file = "fixtures/config/PHPTest.CppServer.config.conf";
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), file].iter().collect();
    let text = fs::read_to_string(path).unwrap();
    let mut document = Document::parse_named(file, text).unwrap();
    let path = |name: &str| format!("{}/{name}/", directory.display());
    let server = "/tars/application/server";
    for (key, value) in [
        ("<node>", stand_in.endpoint_of("tars.tarsnode.ServerObj")),
        ("<local>", "tcp -h 127.0.0.1 -p 0 -t 10000".to_owned()),
        ("<basepath>", path("bin")),
        ("<datapath>", path("data")),
        ("<logpath>", path("log")),
        (
            "/PHPTest.CppServer.objAdapter<endpoint>",
            "tcp -h 127.0.0.1 -p 0".to_owned(),
        ),
        (
            "/PHPTest.CppServer.EchoObjAdapter<endpoint>",
            "tcp -h 127.0.0.1 -p 0".to_owned(),
        ),
    ] {
        document.set(&format!("{server}{key}"), &value).unwrap();
    }
    let client = "/tars/application/client";
    let locator = stand_in.endpoint_of("tars.tarsregistry.QueryObj");
    document
        .set(&format!("{client}<locator>"), &locator)
        .unwrap();
    document
        .set(&format!("{client}<report-interval>"), "200")
        .unwrap();
    ApplicationConfig::new(&document).unwrap()
}
