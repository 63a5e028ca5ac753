//! The server: adapters, servants and the connections of their clients.
//!
//! [`Server`] listens. Each connection has one task, which reads requests, hands them to the [`Servant`] of their
//! name, and writes the answers in batches. A handler is polled once where it is; only if it has to wait does it
//! become a task of its own.

mod connection;
mod handler;
mod limits;
mod listener;
mod request;
mod servants;
mod stats;

pub use limits::Limits;
pub use listener::{Server, ServerBuilder};
pub use request::{Args, Context, Reply, Request};
pub use servants::{Dispatch, Servant};
pub use stats::Stats;
