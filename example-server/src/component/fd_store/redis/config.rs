//! The `config` of this store in services.toml.

use redis::{ConnectionAddr, IntoConnectionInfo as _, ProtocolVersion, RedisConnectionInfo};
use serde::Deserialize;

use crate::component::fd_store::FdStoreError;

/// The `config` of services.toml, with the keys of TarsPHP's RedisStoreCache and ours.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct Config {
    host: String,
    port: u16,
    username: Option<String>,
    password: Option<String>,
    database: i64,
    /// What all keys and channels begin with.
    pub(super) prefix: String,
    /// How long a node that died is still listed.
    pub(super) lease_ms: u64,
    /// How long Redis may take to connect or to answer.
    pub(super) timeout_ms: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            host: "127.0.0.1".to_owned(),
            port: 6379,
            username: None,
            password: None,
            database: 0,
            prefix: "tars-chat".to_owned(),
            lease_ms: 15_000,
            timeout_ms: 1_000,
        }
    }
}

impl Config {
    pub(super) fn check(&self) -> Result<(), FdStoreError> {
        let problem = if self.timeout_ms == 0 {
            "timeoutMs must be at least 1"
        } else if self.lease_ms < 3 * self.timeout_ms {
            // It is renewed every third of it, and each try may take as long as the timeout.
            "leaseMs must be at least three times timeoutMs"
        } else if self.prefix.is_empty() {
            "prefix must not be empty"
        } else {
            return Ok(());
        };
        Err(FdStoreError::Config(problem.to_owned()))
    }

    pub(super) fn client(&self) -> redis::RedisResult<redis::Client> {
        let mut settings = RedisConnectionInfo::default()
            .set_db(self.database)
            .set_protocol(ProtocolVersion::RESP3);
        if let Some(username) = &self.username {
            settings = settings.set_username(username);
        }
        if let Some(password) = &self.password {
            settings = settings.set_password(password);
        }
        let address = ConnectionAddr::Tcp(self.host.clone(), self.port);
        redis::Client::open(address.into_connection_info()?.set_redis_settings(settings))
    }
}
