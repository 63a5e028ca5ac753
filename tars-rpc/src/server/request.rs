//! What a servant gets, and what it gives.

use std::{net::SocketAddr, time::Instant};

use tars_codec::{self as codec, Attributes, RequestPacket};

use crate::{
    Error, Result, Version, codes,
    protocol::args::{ArgReader, ArgWriter},
};

/// A request on its way to a servant.
#[derive(Debug)]
pub struct Request {
    context: Context,
    args: Args,
}

impl Request {
    /// # Errors
    /// [`Error::ServerDecode`]: the body is not what the version says.
    pub(crate) fn new(
        packet: RequestPacket,
        version: Version,
        peer: SocketAddr,
        deadline: Option<Instant>,
    ) -> Result<Self> {
        let args = ArgReader::new(version, packet.body).map_err(Error::ServerDecode)?;
        Ok(Self {
            args: Args(args),
            context: Context {
                version,
                servant: packet.servant,
                func: packet.func,
                message_type: packet.message_type,
                context: packet.context,
                status: packet.status,
                peer,
                deadline,
            },
        })
    }

    /// The circumstances of the request, and its arguments.
    pub fn into_parts(self) -> (Context, Args) {
        (self.context, self.args)
    }
}

/// The circumstances of a request.
#[derive(Debug)]
pub struct Context {
    version: Version,
    servant: String,
    func: String,
    message_type: i32,
    context: Attributes,
    status: Attributes,
    peer: SocketAddr,
    deadline: Option<Instant>,
}

impl Context {
    /// Name of the function that is called.
    pub fn func(&self) -> &str {
        &self.func
    }

    /// Name under which the servant is called.
    pub fn servant(&self) -> &str {
        &self.servant
    }

    /// The protocol version of the request, which is that of the answer.
    pub fn version(&self) -> Version {
        self.version
    }

    /// The caller's address.
    pub fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// The context that the caller has set.
    pub fn context(&self) -> &Attributes {
        &self.context
    }

    /// The status that the caller's framework has set.
    pub fn status(&self) -> &Attributes {
        &self.status
    }

    /// `iMessageType` of the request: bits that say what the status carries.
    pub fn message_type(&self) -> i32 {
        self.message_type
    }

    /// When the caller stops waiting; `None` if it has not said. On the clock of the tokio runtime.
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// An empty answer to this request.
    pub fn reply(&self) -> Reply {
        Reply(ArgWriter::new(self.version))
    }

    /// The error of a function that the servant does not have.
    pub fn unknown_function(&self) -> Error {
        Error::new(
            codes::NO_FUNCTION,
            format!("{} has no function {}", self.servant, self.func),
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

    pub(crate) fn finish(self) -> Result<Vec<u8>> {
        self.0.finish().map_err(Error::ServerEncode)
    }
}
