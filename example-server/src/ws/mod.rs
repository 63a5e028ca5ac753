//! WebSocket (RFC 6455), server side, on the upgraded connection.
//!
//! Bytes flow one way through small parts: [`handshake`] answers the upgrade, [`frame`] reads and
//! writes frame headers, [`message`] assembles frames to messages, [`connection`] owns the
//! [`socket`], `rate` says how often it may be asked,
//! and [`outbox`] is the bounded `queue` through which everybody else talks to it; a `flusher` writes it out.
//! `frame`, `message` and `queue` do no IO, so every rule of the protocol is tested without a socket.
//!
//! The framing is our own because a server frame carries no mask: one encoded frame serves every
//! member of a room, which the WebSocket crates cannot do.

pub mod close;
pub mod connection;
pub(crate) mod flusher;
pub mod frame;
pub mod handshake;
pub mod message;
pub mod outbox;
mod queue;
mod rate;
mod scratch;
pub mod socket;
