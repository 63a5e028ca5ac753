//! `services.toml`: the keys of TarsPHP's `services.php`, transcribed, and ours.
//!
//! A file says only what differs from the defaults. Everything is checked at start: an unknown key
//! or a value that cannot work is an error that names the place and what to do.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use toml::de::{DeTable, DeValue};

use crate::http::access::Origin;
use crate::message::{self, Registered};

/// The keys of each table, by the table's path.
const KEYS: &[(&str, &[&str])] = &[
    ("", &["obj"]),
    (
        "obj",
        &[
            "namespaceName",
            "home-class",
            "saveTarsConfigFileDir",
            "saveTarsConfigFileName",
            "monitorStoreConf",
            "protocolName",
            "serverType",
            "fdStoreConf",
            "allowedOrigins",
            "pushToken",
            "servant",
            "limits",
        ],
    ),
    ("obj.monitorStoreConf", &["className", "config"]),
    ("obj.monitorStoreConf.config", &["size"]),
    ("obj.fdStoreConf", &["className", "config"]),
    ("obj.fdStoreConf.config", &["path"]),
    (
        "obj.limits",
        &[
            "maxMessageSize",
            "maxQueueSize",
            "maxConnections",
            "maxRoomsPerConnection",
            "maxPendingAnswers",
            "helloTimeoutMs",
        ],
    ),
];

/// A queue below this could overflow by the answers to one read of a client that pipelines.
pub const MIN_QUEUE: usize = 256 * 1024;
/// A push token below this is guessed.
const MIN_TOKEN: usize = 16;

/// What the server is configured to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Services {
    /// The message handler.
    pub home_class: &'static Registered,
    /// Where files from the platform's configuration service are kept.
    pub save_tars_config_file_dir: PathBuf,
    /// The files to fetch from it.
    pub save_tars_config_file_name: Vec<String>,
    /// Where it is kept who is in which room.
    pub fd_store: FdStoreConf,
    /// Origins that may connect, beside the server's own.
    pub allowed_origins: Vec<Origin>,
    /// What a caller of the push actions has to present.
    pub push_token: Option<PushToken>,
    /// The address of the PHPServer to call; the embedded one without it.
    pub servant: Option<String>,
    /// What keeps the server's memory bounded.
    pub limits: Limits,
}

/// The choice of an `FdStore`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FdStoreConf {
    /// In memory.
    Memory,
    /// In memory and in a file.
    File {
        /// The file.
        path: PathBuf,
    },
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

/// Limits; each has a test at its border.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Limits {
    /// The largest message in bytes; a larger one closes its connection with 1009.
    pub max_message_size: usize,
    /// Bytes that may wait for one connection; one that reads slower is closed with 1013.
    pub max_queue_size: usize,
    /// WebSocket connections; one more is answered 503.
    pub max_connections: usize,
    /// Rooms that one connection may be in; one more is answered with an error.
    pub max_rooms_per_connection: usize,
    /// Answers of one connection that may wait for PHPServer; one more is an error at once.
    pub max_pending_answers: usize,
    /// How long PHPServer may take for a greeting.
    pub hello_timeout_ms: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_message_size: 1024 * 1024,
            max_queue_size: 2 * 1024 * 1024,
            max_connections: 20_000,
            max_rooms_per_connection: 100,
            max_pending_answers: 8,
            hello_timeout_ms: 3_000,
        }
    }
}

impl Limits {
    /// How long PHPServer may take for a greeting.
    pub const fn hello_timeout(&self) -> Duration {
        Duration::from_millis(self.hello_timeout_ms)
    }
}

