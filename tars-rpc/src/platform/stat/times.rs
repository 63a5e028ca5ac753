//! How long the requests of each adapter wait and run, in microseconds, as the properties that TarsCpp has of them.

use std::{
    collections::HashMap,
    sync::{PoisonError, RwLock},
    time::Duration,
};

use crate::platform::property::{Policy, Properties, Property};

/// The classes of TarsCpp.
const CLASSES: &[i32] = &[
    5, 10, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000,
];
const POLICIES: [Policy; 5] = [
    Policy::Avg,
    Policy::Min,
    Policy::Max,
    Policy::Count,
    Policy::Distr(CLASSES),
];

/// The times of all adapters.
#[derive(Debug)]
pub(crate) struct Times {
    properties: Properties,
    /// By the name of the adapter: the config bounds them.
    adapters: RwLock<HashMap<String, Adapter>>,
}

#[derive(Debug)]
struct Adapter {
    wait: Property,
    run: Property,
}

impl Times {
    pub(crate) fn new(properties: Properties) -> Self {
        Self {
            properties,
            adapters: RwLock::default(),
        }
    }

    /// The adapter is there, also if nobody calls it.
    pub(crate) fn add(&self, adapter: &str) {
        let property = |name| {
            let name = format!("{adapter}.{name}");
            self.properties.property(name, POLICIES)
        };
        let times = Adapter {
            wait: property("queueWaitTime"),
            run: property("servantHandleTime"),
        };
        let mut adapters = self
            .adapters
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        adapters.insert(adapter.to_owned(), times);
    }

    /// A request of the adapter has ended.
    pub(super) fn ended(&self, adapter: &str, waited: Duration, ran: Duration) {
        let adapters = self.adapters.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(Adapter { wait, run }) = adapters.get(adapter) {
            let micros = |time: Duration| i64::try_from(time.as_micros()).unwrap_or(i64::MAX);
            wait.report(micros(waited));
            run.report(micros(ran));
        }
    }
}
