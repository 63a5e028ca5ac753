//! A server on the platform: starts, serves, drains.

use std::fmt::Display;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tars_rpc::client::ServantProxy;
use tars_rpc::config::{AdapterConfig, ServerConfig};
use tars_rpc::platform::logs::TarsLog;
use tars_rpc::platform::notifier::Level;
use tars_rpc::platform::stat::{MemoryStatStore, RedisStatConfig, RedisStatStore};
use tars_rpc::platform::{LiveAdapter, Platform};
use tars_rpc::server::{Adapter, AllowList, Listening, Server as TarsServer};
use tars_rpc::{Communicator, Transport};
use tokio::net::{TcpStream, lookup_host};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::deployment::Deployment;
use super::numbers::{ChatStatus, Numbers};
use super::pid_file::PidFile;
use super::{Failure, Ready, daemon, logs, readiness};
use crate::hub::Hub;
use crate::listener::ChatPort;
use crate::php_server;
use crate::servant::php_test::php_server::obj::TestTafServiceServant;
use crate::server::{self, Server};
use crate::services::MonitorStore;

/// The adapter of `AdminObj`.
const ADMIN: &str = "AdminAdapter";
/// How long a listener may take to answer.
const PROBE: Duration = Duration::from_secs(5);
/// How long the last reports may take.
const LAST_REPORTS: Duration = Duration::from_secs(1);

/// How long a server may take to end: `deactivating-timeout`, as long as `tarsnode` waits.
pub(super) fn time_to_end(server: &ServerConfig) -> Duration {
    let (shortest, longest) = (Duration::from_secs(2), Duration::from_secs(60));
    server.deactivating_timeout.clamp(shortest, longest)
}

/// Runs the server until its node or a signal ends it. `ready` is called once when its listeners answer.
pub(super) fn run(deployment: Deployment, ready: Ready) -> Result<(), Failure> {
    let held = PidFile::of(&deployment.server).take()?;
    let log = logs::start(&deployment.server)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(deployment.workers())
        .thread_name("chat-worker")
        .enable_all()
        .build()
        .map_err(|error| Failure::System("start threads", error))?;
    let result = runtime.block_on(serve(deployment, log.clone(), ready));
    if let Err(failure) = &result {
        tracing::error!(%failure, "going down");
    }
    // Nobody waits for a thread that hangs on a disk or a name server.
    runtime.shutdown_background();
    log.flush();
    held.leave();
    result
}

async fn serve(deployment: Deployment, log: TarsLog, ready: Ready) -> Result<(), Failure> {
    let signal = server::termination()?;
    for key in deployment.config.unknown() {
        tracing::warn!(
            path = key.path,
            value = key.value,
            "a key of the config that nobody reads"
        );
    }
    let communicator = communicator(&deployment)?;
    let hub = Arc::new(OnceLock::new());
    let platform = Arc::new(platform(&deployment, &communicator, &log, &hub)?);
    tell_of_panics(&platform);
    let of_signal = Arc::clone(&platform);
    tokio::spawn(async move {
        signal.await;
        of_signal.request_shutdown();
    });
    let result = match start(&deployment, &communicator, &platform, &hub).await {
        Ok(Some(running)) => running.run(&deployment, &platform, ready).await,
        // It was told to end before it began.
        Ok(None) => Ok(()),
        Err(failure) => {
            let text = format!("[error] it does not start: {failure}");
            platform.notifier().notify(Level::Error, &text);
            Err(failure)
        }
    };
    platform
        .stop(LAST_REPORTS.min(time_to_end(&deployment.server) / 4))
        .await;
    result
}

/// How the server calls others: PHPServer, and the platform.
fn communicator(deployment: &Deployment) -> Result<Communicator, Failure> {
    let builder = Communicator::builder().application(&deployment.config);
    let builder = builder.map_err(server::ServerError::Servant)?;
    Ok(match deployment.services.keeps_endpoints {
        true => builder.build(),
        false => builder.without_cache().build(),
    })
}

