//! Where proxies come from.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use crate::{
    Address, Endpoint, Error, Result, Transport,
    client::{Config, Connection, Connector, ServantProxy, Stats, TcpConnector},
};

/// Makes proxies, which share connections: one to each endpoint. Cheap to clone; an application has one.
///
/// ```no_run
/// use tars_rpc::Communicator;
///
/// # fn main() -> tars_rpc::Result<()> {
/// let communicator = Communicator::new();
/// let proxy = communicator.string_to_proxy("PHPTest.PHPServer.obj@tcp -h 127.0.0.1 -p 15380")?;
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct Communicator(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    config: Arc<Config>,
    connector: Arc<dyn Connector>,
    stats: Arc<Stats>,
    /// A connection lives as long as a proxy has it.
    connections: Mutex<HashMap<Endpoint, Weak<Connection>>>,
}

impl Communicator {
    /// With the defaults of [`Config`].
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// With other settings.
    pub fn builder() -> CommunicatorBuilder {
        CommunicatorBuilder::default()
    }

    /// A proxy of the servant at an address: `App.Server.Obj@tcp -h HOST -p PORT`, several endpoints joined by `:`.
    /// Nothing is connected before the first call.
    ///
    /// # Errors
    /// * [`Error::Address`]: the address cannot be understood.
    /// * [`Error::NoEndpoint`]: it has no endpoint, which a registry would have to find, or an endpoint that is
    ///   not TCP. Neither is supported yet.
    pub fn string_to_proxy(&self, address: &str) -> Result<ServantProxy> {
        let Address { object, endpoints } = address.parse()?;
        if let Some(other) = endpoints.iter().find(|e| e.transport != Transport::Tcp) {
            let reason = format!(
                "`{other}` is {}; only tcp is supported yet",
                other.transport
            );
            return Err(Error::NoEndpoint { object, reason });
        }
        let connections = self.connections(endpoints);
        ServantProxy::new(&object, connections).ok_or_else(|| Error::NoEndpoint {
            reason: "the address is a bare name, and registries are not supported yet; \
                     write `NAME@tcp -h HOST -p PORT`"
                .to_owned(),
            object,
        })
    }

    /// Counters over all connections.
    pub fn stats(&self) -> &Stats {
        &self.0.stats
    }

    fn connections(&self, endpoints: Vec<Endpoint>) -> Vec<Arc<Connection>> {
        let inner = &*self.0;
        let mut known = inner
            .connections
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        known.retain(|_, connection| connection.strong_count() > 0);
        endpoints
            .into_iter()
            .map(|endpoint| {
                // The same place is the same connection, whatever weights and timeouts say.
                let place = Endpoint::new(endpoint.transport, endpoint.host, endpoint.port);
                if let Some(connection) = known.get(&place).and_then(Weak::upgrade) {
                    return connection;
                }
                let connection = Arc::new(Connection::new(
                    place.clone(),
                    Arc::clone(&inner.config),
                    Arc::clone(&inner.connector),
                    Arc::clone(&inner.stats),
                ));
                known.insert(place, Arc::downgrade(&connection));
                connection
            })
            .collect()
    }
}

impl Default for Communicator {
    fn default() -> Self {
        Self::new()
    }
}

/// Settings of a [`Communicator`].
#[derive(Debug, Default)]
pub struct CommunicatorBuilder {
    config: Config,
    connector: Option<Arc<dyn Connector>>,
}

impl CommunicatorBuilder {
    /// Timeouts and limits.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tars_rpc::{Communicator, client::Config};
    ///
    /// let mut config = Config::default();
    /// config.timeout = Duration::from_secs(10);
    /// let communicator = Communicator::builder().config(config).build();
    /// ```
    #[must_use]
    pub fn config(mut self, config: Config) -> Self {
        self.config = config;
        self
    }

    /// Another way to get byte streams than TCP.
    #[must_use]
    pub fn connector(mut self, connector: impl Connector) -> Self {
        self.connector = Some(Arc::new(connector));
        self
    }

    /// The communicator.
    pub fn build(self) -> Communicator {
        Communicator(Arc::new(Inner {
            config: Arc::new(self.config),
            connector: self.connector.unwrap_or_else(|| Arc::new(TcpConnector)),
            stats: Arc::default(),
            connections: Mutex::default(),
        }))
    }
}
