//! Adapters from a config file.

use super::{Adapter, AllowList, Limits};
use crate::{Error, Result, config::AdapterConfig};
#[cfg(feature = "tls")]
use crate::{Transport, tls::ServerTls};

/// What an adapter of a config file is willing to hold: `maxconns`, `queuecap`, `queuetimeout`.
impl From<&AdapterConfig> for Limits {
    fn from(config: &AdapterConfig) -> Self {
        let number = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        Self {
            max_connections: number(config.max_conns),
            max_queue: number(config.queue_cap),
            queue_timeout: config.queue_timeout,
            ..Self::default()
        }
    }
}

impl AllowList {
    /// The addresses that may use an adapter of a config file: `allow`, `deny`, `order`.
    ///
    /// # Errors
    /// [`Error::Adapter`]: an entry is no address.
    pub fn from_config(config: &AdapterConfig) -> Result<Self> {
        let parse = |key: &str, entries: &[String]| {
            entries.join(" ").parse::<Self>().map_err(|error| {
                let reason = format!("{key}: {error}");
                wrong(config, reason)
            })
        };
        let deny = parse("deny", &config.deny)?;
        Ok(parse("allow", &config.allow)?.deny(deny, config.deny_first))
    }
}

impl Adapter {
    /// An adapter as a config file has it, without its servant: name, endpoint, limits, who may connect, and with the
    /// feature `tls` `cert`, `key`, and `ca` with `verifyclient`. `threads` has nothing to do here: the threads are
    /// those of the tokio runtime, which serve all adapters.
    ///
    /// ```no_run
    /// use tars_rpc::{config::ApplicationConfig, server::{Adapter, Servant, Server}};
    ///
    /// async fn listen(greeter: impl Servant + Clone) -> Result<Server, Box<dyn std::error::Error>> {
    ///     let config = ApplicationConfig::read("/etc/App.Server.config.conf")?;
    ///     let mut server = Server::builder();
    ///     for adapter in config.server.iter().flat_map(|server| &server.adapters) {
    ///         let listener = Adapter::from_config(adapter)?;
    ///         server = server.adapter(listener.servant(&adapter.servant, greeter.clone()));
    ///     }
    ///     Ok(server.listen().await?)
    /// }
    /// ```
    ///
    /// # Errors
    /// [`Error::Adapter`]: an entry of `allow` or `deny` is no address, a file of TLS is missing or of no use, or callers
    /// are to be asked for an `accesskey`, which is not done here and nobody should believe to be.
    pub fn from_config(config: &AdapterConfig) -> Result<Self> {
        if config.credentials.is_some() {
            let text = "`accesskey` is not supported; let `allow` or certificates say who may call";
            return Err(wrong(config, text.to_owned()));
        }
        let adapter = Self::new(&config.name)
            .endpoint(config.endpoint.clone())
            .limits(config.into())
            .allow(AllowList::from_config(config)?);
        #[cfg(feature = "tls")]
        if config.endpoint.transport == Transport::Ssl
            && let Some(files) = &config.tls
        {
            let tls = ServerTls::try_from(files);
            return Ok(adapter.tls(tls.map_err(|error| wrong(config, error.to_string()))?));
        }
        Ok(adapter)
    }
}

fn wrong(config: &AdapterConfig, reason: String) -> Error {
    Error::Adapter {
        adapter: config.name.clone(),
        reason,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn config() -> AdapterConfig {
        let endpoint = "tcp -h 127.0.0.1 -p 0".parse().unwrap();
        AdapterConfig::new("App.Server.ObjAdapter", "App.Server.Obj", endpoint)
    }

    #[test]
    fn limits_are_those_of_the_file() {
        let mut config = config();
        (config.max_conns, config.queue_cap) = (7, 11);
        config.queue_timeout = Duration::from_millis(13);
        let adapter = Adapter::from_config(&config).unwrap();
        let limits = adapter.limits;
        assert_eq!((limits.max_connections, limits.max_queue), (7, 11));
        assert_eq!(limits.queue_timeout, Duration::from_millis(13));
    }

    #[test]
    fn a_wrong_address_names_its_adapter_and_key() {
        let mut config = config();
        config.deny = vec!["10.0.0.x".to_owned()];
        let error = Adapter::from_config(&config).unwrap_err().to_string();
        assert!(
            error.starts_with("adapter App.Server.ObjAdapter: deny: `10.0.0.x` is no IP address"),
            "{error}"
        );
    }
}
