//! What the config of the platform and services.toml say together.

use std::path::{Path, PathBuf};

use tars_rpc::Transport;
use tars_rpc::config::{AdapterConfig, ApplicationConfig, Protocol, ServerConfig};

use super::Failure;
use crate::cli::Args;
use crate::php_server;
use crate::services::{Services, TlsConf};
use crate::tars_servants;

/// A server on the platform, before it starts.
#[derive(Debug)]
pub(super) struct Deployment {
    pub(super) config: ApplicationConfig,
    /// `<server>` of it.
    pub(super) server: ServerConfig,
    /// Within what the platform allows.
    pub(super) services: Services,
    /// Adapters of the chat.
    pub(super) chat: Vec<AdapterConfig>,
    /// Adapters that speak TARS, and what they serve.
    pub(super) tars: Vec<(AdapterConfig, &'static tars_servants::Registered)>,
    /// The address of the PHPServer that is called; without it, the chat embeds one.
    pub(super) php_server: Option<String>,
}

impl Deployment {
    /// Reads both files.
    pub(super) fn read(path: &Path, args: &Args) -> Result<Self, Failure> {
        let config = ApplicationConfig::read(path)?;
        let wrong = |problem: String| Failure::Deployment {
            path: path.to_owned(),
            problem,
        };
        let Some(server) = config.server.clone() else {
            return Err(wrong(
                "there is no block `/tars/application/server`: this is the config of a client"
                    .to_owned(),
            ));
        };
        let file = services_file(&server, args);
        let mut services = match &file {
            Some(path) => Services::load(path).map_err(|source| Failure::Services {
                path: path.clone(),
                source,
            })?,
            None => Services::default(),
        };
        if args.echo {
            services = services.echo();
        }
        let adapters = server.adapters.clone().into_iter();
        let (chat, tars): (Vec<_>, Vec<_>) =
            adapters.partition(|adapter| adapter.protocol == Protocol::NotTars);
        check_template(&server, &chat).map_err(wrong)?;
        let tars = tars.into_iter().map(|adapter| {
            let servant = servant(&adapter, &services, file.as_deref())?;
            Ok((adapter, servant))
        });
        let tars = tars.collect::<Result<_, _>>().map_err(wrong)?;
        if let Some(adapter) = chat.first() {
            services.limits = services.limits.within(&joined(adapter, &chat));
        }
        if let Some(adapter) = chat.iter().find(|adapter| adapter.credentials.is_some()) {
            return Err(wrong(format!(
                "adapter {}: `accesskey` is not supported; let `allow` say who may connect",
                adapter.name
            )));
        }
        services.tls = tls(&chat, services.tls.take()).map_err(wrong)?;
        let found = config
            .client
            .locator
            .as_ref()
            .map(|_| php_server::NAME.to_owned());
        let php_server = args
            .servant
            .clone()
            .or_else(|| services.servant.clone())
            .or(found);
        Ok(Self {
            config,
            server,
            services,
            chat,
            tars,
            php_server,
        })
    }

    /// Threads of the runtime: `threads` of the adapter that has most of them, as TarsPHP counts its workers.
    pub(super) fn workers(&self) -> usize {
        let threads = self.server.adapters.iter().map(|adapter| adapter.threads);
        usize::try_from(threads.max().unwrap_or(1).max(1)).unwrap_or(1)
    }
}

/// The one that is told, or that in `basepath`, if it is there.
fn services_file(server: &ServerConfig, args: &Args) -> Option<PathBuf> {
    args.services.clone().or_else(|| {
        let path = server.base_path.join("services.toml");
        path.exists().then_some(path)
    })
}

/// TarsPHP's keys of the template say what kind of server it is for.
fn check_template(server: &ServerConfig, chat: &[AdapterConfig]) -> Result<(), String> {
    for (key, found, ours) in [
        ("servType", &server.serv_type, "websocket"),
        ("protocolName", &server.protocol_name, "http"),
    ] {
        match found.as_deref() {
            Some(found) if found != ours => {
                return Err(format!(
                    "the template is for another kind of server: `{key}={found}`, this one is `{ours}`"
                ));
            }
            _ => {}
        }
    }
    if server.serv_type.is_some() && chat.is_empty() {
        return Err(
            "`servType=websocket`, and no adapter with `protocol=not_tars`, on which the chat would listen: \
             choose \"not TARS\" for its port on the platform"
                .to_owned(),
        );
    }
    Ok(())
}

/// What an adapter serves.
fn servant(
    adapter: &AdapterConfig,
    services: &Services,
    file: Option<&Path>,
) -> Result<&'static tars_servants::Registered, String> {
    let object = adapter.servant.rsplit('.').next().unwrap_or_default();
    match (services.servants.get(object), file) {
        (Some(servant), _) => Ok(servant),
        (None, Some(file)) if object == "obj" => Err(format!(
            "adapter {}: its protocol is TARS, and `obj` of {} is the chat: choose \"not TARS\" for its port on the \
             platform (`protocol=not_tars`), or give [obj] there `serverType = \"tcp\"`",
            adapter.name,
            file.display()
        )),
        (None, _) => Ok(tars_servants::DEFAULT),
    }
}

/// The bounds of all ports of the chat together.
fn joined(first: &AdapterConfig, all: &[AdapterConfig]) -> AdapterConfig {
    let sum = |of: fn(&AdapterConfig) -> u32| all.iter().map(of).fold(0, u32::saturating_add);
    let mut joined = first.clone();
    joined.max_conns = sum(|adapter| adapter.max_conns).max(1);
    joined.queue_cap = sum(|adapter| adapter.queue_cap).max(1);
    let times = all.iter().map(|adapter| adapter.queue_timeout);
    joined.queue_timeout = times.min().unwrap_or(first.queue_timeout);
    joined
}

/// The TLS of the chat: of services.toml, or that of `ssl` endpoints.
fn tls(chat: &[AdapterConfig], own: Option<TlsConf>) -> Result<Option<TlsConf>, String> {
    let mut of_port = own.clone();
    for adapter in chat {
        let endpoint = &adapter.endpoint;
        let refuse = |reason: &str| Err(format!("adapter {}: `{endpoint}` {reason}", adapter.name));
        match endpoint.transport {
            Transport::Tcp if of_port.is_some() && own.is_none() => {
                return refuse(
                    "is plain, and another port of the chat is ssl: all of them, or none",
                );
            }
            Transport::Tcp => {}
            Transport::Ssl if own.is_some() => {}
            Transport::Ssl => {
                if adapter.name != chat[0].name && of_port.is_none() {
                    return refuse(
                        "is ssl, and another port of the chat is plain: all of them, or none",
                    );
                }
                let tls = adapter.tls.as_ref();
                let files = tls.and_then(|tls| Some((tls.cert.clone()?, tls.key.clone()?)));
                let Some((certificate, key)) = files else {
                    return refuse(
                        "needs `cert` and `key`, in the adapter or in <server>, or [obj.tls] of services.toml",
                    );
                };
                of_port = Some(TlsConf { certificate, key });
            }
            _ => return refuse("cannot be a port of the chat, which needs tcp or ssl"),
        }
    }
    Ok(of_port)
}
