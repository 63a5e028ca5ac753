//! The connection of a caller, as servants see it: pushes, answers that come later.

use std::{fmt, net::SocketAddr, sync::Arc};

use bytes::Bytes;
use tars_codec::{self as codec, Attributes};

use super::{Reply, link::Link};
use crate::{
    Error, Result, Version, codes,
    protocol::{
        args::ArgWriter,
        server::{ReplyTo, push_frame},
    },
};

/// The connection on which a request came. Cheap to clone; may be kept after the request, and after the connection.
///
/// ```
/// use tars_rpc::{Result, server::{Connection, Push}};
///
/// fn greet(subscribers: &mut Vec<Connection>, who: &str) -> Result<()> {
///     let push = Push::builder("onJoin").put(1, "who", who).build()?;
///     subscribers.retain(|connection| connection.push(&push).is_ok());
///     Ok(())
/// }
/// ```
#[derive(Clone)]
pub struct Connection {
    link: Arc<Link>,
    peer: SocketAddr,
}

impl Connection {
    pub(super) fn new(link: Arc<Link>, peer: SocketAddr) -> Self {
        Self { link, peer }
    }

    /// A number that no other connection of this process has. All callers of a UDP endpoint share one.
    pub fn id(&self) -> u64 {
        self.link.id
    }

    /// The caller's address.
    pub fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// The name of the adapter that has accepted it.
    pub fn adapter(&self) -> &str {
        &self.link.shared.name
    }

    /// Sends something that the caller has not asked for. It is sent after what has been answered and pushed before.
    ///
    /// # Errors
    /// [`PushError::Gone`]: the connection is closed, and so it will stay.
    /// [`PushError::Full`]: the peer has not taken former pushes yet; this one is not sent.
    pub fn push(&self, push: &Push) -> Result<(), PushError> {
        self.link.push(self.peer, push.0.clone())?;
        self.link.shared.tally.count(|s| &s.pushes);
        Ok(())
    }

    /// Closes the connection when the requests that were read are answered. Nothing happens to a UDP endpoint.
    pub fn close(&self) {
        self.link.close();
    }

    /// Whether it is closed, so that nothing can be sent any more.
    pub fn is_closed(&self) -> bool {
        self.link.has_ended()
    }

    /// Waits until it is closed, or is to be closed when the requests that were read are answered: since the peer has
    /// closed its side, or broken the protocol, or since [`close`](Self::close) was called. So a handler may wait for
    /// it, too, to give up what nobody needs any more; what is answered then is still sent to a peer that only
    /// sends no more.
    ///
    /// In the drain of a server the peer waits for its answers, and this until they are sent or
    /// [`close`](Self::close) is called. Nothing is read then: that a peer goes in the drain is not noticed before
    /// something is sent to it.
    ///
    /// ```
    /// # use std::{collections::HashMap, sync::{Arc, Mutex}};
    /// use tars_rpc::server::Connection;
    ///
    /// fn join(rooms: &Arc<Mutex<HashMap<u64, Connection>>>, connection: Connection) {
    ///     rooms.lock().unwrap().insert(connection.id(), connection.clone());
    ///     let rooms = Arc::clone(rooms);
    ///     tokio::spawn(async move {
    ///         connection.closed().await;
    ///         rooms.lock().unwrap().remove(&connection.id());
    ///     });
    /// }
    /// ```
    pub async fn closed(&self) {
        self.link.ending().await;
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("id", &self.id())
            .field("peer", &self.peer)
            .field("adapter", &self.adapter())
            .finish_non_exhaustive()
    }
}

/// Something that a server sends by itself: an answer with request id 0. Encoded once, it may be sent to many.
#[derive(Debug, Clone)]
pub struct Push(Bytes);

impl Push {
    /// A push that runs `func` of the client's callback.
    pub fn builder(func: impl Into<String>) -> PushBuilder {
        PushBuilder {
            func: func.into(),
            values: ArgWriter::new(Version::Tars),
            context: Attributes::new(),
        }
    }
}

/// The values of a [`Push`].
#[derive(Debug)]
pub struct PushBuilder {
    func: String,
    values: ArgWriter,
    context: Attributes,
}

