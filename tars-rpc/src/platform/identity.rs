//! Who reports: what all reports of a program have in common.

use std::time::Duration;

use tracing::warn;

use crate::{
    Communicator, Error, Result,
    client::{CallOptions, ServantProxy},
    config::{ApplicationConfig, SetDivision},
};

/// What reports say the program is built with.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// How long a report may take, as in TarsCpp. Nobody waits for it.
const REPORT: Duration = Duration::from_secs(5);

/// Who reports.
#[derive(Debug, Clone, Default)]
pub(crate) struct Identity {
    pub(crate) app: String,
    pub(crate) server: String,
    /// `App.Server`, or what the config calls it.
    pub(crate) module: String,
    pub(crate) node_name: String,
    pub(crate) set: Option<SetDivision>,
}

impl Identity {
    pub(crate) fn new(config: &ApplicationConfig) -> Self {
        let server = config.server.as_ref();
        let module = match (&config.client.module_name, server) {
            (Some(name), _) => name.clone(),
            (None, Some(server)) => server.name(),
            (None, None) => "unknown".to_owned(),
        };
        let (app, name) = match server {
            Some(server) => (server.app.clone(), server.server.clone()),
            None => match module.split_once('.') {
                Some((app, name)) => (app.to_owned(), name.to_owned()),
                None => (String::new(), module.clone()),
            },
        };
        Self {
            app,
            server: name,
            module,
            node_name: server.and_then(|s| s.node_name.clone()).unwrap_or_default(),
            set: config.set.clone(),
        }
    }

    /// How the platform's services are called, but for the node: they take the name of the node from the context.
    pub(crate) fn options(&self) -> CallOptions {
        if self.node_name.is_empty() {
            return CallOptions::new();
        }
        CallOptions::new().context("node_name", &self.node_name)
    }

    /// The same for reports, which want no answer.
    pub(crate) fn report_options(&self) -> CallOptions {
        self.options().timeout(REPORT).oneway()
    }

    /// Name, area and group of the set; empty without.
    pub(crate) fn set_parts(&self) -> [&str; 3] {
        match &self.set {
            Some(set) => [set.name(), set.area(), set.group()],
            None => [""; 3],
        }
    }
}

/// How a node is called, which knows its own name.
pub(crate) fn node_options() -> CallOptions {
    CallOptions::new().timeout(REPORT).oneway()
}

/// A proxy of a service of the platform; `None` without an address, and for one that cannot be reached by this
/// communicator, which is logged: reports are not worth a server that does not start.
pub(crate) fn service(
    communicator: &Communicator,
    address: Option<&crate::Address>,
    options: CallOptions,
) -> Option<ServantProxy> {
    match communicator.string_to_proxy(&address?.to_string()) {
        Ok(proxy) => Some(proxy.with(options)),
        Err(error) => {
            warn!(%error, "a service of the platform cannot be called; nothing is reported to it");
            None
        }
    }
}

/// Whether a report went out. What is one-way has no answer, so that its result cannot be decoded.
pub(crate) fn sent<T>(result: Result<T>) -> Result<()> {
    match result {
        Ok(_) | Err(Error::Decode { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}
