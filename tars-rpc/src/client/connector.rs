//! How a client gets a byte stream to an endpoint.

use std::{fmt, future::Future, io, pin::Pin, sync::Arc};

#[cfg(feature = "tls")]
use crate::tls::ClientTls;
use crate::{Endpoint, Transport, client::Stream, net::dial};

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
    /// Connects. What a stream for a `udp` endpoint is given in one write begins with a whole frame, of which it may
    /// take just that one; what is read from it are whole frames. The client gives up after its connect timeout, and drops the future then.
    fn connect(&self, endpoint: Arc<Endpoint>) -> Connecting;
}

/// Connects as endpoints say: by TCP, by UDP, and, with feature `tls`, by TLS over TCP.
///
/// A host name stands for all of its addresses: the first that answers is taken, each having a head start of 250 ms.
/// The `-b` of an endpoint is the local address.
#[derive(Debug, Clone, Default)]
pub struct NetConnector {
    #[cfg(feature = "tls")]
    tls: Option<ClientTls>,
}

impl NetConnector {
    /// Without TLS, for which it must be told whom to trust.
    pub fn new() -> Self {
        Self::default()
    }

    /// How to connect to `ssl` endpoints.
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn tls(mut self, tls: ClientTls) -> Self {
        self.tls = Some(tls);
        self
    }

    #[cfg(feature = "tls")]
    async fn encrypted(self, endpoint: &Endpoint) -> io::Result<BoxedStream> {
        let Some(tls) = &self.tls else {
            return Err(unsupported(
                "it must be told whom to trust: `NetConnector::tls`",
            ));
        };
        let stream = dial::tcp(endpoint).await?;
        Ok(Box::new(tls.connect(&endpoint.host, stream).await?))
    }

    #[cfg(not(feature = "tls"))]
    async fn encrypted(self, _: &Endpoint) -> io::Result<BoxedStream> {
        Err(unsupported("tars-rpc was built without its feature `tls`"))
    }
}

fn unsupported(text: &str) -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, text)
}

impl Connector for NetConnector {
    fn connect(&self, endpoint: Arc<Endpoint>) -> Connecting {
        let this = self.clone();
        Box::pin(async move {
            let stream: BoxedStream = match endpoint.transport {
                Transport::Tcp => Box::new(dial::tcp(&endpoint).await?),
                Transport::Udp => Box::new(dial::udp(&endpoint).await?),
                Transport::Ssl => this.encrypted(&endpoint).await?,
            };
            Ok(stream)
        })
    }
}
