//! Layers around servants.
//!
//! A layer sees each request before its servant, and the result after it. Any [`tower_layer::Layer`] is one whose
//! service takes a [`Request`] and gives a [`Reply`]: those of the `tower` crate (time limits, concurrency, load
//! shedding), and your own. Without layers a request goes straight to its servant.
//!
//! * [`Trace`] runs each request in a [`tracing`] span that belongs to the trace of its caller.
//! * [`RateLimit`] refuses requests above a rate.
//! * `Metrics` (feature `metrics`) counts and times requests for the [metrics](https://docs.rs/metrics) crate.
//!
//! ```
//! use std::{future::Future, pin::Pin, task::{Context, Poll}, time::Instant};
//! use tars_rpc::{Error, server::{Reply, Request, Server, layer::Trace}};
//! use tower_layer::layer_fn;
//! use tower_service::Service;
//!
//! /// Prints how long each request took.
//! #[derive(Clone)]
//! struct Timed<S>(S);
//!
//! impl<S> Service<Request> for Timed<S>
//! where
//!     S: Service<Request, Response = Reply, Error = Error>,
//!     S::Future: Send + 'static,
//! {
//!     type Response = Reply;
//!     type Error = Error;
//!     type Future = Pin<Box<dyn Future<Output = Result<Reply, Error>> + Send>>;
//!
//!     fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
//!         self.0.poll_ready(cx)
//!     }
//!
//!     fn call(&mut self, request: Request) -> Self::Future {
//!         let name = request.context().func().to_owned();
//!         let began = Instant::now();
//!         let call = self.0.call(request);
//!         Box::pin(async move {
//!             let result = call.await;
//!             println!("{name} took {:?}", began.elapsed());
//!             result
//!         })
//!     }
//! }
//!
//! let builder = Server::builder().layer(Trace::new()).layer(layer_fn(Timed));
//! ```

use std::{
    error::Error as StdError,
    fmt,
    future::poll_fn,
    sync::Arc,
    task::{Context, Poll},
};

use tower_layer::Layer;
use tower_service::Service;

use super::{Dispatch, Reply, Request, Servant};
use crate::{Error, Result, codes};

#[cfg(feature = "metrics")]
mod metrics;
mod rate_limit;
mod trace;

#[cfg(feature = "metrics")]
pub use metrics::Metrics;
pub use rate_limit::RateLimit;
pub use trace::Trace;

/// Any error.
pub type BoxError = Box<dyn StdError + Send + Sync>;

/// Puts a layer around a servant.
pub(super) type Wrap = Box<dyn Fn(Arc<dyn Servant>) -> Arc<dyn Servant> + Send + Sync>;

/// A service that serves requests, which a layer around a [`ServantService`] has to give. Every service of this form
/// is one. Its errors become those of the call: an [`Error`] as it is, any other with the code
/// [`UNKNOWN`](codes::UNKNOWN) and its text.
pub trait ServesRequests:
    Service<Request, Response = Reply, Error: Into<BoxError>, Future: Send>
    + Clone
    + Send
    + Sync
    + 'static
{
}

impl<S> ServesRequests for S where
    S: Service<Request, Response = Reply, Error: Into<BoxError>, Future: Send>
        + Clone
        + Send
        + Sync
        + 'static
{
}

pub(super) fn wrap<L>(layer: L) -> Wrap
where
    L: Layer<ServantService, Service: ServesRequests> + Send + Sync + 'static,
{
    Box::new(move |servant| Arc::new(Layered(layer.layer(ServantService(servant)))))
}

/// A servant as a service, which layers are put around. Always ready.
#[derive(Clone)]
pub struct ServantService(Arc<dyn Servant>);

impl Service<Request> for ServantService {
    type Response = Reply;
    type Error = Error;
    type Future = Dispatch;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Dispatch {
        self.0.dispatch(request)
    }
}

impl fmt::Debug for ServantService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServantService").finish_non_exhaustive()
    }
}

/// A service as a servant.
struct Layered<S>(S);

impl<S: ServesRequests> Servant for Layered<S> {
    fn dispatch(&self, request: Request) -> Dispatch {
        let mut service = self.0.clone();
        Box::pin(async move {
            poll_fn(|cx| service.poll_ready(cx)).await.map_err(error)?;
            service.call(request).await.map_err(error)
        })
    }
}

/// The error of a call from that of a layer.
fn error(error: impl Into<BoxError>) -> Error {
    match error.into().downcast::<Error>() {
        Ok(error) => *error,
        Err(other) => Error::new(codes::UNKNOWN, other.to_string()),
    }
}
