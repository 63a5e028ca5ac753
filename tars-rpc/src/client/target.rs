//! A servant that is called: where it is now, and how a call gets there.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::Instant,
};

use arc_swap::ArcSwap;
use bytes::Bytes;
use tars_codec::ResponsePacket;
use tokio::{sync::watch, time::timeout_at};

use super::{
    CallOptions, EndedCall, EndpointStatus,
    connection::{Body, Patience},
    pool::Pool,
    pushes::{Hub, Pushes},
    retry::Budget,
    route::{Node, Route},
};
use crate::{Call, Endpoint, Error, Result, codes, net::now, registry::Finder};

/// A servant, for all proxies of it.
pub(crate) struct Target {
    servant: Arc<str>,
    pool: Arc<Pool>,
    place: Place,
    budget: Budget,
    hub: OnceLock<Arc<Hub>>,
    /// Held while the hub is attached to a route, or the route changes.
    attaching: Mutex<()>,
}

enum Place {
    /// The address says it.
    Fixed(Route),
    Sought(Sought),
}

/// A servant that was given by its bare name.
struct Sought {
    finder: Finder,
    whereabouts: ArcSwap<Whereabouts>,
    moved: watch::Sender<()>,
}

/// What is known of where a servant is.
#[derive(Debug)]
enum Whereabouts {
    /// Nothing yet.
    Asking,
    Known(Arc<Route>),
    /// There is nowhere to go, for this reason.
    Nowhere(String),
}

impl Target {
    /// A servant at these endpoints. `None` if there are none.
    pub(crate) fn fixed(servant: &str, endpoints: Vec<Endpoint>, pool: Arc<Pool>) -> Option<Self> {
        let route = Route::new(endpoints, Vec::new(), &pool, servant)?;
        Some(Self::new(servant, Place::Fixed(route), pool))
    }

    /// A servant that is to be found.
    pub(crate) fn sought(servant: &str, finder: Finder, pool: Arc<Pool>) -> Self {
        let sought = Sought {
            finder,
            whereabouts: ArcSwap::from_pointee(Whereabouts::Asking),
            moved: watch::Sender::new(()),
        };
        Self::new(servant, Place::Sought(sought), pool)
    }

    fn new(servant: &str, place: Place, pool: Arc<Pool>) -> Self {
        Self {
            servant: servant.into(),
            place,
            budget: Budget::new(pool.config.retry_ratio, pool.config.retry_burst),
            hub: OnceLock::new(),
            attaching: Mutex::default(),
            pool,
        }
    }

    pub(crate) fn servant(&self) -> &Arc<str> {
        &self.servant
    }

    pub(crate) fn pool(&self) -> &Pool {
        &self.pool
    }

    pub(crate) fn endpoints(&self) -> Vec<EndpointStatus> {
        let mut endpoints = Vec::new();
        self.with_route(|route| endpoints = route.endpoints());
        endpoints
    }

    /// Looks at the route, if there is one.
    fn with_route(&self, look: impl FnOnce(&Route)) {
        match &self.place {
            Place::Fixed(route) => look(route),
            Place::Sought(sought) => {
                if let Whereabouts::Known(route) = &**sought.whereabouts.load() {
                    look(route);
                }
            }
        }
    }

    /// Makes a call, at another endpoint if it may and must.
    pub(crate) async fn call(
        self: &Arc<Self>,
        call: &Call,
        options: &Arc<CallOptions>,
        body: Body,
    ) -> Result<Option<ResponsePacket>> {
        let (deadline, timeout) = options.deadline(call.func, self.pool.config.timeout);
        let patience = Patience { deadline, timeout };
        // What happens seldom is boxed: it would make the future of every call larger.
        let found;
        let route = match &self.place {
            Place::Fixed(route) => route,
            Place::Sought(sought) => {
                found = match &**sought.whereabouts.load() {
                    Whereabouts::Known(route) => Some(Arc::clone(route)),
                    Whereabouts::Asking | Whereabouts::Nowhere(_) => None,
                };
                match &found {
                    Some(route) => route,
                    None => &*Box::pin(self.find(sought, patience)).await?,
                }
            }
        };
        let Some((index, node)) = route.choose(options, &[]) else {
            return Err(self.nowhere("the address names no endpoint".to_owned()));
        };
        let (body, spare) = if route.has_choice() && self.pool.config.retries > 0 {
            self.budget.earn();
            let body = body.share();
            (Body::Shared(body.clone()), Some(body))
        } else {
            (body, None)
        };
        let began = self.observed_from();
        let outcome = node.connection.call(call, options, body, patience).await;
        self.observe(began, node, call, options, &outcome);
        match spare {
            Some(body) if may_be_repeated(&outcome, options) => {
                let again = Again {
                    route,
                    tried: vec![index],
                    outcome,
                };
                Box::pin(self.call_elsewhere(again, call, options, body, patience)).await
            }
            _ => outcome,
        }
    }

    /// Now, if somebody wants to know how long the call takes.
    fn observed_from(&self) -> Option<Instant> {
        self.pool.observer.get().map(|_| now())
    }

