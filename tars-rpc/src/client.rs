//! The client: proxies, call options and the connections behind them.
//!
//! [`ServantProxy`] is what generated clients hold. A call goes to one of the servant's endpoints, which [`Balance`]
//! and the health of the endpoints decide. Behind each endpoint is one connection, owned by one task: it writes the
//! requests of all callers in batches, and hands each answer, undecoded, to the task that waits for it.

mod backoff;
mod balance;
#[cfg(feature = "blocking")]
mod blocking;
mod config;
mod connection;
mod connector;
mod health;
pub mod layer;
mod observer;
mod options;
mod pool;
mod proxy;
mod pushes;
mod reply;
mod retry;
mod route;
mod slot;
mod stats;
mod target;

pub use crate::net::Stream;
pub use balance::Balance;
#[cfg(feature = "blocking")]
pub use blocking::Blocking;
pub use config::Config;
pub use connector::{BoxedStream, Connecting, Connector, NetConnector};
pub use health::{Ejection, HealthConfig};
pub use observer::{CallObserver, EndedCall};
pub use options::CallOptions;
pub use proxy::ServantProxy;
pub use pushes::{Push, PushEvent, Pushes};
pub use reply::{Args, Reply};
pub use route::{EndpointState, EndpointStatus};
pub use stats::Stats;

pub(crate) use backoff::Backoff;
pub(crate) use connection::Connection;
pub(crate) use pool::Pool;
pub(crate) use target::Target;
