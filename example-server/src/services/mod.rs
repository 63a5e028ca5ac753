//! `services.toml`: the keys of TarsPHP's `services.php`, transcribed, and ours.
//!
//! A file says only what differs from the defaults. Everything is checked at start: an unknown key
//! or a value that cannot work is an error that names the place and what to do.

mod keys;
mod limits;
mod monitor;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::de::DeTable;

pub use self::limits::{Limits, SlowConsumer};
pub use self::monitor::MonitorStore;
use self::monitor::MonitorStoreConfig;
use crate::component::fd_store::{self, StoreConfig};
use crate::component::history::HistoryConf;
use crate::http::access::Origin;
use crate::message::{self, Registered};
use crate::tars_servants;

/// A push token below this is guessed.
const MIN_TOKEN: usize = 16;

/// What the server is configured to do.
#[derive(Debug, Clone, PartialEq)]
pub struct Services {
    /// The message handler.
    pub home_class: &'static Registered,
    /// Where files from the platform's configuration service are kept, relative to the `basepath` of the config.
    pub save_tars_config_file_dir: PathBuf,
    /// The files to fetch from it.
    pub save_tars_config_file_name: Vec<String>,
    /// Where statistics of calls wait for their report.
    pub monitor_store: MonitorStore,
    /// Whether the endpoints that the registry knows are kept on disk, for a start without it.
    pub keeps_endpoints: bool,
    /// Servants of TARS adapters, by the last part of their names.
    pub servants: BTreeMap<String, &'static tars_servants::Registered>,
    /// Where it is kept who is in which room.
    pub fd_store: FdStoreConf,
    /// Origins that may connect, beside the server's own.
    pub allowed_origins: Vec<Origin>,
    /// What a caller of the push actions has to present.
    pub push_token: Option<PushToken>,
    /// The address of the PHPServer to call; the embedded one without it.
    pub servant: Option<String>,
    /// TLS for the chat port; without it the port speaks plain HTTP.
    pub tls: Option<TlsConf>,
    /// How much of what was said is kept.
    pub history: HistoryConf,
    /// What keeps the server's memory bounded.
    pub limits: Limits,
}

/// The choice of an `FdStore`.
#[derive(Debug, Clone, PartialEq)]
pub struct FdStoreConf {
    /// The store.
    pub store: &'static fd_store::Registered,
    /// What it is opened with.
    pub config: StoreConfig,
}

/// What the chat port needs to speak TLS.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsConf {
    /// A file with the certificate and what it was signed with, PEM.
    pub certificate: PathBuf,
    /// A file with its private key, PEM.
    pub key: PathBuf,
}

/// A bearer token. It is not shown by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct PushToken(String);

impl PushToken {
    /// The secret itself.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl std::fmt::Debug for PushToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PushToken(..)")
    }
}

impl Default for Services {
    fn default() -> Self {
        Self {
            home_class: &message::EXAMPLE_WEBSOCKET,
            save_tars_config_file_dir: PathBuf::from("conf"),
            save_tars_config_file_name: Vec::new(),
            monitor_store: MonitorStore::default(),
            keeps_endpoints: true,
            servants: BTreeMap::new(),
            fd_store: FdStoreConf {
                store: &fd_store::MEMORY,
                config: StoreConfig::default(),
            },
            allowed_origins: Vec::new(),
            push_token: None,
            servant: None,
            tls: None,
            history: HistoryConf::default(),
            limits: Limits::default(),
        }
    }
}

/// Why a configuration is not used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServicesError {
    /// The file cannot be read.
    #[error("cannot read {}: {source}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// It is no TOML, or a value has the wrong type.
    #[error("{0}")]
    Toml(#[from] toml::de::Error),
    /// A key that means nothing.
    #[error("line {line}: unknown key `{key}` in {table}; {advice}")]
    UnknownKey {
        /// Its line, from 1.
        line: usize,
        /// The key.
        key: String,
        /// The table it is in, as text.
        table: String,
        /// The nearest key, or all of them.
        advice: String,
    },
    /// A value that cannot work.
    #[error("`{key}`: {problem}")]
    Value {
        /// The path of the key.
        key: &'static str,
        /// What is wrong, and what to do.
        problem: String,
    },
}