impl PushBuilder {
    /// Adds an out parameter: its position from 1 on, over all parameters, and its name.
    #[must_use]
    pub fn put<T: codec::Encode + codec::Typed + ?Sized>(
        mut self,
        tag: u8,
        name: &'static str,
        value: &T,
    ) -> Self {
        self.values.put(tag, name, value);
        self
    }

    /// Adds the return value; before the out parameters.
    #[must_use]
    pub fn put_result<T: codec::Encode + codec::Typed + ?Sized>(mut self, value: &T) -> Self {
        self.values.put_result(value);
        self
    }

    /// Adds an entry to the context.
    #[must_use]
    pub fn context(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.context.insert(key.into(), value.into());
        self
    }

    /// The push.
    ///
    /// # Errors
    /// [`Error::ServerEncode`]: a value cannot be encoded, or all together are larger than any peer takes.
    pub fn build(self) -> Result<Push> {
        let frame = self
            .values
            .finish()
            .and_then(|body| push_frame(&self.func, &self.context, &body))
            .map_err(Error::ServerEncode)?;
        Ok(Push(frame.into()))
    }
}

/// Why a push is not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PushError {
    /// The connection is closed.
    #[error("the connection is closed")]
    Gone,
    /// The peer does not take what is pushed.
    #[error("{0} bytes of pushes wait already; the peer does not take them")]
    Full(usize),
}

/// The duty to answer a request whose handler has ended or will: [`Context::defer`](super::Context::defer).
///
/// It answers exactly once. Dropped without an answer, it tells the caller so with
/// [`UNKNOWN`](crate::codes::UNKNOWN), and [`Stats::unanswered`](super::Stats::unanswered) counts it. Until then the
/// request counts as running, and a drain waits for it.
#[derive(Debug)]
#[must_use = "dropped, it answers with an error"]
pub struct Responder {
    link: Arc<Link>,
    serial: u64,
    peer: SocketAddr,
    version: Version,
    /// `None` when it has answered.
    to: Option<ReplyTo>,
}

impl Responder {
    /// `None` if the request has one already.
    pub(super) fn new(
        link: Arc<Link>,
        serial: u64,
        peer: SocketAddr,
        version: Version,
        to: ReplyTo,
    ) -> Option<Self> {
        // Not `then_some`: a responder that is made must answer.
        link.defer(serial).then(|| Self {
            link,
            serial,
            peer,
            version,
            to: Some(to),
        })
    }

    /// An empty answer, to be filled and given to [`send`](Self::send).
    pub fn reply(&self) -> Reply {
        Reply::new(self.version)
    }

    /// Adds an entry to the context of the answer.
    pub fn set_response_context(&self, key: impl Into<String>, value: impl Into<String>) {
        self.link.add(self.serial, |extras| {
            extras.context.insert(key.into(), value.into());
        });
    }

    /// Whether the connection is closed, or is to be closed when the requests that were read are answered: what
    /// [`Connection::closed`] waits for. Since this is one of them, the connection is not closed before it answers or
    /// is dropped, and until then it holds its place among the requests that run: who keeps responders for long
    /// looks here from time to time, and lets go of those that nobody waits for. A peer that only sends no more still
    /// gets what is answered. One that vanishes without a word is not noticed before something is sent to it.
    pub fn is_closed(&self) -> bool {
        self.link.is_ending()
    }

    /// Answers.
    pub fn send(mut self, result: Result<Reply>) {
        self.finish(result);
    }

    fn finish(&mut self, result: Result<Reply>) {
        let Some(to) = self.to.take() else {
            return;
        };
        if let Some(late) = self.link.answer(self.serial, self.peer, to, result) {
            self.link.shared.count_undelivered(&late);
        }
    }
}

impl Drop for Responder {
    fn drop(&mut self) {
        if self.to.is_some() {
            self.link.shared.tally.count(|s| &s.unanswered);
            let text = "the servant has dropped the request without an answer";
            self.finish(Err(Error::new(codes::UNKNOWN, text)));
        }
    }
}
