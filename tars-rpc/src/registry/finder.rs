//! The task that knows where a servant is.

use std::{
    pin::pin,
    sync::{Arc, OnceLock, Weak},
    time::Duration,
};

use tokio::{
    task::AbortHandle,
    time::{sleep, timeout},
};
use tracing::{debug, info, warn};

use super::{Cache, Query, Resolved, Resolver};
use crate::{
    client::{Backoff, Target},
    net::FOREVER,
};

/// An answer of the registry that takes longer will not come.
const PATIENCE: Duration = Duration::from_secs(5);
/// The first answer is not waited for any longer, if the cache has one.
const FIRST_PATIENCE: Duration = Duration::from_secs(1);
/// A registry that was away is asked again after that long, and then less and less often.
const FIRST_RETRY: Duration = Duration::from_secs(1);

/// Finds a servant, and follows it when it moves.
#[derive(Debug)]
pub(crate) struct Finder {
    resolver: Arc<dyn Resolver>,
    query: Query,
    cache: Option<Arc<Cache>>,
    task: OnceLock<AbortHandle>,
}

impl Finder {
    pub(crate) fn new(
        resolver: Arc<dyn Resolver>,
        query: Query,
        cache: Option<Arc<Cache>>,
    ) -> Self {
        Self {
            resolver,
            query,
            cache,
            task: OnceLock::new(),
        }
    }

    /// Begins the search, which goes on until the target is gone.
    pub(crate) fn start(&self, target: &Arc<Target>) {
        self.task.get_or_init(|| {
            let search = Search {
                resolver: Arc::clone(&self.resolver),
                query: self.query.clone(),
                cache: self.cache.clone(),
                target: Arc::downgrade(target),
            };
            tokio::spawn(search.run()).abort_handle()
        });
    }
}

impl Drop for Finder {
    fn drop(&mut self) {
        if let Some(task) = self.task.get() {
            task.abort();
        }
    }
}

struct Search {
    resolver: Arc<dyn Resolver>,
    query: Query,
    cache: Option<Arc<Cache>>,
    target: Weak<Target>,
}

impl Search {
    async fn run(self) {
        let Some(refresh) = self
            .target
            .upgrade()
            .map(|target| target.pool().config.refresh.min(FOREVER))
        else {
            return;
        };
        let mut backoff = Backoff::new(FIRST_RETRY.min(refresh), refresh);
        let mut found = self.ask_first().await;
        loop {
            let Some(target) = self.target.upgrade() else {
                return;
            };
            let is_known = self.note(&target, found).await;
            drop(target);
            let wait = if is_known {
                backoff.reset();
                // All clients of a registry must not ask at the same time.
                refresh.mul_f64(0.9 + fastrand::f64() / 5.0)
            } else {
                backoff.next()
            };
            sleep(wait.max(Duration::from_millis(1))).await;
            found = self.ask().await;
        }
    }

    /// Asks, and goes by the cache if the answer takes long, is none, or knows nothing of the servant. One that knows only
    /// inactive endpoints is to be believed: they may have been taken out on purpose.
    async fn ask_first(&self) -> Result<Resolved, String> {
        let mut asking = pin!(self.ask());
        let found = timeout(FIRST_PATIENCE, &mut asking).await;
        let is_known = |found: &Resolved| !found.active.is_empty() || !found.inactive.is_empty();
        if !matches!(&found, Ok(Ok(found)) if is_known(found)) {
            self.use_cache().await;
        }
        match found {
            Ok(found) => found,
            Err(_) => asking.await,
        }
    }

    async fn use_cache(&self) {
        let object = &*self.query.object;
        if let Some(cache) = &self.cache
            && let Some(endpoints) = cache.load(object).await
            && let Some(target) = self.target.upgrade()
        {
            let n = endpoints.len();
            if target.move_to(endpoints, Vec::new()) {
                warn!(
                    object,
                    n, "going by the kept endpoints: the registry has told none"
                );
            }
        }
    }

    /// What the registry says, or why it says nothing.
    async fn ask(&self) -> Result<Resolved, String> {
        match timeout(PATIENCE, self.resolver.resolve(self.query.clone())).await {
            Ok(Ok(resolved)) => Ok(resolved),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err(format!("no answer within {PATIENCE:?}")),
        }
    }

    /// True if the question was answered with endpoints.
    async fn note(&self, target: &Target, found: Result<Resolved, String>) -> bool {
        let object = &*self.query.object;
        let stats = &target.pool().stats;
        match found {
            Ok(Resolved { active, inactive }) if active.is_empty() => {
                stats.resolved.increment();
                let n = inactive.len();
                debug!(
                    object,
                    inactive = n,
                    "the registry knows no active endpoint"
                );
                target.cannot_be_found(|| match n {
                    0 => {
                        "the registry does not know it; is the name right, and the server deployed?"
                            .to_owned()
                    }
                    n => format!("none of the {n} endpoints that the registry knows is active"),
                });
                false
            }
            Ok(Resolved { active, inactive }) => {
                stats.resolved.increment();
                let (n, down) = (active.len(), inactive.len());
                if target.move_to(active.clone(), inactive) {
                    if let Some(cache) = &self.cache {
                        cache.store(object, active).await;
                    }
                    info!(object, active = n, inactive = down, "endpoints found");
                }
                true
            }
            Err(error) => {
                stats.resolve_failures.increment();
                warn!(object, error, "the registry cannot be asked");
                target.cannot_be_found(|| format!("the registry cannot be asked: {error}"));
                false
            }
        }
    }
}
