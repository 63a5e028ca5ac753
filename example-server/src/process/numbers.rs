//! The chat's own numbers, as properties on the platform and for operators.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tars_rpc::platform::Platform;
use tars_rpc::platform::admin::{AdminCommand, CommandAnswer};
use tars_rpc::platform::notifier::Level;
use tars_rpc::platform::property::{Policy, Property};
use tokio::time::{MissedTickBehavior, interval};

use crate::hub::Hub;
use crate::metrics::Metrics;

/// How often what there is at a moment is looked at, within an interval of reports.
const LOOK: Duration = Duration::from_secs(5);

/// A count of [`Metrics`].
type Count = fn(&Metrics) -> u64;

/// What is counted, by the names of the properties.
const COUNTS: [(&str, Count); 6] = [
    ("chat.deliveries", |metrics| metrics.deliveries.get()),
    ("chat.dropped", |metrics| metrics.dropped.get()),
    ("chat.slowConsumers", |metrics| metrics.slow_consumers.get()),
    ("chat.relayed", |metrics| metrics.relayed.get()),
    ("chat.rateLimited", |metrics| metrics.rate_limited.get()),
    ("chat.refusedUpgrades", Metrics::refused_for_room),
];

/// Reports the numbers of the chat.
pub(super) struct Numbers {
    hub: Arc<Hub>,
    platform: Arc<Platform>,
    connections: Property,
    rooms: Property,
    counts: Vec<(Property, Count, u64)>,
    refused: u64,
}

impl Numbers {
    pub(super) fn new(hub: &Arc<Hub>, platform: &Arc<Platform>) -> Self {
        let properties = platform.properties();
        let now = [Policy::Avg, Policy::Max];
        let counts = COUNTS.iter().map(|&(name, count)| {
            let property = properties.property(name, [Policy::Sum]);
            (property, count, 0)
        });
        Self {
            connections: properties.property("chat.connections", now),
            rooms: properties.property("chat.rooms", now),
            counts: counts.collect(),
            refused: 0,
            hub: Arc::clone(hub),
            platform: Arc::clone(platform),
        }
    }

    /// Looks at them, for ever.
    pub(super) async fn run(mut self, report_interval: Duration) {
        let mut times = interval(LOOK.min(report_interval / 2).max(Duration::from_millis(10)));
        times.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            times.tick().await;
            self.look().await;
        }
    }

    async fn look(&mut self) {
        let number = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        self.connections.report(number(self.hub.len()));
        self.rooms.report(number(self.hub.rooms().await));
        let metrics = self.hub.metrics();
        for (property, count, before) in &mut self.counts {
            let now = count(metrics);
            property.report(i64::try_from(now - *before).unwrap_or(i64::MAX));
            *before = now;
        }
        let refused = metrics.refused_for_room();
        if refused > self.refused {
            let text = format!(
                "[alarm] overload, {} upgrades refused",
                refused - self.refused
            );
            self.platform.notifier().notify(Level::Error, &text);
        }
        self.refused = refused;
    }
}

/// `chat.status`: the metrics, as Prometheus gets them.
pub(super) struct ChatStatus(pub(super) Arc<OnceLock<Arc<Hub>>>);

impl AdminCommand for ChatStatus {
    fn run(&self, _: &str) -> CommandAnswer {
        let hub = self.0.get().cloned();
        Box::pin(async move {
            match hub {
                Some(hub) => hub.render_metrics().await,
                None => "there is no chat, or not yet".to_owned(),
            }
        })
    }
}