impl Default for Services {
    fn default() -> Self {
        Self {
            home_class: &message::EXAMPLE_WEBSOCKET,
            save_tars_config_file_dir: PathBuf::from("conf"),
            save_tars_config_file_name: Vec::new(),
            fd_store: FdStoreConf::Memory,
            allowed_origins: Vec::new(),
            push_token: None,
            servant: None,
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
        check_keys(text, "", table.get_ref())?;
        let file: File = toml::from_str(text)?;
        file.obj.check(directory)
    }
}

/// Finds the first unknown key and the key that was probably meant.
fn check_keys(text: &str, path: &str, table: &DeTable<'_>) -> Result<(), ServicesError> {
    let Some((_, known)) = KEYS.iter().find(|(table, _)| *table == path) else {
        return Ok(());
    };
    for (key, value) in table {
        let name: &str = key.get_ref();
        if !known.contains(&name) {
            return Err(unknown_key(text, path, name, key.span(), known));
        }
        if let DeValue::Table(inner) = value.get_ref() {
            let inner_path = if path.is_empty() {
                name.to_owned()
            } else {
                format!("{path}.{name}")
            };
            check_keys(text, &inner_path, inner)?;
        }
    }
    Ok(())
}

fn unknown_key(
    text: &str,
    path: &str,
    key: &str,
    span: Range<usize>,
    known: &[&str],
) -> ServicesError {
    let nearest = known
        .iter()
        .map(|known| {
            (
                strsim::damerau_levenshtein(&known.to_lowercase(), &key.to_lowercase()),
                known,
            )
        })
        .min()
        .filter(|(distance, known)| *distance <= known.len() / 2);
    let advice = match nearest {
        Some((_, known)) => format!("did you mean `{known}`?"),
        None => format!("it may be one of {}", known.join(", ")),
    };
    ServicesError::UnknownKey {
        line: text
            .as_bytes()
            .iter()
            .take(span.start)
            .filter(|&&byte| byte == b'\n')
            .count()
            + 1,
        key: key.to_owned(),
        table: if path.is_empty() {
            "the file".to_owned()
        } else {
            format!("[{path}]")
        },
        advice,
    }
}

/// The file as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct File {
    obj: Obj,
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
    protocol_name: Option<String>,
    server_type: Option<String>,
    fd_store_conf: Option<StoreConf<FdStoreConfig>>,
    allowed_origins: Vec<String>,
    push_token: Option<String>,
    servant: Option<String>,
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
struct MonitorStoreConfig {
    #[serde(rename = "size")]
    _size: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FdStoreConfig {
    path: Option<PathBuf>,
}

impl Obj {
    fn check(self, directory: &Path) -> Result<Services, ServicesError> {
        let defaults = Services::default();
        only("obj.protocolName", self.protocol_name.as_deref(), "http")?;
        only("obj.serverType", self.server_type.as_deref(), "websocket")?;
        if let Some(conf) = &self.monitor_store_conf {
            let name = class(&conf.class_name);
            if !["memory", "SwooleTableStoreCache"].contains(&name) {
                let problem = format!("there is no store `{name}`; use \"memory\"");
                return Err(value("obj.monitorStoreConf.className", problem));
            }
        }
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
            save_tars_config_file_dir: directory.join(
                self.save_tars_config_file_dir
                    .unwrap_or(defaults.save_tars_config_file_dir),
            ),
            save_tars_config_file_name: self.save_tars_config_file_name,
            fd_store: check_fd_store(self.fd_store_conf, directory)?,
            allowed_origins: allowed_origins.collect::<Result<_, _>>()?,
            push_token: self.push_token.map(check_token).transpose()?,
            servant: self.servant,
            limits: check_limits(self.limits)?,
        })
    }
}

fn check_fd_store(
    conf: Option<StoreConf<FdStoreConfig>>,
    directory: &Path,
) -> Result<FdStoreConf, ServicesError> {
    let Some(conf) = conf else {
        return Ok(FdStoreConf::Memory);
    };
    let path = conf.config.and_then(|config| config.path);
    match (class(&conf.class_name), path) {
        ("memory", None) => Ok(FdStoreConf::Memory),
        ("memory", Some(_)) => {
            let problem = "the store in memory has no path; remove it, or use className = \"file\"";
            Err(value("obj.fdStoreConf.config.path", problem))
        }
        ("file", Some(path)) => Ok(FdStoreConf::File {
            path: directory.join(path),
        }),
        ("file", None) => Err(value(
            "obj.fdStoreConf.config.path",
            "the file store needs a path",
        )),
        (name, _) => {
            let problem = format!("there is no store `{name}`; use \"memory\" or \"file\"");
            Err(value("obj.fdStoreConf.className", problem))
        }
    }
}

fn check_token(token: String) -> Result<PushToken, ServicesError> {
    let printable = token.bytes().all(|byte| byte.is_ascii_graphic());
    if token.len() < MIN_TOKEN || !printable {
        let problem = format!("needs at least {MIN_TOKEN} printable ASCII characters, no spaces");
        return Err(value("obj.pushToken", problem));
    }
    Ok(PushToken(token))
}

fn check_limits(limits: Limits) -> Result<Limits, ServicesError> {
    let at_least_one = [
        ("obj.limits.maxMessageSize", limits.max_message_size),
        ("obj.limits.maxConnections", limits.max_connections),
        (
            "obj.limits.maxRoomsPerConnection",
            limits.max_rooms_per_connection,
        ),
        ("obj.limits.maxPendingAnswers", limits.max_pending_answers),
        (
            "obj.limits.helloTimeoutMs",
            usize::try_from(limits.hello_timeout_ms).unwrap_or(usize::MAX),
        ),
    ];
    if let Some((key, _)) = at_least_one.into_iter().find(|(_, number)| *number == 0) {
        return Err(value(key, "must be at least 1"));
    }
    if limits.max_connections > tokio::sync::Semaphore::MAX_PERMITS {
        return Err(value("obj.limits.maxConnections", "is too large"));
    }
    let queue = limits
        .max_message_size
        .saturating_add(crate::ws::frame::MAX_SERVER_HEADER);
    let queue = queue.max(MIN_QUEUE);
    if limits.max_queue_size < queue {
        let problem = format!("must hold one message and a read of answers, so at least {queue}");
        return Err(value("obj.limits.maxQueueSize", problem));
    }
    Ok(limits)
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
#[path = "services_tests.rs"]
mod tests;
