//! The server: adapters, servants and the connections of their clients.
//!
//! A [`Server`] has [adapters](Adapter), which listen. Each connection has one task, which reads requests, hands them
//! to the [`Servant`] of their name, and writes the answers in batches. A handler is polled once where it is; only if
//! it has to wait does it become a task of its own.
//!
//! | module | is |
//! |---|---|
//! | `adapter`, `allow`, `limits`, `configured` | settings, from a config file |
//! | `builder`, `bind`, `listener`, `admission` | listen and accept |
//! | `stream`, `datagram`, `protocol` | move bytes: Tars over TCP and TLS, Tars over UDP, anything else |
//! | `desk`, `load`, `handler` | run requests within the limits |
//! | `link`, `connection` | what is sent beside results: pushes, later answers |
//! | `request`, `servants`, `layer` | what servants see |

mod adapter;
mod admission;
mod allow;
mod bind;
mod builder;
mod configured;
mod connection;
mod datagram;
mod desk;
mod handler;
pub mod layer;
mod limits;
mod link;
mod listener;
mod load;
mod protocol;
mod request;
mod servants;
mod stats;
mod stream;

pub use adapter::Adapter;
pub use allow::{AllowList, AllowListError};
pub use builder::{Listening, Server, ServerBuilder};
pub use connection::{Connection, Push, PushBuilder, PushError, Responder};
pub use limits::Limits;
pub use protocol::{Protocol, RawConnection, Serving};
pub use request::{Args, Context, Reply, Request};
pub use servants::{Dispatch, Servant};
pub use stats::Stats;
