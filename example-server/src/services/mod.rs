//! `services.toml`: the keys of TarsPHP's `services.php`, transcribed, and ours.
//!
//! A file says only what differs from the defaults. Everything is checked at start: an unknown key
//! or a value that cannot work is an error that names the place and what to do.

mod keys;
mod limits;

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::de::DeTable;

pub use self::limits::{Limits, SlowConsumer};
use crate::component::fd_store::{self, StoreConfig};
use crate::component::history::HistoryConf;
use crate::http::access::Origin;
use crate::message::{self, Registered};

/// A push token below this is guessed.
const MIN_TOKEN: usize = 16;

/// What the server is configured to do.
#[derive(Debug, Clone, PartialEq)]
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
        keys::check_keys(text, "", table.get_ref())?;
        let file: File = toml::from_str(text)?;
        file.obj.check(directory)
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
struct MonitorStoreConfig {
    #[serde(rename = "size")]
    _size: Option<u64>,
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
            tls: self.tls.map(|tls| TlsConf {
                certificate: directory.join(tls.certificate),
                key: directory.join(tls.key),
            }),
            history: self.history,
            limits: self.limits.check()?,
        })
    }
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
