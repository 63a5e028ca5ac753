//! What a servant gets, and what it gives.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use tars_codec::{self as codec, Attributes, RequestPacket};

use super::{Connection, Responder, link::Link};
use crate::{
    Error, Result, Version, codes,
    net::now,
    protocol::{
        args::{ArgReader, ArgWriter},
        extra,
        server::ReplyTo,
    },
};

/// Where a request came from, and when its caller stops waiting.
#[derive(Debug)]
pub(super) struct Origin {
    pub(super) link: Arc<Link>,
    /// The number of the request among those of the link.
    pub(super) serial: u64,
    pub(super) peer: SocketAddr,
    pub(super) deadline: Option<Instant>,
    /// How long it waited in the queue.
    pub(super) waited: Duration,
}

/// A request on its way to a servant.
#[derive(Debug)]
pub struct Request {
    context: Context,
    args: Args,
}

impl Request {
    /// # Errors
    /// [`Error::ServerDecode`]: the body is not what the version says.
    pub(super) fn new(packet: RequestPacket, version: Version, origin: Origin) -> Result<Self> {
        let oneway = packet.is_oneway();
        let args = ArgReader::new(version, packet.body).map_err(Error::ServerDecode)?;
        Ok(Self {
            args: Args(args),
            context: Context(Box::new(Circumstances {
                version,
                servant: packet.servant,
                func: packet.func,
                context: packet.context,
                status: packet.status,
                request_id: packet.request_id,
                message_type: packet.message_type,
                oneway,
                origin,
            })),
        })
    }

    /// The circumstances of the request.
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// The circumstances of the request, and its arguments.
    pub fn into_parts(self) -> (Context, Args) {
        (self.context, self.args)
    }
}

/// The circumstances of a request. As large as a pointer: it is moved into the future of a handler, and often on from
/// there.
#[derive(Debug)]
pub struct Context(Box<Circumstances>);

#[derive(Debug)]
struct Circumstances {
    version: Version,
    servant: String,
    func: String,
    context: Attributes,
    status: Attributes,
    request_id: i32,
    message_type: i32,
    oneway: bool,
    origin: Origin,
}

impl Context {
    /// Name of the function that is called.
    pub fn func(&self) -> &str {
        &self.0.func
    }

    /// Name under which the servant is called.
    pub fn servant(&self) -> &str {
        &self.0.servant
    }

    /// The protocol version of the request, which is that of the answer.
    pub fn version(&self) -> Version {
        self.0.version
    }

    /// The caller's address.
    pub fn peer(&self) -> SocketAddr {
        self.0.origin.peer
    }

    /// The connection on which the request came, to push to, and to be told of its end.
    pub fn connection(&self) -> Connection {
        Connection::new(Arc::clone(&self.0.origin.link), self.0.origin.peer)
    }

    /// The name of the adapter that took the request.
    pub fn adapter(&self) -> &str {
        &self.0.origin.link.shared.name
    }

    /// How long the request waited for others before it was run.
    pub fn waited(&self) -> Duration {
        self.0.origin.waited
    }

    /// `iRequestId`: the caller's number for the request.
    pub fn request_id(&self) -> i32 {
        self.0.request_id
    }

    /// Whether the caller wants no answer.
    pub fn is_oneway(&self) -> bool {
        self.0.oneway
    }

    /// The context that the caller has set.
    pub fn context(&self) -> &Attributes {
        &self.0.context
    }

    /// The status that the caller's framework has set.
    pub fn status(&self) -> &Attributes {
        &self.0.status
    }

    /// `iMessageType`: bits that say what the status carries.
    pub fn message_type(&self) -> i32 {
        self.0.message_type
    }

    /// The key of a dyed request, whose log lines go to a log of their own; to be passed on in calls made for it.
    pub fn dyeing_key(&self) -> Option<&str> {
        self.marked(extra::DYED)
    }

    /// The key of a request that is traced by the means of Tars; to be passed on in calls made for it.
    pub fn trace_key(&self) -> Option<&str> {
        self.marked(extra::TRACE)
    }

    fn marked(&self, (key, bit): (&str, i32)) -> Option<&str> {
        if self.0.message_type & bit == 0 {
            return None;
        }
        self.0.status.get(key).map(String::as_str)
    }

    /// When the caller stops waiting; `None` if it has not said. On the clock of the tokio runtime.
    pub fn deadline(&self) -> Option<Instant> {
        self.0.origin.deadline
    }

    /// How long the caller still waits; `None` if it has not said, zero if it has given up.
    pub fn remaining(&self) -> Option<Duration> {
        let deadline = self.0.origin.deadline?;
        Some(deadline.saturating_duration_since(now()))
    }

