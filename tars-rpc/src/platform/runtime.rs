//! All that a server tells the platform, and is told by it.

use std::{
    fmt,
    future::Future,
    mem,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    sync::watch,
    task::JoinSet,
    time::{Instant, MissedTickBehavior, interval_at, timeout},
};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::{
    AdminFServer, ConfigServant, LevelControl, LiveAdapter, NotifyServant, PropertyFServant,
    ServerFServant, StatFServant,
    adapters::LiveAdapters,
    admin::{Admin, AdminCommand, Commands, Subject, builtin},
    identity::{Identity, node_options, service},
    node::{ADMIN_ADAPTER, Heart, State},
    notifier::Notifier,
    property::{self, ProcessProperties, Properties},
    remote_config::RemoteConfig,
    stat::{self, MemoryStatStore, Recorder, StatStore},
    status::Status,
};
#[cfg(feature = "log")]
use super::{LogServant, logs};
use crate::{
    Communicator, Counter,
    config::{ApplicationConfig, ServerConfig},
};

/// How often it is looked for panics and overload.
const WATCH: Duration = Duration::from_secs(10);

/// What a server tells the platform, and is told by it: see the [module](super) and `docs/platform.md`.
///
/// Everything is in the background, bounded, and harmless when the platform is slow or away. A service that the
/// config does not name gets nothing. Dropping it ends all reports at once; [`stop`](Self::stop) brings the last ones
/// out.
///
/// ```no_run
/// use std::{future, time::Duration};
/// use tars_rpc::{Communicator, config::ApplicationConfig, platform::{LiveAdapter, Platform}, server::Server};
///
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let config = ApplicationConfig::read("/etc/App.Server.config.conf")?;
/// let communicator = Communicator::new();
/// let platform = Platform::builder(&config, &communicator)
///     .command("chat.rooms", |_: &str| "7 rooms".to_owned())
///     .start();
/// platform.config().pull("chat.conf").await?;
///
/// let server = Server::builder()
///     .bind(([127, 0, 0, 1], 31176).into())
///     .servant("AdminObj", platform.admin())
///     .listen()
///     .await?;
/// platform.serving([LiveAdapter::new("AdminAdapter").stats(server.stats())]);
/// server.serve(platform.shutdown_requested()).await;
/// platform.stop(Duration::from_secs(1)).await;
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Platform {
    identity: Arc<Identity>,
    server: Option<ServerConfig>,
    recorder: Recorder,
    properties: Properties,
    notifier: Notifier,
    configs: RemoteConfig,
    commands: Commands,
    adapters: LiveAdapters,
    level: LevelControl,
    state: watch::Sender<State>,
    /// Asked to end, by `AdminObj` or the application.
    shutdown: CancellationToken,
    /// The last reports are to be sent.
    stop: CancellationToken,
    /// Those that have something to bring out at the end.
    reporters: Mutex<JoinSet<()>>,
    /// Those that are just ended.
    others: Mutex<JoinSet<()>>,
}

/// Settings of a [`Platform`].
#[must_use]
pub struct PlatformBuilder<'a> {
    config: &'a ApplicationConfig,
    communicator: &'a Communicator,
    store: Arc<dyn StatStore>,
    commands: Commands,
    level: Option<LevelControl>,
    config_directory: PathBuf,
    #[cfg(feature = "log")]
    log: Option<logs::TarsLog>,
}

impl<'a> PlatformBuilder<'a> {
    /// Where statistics wait for their report. Default [`MemoryStatStore`].
    pub fn stat_store(mut self, store: impl StatStore) -> Self {
        self.store = Arc::new(store);
        self
    }

    /// Adds a command for operators, in the place of another of that name.
    pub fn command(self, name: impl Into<String>, command: impl AdminCommand) -> Self {
        self.commands.add(name, command);
        self
    }

    /// Where config files are put, relative to `basepath`. Default: `basepath` itself, as in TarsCpp.
    pub fn config_directory(mut self, directory: impl Into<PathBuf>) -> Self {
        self.config_directory = directory.into();
        self
    }

    /// What `tars.setloglevel` changes. Default: nothing that anybody looks at.
    pub fn level(mut self, level: LevelControl) -> Self {
        self.level = Some(level);
        self
    }

    /// The logs, whose lines for the platform are sent, and whose level `tars.setloglevel` changes.
    #[cfg(feature = "log")]
    pub fn log(mut self, log: &logs::TarsLog) -> Self {
        self.level = Some(log.level().clone());
        self.log = Some(log.clone());
        self
    }

