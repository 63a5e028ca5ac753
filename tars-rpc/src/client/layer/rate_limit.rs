//! So many calls a second, and no more.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use tower_layer::Layer;
use tower_service::Service;

use super::{CallRequest, CallService, Calling};
use crate::{Error, Result, net::now, pace::Pace};

/// Refuses calls above a rate, at once: nothing waits.
///
/// The limit is for all calls through the communicator or proxy that the layer is put on. A communicator that was
/// silent may make one second's calls at once.
///
/// ```
/// use tars_rpc::{Communicator, client::layer::RateLimit};
///
/// let communicator = Communicator::builder().layer(RateLimit::per_second(1000)).build();
/// ```
///
/// A call that is refused ends with [`Error::RateLimited`].
#[derive(Debug, Clone)]
pub struct RateLimit(Arc<Pace>);

impl RateLimit {
    /// At most so many calls a second; none with 0.
    pub fn per_second(calls: u32) -> Self {
        Self(Arc::new(Pace::new(calls)))
    }
}

impl Layer<CallService> for RateLimit {
    type Service = Limited;

    fn layer(&self, inner: CallService) -> Limited {
        Limited {
            pace: Arc::clone(&self.0),
            inner,
        }
    }
}

/// The service that [`RateLimit`] makes.
#[derive(Debug, Clone)]
pub struct Limited {
    pace: Arc<Pace>,
    inner: CallService,
}

impl Service<CallRequest> for Limited {
    type Response = super::Reply;
    type Error = Error;
    type Future = Calling;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: CallRequest) -> Calling {
        if self.pace.admits(now()) {
            return self.inner.call(request);
        }
        let error = Error::RateLimited {
            call: request.call,
            per_second: self.pace.per_second,
        };
        Box::pin(async { Err(error) })
    }
}
