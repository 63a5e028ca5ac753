//! The client: proxies, call options and the connections behind them.
//!
//! [`ServantProxy`] is what generated clients hold. Behind it, each endpoint has one connection, owned by one
//! task: it writes the requests of all callers in batches, and hands each answer, undecoded, to the task that
//! waits for it.

mod backoff;
mod connection;
mod connector;
mod options;
mod proxy;
mod reply;
mod slot;
mod stats;

pub use crate::net::Stream;
pub use connector::{BoxedStream, Connecting, Connector, TcpConnector};
pub use options::{CallOptions, Config};
pub use proxy::ServantProxy;
pub use reply::{Args, Reply};
pub use stats::Stats;

pub(crate) use connection::Connection;
