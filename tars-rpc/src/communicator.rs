//! Where proxies come from.

use std::{
    collections::HashMap,
    fmt,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use tower_layer::Layer;

#[cfg(feature = "tls")]
use crate::tls::ClientTls;
use crate::{
    Address, Error, Result,
    client::{
        CallObserver, Config, Connector, NetConnector, Pool, ServantProxy, Stats, Target,
        layer::{AnyLayer, CallService, MakesCalls},
    },
    config::{ApplicationConfig, SetDivision},
    registry::{Cache, Finder, Locator, Query, Resolver},
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

struct Inner {
    pool: Arc<Pool>,
    resolver: Option<Arc<dyn Resolver>>,
    cache: Option<Arc<Cache>>,
    layers: Vec<AnyLayer>,
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

    /// With the settings of a Tars config file.
    ///
    /// | key | what it is here |
    /// |---|---|
    /// | `client<locator>` | [`locator`](CommunicatorBuilder::locator) |
    /// | `client<sync-invoke-timeout>` | [`Config::timeout`]. (`async-invoke-timeout` is for callbacks.) |
    /// | `client<refresh-endpoint-interval>` | [`Config::refresh`] |
    /// | `client<keep-alive-interval>` | [`Config::keep_alive`]; 0 is never, and without the key the default stays |
    /// | `client<ca>`, `<cert>`, `<key>` | `NetConnector::tls`, unless there is a [`connector`](CommunicatorBuilder::connector) (feature `tls`; without it, `ssl` endpoints cannot be called) |
    /// | `setdivision`, if `enableset` | [`set`](CommunicatorBuilder::set) |
    /// | `server<nodename>` | [`node_name`](CommunicatorBuilder::node_name) |
    /// | `server<datapath>` and the program's name (`client<modulename>`) | [`cache`](CommunicatorBuilder::cache): `App.Server.endpoints` |
    /// | `client<stat>`, `<property>`, `<report-interval>` .. | nothing: [`Platform`](crate::platform::Platform) reads them |
    /// | `client<asyncthread>`, `<netthread>` | nothing: the threads are those of the tokio runtime |
    ///
    /// What has no effect at all is listed by [`ApplicationConfig::unused`] and [`ApplicationConfig::unknown`].
    ///
    /// ```no_run
    /// use tars_rpc::{Communicator, config::ApplicationConfig};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let config = ApplicationConfig::read("PHPTest.PHPServer.config.conf")?;
    /// let communicator = Communicator::from_config(&config)?;
    /// let proxy = communicator.string_to_proxy("PHPTest.PHPServer.obj")?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`CommunicatorBuilder::application`].
    pub fn from_config(config: &ApplicationConfig) -> Result<Self> {
        Ok(Self::builder().application(config)?.build())
    }

    /// A proxy of the servant at an address: `App.Server.Obj@tcp -h HOST -p PORT`, several endpoints joined by `:`;
    /// or of the one with a bare name, `App.Server.Obj`, whose endpoints the registry knows. Nothing is connected or
    /// looked up before the first call.
    ///
    /// # Errors
    /// * [`Error::Address`]: the address cannot be understood.
    /// * [`Error::NoEndpoint`]: it is a bare name, and the communicator has no registry.
    pub fn string_to_proxy(&self, address: &str) -> Result<ServantProxy> {
        let Address { object, endpoints } = address.parse()?;
        let pool = Arc::clone(&self.0.pool);
        let target = match Target::fixed(&object, endpoints, pool) {
            Some(target) => Arc::new(target),
            None => self.sought(object)?,
        };
        let bare = ServantProxy::new(target);
        let layers = self.0.layers.iter();
        Ok(layers.fold(bare, |proxy, layer| proxy.layered(|inner| layer(inner))))
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
        let cache = self.0.cache.clone();
        let finder = Finder::new(Arc::clone(resolver), query.clone(), cache);
        let target = Target::sought(&query.object, finder, Arc::clone(&self.0.pool));
        let target = Arc::new(target);
        sought.insert(query, Arc::downgrade(&target));
        Ok(target)
    }

    /// Tells `observer` of all calls from now on. A communicator has one observer at most: false if there was one.
    pub fn observe(&self, observer: impl CallObserver) -> bool {
        self.0.pool.observer.set(Arc::new(observer)).is_ok()
    }

    /// Counters over all connections.
    pub fn stats(&self) -> &Stats {
        &self.0.pool.stats
    }
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inner")
            .field("pool", &self.pool)
            .field("resolver", &self.resolver)
            .finish_non_exhaustive()
    }
}

impl Default for Communicator {
    fn default() -> Self {
        Self::new()
    }
}

/// Settings of a [`Communicator`].
#[derive(Default)]
pub struct CommunicatorBuilder {
    config: Config,
    connector: Option<Arc<dyn Connector>>,
    /// For the connector, if there is no other.
    #[cfg(feature = "tls")]
    tls: Option<ClientTls>,
    resolver: Option<Arc<dyn Resolver>>,
    locator: Option<Address>,
    set: Option<SetDivision>,
    node_name: Option<String>,
    cache: Option<PathBuf>,
    layers: Vec<AnyLayer>,
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

    /// What a Tars config file says of clients, as [`Communicator::from_config`]; the rest stays as it is.
    ///
    /// # Errors
    /// As [`locator`](Self::locator); `Error::Tls` (feature `tls`): a certificate or a key is of no use.
    pub fn application(mut self, config: &ApplicationConfig) -> Result<Self> {
        let ApplicationConfig {
            set,
            server,
            client,
            ..
        } = config;
        self.config.timeout = client.sync_invoke_timeout;
        self.config.refresh = client.refresh_endpoint_interval;
        if let Some(interval) = client.keep_alive_interval {
            self.config.keep_alive = Some(interval).filter(|interval| !interval.is_zero());
        }
        #[cfg(feature = "tls")]
        if let Some(tls) = &client.tls {
            self.tls = Some(tls.try_into()?);
        }
        self.set.clone_from(set);
        if let Some(server) = server {
            self.node_name.clone_from(&server.node_name);
            let name = match &client.module_name {
                Some(name) => name.clone(),
                None => format!("{}.{}", server.app, server.server),
            };
            self.cache = Some(server.data_path.join(format!("{name}.endpoints")));
        }
        match &client.locator {
            Some(locator) => self.locate_by(locator.clone()),
            None => Ok(self),
        }
    }

    /// The registry, which knows where the servants are whose names have no endpoints.
    ///
    /// ```
    /// use tars_rpc::Communicator;
    ///
    /// let communicator = Communicator::builder()
    ///     .locator("tars.tarsregistry.QueryObj@tcp -h 10.0.0.1 -p 17890:tcp -h 10.0.0.2 -p 17890")?
    ///     .cache("/var/lib/shop/endpoints")
    ///     .build();
    /// let proxy = communicator.string_to_proxy("PHPTest.PHPServer.obj")?;
    /// # Ok::<(), tars_rpc::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Address`] and [`Error::NoEndpoint`]: it is no address with endpoints.
    pub fn locator(self, address: &str) -> Result<Self> {
        self.locate_by(address.parse()?)
    }

    fn locate_by(mut self, address: Address) -> Result<Self> {
        if address.endpoints.is_empty() {
            return Err(Error::NoEndpoint {
                object: address.object,
                reason: "a locator needs endpoints: `NAME@tcp -h HOST -p PORT`".to_owned(),
            });
        }
        self.locator = Some(address);
        Ok(self)
    }

    /// The set that this program is in. It calls servers of its set only, unless a servant is in no set of that name.
    #[must_use]
    pub fn set(mut self, set: SetDivision) -> Self {
        self.set = Some(set);
        self
    }

    /// The node that this program runs on, if the registry cannot tell it from where it is called from.
    #[must_use]
    pub fn node_name(mut self, node_name: impl Into<String>) -> Self {
        self.node_name = Some(node_name.into());
        self
    }

    /// A file that keeps the endpoints that the registry has told, for a start without it; at most 4 MiB. Its
    /// directory is made if need be. Each program wants its own.
    #[must_use]
    pub fn cache(mut self, path: impl Into<PathBuf>) -> Self {
        self.cache = Some(path.into());
        self
    }

    /// Keeps no endpoints on disk, whatever was said before.
    #[must_use]
    pub fn without_cache(mut self) -> Self {
        self.cache = None;
        self
    }

    /// Another way to get byte streams than [`NetConnector`], or one with TLS.
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

    /// A [layer](crate::client::layer) around all calls, and around the layers that were given before. Questions to
    /// the locator have none.
    ///
    /// ```
    /// use tars_rpc::{Communicator, client::layer::{RateLimit, Trace}};
    ///
    /// let communicator = Communicator::builder()
    ///     .layer(RateLimit::per_second(1000))
    ///     .layer(Trace::new()) // refused calls have spans, too
    ///     .build();
    /// ```
    #[must_use]
    pub fn layer<L>(mut self, layer: L) -> Self
    where
        L: Layer<CallService, Service: MakesCalls> + Send + Sync + 'static,
    {
        let layer = move |inner: CallService| inner.within(&layer);
        self.layers.push(Arc::new(layer));
        self
    }

    /// The communicator.
    pub fn build(self) -> Communicator {
        let net = NetConnector::new();
        #[cfg(feature = "tls")]
        let net = match self.tls {
            Some(tls) => net.tls(tls),
            None => net,
        };
        let connector = self.connector.unwrap_or_else(|| Arc::new(net));
        let pool = Arc::new(Pool::new(self.config, connector));
        let set = self.set.as_ref().map(SetDivision::as_str);
        let cache = self.cache.map(|path| Arc::new(Cache::new(path, set)));
        let locator = || {
            let Address { object, endpoints } = self.locator?;
            let registry = Target::fixed(&object, endpoints, Arc::clone(&pool))?;
            let registry = ServantProxy::new(Arc::new(registry));
            let locator = Locator::new(&registry, self.set, self.node_name.as_deref());
            Some(Arc::new(locator) as Arc<dyn Resolver>)
        };
        Communicator(Arc::new(Inner {
            resolver: self.resolver.or_else(locator),
            pool,
            cache,
            layers: self.layers,
            sought: Mutex::default(),
        }))
    }
}

impl fmt::Debug for CommunicatorBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CommunicatorBuilder")
            .field("config", &self.config)
            .field("connector", &self.connector)
            .field("resolver", &self.resolver)
            .field("locator", &self.locator)
            .finish_non_exhaustive()
    }
}
