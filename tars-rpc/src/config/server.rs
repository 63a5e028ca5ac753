//! `/tars/application/server`: who the server is, where it lives, and what it listens on.

use std::{path::PathBuf, time::Duration};

use super::{Credentials, LogLevel, Protocol, TlsConfig, section::Section};
use crate::{Address, Endpoint, Transport};

/// Who the server is, where it lives, and what it listens on.
///
/// Defaults are those of TarsCpp, and of `tarsnode` for what only that reads. Other than there, `app` and `server`
/// must be given.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ServerConfig {
    /// `app`: first part of the names of its servants.
    pub app: String,
    /// `server`: second part of the names of its servants.
    pub server: String,
    /// `node`: the node that watches it, `tars.tarsnode.ServerObj` with its endpoint. Without it, nobody does.
    pub node: Option<Address>,
    /// `nodename`: the name of the machine on the platform. Without it, the platform takes the address that it sees.
    pub node_name: Option<String>,
    /// `localip`: the address of the machine. Without it, the first that is not 127.0.0.1.
    pub local_ip: Option<String>,
    /// `local`: where `AdminObj` listens. Without it, there is none.
    pub local: Option<Endpoint>,
    /// `basepath`: where the program is, and config files are pulled to. Default `.`.
    pub base_path: PathBuf,
    /// `datapath`: what it keeps. Default `.`.
    pub data_path: PathBuf,
    /// `logpath`: log files are in `App/Server` below it. Default `.`.
    pub log_path: PathBuf,
    /// `logsize`: bytes of a log file. Default 50 MiB.
    pub log_size: u64,
    /// `lognum`: log files that are kept. Default 10.
    pub log_num: u32,
    /// `logLevel`, or TarsPHP's `loglevel` if there is none. Default `DEBUG`.
    pub log_level: LogLevel,
    /// `config`: the object that has its config files. Without it, none are pulled.
    pub config: Option<Address>,
    /// `notify`: the object that gets messages for operators. Without it, none are sent.
    pub notify: Option<Address>,
    /// `log`: the object that gets remote logs. Without it, none are sent.
    pub log: Option<Address>,
    /// `deactivating-timeout`, in milliseconds: how long it may take to end. `tarsnode` waits at least 2 s and at
    /// most 60 s. Default 3 s.
    pub deactivating_timeout: Duration,
    /// `activating-timeout`, in milliseconds: how long it may take to start. Default 60 s.
    pub activating_timeout: Duration,
    /// `hearttimeout`, in **seconds**: how long it may be silent before `tarsnode` kills it. Default 45,000 s, which
    /// is half a day; templates should set it.
    pub heart_timeout: Duration,
    /// `netthread`: threads that TarsCpp reads and writes on. Default 1.
    pub net_threads: u32,
    /// `servType` of TarsPHP's templates: `websocket`, `http`, `tcp` ...
    pub serv_type: Option<String>,
    /// `protocolName` of TarsPHP's templates: `http`, `tars`, `json` ...
    pub protocol_name: Option<String>,
    /// `daemonize` of TarsPHP's templates: the program goes on in the background. Default no.
    pub daemonize: bool,
    /// `ca`, `cert`, `key`, `verifyclient`: for adapters with TLS that have none of their own.
    pub tls: Option<TlsConfig>,
    /// The blocks in it, in their order.
    pub adapters: Vec<AdapterConfig>,
}

/// An adapter: where a servant listens, and what it is willing to hold.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct AdapterConfig {
    /// The name of the block, usually that of the servant with `Adapter` after it.
    pub name: String,
    /// `servant`: the name of the object, which begins with those of app and server.
    pub servant: String,
    /// `endpoint`: where it listens.
    pub endpoint: Endpoint,
    /// `protocol`. Default `tars`.
    pub protocol: Protocol,
    /// `maxconns`: connections. Default 128.
    pub max_conns: u32,
    /// `queuecap`: requests that wait. Default 1,024.
    pub queue_cap: u32,
    /// `queuetimeout`, in milliseconds: how long they may wait. Default 10 s.
    pub queue_timeout: Duration,
    /// `threads`: those that run its functions. Default 1.
    pub threads: u32,
    /// `allow`: addresses that may connect; with none, all may.
    pub allow: Vec<String>,
    /// `deny`: addresses that may not connect.
    pub deny: Vec<String>,
    /// `order` is `deny,allow`: an address in both lists may not connect. Default no.
    pub deny_first: bool,
    /// `accesskey` and `secretkey`, which clients must know.
    pub credentials: Option<Credentials>,
    /// `ca`, `cert`, `key`, `verifyclient`: for an `ssl` endpoint, which has those of the server if it has none of its
    /// own.
    pub tls: Option<TlsConfig>,
}

