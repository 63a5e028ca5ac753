//! The way back to the peer.

use std::net::SocketAddr;

use tars_codec as codec;

use crate::protocol::server::{Answer, ReplyTo};

/// Where answers go.
pub(in crate::server) trait Answers {
    /// # Errors
    /// It is larger than the peer takes, or cannot be encoded; nothing is sent.
    fn answer(&mut self, peer: SocketAddr, to: &ReplyTo, answer: &Answer<'_>) -> codec::Result<()>;

    fn push(&mut self, peer: SocketAddr, frame: &[u8]);

    /// Whether the peer takes what is sent. One that does not gets no more.
    fn has_room(&self) -> bool;
}

/// For answers to a peer that has gone.
pub(in crate::server) struct Nowhere;

impl Answers for Nowhere {
    fn answer(&mut self, _: SocketAddr, _: &ReplyTo, _: &Answer<'_>) -> codec::Result<()> {
        Ok(())
    }

    fn push(&mut self, _: SocketAddr, _: &[u8]) {}

    fn has_room(&self) -> bool {
        true
    }
}
