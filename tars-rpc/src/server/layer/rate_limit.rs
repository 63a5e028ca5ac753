//! So many requests a second, and no more.

use std::{
    future::ready,
    sync::Arc,
    task::{Context, Poll},
};

use tower_layer::Layer;
use tower_service::Service;

use crate::{
    Error, Result, codes,
    net::now,
    pace::Pace,
    server::{
        Dispatch, Reply, Request,
        layer::{self, BoxError},
    },
};

/// Refuses requests above a rate with [`OVERLOAD`](codes::OVERLOAD), at once: nothing waits. Clients try them
/// elsewhere.
///
/// The limit is for all requests to all servants of the server together. A server that was left alone may take one
/// second's requests at once. What is refused counts in [`Stats::overloads`](crate::server::Stats::overloads).
///
/// ```
/// use tars_rpc::server::{Server, layer::RateLimit};
///
/// let builder = Server::builder().layer(RateLimit::per_second(10_000));
/// ```
#[derive(Debug, Clone)]
pub struct RateLimit(Arc<Pace>);

impl RateLimit {
    /// At most so many requests a second; none with 0.
    pub fn per_second(requests: u32) -> Self {
        Self(Arc::new(Pace::new(requests)))
    }
}

impl<S> Layer<S> for RateLimit {
    type Service = Limited<S>;

    fn layer(&self, inner: S) -> Limited<S> {
        Limited {
            pace: Arc::clone(&self.0),
            inner,
        }
    }
}

/// The service of [`RateLimit`].
#[derive(Debug, Clone)]
pub struct Limited<S> {
    pace: Arc<Pace>,
    inner: S,
}

impl<S> Service<Request> for Limited<S>
where
    S: Service<Request, Response = Reply>,
    S::Error: Into<BoxError>,
    S::Future: Send + 'static,
{
    type Response = Reply;
    type Error = Error;
    type Future = Dispatch;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        self.inner.poll_ready(cx).map_err(layer::error)
    }

    fn call(&mut self, request: Request) -> Dispatch {
        if self.pace.admits(now()) {
            let call = self.inner.call(request);
            return Box::pin(async move { call.await.map_err(layer::error) });
        }
        let text = format!("more than {} requests a second", self.pace.per_second);
        Box::pin(ready(Err(Error::new(codes::OVERLOAD, text))))
    }
}
