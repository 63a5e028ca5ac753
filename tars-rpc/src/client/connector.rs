//! How a client gets a byte stream to an endpoint.

use std::{fmt, future::Future, io, pin::Pin, sync::Arc};

use tokio::net::TcpStream;

use crate::{Endpoint, client::Stream};

/// A byte stream to a server.
pub type BoxedStream = Box<dyn Stream>;

/// The attempt to get one.
pub type Connecting = Pin<Box<dyn Future<Output = io::Result<BoxedStream>> + Send>>;

/// Makes byte streams to endpoints; an application can bring its own, for a tunnel or for tests in memory.
///
/// ```
/// use std::sync::Arc;
/// use tars_rpc::{Communicator, Endpoint, client::{BoxedStream, Connecting, Connector}};
///
/// #[derive(Debug)]
/// struct InMemory;
///
/// impl Connector for InMemory {
///     fn connect(&self, _: Arc<Endpoint>) -> Connecting {
///         let (ours, theirs) = tokio::io::duplex(4096);
///         drop(theirs); // a server would serve it
///         Box::pin(async { Ok(Box::new(ours) as BoxedStream) })
///     }
/// }
///
/// let communicator = Communicator::builder().connector(InMemory).build();
/// ```
pub trait Connector: fmt::Debug + Send + Sync + 'static {
    /// Connects. The client gives up after its connect timeout, and drops the future then.
    fn connect(&self, endpoint: Arc<Endpoint>) -> Connecting;
}

/// Connects by TCP, without Nagle's delay.
#[derive(Debug, Clone, Copy, Default)]
pub struct TcpConnector;

impl Connector for TcpConnector {
    fn connect(&self, endpoint: Arc<Endpoint>) -> Connecting {
        Box::pin(async move {
            let stream = TcpStream::connect((endpoint.host.as_str(), endpoint.port)).await?;
            stream.set_nodelay(true)?;
            Ok(Box::new(stream) as BoxedStream)
        })
    }
}
