//! Adapters: where a server listens, for which servants, and within which limits.

use std::{fmt, net::SocketAddr, sync::Arc};

use tracing::debug;

use super::{
    AllowList, Limits, Protocol, Reply, Servant, Stats, admission::Admission, link::Late,
    load::Load, servants::Servants, stats::Tally,
};
#[cfg(feature = "tls")]
use crate::tls::ServerTls;
use crate::{Endpoint, Error, Result, Transport};

/// Settings of an adapter: endpoints, and what is served there.
///
/// It is what a Tars configuration describes in a section of its own within `<server>`, of which
/// [`from_config`](Self::from_config) makes one:
///
/// | key | here |
/// |---|---|
/// | the section's name | [`new`](Self::new) |
/// | `endpoint` | [`endpoint`](Self::endpoint) |
/// | `servant` | [`servant`](Self::servant) |
/// | `allow`, `deny`, `order` | [`allow`](Self::allow) |
/// | `protocol=not_tars` | [`protocol`](Self::protocol) |
/// | `maxconns`, `queuecap`, `queuetimeout` | [`limits`](Self::limits) |
/// | `threads` | nothing: the threads are those of the tokio runtime, which serve all adapters. How many requests may run at once is [`Limits::max_in_flight`] |
///
/// ```
/// use tars_rpc::{Result, server::{Adapter, Limits, Server, Servant}};
///
/// async fn listen(greeter: impl Servant, admin: impl Servant) -> Result<Server> {
///     let mut limits = Limits::default();
///     limits.max_connections = 100_000;
///     Server::builder()
///         .adapter(
///             Adapter::new("App.Server.GreeterAdapter")
///                 .endpoint("tcp -h * -p 15380 -t 60000".parse()?)
///                 .endpoint("udp -h * -p 15380".parse()?)
///                 .servant("App.Server.GreeterObj", greeter)
///                 .limits(limits),
///         )
///         .adapter(
///             Adapter::new("App.Server.AdminAdapter")
///                 .endpoint("tcp -h localhost -p 15381".parse()?)
///                 .servant("App.Server.AdminObj", admin),
///         )
///         .listen()
///         .await
/// }
/// ```
#[must_use]
pub struct Adapter {
    pub(super) name: String,
    pub(super) endpoints: Vec<Endpoint>,
    pub(super) servants: Vec<(String, Arc<dyn Servant>)>,
    pub(super) limits: Limits,
    pub(super) allow: AllowList,
    pub(super) protocol: Option<Arc<dyn Protocol>>,
    #[cfg(feature = "tls")]
    pub(super) tls: Option<ServerTls>,
}

