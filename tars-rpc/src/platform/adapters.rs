//! The adapters of a server, as reports and commands see them.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use super::{
    notifier::Notifier,
    property::{Policy, Properties},
};
use crate::server::{Listening, Stats};

/// A number at the moment that it is asked for.
type Gauge = Arc<dyn Fn() -> u64 + Send + Sync>;

/// An adapter that listens.
#[derive(Clone)]
pub struct LiveAdapter {
    name: String,
    stats: Option<Arc<Stats>>,
    connections: Option<Gauge>,
    waiting: Option<Gauge>,
    max_connections: Option<u64>,
}

impl LiveAdapter {
    /// An adapter of which only the name is known, since another server than that of tars-rpc serves it.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            stats: None,
            connections: None,
            waiting: None,
            max_connections: None,
        }
    }

    /// With the number of connections that it has when it is asked, for one that another server serves.
    #[must_use]
    pub fn connections(mut self, connections: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        self.connections = Some(Arc::new(connections));
        self
    }

    /// With its counters.
    #[must_use]
    pub fn stats(mut self, stats: Arc<Stats>) -> Self {
        self.stats = Some(stats);
        self
    }

    pub(super) fn max_connections(mut self, max: Option<u64>) -> Self {
        self.max_connections = max;
        self
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether its requests are counted.
    pub(super) fn has_stats(&self) -> bool {
        self.stats.is_some()
    }

    /// Connections that it has now, if that is known.
    pub(super) fn open(&self) -> Option<u64> {
        let of_stats = self.stats.as_ref().map(|stats| stats.open.get());
        of_stats.or_else(|| Some(self.connections.as_ref()?()))
    }
}

impl fmt::Debug for LiveAdapter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LiveAdapter")
            .field("name", &self.name)
            .field("stats", &self.stats)
            .finish_non_exhaustive()
    }
}

/// An adapter of a server of tars-rpc: `platform.serving(server.adapters().map(LiveAdapter::from))`.
impl From<&Listening> for LiveAdapter {
    fn from(adapter: &Listening) -> Self {
        let waiting = adapter.waiting();
        let waiting = move || u64::try_from(waiting()).unwrap_or(u64::MAX);
        Self {
            waiting: Some(Arc::new(waiting)),
            ..Self::new(adapter.name()).stats(adapter.stats())
        }
    }
}

impl fmt::Display for LiveAdapter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[adapter]: {}", self.name)?;
        if let Some(open) = self.open() {
            write!(f, " connections={open}")?;
        }
        let Some(stats) = &self.stats else {
            return Ok(());
        };
        for (name, counter) in [
            ("requests", &stats.requests),
            ("failed", &stats.failed),
            ("timed out", &stats.expired),
            ("overloads", &stats.overloads),
            ("panics", &stats.panics),
        ] {
            write!(f, " {name}={}", counter.get())?;
        }
        Ok(())
    }
}

/// All of them. Clones are the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct LiveAdapters(Arc<Mutex<Vec<Watched>>>);

#[derive(Debug)]
struct Watched {
    adapter: LiveAdapter,
    panics: u64,
    overloads: u64,
    timeouts: u64,
}

impl LiveAdapters {
    pub(crate) fn set(&self, adapters: impl IntoIterator<Item = LiveAdapter>) {
        let watched = adapters.into_iter().map(|adapter| Watched {
            adapter,
            panics: 0,
            overloads: 0,
            timeouts: 0,
        });
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = watched.collect();
    }

    pub(crate) fn all(&self) -> Vec<LiveAdapter> {
        let watched = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        watched
            .iter()
            .map(|watched| watched.adapter.clone())
            .collect()
    }

    /// Tells of what went wrong since the last time.
    pub(crate) fn watch(&self, notifier: &Notifier) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for watched in &mut *all {
            let Watched {
                adapter,
                panics,
                overloads,
                ..
            } = watched;
            let Some(stats) = &adapter.stats else {
                continue;
            };
            let more = more(stats.panics.get(), panics);
            if more > 0 {
                notifier.report(&format!(
                    "[error] {more} requests panicked at {}",
                    adapter.name
                ));
            }
            let more = self::more(stats.overloads.get(), overloads);
            if more > 0 {
                let name = &adapter.name;
                notifier.report(&format!(
                    "[alarm] overload, {more} requests refused at {name}"
                ));
            }
        }
    }

    /// Reports the properties that TarsCpp has of each adapter, as far as they are known.
    pub(crate) fn report(&self, properties: &Properties) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for Watched {
            adapter, timeouts, ..
        } in &mut *all
        {
            let property = |name: &str, policy, value: u64| {
                let name = format!("{}.{name}", adapter.name);
                let value = i64::try_from(value).unwrap_or(i64::MAX);
                properties.property(name, [policy]).report(value);
            };
            if let Some(stats) = &adapter.stats {
                let more = more(stats.expired.get(), timeouts);
                property("timeoutNum", Policy::Sum, more);
            }
            if let Some(waiting) = &adapter.waiting {
                property("queue", Policy::Avg, waiting());
            }
            if let (Some(max), Some(open)) = (adapter.max_connections, adapter.open()) {
                // Per mille of `maxconns`.
                let rate = (1000 * open).checked_div(max);
                property("connectRate", Policy::Avg, rate.unwrap_or_default());
            }
        }
    }
}

/// How much larger a counter is than before.
fn more(now: u64, before: &mut u64) -> u64 {
    let more = now.saturating_sub(*before);
    *before = now;
    more
}
