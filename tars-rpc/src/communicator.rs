//! Where proxies come from.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use crate::{
    Address, Error, Result, Transport,
    client::{Config, Connector, Pool, ServantProxy, Stats, Target, TcpConnector},
    registry::{Finder, Query, Resolver},
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
    pool: Arc<Pool>,
    resolver: Option<Arc<dyn Resolver>>,
    /// Servants that were given by their bare names, and are looked for once.
    sought: Mutex<HashMap<Query, Weak<Target>>>,
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

    /// A proxy of the servant at an address: `App.Server.Obj@tcp -h HOST -p PORT`, several endpoints joined by `:`;
    /// or of the one with a bare name, `App.Server.Obj`, whose endpoints the registry knows. Nothing is connected or
    /// looked up before the first call.
    ///
    /// # Errors
    /// * [`Error::Address`]: the address cannot be understood.
    /// * [`Error::NoEndpoint`]: it is a bare name, and the communicator has no registry; or an endpoint that is not
    ///   TCP.
    pub fn string_to_proxy(&self, address: &str) -> Result<ServantProxy> {
        let Address { object, endpoints } = address.parse()?;
        if let Some(other) = endpoints.iter().find(|e| e.transport != Transport::Tcp) {
            let reason = format!(
                "`{other}` is {}; only tcp is supported yet",
                other.transport
            );
            return Err(Error::NoEndpoint { object, reason });
        }
        let pool = Arc::clone(&self.0.pool);
        let target = match Target::fixed(&object, endpoints, pool) {
            Some(target) => Arc::new(target),
            None => self.sought(object)?,
        };
        Ok(ServantProxy::new(target))
    }

    fn sought(&self, object: String) -> Result<Arc<Target>> {
        let Some(resolver) = &self.0.resolver else {
            let reason = "the address is a bare name, and the communicator has no locator; \
                          give it one, or write `NAME@tcp -h HOST -p PORT`";
            return Err(Error::NoEndpoint {
                object,
                reason: reason.to_owned(),
            });
        };
        let query = Query {
            object: object.into(),
        };
        let mut sought = self.0.sought.lock().unwrap_or_else(PoisonError::into_inner);
        sought.retain(|_, target| target.strong_count() > 0);
        if let Some(target) = sought.get(&query).and_then(Weak::upgrade) {
            return Ok(target);
        }
        let finder = Finder::new(Arc::clone(resolver), query.clone());
        let target = Target::sought(&query.object, finder, Arc::clone(&self.0.pool));
        let target = Arc::new(target);
        sought.insert(query, Arc::downgrade(&target));
        Ok(target)
    }

    /// Counters over all connections.
    pub fn stats(&self) -> &Stats {
        &self.0.pool.stats
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
    resolver: Option<Arc<dyn Resolver>>,
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

    /// Another way to find servants by their names than the registry of the Tars platform.
    #[must_use]
    pub fn resolver(mut self, resolver: impl Resolver) -> Self {
        self.resolver = Some(Arc::new(resolver));
        self
    }

    /// The communicator.
    pub fn build(self) -> Communicator {
        let connector = self.connector.unwrap_or_else(|| Arc::new(TcpConnector));
        Communicator(Arc::new(Inner {
            pool: Arc::new(Pool::new(self.config, connector)),
            resolver: self.resolver,
            sought: Mutex::default(),
        }))
    }
}
