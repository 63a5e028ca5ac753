//! TarsPHP's WebSocket chat server, rebuilt.
//!
//! A message travels: [`ws`] reads it from the socket, [`message`] has the handler that knows the
//! commands, [`hub`] delivers to connections and rooms ([`component::fd_store`] knows who is in
//! them). An HTTP request travels: the listener takes its connection, [`http`] checks who may, [`controller`] has the actions. [`app`]
//! is what handlers and controllers work with; [`server`] puts the parts together and runs them, and [`process`] is the
//! program, also on a Tars platform.
//!
//! [`servant`] is generated from `tars/example.tars`: the client of PHPServer, which answers `hello`, and the trait
//! that [`php_server`] implements, so that there is a PHPServer to call.

#![forbid(unsafe_code)]

pub mod app;
pub mod cli;
pub mod component;
pub mod controller;
pub mod http;
pub mod hub;
pub mod listener;
pub mod message;
pub mod metrics;
pub mod missing;
pub mod php_server;
pub mod process;
/// Code generated from `tars/example.tars`: `tars2rs tars/tarsclient.proto.toml`.
pub mod servant;
pub mod server;
pub mod services;
pub mod tars_servants;
mod tls;
pub mod ws;