    /// Begins to report: to the node, that the server is starting. Calls of the communicator are counted from now on,
    /// unless it has an [observer](Communicator::observe) already.
    ///
    /// Must be called within a tokio runtime.
    pub fn start(self) -> Platform {
        let Self {
            config,
            communicator,
            store,
            ..
        } = self;
        let identity = Arc::new(Identity::new(config));
        let server = config.server.as_ref();
        let client = &config.client;
        let reports = |address| service(communicator, address, identity.report_options());
        let calls = |address| service(communicator, address, identity.options());
        let mut status = Status::default();
        let (mut reporters, mut others) = (JoinSet::new(), JoinSet::new());
        let stop = CancellationToken::new();

        let notify = reports(server.and_then(|s| s.notify.as_ref())).map(NotifyServant::new);
        let (notifier, sender) = Notifier::new(Arc::clone(&identity), notify, stop.clone());
        reporters.spawn(sender);
        status.add("notifications lost", notifier.lost());

        let recorder = Recorder::new(Identity::clone(&identity));
        status.add("statistics lost", recorder.lost());
        if !communicator.observe(recorder.clone()) {
            warn!("the calls of this communicator are observed by another; they are not reported");
        }
        if let Some(stat) = reports(client.stat.as_ref()).map(StatFServant::new) {
            let reporter = stat::Reporter::new(recorder.clone(), store, stat);
            status.add("statistics reports failed", reporter.failed());
            let stop = stop.clone();
            let every = client.report_interval;
            reporters.spawn(async move {
                let mut times = Times::new(every, stop);
                while times.next().await {
                    reporter.report().await;
                }
            });
        }

        let properties = Properties::default();
        let adapters = LiveAdapters::default();
        if let Some(platform) = reports(client.property.as_ref()).map(PropertyFServant::new) {
            let failed = Arc::new(Counter::default());
            status.add("properties reports failed", &failed);
            recorder.measure(stat::Times::new(properties.clone()));
            let reporter = property::Reporter {
                identity: Arc::clone(&identity),
                properties: properties.clone(),
                platform,
                failed,
            };
            let process = ProcessProperties::new(properties.clone(), &identity.server);
            let times = Times::new(client.report_interval, stop.clone());
            reporters.spawn(report_properties(
                reporter,
                process,
                adapters.clone(),
                times,
            ));
        }

        let state = watch::Sender::new(State::Starting);
        let node = server.and_then(|s| s.node.as_ref());
        if let Some(node) = service(communicator, node, node_options()).map(ServerFServant::new) {
            let missed = Arc::new(Counter::default());
            status.add("messages to the node missed", &missed);
            let heart = Heart {
                identity: Arc::clone(&identity),
                node,
                missed,
            };
            others.spawn(heart.run(state.subscribe()));
        }

        #[cfg(feature = "log")]
        if let Some(log) = &self.log {
            status.add("log lines lost", log.remote_lost());
            let platform = calls(server.and_then(|s| s.log.as_ref())).map(LogServant::new);
            if let (Some(platform), Some(lines)) = (platform, log.sender()) {
                let sender = logs::Sender {
                    identity: Arc::clone(&identity),
                    platform,
                    lines,
                    lost: Arc::clone(log.remote_lost()),
                    stop: stop.clone(),
                };
                reporters.spawn(sender.run());
            }
        }

        let config_servant = calls(server.and_then(|s| s.config.as_ref())).map(ConfigServant::new);
        let here = ServerConfig::new("", "");
        let paths = server.unwrap_or(&here);
        let configs = RemoteConfig::new(
            Arc::clone(&identity),
            config_servant,
            notifier.clone(),
            paths.base_path.join(self.config_directory),
            &paths.data_path,
        );

        let watched = (adapters.clone(), notifier.clone());
        others.spawn(async move {
            let (adapters, notifier) = watched;
            let mut times = Times::new(WATCH, CancellationToken::new());
            while times.next().await {
                adapters.watch(&notifier);
            }
        });

        let level = self
            .level
            .unwrap_or_else(|| LevelControl::new(paths.log_level));
        let own = self.commands;
        let commands = Commands::default();
        builtin(
            &commands,
            Subject {
                identity: Arc::clone(&identity),
                configs: configs.clone(),
                level: level.clone(),
                adapters: adapters.clone(),
                status,
            },
        );
        commands.replace(own);
        Platform {
            identity,
            server: config.server.clone(),
            recorder,
            properties,
            notifier,
            configs,
            commands,
            adapters,
            level,
            state,
            shutdown: CancellationToken::new(),
            stop,
            reporters: Mutex::new(reporters),
            others: Mutex::new(others),
        }
    }
}

async fn report_properties(
    reporter: property::Reporter,
    mut process: ProcessProperties,
    adapters: LiveAdapters,
    mut times: Times,
) {
    while times.next().await {
        adapters.report(&reporter.properties);
        // Files of the kernel; as many lines as the machine has sockets.
        let read = tokio::task::spawn_blocking(move || {
            process.read();
            process
        });
        let Ok(read) = read.await else {
            return;
        };
        process = read;
        reporter.report().await;
    }
}