/// What other implementations, or `tarsnode`, read in `<server>`.
const UNUSED: &[&str] = &[
    // TarsCpp
    "checkset",
    "closecout",
    "closeout",
    "coroutinememsize",
    "coroutinestack",
    "emptyconcheck",
    "emptyconntimeout",
    "logstatreport",
    "manuallisten",
    "mergenetimp",
    "nethread",
    "opencoroutine",
    "reportflow",
    // tarsnode
    "env",
    // TarsPHP
    "entrance",
    "php",
    "routeName",
    // swoole, through TarsPHP
    "backlog",
    "buffer_output_size",
    "chroot",
    "discard_timeout_request",
    "dispatch_func",
    "dispatch_mode",
    "enable_delay_receive",
    "enable_reuse_port",
    "enable_unsafe_event",
    "group",
    "heartbeat_check_interval",
    "heartbeat_idle_time",
    "max_conn",
    "max_request",
    "message_queue_key",
    "open_cpu_affinity",
    "open_eof_check",
    "open_eof_split",
    "open_http2_protocol",
    "open_http_protocol",
    "open_length_check",
    "open_mqtt_protocol",
    "open_tcp_nodelay",
    "open_websocket_protocol",
    "package_body_offset",
    "package_eof",
    "package_length_func",
    "package_length_offset",
    "package_length_type",
    "package_max_length",
    "pid_file",
    "pipe_buffer_size",
    "reactor_num",
    "reload_async",
    "request_slowlog_file",
    "socket_buffer_size",
    "ssl_cert_file",
    "ssl_ciphers",
    "ssl_method",
    "task_ipc_mode",
    "task_max_request",
    "task_tmpdir",
    "task_worker_num",
    "tcp_defer_accept",
    "tcp_fastopen",
    "user",
    "worker_num",
];

/// What other implementations read in an adapter.
const UNUSED_IN_ADAPTER: &[&str] = &["handlegroup", "shmcap", "shmkey"];

impl ServerConfig {
    /// A server with nothing but its name.
    pub fn new(app: impl Into<String>, server: impl Into<String>) -> Self {
        Self {
            app: app.into(),
            server: server.into(),
            node: None,
            node_name: None,
            local_ip: None,
            local: None,
            base_path: PathBuf::from("."),
            data_path: PathBuf::from("."),
            log_path: PathBuf::from("."),
            log_size: 50 << 20,
            log_num: 10,
            log_level: LogLevel::Debug,
            config: None,
            notify: None,
            log: None,
            deactivating_timeout: Duration::from_millis(3000),
            activating_timeout: Duration::from_millis(60_000),
            heart_timeout: Duration::from_secs(45_000),
            net_threads: 1,
            serv_type: None,
            protocol_name: None,
            daemonize: false,
            tls: None,
            adapters: Vec::new(),
        }
    }

    /// `App.Server`.
    pub fn name(&self) -> String {
        format!("{}.{}", self.app, self.server)
    }