fn platform(
    deployment: &Deployment,
    communicator: &Communicator,
    log: &TarsLog,
    hub: &Arc<OnceLock<Arc<Hub>>>,
) -> Result<Platform, Failure> {
    let services = &deployment.services;
    let builder = Platform::builder(&deployment.config, communicator)
        .log(log)
        .config_directory(&services.save_tars_config_file_dir)
        .command("chat.status", ChatStatus(Arc::clone(hub)));
    let builder = match &services.monitor_store {
        MonitorStore::Memory { size } => builder.stat_store(MemoryStatStore::new(*size)),
        MonitorStore::Redis {
            url,
            prefix,
            ttl,
            timeout_ms,
            size,
        } => {
            let mut config = RedisStatConfig::default();
            config.url.clone_from(url);
            config.prefix = prefix.clone().unwrap_or(config.prefix);
            config.ttl = ttl.map_or(config.ttl, Duration::from_secs);
            config.timeout = timeout_ms.map_or(config.timeout, Duration::from_millis);
            config.max = u32::try_from(*size).unwrap_or(u32::MAX);
            builder.stat_store(RedisStatStore::new(config).map_err(Failure::MonitorStore)?)
        }
    };
    Ok(builder.start())
}

/// Operators hear of panics, wherever they are. (Those of TARS servants are counted beside.)
fn tell_of_panics(platform: &Platform) {
    let (notifier, before) = (platform.notifier().clone(), std::panic::take_hook());
    std::panic::set_hook(Box::new(move |panic| {
        before(panic);
        tracing::error!(%panic, "panic");
        notifier.notify(Level::Error, &format!("[error] {panic}"));
    }));
}

/// What listens, and is not served yet.
struct Running {
    chat: Option<Chat>,
    tars: TarsServer,
    adapters: Vec<LiveAdapter>,
}

struct Chat {
    server: Server,
    /// The PHPServer within this process, if there is one.
    php_server: Option<TarsServer>,
    address: String,
    proxy: ServantProxy,
}

/// Gets config files and begins to listen. `None` if the server is told to end meanwhile.
async fn start(
    deployment: &Deployment,
    communicator: &Communicator,
    platform: &Platform,
    hub: &OnceLock<Arc<Hub>>,
) -> Result<Option<Running>, Failure> {
    let shutdown = platform.shutdown_requested();
    let pulled = async {
        for file in &deployment.services.save_tars_config_file_name {
            // What came of it is logged, and told to operators. The server starts all the same.
            let _ = platform.config().pull(file).await;
        }
    };
    tokio::select! {
        () = pulled => {}
        () = shutdown => return Ok(None),
    }
    let tars = listen_tars(deployment, platform).await?;
    let mut adapters: Vec<_> = tars.adapters().map(LiveAdapter::from).collect();
    let chat = match deployment.chat.is_empty() {
        true => None,
        false => Some(listen_chat(deployment, communicator).await?),
    };
    if let Some(chat) = &chat {
        let hub = hub.get_or_init(|| Arc::clone(chat.server.hub()));
        for adapter in &deployment.chat {
            let hub = Arc::clone(hub);
            let connections = move || u64::try_from(hub.len()).unwrap_or(u64::MAX);
            adapters.push(LiveAdapter::new(&adapter.name).connections(connections));
        }
    }
    Ok(Some(Running {
        chat,
        tars,
        adapters,
    }))
}

/// `AdminObj`, and the adapters that speak TARS.
async fn listen_tars(deployment: &Deployment, platform: &Platform) -> Result<TarsServer, Failure> {
    let mut builder = TarsServer::builder()
        .layer(platform.recorder().layer())
        .drain(time_to_serve_on(&deployment.server));
    if let Some(local) = &deployment.server.local {
        let admin = Adapter::new(ADMIN).endpoint(local.clone());
        builder = builder.adapter(admin.servant("AdminObj", platform.admin()));
    }
    for (config, servant) in &deployment.tars {
        let adapter = Adapter::from_config(config).map_err(server::ServerError::Servant)?;
        tracing::info!(adapter = config.name, servant = servant.name(), "serves");
        builder = builder.adapter(servant.serve(adapter, &config.servant));
    }
    builder.listen().await.map_err(|source| Failure::Adapter {
        adapter: "TARS".to_owned(),
        source,
    })
}

async fn listen_chat(
    deployment: &Deployment,
    communicator: &Communicator,
) -> Result<Chat, Failure> {
    let mut ports = Vec::new();
    for adapter in &deployment.chat {
        ports.extend(listen(adapter).await?);
    }
    let (php_server, address) = match &deployment.php_server {
        Some(address) => (None, address.clone()),
        None => {
            let any_port = SocketAddr::from(([127, 0, 0, 1], 0));
            let server = php_server::listen(any_port).await;
            let server = server.map_err(server::ServerError::Servant)?;
            let address = php_server::address(&server);
            (Some(server), address)
        }
    };
    let proxy = communicator.string_to_proxy(&address);
    let proxy = proxy.map_err(server::ServerError::Servant)?;
    let servant = TestTafServiceServant::new(proxy.clone());
    let server = Server::on(ports, deployment.services.clone(), servant).await?;
    Ok(Chat {
        server: server.end_within(time_to_serve_on(&deployment.server)),
        php_server,
        address,
        proxy,
    })
}

