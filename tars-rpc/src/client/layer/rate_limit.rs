//! So many calls a second, and no more.

use std::{
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::{Duration, Instant},
};

use tower_layer::Layer;
use tower_service::Service;

use super::{CallRequest, CallService, Calling};
use crate::{Error, Result, net::now};

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
pub struct RateLimit(Arc<Limit>);

#[derive(Debug)]
struct Limit {
    per_second: u32,
    /// Between two calls at full rate.
    pace: Duration,
    /// When all that was taken is paid back: calls take from the future, up to a second of it.
    paid: Mutex<Option<Instant>>,
}

impl RateLimit {
    /// At most so many calls a second; none with 0.
    pub fn per_second(calls: u32) -> Self {
        Self(Arc::new(Limit {
            per_second: calls,
            pace: Duration::from_secs(1) / calls.max(1),
            paid: Mutex::default(),
        }))
    }
}

impl Limit {
    fn admits(&self, now: Instant) -> bool {
        let mut paid = self.paid.lock().unwrap_or_else(PoisonError::into_inner);
        let next = paid.map_or(now, |paid| paid.max(now)) + self.pace;
        let admits = self.per_second > 0 && next <= now + Duration::from_secs(1);
        if admits {
            *paid = Some(next);
        }
        admits
    }
}

impl Layer<CallService> for RateLimit {
    type Service = Limited;

    fn layer(&self, inner: CallService) -> Limited {
        Limited {
            limit: Arc::clone(&self.0),
            inner,
        }
    }
}

/// The service that [`RateLimit`] makes.
#[derive(Debug, Clone)]
pub struct Limited {
    limit: Arc<Limit>,
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
        if self.limit.admits(now()) {
            return self.inner.call(request);
        }
        let error = Error::RateLimited {
            call: request.call,
            per_second: self.limit.per_second,
        };
        Box::pin(async { Err(error) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_at_once_and_then_the_pace() {
        for rate in [1, 10, 333] {
            let RateLimit(limit) = RateLimit::per_second(rate);
            let start = Instant::now();
            let admitted = |at: Duration| (0..1000).filter(|_| limit.admits(start + at)).count();
            assert_eq!(admitted(Duration::ZERO), rate as usize);
            assert_eq!(admitted(limit.pace), 1);
            assert_eq!(admitted(limit.pace * 3 / 2), 0);
            assert_eq!(
                admitted(Duration::from_secs(100)),
                rate as usize,
                "no more is saved"
            );
        }
        let RateLimit(none) = RateLimit::per_second(0);
        assert!(!none.admits(Instant::now()));
    }
}
