//! What runs around calls: layers of [tower](https://docs.rs/tower-layer), for metrics, tracing, limits, or what you
//! like.
//!
//! A layer makes a service around another one. It sees a call before it is sent and after it has ended, and may
//! change its options, end it by itself, or make it twice; retries at other endpoints are inside. Without layers a
//! call takes the direct path, and pays nothing for them.
//!
//! * [`Trace`] makes a [`tracing`] span of each call, and carries the trace context of W3C to the server.
//! * [`RateLimit`] refuses calls above a rate.
//! * `Metrics` (feature `metrics`) counts and times calls for the [metrics](https://docs.rs/metrics) crate.
//!
//! ```
//! use std::{future::Future, pin::Pin, task::{Context, Poll}, time::Instant};
//! use tars_rpc::{Communicator, Error, Result, client::{Reply, layer::{CallRequest, CallService}}};
//! use tower_layer::layer_fn;
//! use tower_service::Service;
//!
//! /// Says how long calls take.
//! #[derive(Clone)]
//! struct Timed(CallService);
//!
//! impl Service<CallRequest> for Timed {
//!     type Response = Reply;
//!     type Error = Error;
//!     type Future = Pin<Box<dyn Future<Output = Result<Reply>> + Send>>;
//!
//!     fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
//!         self.0.poll_ready(cx)
//!     }
//!
//!     fn call(&mut self, request: CallRequest) -> Self::Future {
//!         let (began, func) = (Instant::now(), request.func());
//!         let call = self.0.call(request);
//!         Box::pin(async move {
//!             let result = call.await;
//!             println!("{func}: {:?}", began.elapsed());
//!             result
//!         })
//!     }
//! }
//!
//! let communicator = Communicator::builder().layer(layer_fn(Timed)).build();
//! ```

use std::{
    fmt,
    future::{Future, poll_fn},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use tower_layer::Layer;
use tower_service::Service;

use super::{CallOptions, Reply, Target, connection::Body};
use crate::{Call, Error, Result};

#[cfg(feature = "metrics")]
mod metrics;
mod rate_limit;
mod trace;

#[cfg(feature = "metrics")]
pub use metrics::Metrics;
pub use rate_limit::RateLimit;
pub use trace::Trace;

/// A call on its way through the layers, with its arguments encoded.
#[derive(Debug, Clone)]
pub struct CallRequest {
    pub(super) call: Call,
    pub(super) options: Arc<CallOptions>,
    pub(super) body: Bytes,
}

impl CallRequest {
    /// What is called.
    pub fn call(&self) -> &Call {
        &self.call
    }

    /// The name of the servant.
    pub fn servant(&self) -> &Arc<str> {
        &self.call.servant
    }

    /// The name of the function.
    pub fn func(&self) -> &'static str {
        self.call.func
    }

    /// The options of the call.
    pub fn options(&self) -> &CallOptions {
        &self.options
    }

    /// Changes the options of this call. Another [version](CallOptions::version) has no effect: the arguments are
    /// encoded already.
    pub fn change_options(&mut self, change: impl FnOnce(CallOptions) -> CallOptions) {
        let version = self.options.protocol();
        let options = change(CallOptions::clone(&self.options));
        self.options = Arc::new(options.version(version));
    }

    /// The encoded arguments.
    pub fn body(&self) -> &Bytes {
        &self.body
    }
}

/// A service that makes calls, which a layer around a [`CallService`] has to give. Every service of this form is one.
pub trait MakesCalls:
    Service<CallRequest, Response = Reply, Error: Into<Error>, Future: Send>
    + Clone
    + Send
    + Sync
    + 'static
{
}

impl<S> MakesCalls for S where
    S: Service<CallRequest, Response = Reply, Error: Into<Error>, Future: Send>
        + Clone
        + Send
        + Sync
        + 'static
{
}

/// The future of a call.
pub type Calling = Pin<Box<dyn Future<Output = Result<Reply>> + Send>>;

/// A service that makes calls: what a layer is put around, and what comes of it. Cheap to clone.
#[derive(Clone)]
pub struct CallService(Arc<dyn Callable>);

trait Callable: Send + Sync {
    fn call(&self, request: CallRequest) -> Calling;
}

impl CallService {
    /// Calls the servant.
    pub(crate) fn innermost(target: Arc<Target>) -> Self {
        Self(Arc::new(Innermost(target)))
    }

    /// Puts a layer around all of it.
    #[must_use]
    pub(crate) fn within(self, layer: &impl Layer<Self, Service: MakesCalls>) -> Self {
        Self(Arc::new(Layered(layer.layer(self))))
    }

    pub(crate) fn make(&self, request: CallRequest) -> Calling {
        self.0.call(request)
    }
}

impl Service<CallRequest> for CallService {
    type Response = Reply;
    type Error = Error;
    type Future = Calling;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: CallRequest) -> Calling {
        self.0.call(request)
    }
}

impl fmt::Debug for CallService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CallService")
    }
}

struct Innermost(Arc<Target>);

impl Callable for Innermost {
    fn call(&self, request: CallRequest) -> Calling {
        let target = Arc::clone(&self.0);
        Box::pin(async move {
            let CallRequest {
                call,
                options,
                body,
            } = request;
            let answer = target.call(&call, &options, Body::Shared(body)).await?;
            Reply::new(call, options.protocol(), answer)
        })
    }
}

struct Layered<S>(S);

impl<S: MakesCalls> Callable for Layered<S> {
    fn call(&self, request: CallRequest) -> Calling {
        let mut service = self.0.clone();
        Box::pin(async move {
            poll_fn(|cx| service.poll_ready(cx))
                .await
                .map_err(Into::into)?;
            service.call(request).await.map_err(Into::into)
        })
    }
}

/// A layer of a communicator, for the proxies that it will make.
pub(crate) type AnyLayer = Arc<dyn Fn(CallService) -> CallService + Send + Sync>;