/// The times of a task: regular ones, and the last one when it is to end.
struct Times {
    interval: tokio::time::Interval,
    stop: CancellationToken,
    is_over: bool,
}

impl Times {
    fn new(every: Duration, stop: CancellationToken) -> Self {
        let every = every.clamp(Duration::from_millis(1), crate::net::FOREVER);
        let mut interval = interval_at(Instant::now() + every, every);
        interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            interval,
            stop,
            is_over: false,
        }
    }

    /// Waits for the next time; false if there is none.
    async fn next(&mut self) -> bool {
        if self.is_over {
            return false;
        }
        tokio::select! {
            _ = self.interval.tick() => {}
            () = self.stop.cancelled() => self.is_over = true,
        }
        true
    }
}

impl Platform {
    /// Settings for the server of this config, whose reports go through `communicator`.
    pub fn builder<'a>(
        config: &'a ApplicationConfig,
        communicator: &'a Communicator,
    ) -> PlatformBuilder<'a> {
        PlatformBuilder {
            config,
            communicator,
            store: Arc::new(MemoryStatStore::default()),
            commands: Commands::default(),
            level: None,
            config_directory: PathBuf::new(),
            #[cfg(feature = "log")]
            log: None,
        }
    }

    /// The servant `AdminObj`, for the `local` address of the config.
    pub fn admin(&self) -> AdminFServer<Admin> {
        AdminFServer::new(Admin {
            commands: self.commands.clone(),
            notifier: self.notifier.clone(),
            shutdown: self.shutdown.clone(),
        })
    }

    /// The listeners of these adapters answer: to be called once, when that is so. The node makes the server active
    /// and is told from now on that it lives, and operators that it has started.
    pub fn serving(&self, adapters: impl IntoIterator<Item = LiveAdapter>) {
        let config = |name: &str| {
            let adapters = self.server.iter().flat_map(|server| &server.adapters);
            let mut named = adapters.filter(|adapter| adapter.name == name);
            named.next().map(|adapter| u64::from(adapter.max_conns))
        };
        let adapters: Vec<_> = adapters
            .into_iter()
            .map(|adapter| {
                let max = config(adapter.name());
                adapter.max_connections(max)
            })
            .collect();
        if let Some(times) = self.recorder.times() {
            let of_server = |name: &str| {
                self.server
                    .iter()
                    .flat_map(|s| &s.adapters)
                    .any(|a| a.name == name)
            };
            let measured = adapters
                .iter()
                .filter(|a| a.has_stats() && of_server(a.name()));
            measured.for_each(|adapter| times.add(adapter.name()));
        }
        let names = adapters.iter().map(|adapter| adapter.name().to_owned());
        let names = names.filter(|name| name != ADMIN_ADAPTER).collect();
        self.adapters.set(adapters);
        self.state.send_replace(State::Serving(names));
        self.notifier.report("restart");
        info!(server = self.identity.module, "serving");
    }

    /// Ends when somebody wants the server to end: its node, through `AdminObj`, or
    /// [`request_shutdown`](Self::request_shutdown).
    pub fn shutdown_requested(&self) -> impl Future<Output = ()> + Send + use<> {
        self.shutdown.clone().cancelled_owned()
    }

    /// Asks the server to end, as the node does.
    pub fn request_shutdown(&self) {
        self.shutdown.cancel();
    }

    /// Counts calls. Those of the communicator are counted by themselves.
    pub fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    /// The properties of the server.
    pub fn properties(&self) -> &Properties {
        &self.properties
    }

    /// Sends messages to operators.
    pub fn notifier(&self) -> &Notifier {
        &self.notifier
    }

    /// The config files that the platform keeps.
    pub fn config(&self) -> &RemoteConfig {
        &self.configs
    }

    /// The level of the log.
    pub fn level(&self) -> &LevelControl {
        &self.level
    }

    /// Tells operators that the server ends, and sends what has not been reported yet. Takes at most `time`: what is
    /// not sent then is lost.
    pub async fn stop(&self, time: Duration) {
        self.adapters.watch(&self.notifier);
        self.notifier.report("stop");
        self.stop.cancel();
        drop(take(&self.others));
        let mut reporters = take(&self.reporters);
        let all = async { while reporters.join_next().await.is_some() {} };
        if timeout(time, all).await.is_err() {
            warn!(?time, "the last reports were not sent in time");
        }
    }
}

/// The tasks, which end when they are dropped.
fn take(tasks: &Mutex<JoinSet<()>>) -> JoinSet<()> {
    mem::take(&mut *tasks.lock().unwrap_or_else(PoisonError::into_inner))
}

impl fmt::Debug for PlatformBuilder<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PlatformBuilder")
            .field("store", &self.store)
            .field("commands", &self.commands)
            .finish_non_exhaustive()
    }
}