impl Adapter {
    /// An adapter without endpoints and servants, with the default [`Limits`], that everybody may connect to.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            endpoints: Vec::new(),
            servants: Vec::new(),
            limits: Limits::default(),
            allow: AllowList::default(),
            protocol: None,
            #[cfg(feature = "tls")]
            tls: None,
        }
    }

    /// Listens here, too. A host name stands for all of its addresses; port 0 is any free port, which
    /// [`Listening::endpoints`](super::Listening::endpoints) tells. A `-t` is the
    /// [`idle_timeout`](Limits::idle_timeout) of the connections of this endpoint.
    pub fn endpoint(mut self, endpoint: Endpoint) -> Self {
        self.endpoints.push(endpoint);
        self
    }

    /// Serves `servant` under the name `App.Server.Obj`.
    pub fn servant(mut self, name: impl Into<String>, servant: impl Servant) -> Self {
        self.servants.push((name.into(), Arc::new(servant)));
        self
    }

    /// Serves connections that do not speak Tars. The servants of the adapter are not reached then.
    pub fn protocol(mut self, protocol: impl Protocol) -> Self {
        self.protocol = Some(Arc::new(protocol));
        self
    }

    /// Bounds of the adapter.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Who may connect. Everybody else is closed at once.
    pub fn allow(mut self, list: AllowList) -> Self {
        self.allow = list;
        self
    }

    /// Certificate and key for `ssl` endpoints.
    #[cfg(feature = "tls")]
    pub fn tls(mut self, tls: ServerTls) -> Self {
        self.tls = Some(tls);
        self
    }

    /// What can be said to be wrong before anything is bound.
    pub(super) fn check(&self) -> Result<()> {
        let wrong = |reason: String| {
            Err(Error::Adapter {
                adapter: self.name.clone(),
                reason,
            })
        };
        if let Some(name) = self.limits.zero_time() {
            return wrong(format!(
                "`Limits::{name}` must not be zero; `Duration::MAX` is no limit"
            ));
        }
        for endpoint in &self.endpoints {
            match endpoint.transport {
                Transport::Udp if self.protocol.is_some() => {
                    return wrong(format!(
                        "`{endpoint}` has no connections that another protocol could serve"
                    ));
                }
                Transport::Tcp | Transport::Ssl if endpoint.timeout == Some(0) => {
                    return wrong(format!(
                        "`{endpoint}` closes each connection at once; without `-t`, the time is `Limits::idle_timeout`"
                    ));
                }
                #[cfg(feature = "tls")]
                Transport::Ssl if self.tls.is_none() => {
                    return wrong(format!(
                        "`{endpoint}` needs a certificate and a key; `Adapter::tls` takes them"
                    ));
                }
                #[cfg(not(feature = "tls"))]
                Transport::Ssl => {
                    return wrong(format!("`{endpoint}` needs the feature `tls` of tars-rpc"));
                }
                _ => {}
            }
        }
        if self.protocol.is_some() && !self.servants.is_empty() {
            let names: Vec<_> = self.servants.iter().map(|(name, _)| &**name).collect();
            return wrong(format!(
                "it serves another protocol, in which nobody can reach {}",
                names.join(", ")
            ));
        }
        Ok(())
    }
}

impl fmt::Debug for Adapter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.servants.iter().map(|(name, _)| name).collect();
        f.debug_struct("Adapter")
            .field("name", &self.name)
            .field("endpoints", &self.endpoints)
            .field("servants", &names)
            .field("limits", &self.limits)
            .field("allow", &self.allow)
            .finish_non_exhaustive()
    }
}

/// What all connections of an adapter share.
pub(super) struct Shared {
    pub(super) name: Arc<str>,
    pub(super) servants: Servants,
    pub(super) protocol: Option<Arc<dyn Protocol>>,
    #[cfg(feature = "tls")]
    pub(super) tls: Option<ServerTls>,
    pub(super) limits: Limits,
    pub(super) tally: Tally,
    pub(super) load: Load,
    pub(super) admission: Admission,
}

impl Shared {
    /// # Errors
    /// [`Error::DuplicateServant`].
    pub(super) fn new(
        adapter: Adapter,
        server: &Arc<Stats>,
        wrap: impl Fn(Arc<dyn Servant>) -> Arc<dyn Servant>,
    ) -> Result<Self> {
        let mut servants = Servants::default();
        for (name, servant) in adapter.servants {
            servants.add(name, wrap(servant))?;
        }
        let limits = adapter.limits.sane();
        Ok(Self {
            name: adapter.name.into(),
            servants,
            protocol: adapter.protocol,
            #[cfg(feature = "tls")]
            tls: adapter.tls,
            tally: Tally {
                server: Arc::clone(server),
                adapter: Arc::default(),
            },
            load: Load::new(&limits),
            admission: Admission::new(&limits, adapter.allow),
            limits,
        })
    }

    /// Counts a request that failed; gives the code for its answer.
    pub(super) fn count_failure(&self, peer: SocketAddr, error: &Error) -> i32 {
        let code = error.answer_code();
        self.tally.count_failure(code);
        debug!(adapter = %self.name, %peer, code, %error, "a request failed");
        code
    }

    /// Counts an answer that came when nobody could be told any more.
    pub(super) fn count_undelivered(&self, late: &Late) {
        match &late.result {
            Ok(Reply { .. }) => self.tally.count(|s| &s.succeeded),
            Err(error) => {
                self.count_failure(late.peer, error);
            }
        }
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("name", &self.name)
            .field("servants", &self.servants)
            .finish_non_exhaustive()
    }
}
