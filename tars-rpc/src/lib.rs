//! Tars RPC on tokio: clients and servers of the protocol of TarsCpp, TarsPHP, TarsGo and Tars.js.
//!
//! `tars2rs` generates a typed client (`XServant`), a trait (`X`) and its dispatcher (`XServer`) from an IDL; they
//! stand on these types:
//!
//! * [`Communicator`] makes a [`client::ServantProxy`] from an address and shares connections between proxies;
//! * [`server::Server`] listens, and hands each request to the [`server::Servant`] of its name;
//! * [`Error`] says what failed, typed by cause, and has the Tars return code.
//!
//! ```no_run
//! use tars_rpc::{Communicator, Result};
//!
//! # async fn run() -> Result<()> {
//! let communicator = Communicator::new();
//! let proxy = communicator.string_to_proxy("PHPTest.PHPServer.obj@tcp -h 127.0.0.1 -p 15380 -t 60000")?;
//! // Generated code does this: `TestTafServiceServant::new(proxy).say_hello_world("ted").await?`
//! let mut reply = proxy.call("sayHelloWorld", |args| args.put(1, "name", "ted")).await?;
//! let greetings: String = reply.take(2, "outGreetings")?;
//! # Ok(()) }
//! ```
//!
//! What is spoken over TCP is versions 1 (TARS), 2 and 3 (TUP) and 5 (JSON) of the protocol: a server answers in the
//! [`Version`] of the request, a client chooses one. The protocol itself is in a core without IO
//! (`protocol`): bytes and time go in, bytes and events come out. The tokio layer around it moves them.

#![forbid(unsafe_code)]
#![warn(clippy::unwrap_used)]

pub use tars_codec as codec;

pub use crate::{
    address::{Address, AddressError},
    communicator::{Communicator, CommunicatorBuilder},
    counter::Counter,
    endpoint::{Endpoint, Transport},
    error::{Call, Disconnect, Error, Full, Result},
    protocol::Version,
};

mod address;
pub mod client;
pub mod codes;
mod communicator;
pub mod config;
mod counter;
mod endpoint;
mod error;
mod include;
mod net;
mod pace;
pub mod platform;
mod protocol;
pub mod registry;
pub mod server;
pub mod testing;
#[cfg(feature = "tls")]
pub mod tls;
mod trace_parent;