    /// Tells the observer of a call that has ended at an endpoint.
    fn observe(
        &self,
        began: Option<Instant>,
        node: &Node,
        call: &Call,
        options: &CallOptions,
        outcome: &Result<Option<ResponsePacket>>,
    ) {
        let (Some(began), Some(observer)) = (began, self.pool.observer.get()) else {
            return;
        };
        observer.call_ended(&EndedCall {
            servant: &call.servant,
            func: call.func,
            endpoint: node.as_ref(),
            elapsed: now().saturating_duration_since(began),
            code: match outcome {
                Ok(answer) => answer.as_ref().map_or(codes::OK, |answer| answer.ret),
                Err(error) => error.code(),
            },
            is_oneway: options.is_oneway(),
        });
    }

    /// Makes a call that ended so at one endpoint at others, as long as it may be made again.
    async fn call_elsewhere(
        &self,
        again: Again<'_>,
        call: &Call,
        options: &Arc<CallOptions>,
        body: Bytes,
        patience: Patience,
    ) -> Result<Option<ResponsePacket>> {
        let Again {
            route,
            mut tried,
            mut outcome,
        } = again;
        while tried.len() <= self.pool.config.retries as usize && may_be_repeated(&outcome, options)
        {
            let Some((index, node)) = route.choose(options, &tried) else {
                break;
            };
            if !self.pays_for_retry() {
                break;
            }
            tried.push(index);
            let body = Body::Shared(body.clone());
            let began = self.observed_from();
            outcome = node.connection.call(call, options, body, patience).await;
            self.observe(began, node, call, options, &outcome);
        }
        outcome
    }

    fn pays_for_retry(&self) -> bool {
        let stats = &self.pool.stats;
        let paid = self.budget.spend();
        if paid {
            &stats.retries
        } else {
            &stats.retries_denied
        }
        .increment();
        paid
    }

    /// The route to a servant that was given by its bare name, as soon as it is known.
    async fn find(self: &Arc<Self>, sought: &Sought, patience: Patience) -> Result<Arc<Route>> {
        sought.finder.start(self);
        let mut moved = sought.moved.subscribe();
        loop {
            match &**sought.whereabouts.load() {
                Whereabouts::Known(route) => return Ok(Arc::clone(route)),
                Whereabouts::Nowhere(reason) => return Err(self.nowhere(reason.clone())),
                Whereabouts::Asking => {}
            }
            let moved = timeout_at(patience.deadline.into(), moved.changed());
            if !matches!(moved.await, Ok(Ok(()))) {
                let timeout = patience.timeout;
                let reason = format!("the registry has not answered within {timeout:?}");
                return Err(self.nowhere(reason));
            }
        }
    }

    fn nowhere(&self, reason: String) -> Error {
        Error::NoEndpoint {
            object: self.servant.to_string(),
            reason,
        }
    }

    /// The servant is at these endpoints now; calls that begin from here on go there. True if that is news.
    pub(crate) fn move_to(&self, active: Vec<Endpoint>, inactive: Vec<Endpoint>) -> bool {
        let mut is_news = true;
        self.with_route(|route| is_news = !route.is_of(&active, &inactive));
        let Place::Sought(sought) = &self.place else {
            return false;
        };
        if !is_news {
            return false;
        }
        let Some(route) = Route::new(active, inactive, &self.pool, &self.servant) else {
            return false;
        };
        let route = Arc::new(route);
        let _attaching = self.attaching();
        let before = sought.set(Whereabouts::Known(Arc::clone(&route)));
        if let Some(hub) = self.hub.get() {
            route.attach(hub);
            if let Whereabouts::Known(before) = &*before {
                before.detach(hub, &route);
            }
        }
        true
    }

    /// There is nowhere to go, unless somewhere was known before: that is kept.
    pub(crate) fn cannot_be_found(&self, reason: impl FnOnce() -> String) {
        let mut is_known = false;
        self.with_route(|_| is_known = true);
        if let Place::Sought(sought) = &self.place
            && !is_known
        {
            sought.set(Whereabouts::Nowhere(reason()));
        }
    }

    fn attaching(&self) -> MutexGuard<'_, ()> {
        self.attaching
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn subscribe(self: &Arc<Self>) -> Pushes {
        let _attaching = self.attaching();
        let hub = self.hub.get_or_init(Arc::default);
        let pushes = Pushes::new(Arc::clone(self), hub, self.pool.config.max_pushes);
        self.with_route(|route| route.attach(hub));
        pushes
    }
}

/// A call that may be made again.
struct Again<'a> {
    route: &'a Route,
    /// The indexes of the endpoints that had it.
    tried: Vec<usize>,
    /// How it ended at the last one.
    outcome: Result<Option<ResponsePacket>>,
}

impl Sought {
    /// Gives what was known before.
    fn set(&self, whereabouts: Whereabouts) -> Arc<Whereabouts> {
        let before = self.whereabouts.swap(Arc::new(whereabouts));
        self.moved.send_replace(());
        before
    }
}

/// Whether a call that ended so may be made again.
fn may_be_repeated(outcome: &Result<Option<ResponsePacket>>, options: &CallOptions) -> bool {
    match outcome {
        Ok(answer) => answer.as_ref().is_some_and(|a| a.ret == codes::OVERLOAD),
        // Every endpoint would say the same.
        Err(Error::Encode { .. }) => false,
        // There is no time left for it.
        Err(Error::Timeout { .. }) => false,
        Err(Error::Disconnected { .. }) if options.is_idempotent() => true,
        Err(error) => error.is_not_run(),
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target")
            .field("servant", &self.servant)
            .field("endpoints", &self.endpoints())
            .finish_non_exhaustive()
    }
}