impl Services {
    /// Reads and checks a file. Relative paths in it are relative to the file.
    pub fn load(path: &Path) -> Result<Self, ServicesError> {
        let text = fs::read_to_string(path).map_err(|source| ServicesError::Read {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(&text, path.parent().unwrap_or_else(|| Path::new("")))
    }

    /// Checks a configuration's text.
    pub fn parse(text: &str, directory: &Path) -> Result<Self, ServicesError> {
        let table = DeTable::parse(text)?;
        let table = table.get_ref();
        keys::check_keys(text, "", table)?;
        let obj = table.iter().find(|(key, _)| key.get_ref() == "obj");
        if obj.is_some_and(|(_, value)| keys::is_servant(value.get_ref())) {
            let file: File<ServantConf> = toml::from_str(text)?;
            let mut servants = file.servants;
            servants.extend(file.obj.map(|servant| ("obj".to_owned(), servant)));
            let conf = Obj::default().or(file.monitor_store_conf, file.registry_store_conf)?;
            return conf.check(directory, servants);
        }
        let file: File<Obj> = toml::from_str(text)?;
        let conf = file.obj.unwrap_or_default();
        let conf = conf.or(file.monitor_store_conf, file.registry_store_conf)?;
        conf.check(directory, file.servants)
    }
}

/// What `--echo` takes: the conformance suite sends messages of 16 MiB.
const ECHO_MESSAGE: usize = 32 * 1024 * 1024;

impl Services {
    /// The configuration of `--echo`: everything as configured, but the handler, room for its answers and no rate.
    #[must_use]
    pub fn echo(self) -> Self {
        Self {
            home_class: &message::ECHO,
            limits: Limits {
                max_message_size: ECHO_MESSAGE,
                max_queue_size: 2 * ECHO_MESSAGE,
                messages_per_second: 0,
                ..self.limits
            },
            ..self
        }
    }
}

/// The file as it is written; `O` is what the table `obj` is.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct File<O> {
    #[serde(default = "Option::default")]
    obj: Option<O>,
    #[serde(default)]
    monitor_store_conf: Option<StoreConf<MonitorStoreConfig>>,
    #[serde(default)]
    registry_store_conf: Option<StoreConf<RegistryStoreConfig>>,
    /// By the names of their tables.
    #[serde(flatten)]
    servants: BTreeMap<String, ServantConf>,
}

/// The table of a servant, as that of a TCP server in services.php.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct ServantConf {
    /// Accepted, as [`Obj::_namespace_name`].
    #[serde(rename = "namespaceName")]
    _namespace_name: Option<String>,
    /// Accepted: the class has its interface.
    #[serde(rename = "home-api")]
    _home_api: Option<String>,
    home_class: Option<String>,
    #[serde(rename = "protocolName")]
    protocol_name: Option<String>,
    #[serde(rename = "serverType")]
    server_type: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct Obj {
    /// Accepted, since every services.php has it; Rust resolves names at compile time.
    #[serde(rename = "namespaceName")]
    _namespace_name: Option<String>,
    #[serde(rename = "home-class")]
    home_class: Option<String>,
    save_tars_config_file_dir: Option<PathBuf>,
    save_tars_config_file_name: Vec<String>,
    monitor_store_conf: Option<StoreConf<MonitorStoreConfig>>,
    registry_store_conf: Option<StoreConf<RegistryStoreConfig>>,
    protocol_name: Option<String>,
    server_type: Option<String>,
    is_timer: bool,
    fd_store_conf: Option<StoreConf<toml::Table>>,
    tls: Option<TlsConf>,
    allowed_origins: Vec<String>,
    push_token: Option<String>,
    servant: Option<String>,
    history: HistoryConf,
    limits: Limits,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct StoreConf<C> {
    class_name: String,
    #[serde(default = "Option::default")]
    config: Option<C>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RegistryStoreConfig {
    /// Accepted, as TarsPHP's: the file of endpoints is bounded by itself.
    #[serde(rename = "size")]
    _size: Option<u64>,
}

impl Obj {
    /// With the stores that stand beside its table, where TarsPHP's server reads them.
    fn or(
        mut self,
        monitor: Option<StoreConf<MonitorStoreConfig>>,
        registry: Option<StoreConf<RegistryStoreConfig>>,
    ) -> Result<Self, ServicesError> {
        let twice = |key| {
            value(
                key,
                "is there twice: in [obj] and beside it; keep one of them",
            )
        };
        if monitor.is_some() && self.monitor_store_conf.is_some() {
            return Err(twice("monitorStoreConf"));
        }
        if registry.is_some() && self.registry_store_conf.is_some() {
            return Err(twice("registryStoreConf"));
        }
        self.monitor_store_conf = self.monitor_store_conf.or(monitor);
        self.registry_store_conf = self.registry_store_conf.or(registry);
        Ok(self)
    }

    fn check(
        self,
        directory: &Path,
        servants: BTreeMap<String, ServantConf>,
    ) -> Result<Services, ServicesError> {
        let defaults = Services::default();
        only("obj.protocolName", self.protocol_name.as_deref(), "http")?;
        only("obj.serverType", self.server_type.as_deref(), "websocket")?;
        if self.is_timer {
            return Err(value(
                "obj.isTimer",
                "must be false: this server has no timers",
            ));
        }
        let monitor_store = match self.monitor_store_conf {
            Some(conf) => monitor::check(class(&conf.class_name), conf.config.unwrap_or_default())?,
            None => defaults.monitor_store,
        };
        let keeps_endpoints = match &self.registry_store_conf {
            None => true,
            Some(conf) => match class(&conf.class_name) {
                "file" | "RouteTable" => true,
                "memory" => false,
                name => {
                    let problem = format!("there is no store `{name}`; there is file, memory");
                    return Err(value("obj.registryStoreConf.className", problem));
                }
            },
        };
        let home_class = match self.home_class.as_deref().map(class) {
            None => defaults.home_class,
            Some(name) => message::find(name).ok_or_else(|| {
                let names = message::names().collect::<Vec<_>>().join(", ");
                let problem =
                    format!("no message handler `{name}` is registered; there is {names}");
                value("obj.home-class", problem)
            })?,
        };
        let allowed_origins = self.allowed_origins.iter().map(|text| {
            text.parse().map_err(|problem| {
                value(
                    "obj.allowedOrigins",
                    format!("`{text}` is no origin: {problem}"),
                )
            })
        });
        Ok(Services {
            home_class,
            save_tars_config_file_dir: self
                .save_tars_config_file_dir
                .unwrap_or(defaults.save_tars_config_file_dir),
            save_tars_config_file_name: check_file_names(self.save_tars_config_file_name)?,
            monitor_store,
            keeps_endpoints,
            servants: check_servants(servants)?,
            fd_store: check_fd_store(self.fd_store_conf, directory)?,
            allowed_origins: allowed_origins.collect::<Result<_, _>>()?,
            push_token: self.push_token.map(check_token).transpose()?,
            servant: self.servant,
            tls: self.tls.map(|tls| TlsConf {
                certificate: directory.join(tls.certificate),
                key: directory.join(tls.key),
            }),
            history: self.history,
            limits: self.limits.check()?,
        })
    }
}

/// An empty name, which TarsPHP's example has, is none.
fn check_file_names(mut names: Vec<String>) -> Result<Vec<String>, ServicesError> {
    names.retain(|name| !name.is_empty());
    match names
        .iter()
        .find(|name| Path::new(name).file_name() != Some(name.as_ref()))
    {
        Some(name) => Err(value(
            "obj.saveTarsConfigFileName",
            format!("`{name}` must be the name of a file, without directories"),
        )),
        None => Ok(names),
    }
}

fn check_servants(
    tables: BTreeMap<String, ServantConf>,
) -> Result<BTreeMap<String, &'static tars_servants::Registered>, ServicesError> {
    let servants = tables.into_iter().map(|(name, table)| {
        only("protocolName", table.protocol_name.as_deref(), "tars")?;
        only("serverType", table.server_type.as_deref(), "tcp")?;
        let Some(home_class) = table.home_class.as_deref().map(class) else {
            return Ok((name, tars_servants::DEFAULT));
        };
        let servant = tars_servants::find(home_class).ok_or_else(|| {
            let names = tars_servants::names().collect::<Vec<_>>().join(", ");
            let problem =
                format!("of `{name}`: no servant `{home_class}` is registered; there is {names}");
            value("home-class", problem)
        })?;
        Ok((name, servant))
    });
    servants.collect()
}

fn check_fd_store(
    conf: Option<StoreConf<toml::Table>>,
    directory: &Path,
) -> Result<FdStoreConf, ServicesError> {
    let Some(conf) = conf else {
        return Ok(Services::default().fd_store);
    };
    let name = class(&conf.class_name);
    let store = fd_store::find(name).ok_or_else(|| {
        let names = fd_store::names().collect::<Vec<_>>().join(", ");
        let problem = format!("no store `{name}` is registered; there is {names}");
        value("obj.fdStoreConf.className", problem)
    })?;
    Ok(FdStoreConf {
        store,
        config: StoreConfig::new(conf.config.unwrap_or_default(), directory),
    })
}

fn check_token(token: String) -> Result<PushToken, ServicesError> {
    let printable = token.bytes().all(|byte| byte.is_ascii_graphic());
    if token.len() < MIN_TOKEN || !printable {
        let problem = format!("needs at least {MIN_TOKEN} printable ASCII characters, no spaces");
        return Err(value("obj.pushToken", problem));
    }
    Ok(PushToken(token))
}

/// The name at the end of a PHP class name, so that a services.php can be transcribed as it is.
fn class(name: &str) -> &str {
    name.rsplit('\\').next().unwrap_or(name)
}

fn only(key: &'static str, found: Option<&str>, supported: &str) -> Result<(), ServicesError> {
    match found {
        Some(found) if found != supported => Err(value(
            key,
            format!("is `{found}`, this server is \"{supported}\""),
        )),
        _ => Ok(()),
    }
}

fn value(key: &'static str, problem: impl Into<String>) -> ServicesError {
    ServicesError::Value {
        key,
        problem: problem.into(),
    }
}

#[cfg(test)]
mod tests;
