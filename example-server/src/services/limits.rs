//! `[obj.limits]`: what keeps the server's memory and work bounded.

use std::time::Duration;

use serde::Deserialize;
use tars_rpc::config::AdapterConfig;
use tokio::sync::Semaphore;

use super::{ServicesError, value};

/// Limits; each has a test at its border.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Limits {
    /// The largest message in bytes; a larger one closes its connection with 1009.
    pub max_message_size: usize,
    /// Bytes that may wait for one connection; what happens beyond says `slow_consumer`.
    pub max_queue_size: usize,
    /// What becomes of a message for a connection whose queue is full.
    pub slow_consumer: SlowConsumer,
    /// WebSocket connections; one more is answered 503. Without it, [`max_connections`](Self::max_connections).
    pub max_connections: Option<usize>,
    /// Rooms that one connection may be in; one more is answered with an error.
    pub max_rooms_per_connection: usize,
    /// Messages a second that one connection may send, and as many at once; one more is answered
    /// with an error. 0 is no limit.
    pub messages_per_second: u32,
    /// Messages refused for that before the connection is closed with 1008. Who keeps to the rate
    /// for a second begins anew.
    pub max_refusals: u32,
    /// Answers of one connection that may wait for PHPServer; it is not read from beyond.
    pub max_pending_answers: usize,
    /// Greetings of all connections, and of HTTP, that may wait for PHPServer; one more is an error.
    pub max_pending_in_all: usize,
    /// How long PHPServer may take for a greeting.
    pub hello_timeout_ms: u64,
    /// How long a client may take for TLS and the head of a request.
    pub handshake_timeout_ms: u64,
    /// A connection from which nothing was received for so long is sent a ping.
    pub ping_interval_ms: u64,
    /// A connection from which nothing was received for so long is closed.
    pub idle_timeout_ms: u64,
    /// Over how long the closes are spread when the server goes down.
    pub drain_ms: u64,
}

/// What becomes of a message for a connection whose queue is full. Answers and pongs are exempt: who
/// has much unread is not read from, so they are few.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum SlowConsumer {
    /// The connection is closed with 1013.
    #[default]
    Close,
    /// The message is dropped.
    DropNewest,
    /// Messages that wait longest are dropped, as many as it needs.
    DropOldest,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_message_size: 1024 * 1024,
            max_queue_size: 2 * 1024 * 1024,
            slow_consumer: SlowConsumer::Close,
            max_connections: None,
            max_rooms_per_connection: 100,
            messages_per_second: 10_000,
            max_refusals: 100,
            max_pending_answers: 8,
            max_pending_in_all: 10_000,
            hello_timeout_ms: 3_000,
            handshake_timeout_ms: 10_000,
            ping_interval_ms: 30_000,
            idle_timeout_ms: 90_000,
            drain_ms: 5_000,
        }
    }
}

impl Limits {
    /// WebSocket connections; 20,000 if nothing else is said.
    pub fn max_connections(&self) -> usize {
        self.max_connections.unwrap_or(20_000)
    }

    /// The same within what the platform says of the port: `maxconns`, which is the number of connections if there
    /// is no other, `queuecap` and `queuetimeout`.
    #[must_use]
    pub fn within(mut self, adapter: &AdapterConfig) -> Self {
        let number = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        let max = number(adapter.max_conns).min(Semaphore::MAX_PERMITS);
        self.max_connections = Some(self.max_connections.map_or(max, |own| own.min(max)));
        self.max_pending_in_all = self.max_pending_in_all.min(number(adapter.queue_cap));
        let queue_timeout = u64::try_from(adapter.queue_timeout.as_millis()).unwrap_or(u64::MAX);
        self.hello_timeout_ms = self.hello_timeout_ms.min(queue_timeout.max(1));
        self
    }

    /// How long PHPServer may take for a greeting.
    pub const fn hello_timeout(&self) -> Duration {
        Duration::from_millis(self.hello_timeout_ms)
    }

    /// How long a client may take for TLS and the head of a request.
    pub const fn handshake_timeout(&self) -> Duration {
        Duration::from_millis(self.handshake_timeout_ms)
    }

    /// How often a silent peer is sent a ping.
    pub const fn ping_interval(&self) -> Duration {
        Duration::from_millis(self.ping_interval_ms)
    }

    /// Over how long the closes are spread when the server goes down.
    pub const fn drain(&self) -> Duration {
        Duration::from_millis(self.drain_ms)
    }

    pub(super) fn check(self) -> Result<Self, ServicesError> {
        let number = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        let at_least_one = [
            ("obj.limits.maxMessageSize", self.max_message_size),
            ("obj.limits.maxConnections", self.max_connections()),
            (
                "obj.limits.maxRoomsPerConnection",
                self.max_rooms_per_connection,
            ),
            ("obj.limits.maxPendingAnswers", self.max_pending_answers),
            ("obj.limits.maxPendingInAll", self.max_pending_in_all),
            ("obj.limits.helloTimeoutMs", number(self.hello_timeout_ms)),
            (
                "obj.limits.handshakeTimeoutMs",
                number(self.handshake_timeout_ms),
            ),
            ("obj.limits.pingIntervalMs", number(self.ping_interval_ms)),
        ];
        if let Some((key, _)) = at_least_one.into_iter().find(|(_, number)| *number == 0) {
            return Err(value(key, "must be at least 1"));
        }
        for (key, number) in [
            ("obj.limits.maxConnections", self.max_connections()),
            ("obj.limits.maxPendingInAll", self.max_pending_in_all),
        ] {
            if number > Semaphore::MAX_PERMITS {
                return Err(value(key, "is too large"));
            }
        }
        if self.idle_timeout_ms <= self.ping_interval_ms {
            let problem = format!(
                "must be more than pingIntervalMs, which is {}: a peer needs time to answer a ping",
                self.ping_interval_ms
            );
            return Err(value("obj.limits.idleTimeoutMs", problem));
        }
        let queue = crate::ws::outbox::cost_of_message(self.max_message_size);
        if self.max_queue_size < queue {
            let problem = format!("must hold one message, so at least {queue}");
            return Err(value("obj.limits.maxQueueSize", problem));
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_of_the_platform_bounds_them() {
        let endpoint = "tcp -h 127.0.0.1 -p 0".parse().unwrap();
        let mut adapter = AdapterConfig::new("a", "b", endpoint);
        adapter.max_conns = 100_000;
        adapter.queue_cap = 50_000;
        adapter.queue_timeout = Duration::from_millis(20_000);
        let limits = Limits::default().within(&adapter);
        assert_eq!(limits.max_connections(), 100_000);
        let limits = Limits {
            max_connections: Some(30_000),
            ..Limits::default()
        };
        assert_eq!(limits.within(&adapter).max_connections(), 30_000);

        let limits = Limits::default().within(&adapter);
        assert_eq!(
            (limits.max_pending_in_all, limits.hello_timeout_ms),
            (10_000, 3_000)
        );
        (adapter.queue_cap, adapter.queue_timeout) = (7, Duration::from_millis(500));
        let limits = Limits::default().within(&adapter);
        assert_eq!(
            (limits.max_pending_in_all, limits.hello_timeout_ms),
            (7, 500)
        );
    }
}
