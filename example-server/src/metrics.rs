//! What operators want to know: counted where it happens, read at `/metrics` by Prometheus.

use std::time::Duration;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// Upper bounds of the histogram of RPC latencies, in seconds.
const RPC_SECONDS: [f64; 12] = [
    0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 3.0,
];

type Labels = [(&'static str, String); 1];

/// The counts since the start, and what there is now.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    connections: Gauge,
    rooms: Gauge,
    alone: Gauge,
    /// Messages queued to connections of this node.
    pub deliveries: Counter,
    /// Messages that were not queued, or dropped from the queue, since the peer does not read.
    pub dropped: Counter,
    /// Connections closed because the peer does not read.
    pub slow_consumers: Counter,
    /// Messages that other nodes sent.
    pub relayed: Counter,
    /// Messages refused because the connection sends too many.
    pub rate_limited: Counter,
    /// Connections closed because they went on sending too many.
    pub rate_limit_closed: Counter,
    /// Connections closed because the peer broke the WebSocket protocol; each reason is logged.
    pub violations: Counter,
    /// Connections closed because nothing came from the peer, not even a pong.
    pub idle_closed: Counter,
    /// HTTP connections closed while they idled, to make room for others.
    pub http_evicted: Counter,
    refused: Family<Labels, Counter>,
    http_requests: Family<Labels, Counter>,
    rpc_seconds: Histogram,
    rpc_errors: Family<Labels, Counter>,
}

/// Why an upgrade was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusedUpgrade {
    /// The page's origin may not connect.
    Origin,
    /// There are as many connections as there may be.
    Limit,
    /// The server goes down.
    Draining,
}

/// What is there at the moment it is asked.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    /// Connections of this node.
    pub connections: usize,
    /// Rooms with members on this node.
    pub rooms: usize,
    /// Whether other nodes cannot be reached.
    pub alone: bool,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("chat");
        let mut counter = |name: &str, help: &str| {
            let counter = Counter::default();
            registry.register(name, help, counter.clone());
            counter
        };
        let deliveries = counter("deliveries", "Messages queued to connections of this node");
        let dropped = counter("dropped", "Messages dropped since the peer does not read");
        let slow_consumers = counter(
            "slow_consumers",
            "Connections closed since the peer does not read",
        );
        let relayed = counter("relayed", "Messages received from other nodes");
        let rate_limited = counter("rate_limited", "Messages refused by the rate limit");
        let rate_limit_closed = counter("rate_limit_closed", "Connections closed for flooding");
        let violations = counter("violations", "Connections closed for breaking the protocol");
        let idle_closed = counter("idle_closed", "Connections closed since nothing came");
        let http_evicted = counter("http_evicted", "Idle HTTP connections closed for others");
        let mut gauge = |name: &str, help: &str| {
            let gauge = Gauge::default();
            registry.register(name, help, gauge.clone());
            gauge
        };
        let connections = gauge("connections", "WebSocket connections of this node");
        let rooms = gauge("rooms", "Rooms with members on this node");
        let alone = gauge("alone", "1 while the other nodes cannot be reached");
        let mut family = |name: &str, help: &str| {
            let family = Family::<Labels, Counter>::default();
            registry.register(name, help, family.clone());
            family
        };
        let refused = family("refused_upgrades", "Upgrades refused, by reason");
        let http_requests = family("http_requests", "HTTP requests answered, by status");
        let rpc_errors = family("rpc_errors", "Calls of PHPServer that failed, by code");
        let rpc_seconds = Histogram::new(RPC_SECONDS);
        registry.register(
            "rpc_seconds",
            "How long calls of PHPServer took",
            rpc_seconds.clone(),
        );
        Self {
            registry,
            connections,
            rooms,
            alone,
            deliveries,
            dropped,
            slow_consumers,
            relayed,
            rate_limited,
            rate_limit_closed,
            violations,
            idle_closed,
            http_evicted,
            refused,
            http_requests,
            rpc_seconds,
            rpc_errors,
        }
    }
}

impl Metrics {
    /// Counts an upgrade that was refused.
    pub fn refused(&self, reason: RefusedUpgrade) {
        let reason = match reason {
            RefusedUpgrade::Origin => "origin",
            RefusedUpgrade::Limit => "limit",
            RefusedUpgrade::Draining => "draining",
        };
        let labels = [("reason", reason.to_owned())];
        self.refused.get_or_create(&labels).inc();
    }

    /// Upgrades that were refused because there are as many connections as there may be.
    pub fn refused_for_room(&self) -> u64 {
        let labels = [("reason", "limit".to_owned())];
        self.refused.get(&labels).map_or(0, |counter| counter.get())
    }

    /// Counts an answer to an HTTP request.
    pub fn http_request(&self, status: u16) {
        let labels = [("status", status.to_string())];
        self.http_requests.get_or_create(&labels).inc();
    }

    /// Counts a call of PHPServer; `error` is the code of one that failed.
    pub fn rpc(&self, took: Duration, error: Option<i32>) {
        self.rpc_seconds.observe(took.as_secs_f64());
        if let Some(code) = error {
            let labels = [("code", code.to_string())];
            self.rpc_errors.get_or_create(&labels).inc();
        }
    }

    /// Writes the counts to the log, for when there is nobody left to ask.
    pub fn log(&self) {
        tracing::info!(
            deliveries = self.deliveries.get(),
            relayed = self.relayed.get(),
            dropped = self.dropped.get(),
            slow_consumers = self.slow_consumers.get(),
            rate_limited = self.rate_limited.get(),
            rate_limit_closed = self.rate_limit_closed.get(),
            violations = self.violations.get(),
            idle_closed = self.idle_closed.get(),
            http_evicted = self.http_evicted.get(),
            "counted since the start"
        );
    }

    /// Everything in Prometheus' text format.
    pub fn render(&self, now: Now) -> String {
        let gauge = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        self.connections.set(gauge(now.connections));
        self.rooms.set(gauge(now.rooms));
        self.alone.set(now.alone.into());
        let mut text = String::new();
        // A String takes everything.
        let _ = encode(&mut text, &self.registry);
        text
    }
}