    /// `None` if something is wrong, which is noted then.
    pub(super) fn read(mut section: Section<'_, '_>) -> Option<Self> {
        let s = &mut section;
        let app = s.required("app", Section::text);
        let server = s.required("server", Section::text);
        let is_named = app.is_some() && server.is_some();
        let default = Self::new(app.unwrap_or_default(), server.unwrap_or_default());
        let of_php = s.parse("loglevel");
        let mut config = Self {
            node: s.address("node"),
            node_name: s.text("nodename"),
            local_ip: s.text("localip"),
            local: s.endpoint("local"),
            base_path: s.path("basepath").unwrap_or(default.base_path),
            data_path: s.path("datapath").unwrap_or(default.data_path),
            log_path: s.path("logpath").unwrap_or(default.log_path),
            log_size: s.size("logsize").unwrap_or(default.log_size),
            log_num: s.number("lognum", 0..=u32::MAX).unwrap_or(default.log_num),
            log_level: s.parse("logLevel").or(of_php).unwrap_or(default.log_level),
            config: s.address("config"),
            notify: s.address("notify"),
            log: s.address("log"),
            deactivating_timeout: s
                .millis("deactivating-timeout")
                .unwrap_or(default.deactivating_timeout),
            activating_timeout: s
                .millis("activating-timeout")
                .unwrap_or(default.activating_timeout),
            heart_timeout: s.seconds("hearttimeout").unwrap_or(default.heart_timeout),
            net_threads: s
                .number("netthread", 0..=1024)
                .unwrap_or(default.net_threads),
            serv_type: s.text("servType"),
            protocol_name: s.text("protocolName"),
            daemonize: s.flag("daemonize").unwrap_or_default(),
            tls: s.tls(),
            app: default.app,
            server: default.server,
            adapters: Vec::new(),
        };
        let prefix = is_named.then(|| format!("{}.", config.name()));
        for block in s.blocks() {
            let adapter = AdapterConfig::read(block.name(), prefix.as_deref(), s.section(block));
            config.adapters.extend(adapter.map(|adapter| AdapterConfig {
                tls: match adapter.endpoint.transport {
                    Transport::Ssl => adapter.tls.or_else(|| config.tls.clone()),
                    Transport::Tcp | Transport::Udp => adapter.tls,
                },
                ..adapter
            }));
        }
        section.finish(UNUSED);
        Some(config)
    }
}

impl AdapterConfig {
    /// An adapter with nothing but its servant and its place.
    pub fn new(name: impl Into<String>, servant: impl Into<String>, endpoint: Endpoint) -> Self {
        Self {
            name: name.into(),
            servant: servant.into(),
            endpoint,
            protocol: Protocol::Tars,
            max_conns: 128,
            queue_cap: 1024,
            queue_timeout: Duration::from_millis(10_000),
            threads: 1,
            allow: Vec::new(),
            deny: Vec::new(),
            deny_first: false,
            credentials: None,
            tls: None,
        }
    }

    fn read(name: &str, prefix: Option<&str>, mut section: Section<'_, '_>) -> Option<Self> {
        let s = &mut section;
        let servant = s.required("servant", Section::text);
        let endpoint = s.required("endpoint", Section::endpoint);
        if let (Some(servant), Some(prefix)) = (&servant, prefix) {
            let object = servant.strip_prefix(prefix).unwrap_or_default();
            if object.is_empty() {
                let message =
                    format!("the name of a servant of this server begins with `{prefix}`");
                s.refuse("servant", message);
            }
        }
        let place = Endpoint::new(Transport::Tcp, "", 0);
        let is_complete = servant.is_some() && endpoint.is_some();
        let default = Self::new(name, servant.unwrap_or_default(), endpoint.unwrap_or(place));
        let (access_key, secret_key) = (s.text("accesskey"), s.text("secretkey"));
        let config = Self {
            protocol: s
                .text("protocol")
                .map_or(default.protocol, |text| Protocol::new(&text)),
            max_conns: s
                .number("maxconns", 0..=u32::MAX)
                .unwrap_or(default.max_conns),
            queue_cap: s
                .number("queuecap", 0..=u32::MAX)
                .unwrap_or(default.queue_cap),
            queue_timeout: s.millis("queuetimeout").unwrap_or(default.queue_timeout),
            threads: s
                .number("threads", 0..=1024)
                .unwrap_or(default.threads)
                .max(1),
            allow: s.list("allow"),
            deny: s.list("deny"),
            deny_first: s.parsed_order().unwrap_or_default(),
            credentials: access_key.map(|access_key| Credentials {
                access_key,
                secret_key: secret_key.unwrap_or_default(),
            }),
            tls: s.tls(),
            ..default
        };
        section.finish(UNUSED_IN_ADAPTER);
        is_complete.then_some(config)
    }
}

impl Section<'_, '_> {
    /// `order`: whether `deny` comes first.
    fn parsed_order(&mut self) -> Option<bool> {
        self.parsed("order", |text| {
            match text.replace(' ', "").to_ascii_lowercase().as_str() {
                "allow,deny" | "allow;deny" => Ok(false),
                "deny,allow" | "deny;allow" => Ok(true),
                _ => Err("`allow,deny` or `deny,allow`"),
            }
        })
    }
}
