//! What operators want to count: connections that ended for a reason, and those that were not taken.

use tars_rpc::Counter;

/// Counts since the start.
#[derive(Debug, Default)]
pub struct Stats {
    /// Connections closed because the peer broke the WebSocket protocol; each reason is logged.
    pub violations: Counter,
    /// Connections closed because the peer did not read what it was sent.
    pub slow_consumers: Counter,
    /// Upgrades refused: a foreign origin, too many connections, a server that goes down.
    pub refused: Counter,
}
