//! The protocol without IO: bytes and time go in, bytes and events come out.
//!
//! * [`client::ClientConnection`]: calls in, frames out; bytes in, finished calls out.
//! * [`server::ServerConnection`]: bytes in, requests out; answers in, frames out.
//! * [`args`]: the values in the body of a request or an answer.
//!
//! Neither knows tokio, sockets or the clock, so faults, cuts and timeouts are tested byte by byte in virtual time.

mod answer;
pub(crate) mod args;
mod buffer;
mod calls;
pub(crate) mod client;
mod deadlines;
pub(crate) mod keep_alive;
pub(crate) mod server;
mod version;

#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod schedules;

use tars_codec as codec;

pub use version::Version;

use crate::Disconnect;

/// The status entries that say how a TUP call ended.
pub(crate) const STATUS_CODE: &str = "STATUS_RESULT_CODE";
pub(crate) const STATUS_DESC: &str = "STATUS_RESULT_DESC";

/// What goes along with a call in its status, and the bit of `iMessageType` that says so.
pub(crate) mod extra {
    /// A hash chose the endpoint; it has no entry in the status.
    pub(crate) const HASH: i32 = 0x01;
    /// The routekey.
    pub(crate) const GRID: (&str, i32) = ("STATUS_GRID_KEY", 0x02);
    /// The call is dyed: servers log it apart.
    pub(crate) const DYED: (&str, i32) = ("STATUS_DYED_KEY", 0x04);
    /// The set that is called.
    pub(crate) const SET_NAME: (&str, i32) = ("STATUS_SETNAME_VALUE", 0x80);
    /// The call is traced by the Tars platform.
    pub(crate) const TRACE: (&str, i32) = ("STATUS_TRACE_KEY", 0x100);
}

/// The status entry that names the function of a push.
pub(crate) const STATUS_FUNC: &str = "TARS_FUNC";

/// The largest frame that any Tars peer takes.
pub(crate) const MAX_FRAME: usize = codec::FrameSplitter::DEFAULT_MAX;

/// The function that every servant answers, to show that it is there.
pub(crate) const PING: &str = "tars_ping";

/// Bytes after which a stream cannot be read any further.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Violation {
    Frame(codec::FrameError),
    Packet(codec::Error),
}

impl From<Violation> for Disconnect {
    fn from(violation: Violation) -> Self {
        match violation {
            Violation::Frame(error) => Self::BadFrame(error),
            Violation::Packet(error) => Self::BadPacket(error),
        }
    }
}