    /// An empty answer to this request.
    pub fn reply(&self) -> Reply {
        Reply::new(self.0.version)
    }

    /// Adds an entry to the context of the answer, also of one that is an error.
    ///
    /// ```
    /// use tars_rpc::{Result, server::Context};
    ///
    /// async fn say_hello_world(cx: &Context, name: String) -> Result<String> {
    ///     cx.set_response_context("served-by", "shard 7");
    ///     Ok(format!("hello {name}!"))
    /// }
    /// ```
    pub fn set_response_context(&self, key: impl Into<String>, value: impl Into<String>) {
        self.0.origin.link.add(self.0.origin.serial, |extras| {
            extras.context.insert(key.into(), value.into());
        });
    }

    /// Adds an entry to the status of the answer, which is the framework's.
    pub fn set_response_status(&self, key: impl Into<String>, value: impl Into<String>) {
        self.0.origin.link.add(self.0.origin.serial, |extras| {
            extras.status.insert(key.into(), value.into());
        });
    }

    /// Takes over the duty to answer: the handler's result is ignored from now on, whatever it is, and the
    /// [`Responder`] answers when it likes. `None` if the duty has been taken already, or the request is answered.
    ///
    /// Until it is answered the request counts as running, for its adapter and for its connection
    /// ([`Limits::max_in_flight_per_connection`](super::Limits::max_in_flight_per_connection), 1,024 by default). When
    /// so many are deferred, further requests of the connection wait, also one that would have them answered: a client
    /// of this crate makes all calls to an endpoint on one connection. Who defers without an end in sight should
    /// answer some when there are many, and let go of those whose [peer has gone](Responder::is_closed).
    ///
    /// A handler that only has to wait needs none of this, it waits. This is for an answer that comes from somewhere
    /// else, or before the handler's work is done:
    ///
    /// ```
    /// use tars_rpc::{codes, Error, server::{Dispatch, Request, Servant}};
    ///
    /// struct Mailbox;
    ///
    /// impl Servant for Mailbox {
    ///     fn dispatch(&self, request: Request) -> Dispatch {
    ///         Box::pin(async move {
    ///             let (cx, _) = request.into_parts();
    ///             if let Some(responder) = cx.defer() {
    ///                 let mut reply = responder.reply();
    ///                 reply.put_result(&true);
    ///                 responder.send(Ok(reply));
    ///             }
    ///             // .. and now what takes longer
    ///             Err(Error::new(codes::UNKNOWN, "nobody hears this"))
    ///         })
    ///     }
    /// }
    /// ```
    pub fn defer(&self) -> Option<Responder> {
        let to = ReplyTo::new(
            self.0.request_id,
            self.0.message_type,
            self.0.oneway,
            self.0.version,
            (&self.0.servant, &self.0.func),
        );
        let Origin {
            link, serial, peer, ..
        } = &self.0.origin;
        Responder::new(Arc::clone(link), *serial, *peer, self.0.version, to)
    }

    /// The error of a function that the servant does not have.
    pub fn unknown_function(&self) -> Error {
        Error::new(
            codes::NO_FUNCTION,
            format!("{} has no function {}", self.0.servant, self.0.func),
        )
    }
}

/// The arguments of a request.
#[derive(Debug)]
pub struct Args(ArgReader);

impl Args {
    /// Takes an argument: the position of its parameter from 1 on, and the name of the parameter.
    ///
    /// # Errors
    /// [`Error::ServerDecode`]: it is missing, or not of type `T`.
    pub fn take<T: codec::Decode + codec::Typed>(
        &mut self,
        tag: u8,
        name: &'static str,
    ) -> Result<T> {
        self.0.take(tag, name).map_err(Error::ServerDecode)
    }
}

/// Takes the results of a function.
#[derive(Debug)]
pub struct Reply(ArgWriter);

impl Reply {
    pub(super) fn new(version: Version) -> Self {
        Self(ArgWriter::new(version))
    }

    /// Adds an out parameter: its position from 1 on, over all parameters, and its name.
    ///
    /// What cannot be encoded (more elements than a fixed array has) becomes the error of the call.
    pub fn put<T: codec::Encode + codec::Typed + ?Sized>(
        &mut self,
        tag: u8,
        name: &'static str,
        value: &T,
    ) {
        self.0.put(tag, name, value);
    }

    /// Adds the return value; before the out parameters.
    pub fn put_result<T: codec::Encode + codec::Typed + ?Sized>(&mut self, value: &T) {
        self.0.put_result(value);
    }

    pub(super) fn finish(self) -> Result<Vec<u8>> {
        self.0.finish().map_err(Error::ServerEncode)
    }
}
