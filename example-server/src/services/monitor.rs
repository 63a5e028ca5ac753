//! `monitorStoreConf`: where statistics of calls wait for their report.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use super::{ServicesError, value};

/// Where statistics of calls wait for their report.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum MonitorStore {
    /// In memory, with room for so many kinds of calls.
    Memory {
        /// Kinds of calls.
        size: usize,
    },
    /// In a Redis, for several processes that report together.
    Redis {
        /// `redis://[:PASSWORD@]HOST:PORT/DATABASE`.
        url: String,
        /// Begins the names of all keys.
        prefix: Option<String>,
        /// How long numbers are kept that nobody reports, in seconds.
        ttl: Option<u64>,
        /// How long an operation may take, in milliseconds.
        timeout_ms: Option<u64>,
        /// Kinds of calls.
        size: usize,
    },
}

/// As in TarsPHP.
const SIZE: usize = 40_960;

impl Default for MonitorStore {
    fn default() -> Self {
        Self::Memory { size: SIZE }
    }
}

/// The URL may have a password in it.
impl std::fmt::Debug for MonitorStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Memory { size } => f.debug_struct("Memory").field("size", size).finish(),
            Self::Redis { prefix, size, .. } => f
                .debug_struct("Redis")
                .field("prefix", prefix)
                .field("size", size)
                .finish_non_exhaustive(),
        }
    }
}

/// `config`, with the keys of TarsPHP's stores.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct MonitorStoreConfig {
    size: Option<usize>,
    host: Option<String>,
    port: Option<u16>,
    password: Option<String>,
    database: Option<u32>,
    /// Seconds.
    timeout: Option<f64>,
    cache_prefix: Option<String>,
    /// Seconds.
    ttl: Option<u64>,
}

/// The store of this class with this config.
pub(super) fn check(
    class: &str,
    config: MonitorStoreConfig,
) -> Result<MonitorStore, ServicesError> {
    let size = config.size.unwrap_or(SIZE);
    if size == 0 {
        return Err(value(
            "obj.monitorStoreConf.config.size",
            "must be at least 1",
        ));
    }
    match class {
        "memory" | "SwooleTableStoreCache" => Ok(MonitorStore::Memory { size }),
        "redis" | "RedisStoreCache" => redis(config, size),
        name => {
            let problem = format!("there is no store `{name}`; there is memory, redis");
            Err(value("obj.monitorStoreConf.className", problem))
        }
    }
}

fn redis(config: MonitorStoreConfig, size: usize) -> Result<MonitorStore, ServicesError> {
    let host = config.host.as_deref().unwrap_or("127.0.0.1");
    let host = match host.contains(':') {
        true => format!("[{host}]"),
        false => host.to_owned(),
    };
    let password = config.password.unwrap_or_default();
    let password = match password.is_empty() {
        true => String::new(),
        false => format!(":{}@", utf8_percent_encode(&password, NON_ALPHANUMERIC)),
    };
    let port = config.port.unwrap_or(6379);
    let database = config.database.unwrap_or_default();
    let timeout_ms = config.timeout.map(|seconds| seconds * 1000.0);
    if timeout_ms.is_some_and(|ms| !(1.0..=60_000.0).contains(&ms)) {
        return Err(value(
            "obj.monitorStoreConf.config.timeout",
            "must be seconds, from 0.001 to 60",
        ));
    }
    if config.ttl == Some(0) {
        return Err(value(
            "obj.monitorStoreConf.config.ttl",
            "must be at least 1, in seconds",
        ));
    }
    Ok(MonitorStore::Redis {
        url: format!("redis://{password}{host}:{port}/{database}"),
        prefix: config.cache_prefix,
        ttl: config.ttl,
        timeout_ms: timeout_ms.map(|ms| ms as u64),
        size,
    })
}
