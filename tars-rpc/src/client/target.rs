//! A servant that is called: where it is now, and how a call gets there.

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use arc_swap::ArcSwap;
use bytes::Bytes;
use tars_codec::ResponsePacket;
use tokio::{sync::watch, time::timeout_at};

use super::{
    CallOptions, EndpointStatus,
    connection::{Body, Patience},
    pool::Pool,
    pushes::{Hub, Pushes},
    retry::Budget,
    route::Route,
};
use crate::{Call, Endpoint, Error, Result, codes, registry::Finder};

/// A servant, for all proxies of it.
pub(crate) struct Target {
    servant: Arc<str>,
    pool: Arc<Pool>,
    whereabouts: ArcSwap<Whereabouts>,
    moved: watch::Sender<()>,
    /// Finds the endpoints of a servant that was given by its bare name.
    finder: Option<Finder>,
    budget: Budget,
    hub: OnceLock<Arc<Hub>>,
}

/// What is known of where a servant is.
#[derive(Debug)]
pub(crate) enum Whereabouts {
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
        let known = Whereabouts::Known(Arc::new(route));
        Some(Self::new(servant, known, None, pool))
    }

    /// A servant that is to be found.
    pub(crate) fn sought(servant: &str, finder: Finder, pool: Arc<Pool>) -> Self {
        Self::new(servant, Whereabouts::Asking, Some(finder), pool)
    }

    fn new(
        servant: &str,
        whereabouts: Whereabouts,
        finder: Option<Finder>,
        pool: Arc<Pool>,
    ) -> Self {
        Self {
            servant: servant.into(),
            whereabouts: ArcSwap::from_pointee(whereabouts),
            moved: watch::Sender::new(()),
            finder,
            budget: Budget::new(pool.config.retry_ratio, pool.config.retry_burst),
            hub: OnceLock::new(),
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
        match &**self.whereabouts.load() {
            Whereabouts::Known(route) => route.endpoints(),
            Whereabouts::Asking | Whereabouts::Nowhere(_) => Vec::new(),
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
        let whereabouts = self.whereabouts.load_full();
        let route = match &*whereabouts {
            Whereabouts::Known(route) => route,
            _ => &self.find(patience).await?,
        };
        if route.has_choice() && self.pool.config.retries > 0 {
            let body = body.share();
            return self
                .call_somewhere(route, call, options, body, patience)
                .await;
        }
        let Some((_, node)) = route.choose(options, &[]) else {
            return Err(self.nowhere("the address names no endpoint".to_owned()));
        };
        node.connection.call(call, options, body, patience).await
    }

    async fn call_somewhere(
        &self,
        route: &Route,
        call: &Call,
        options: &Arc<CallOptions>,
        body: Bytes,
        patience: Patience,
    ) -> Result<Option<ResponsePacket>> {
        self.budget.earn();
        let mut tried = Vec::new();
        let mut next = route.choose(options, &tried);
        let mut outcome = Err(self.nowhere("the address names no endpoint".to_owned()));
        while let Some((index, node)) = next {
            let attempt = Body::Shared(body.clone());
            outcome = node.connection.call(call, options, attempt, patience).await;
            tried.push(index);
            if tried.len() > self.pool.config.retries as usize
                || !may_be_repeated(&outcome, options)
            {
                break;
            }
            next = route.choose(options, &tried);
            if next.is_some() && !self.pays_for_retry() {
                break;
            }
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
    async fn find(self: &Arc<Self>, patience: Patience) -> Result<Arc<Route>> {
        if let Some(finder) = &self.finder {
            finder.start(self);
        }
        let mut moved = self.moved.subscribe();
        loop {
            match &**self.whereabouts.load() {
                Whereabouts::Known(route) => return Ok(Arc::clone(route)),
                Whereabouts::Nowhere(reason) => return Err(self.nowhere(reason.clone())),
                Whereabouts::Asking => {}
            }
            let moved = timeout_at(patience.deadline.into(), moved.changed());
            if !matches!(moved.await, Ok(Ok(()))) {
                let reason = format!(
                    "the registry has not answered within {:?}",
                    patience.timeout
                );
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
        if let Whereabouts::Known(route) = &**self.whereabouts.load()
            && route.is_of(&active, &inactive)
        {
            return false;
        }
        let Some(route) = Route::new(active, inactive, &self.pool, &self.servant) else {
            return false;
        };
        if let Some(hub) = self.hub.get() {
            route.attach(hub);
        }
        self.set(Whereabouts::Known(Arc::new(route)));
        true
    }

    /// There is nowhere to go, unless somewhere was known before: that is kept.
    pub(crate) fn cannot_be_found(&self, reason: impl FnOnce() -> String) {
        if !self.is_known() {
            self.set(Whereabouts::Nowhere(reason()));
        }
    }

    pub(crate) fn is_known(&self) -> bool {
        matches!(&**self.whereabouts.load(), Whereabouts::Known(_))
    }

    fn set(&self, whereabouts: Whereabouts) {
        self.whereabouts.store(Arc::new(whereabouts));
        self.moved.send_replace(());
    }

    pub(crate) fn subscribe(self: &Arc<Self>) -> Pushes {
        let hub = self.hub.get_or_init(Arc::default);
        let pushes = Pushes::new(Arc::clone(self), hub, self.pool.config.max_pushes);
        if let Whereabouts::Known(route) = &**self.whereabouts.load() {
            route.attach(hub);
        }
        pushes
    }
}

/// Whether a call that ended so may be made again.
fn may_be_repeated(outcome: &Result<Option<ResponsePacket>>, options: &CallOptions) -> bool {
    match outcome {
        Ok(answer) => answer.as_ref().is_some_and(|a| a.ret == codes::OVERLOAD),
        // Every endpoint would say the same.
        Err(Error::Encode { .. }) => false,
        Err(Error::Disconnected { .. }) if options.is_idempotent() => true,
        Err(error) => error.is_not_run(),
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target")
            .field("servant", &self.servant)
            .field("whereabouts", &self.whereabouts.load())
            .finish_non_exhaustive()
    }
}