/// The ports of an adapter: one for each address of its host.
async fn listen(adapter: &AdapterConfig) -> Result<Vec<ChatPort>, Failure> {
    let failed = |source: io::Error| Failure::Adapter {
        adapter: adapter.name.clone(),
        source: tars_rpc::Error::Listen {
            endpoint: Arc::new(adapter.endpoint.clone()),
            source: Arc::new(source),
        },
    };
    let allow = AllowList::from_config(adapter).map_err(server::ServerError::Servant)?;
    let endpoint = &adapter.endpoint;
    let found = lookup_host((endpoint.host.as_str(), endpoint.port)).await;
    let mut addresses: Vec<SocketAddr> = Vec::new();
    for address in found.map_err(failed)? {
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    let mut ports = Vec::new();
    for address in addresses {
        let port = ChatPort::bind(address).await.map_err(failed)?;
        ports.push(port.allow(allow.clone()));
    }
    Ok(ports)
}

/// How much of the time to end the listeners have; the rest is for the last reports, and for a machine that is slow.
fn time_to_serve_on(server: &ServerConfig) -> Duration {
    let time = time_to_end(server);
    time * 9 / 10 - LAST_REPORTS.min(time / 4)
}

impl Running {
    /// Serves; when it is to end, it drains within its time.
    async fn run(
        self,
        deployment: &Deployment,
        platform: &Arc<Platform>,
        ready: Ready,
    ) -> Result<(), Failure> {
        let mut lines = Vec::new();
        let end = CancellationToken::new();
        let mut tasks = JoinSet::new();
        let mut helpers = JoinSet::new();
        let tars: Vec<_> = self
            .tars
            .adapters()
            .flat_map(Listening::endpoints)
            .cloned()
            .collect();
        tasks.spawn(self.tars.serve(end.clone().cancelled_owned()));
        let mut embedded = JoinSet::new();
        if let Some(chat) = self.chat {
            let server = chat.server;
            let addresses = server.addresses();
            let urls = addresses.iter().map(|&address| server.url_at(address));
            lines.extend(urls.map(|url| format!("chat {url}")));
            lines.push(format!("PHPServer {}", chat.address));
            // Outlives the chat, whose last messages may still call it.
            embedded.spawn(async move {
                match chat.php_server {
                    Some(server) => server.serve(std::future::pending()).await,
                    None => std::future::pending().await,
                }
            });
            let numbers = Numbers::new(server.hub(), platform);
            helpers.spawn(numbers.run(deployment.config.client.report_interval));
            helpers.spawn(readiness::watch(chat.proxy, Arc::clone(server.missing())));
            let shutdown = server.shutdown_handle();
            let ended = end.clone();
            tasks.spawn(server.run());
            helpers.spawn(async move {
                ended.cancelled().await;
                shutdown.cancel();
            });
            for address in addresses {
                answers(&address, server::ask(server::reachable(address))).await;
            }
        }
        for endpoint in tars
            .iter()
            .filter(|endpoint| endpoint.transport != Transport::Udp)
        {
            let address = (endpoint.host.as_str(), endpoint.port);
            answers(endpoint, async {
                TcpStream::connect(address).await.map(drop)
            })
            .await;
        }
        let name = deployment.server.name();
        lines.push(format!("{name} {}{}", daemon::RUNS, std::process::id()));
        let threads = tokio::runtime::Handle::current().metrics().num_workers();
        tracing::info!(threads, "serving");
        // From now on the node and people may rely on it.
        platform.serving(self.adapters);
        ready(&lines, &deployment.server)?;

        let ended = tokio::select! {
            () = platform.shutdown_requested() => Ok(()),
            _ = tasks.join_next() => Err(Failure::Ended),
        };
        tracing::info!("going down");
        end.cancel();
        let drained = async { while tasks.join_next().await.is_some() {} };
        if timeout(time_to_serve_on(&deployment.server), drained)
            .await
            .is_err()
        {
            tracing::warn!("went down before everything was served");
        }
        ended
    }
}

/// Whether a listener answers, which it should: the kernel has its port.
async fn answers(name: &impl Display, asked: impl Future<Output = io::Result<()>>) {
    let answered = timeout(PROBE, asked).await;
    if let Err(error) = answered.unwrap_or_else(|late| Err(late.into())) {
        tracing::warn!(%name, %error, "a listener does not answer this machine");
    }
}
