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

/// An adapter that listens.
#[derive(Debug, Clone)]
pub struct LiveAdapter {
    name: String,
    stats: Option<Arc<Stats>>,
    max_connections: Option<u64>,
}

impl LiveAdapter {
    /// An adapter of which only the name is known, since another server than that of tars-rpc serves it.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            stats: None,
            max_connections: None,
        }
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

    pub(super) fn connections(&self) -> u64 {
        self.stats.as_ref().map_or(0, |stats| stats.open.get())
    }
}

/// An adapter of a server of tars-rpc: `platform.serving(server.adapters().map(LiveAdapter::from))`.
impl From<&Listening> for LiveAdapter {
    fn from(adapter: &Listening) -> Self {
        Self::new(adapter.name()).stats(adapter.stats())
    }
}

impl fmt::Display for LiveAdapter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[adapter]: {}", self.name)?;
        let Some(stats) = &self.stats else {
            return Ok(());
        };
        for (name, counter) in [
            ("connections", &stats.open),
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
            let Some(stats) = &adapter.stats else {
                continue;
            };
            let property = |name: &str, policy, value: u64| {
                let name = format!("{}.{name}", adapter.name);
                let value = i64::try_from(value).unwrap_or(i64::MAX);
                properties.property(name, [policy]).report(value);
            };
            property(
                "timeoutNum",
                Policy::Sum,
                more(stats.expired.get(), timeouts),
            );
            if let Some(max) = adapter.max_connections {
                // Per mille of `maxconns`.
                let rate = (1000 * stats.open.get()).checked_div(max);
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
