//! Counts the requests of a server.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use tower_layer::Layer;
use tower_service::Service;

use super::Recorder;
use crate::{
    Error, Result, codes,
    net::now,
    server::{Reply, Request},
};

/// A layer that counts requests: [`ServerBuilder::layer`](crate::server::ServerBuilder::layer) takes it, and
/// [`Recorder::layer`] makes it. As the outermost layer it sees the time that the others take.
///
/// What never gets to a servant is not counted: pings, requests to servants that do not exist, and those that waited
/// for too long or found no room.
#[derive(Debug, Clone)]
pub struct StatLayer(pub(super) Recorder);

impl<S> Layer<S> for StatLayer {
    type Service = Counted<S>;

    fn layer(&self, inner: S) -> Counted<S> {
        Counted {
            inner,
            recorder: self.0.clone(),
        }
    }
}

/// The service of [`StatLayer`].
#[derive(Debug, Clone)]
pub struct Counted<S> {
    inner: S,
    recorder: Recorder,
}

impl<S> Service<Request> for Counted<S>
where
    S: Service<Request, Response = Reply, Error = Error>,
    S::Future: Send + 'static,
{
    type Response = Reply;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Reply>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let cx = request.context();
        let (func, caller) = (cx.func().to_owned(), cx.peer().ip());
        let recorder = self.recorder.clone();
        let of_adapter = recorder
            .times()
            .map(|_| (cx.adapter().to_owned(), cx.waited()));
        let began = now();
        let call = self.inner.call(request);
        Box::pin(async move {
            // Also counts a request whose handler panics, or is cut when the server ends.
            let mut counted = CountOnDrop(Some(|code| {
                let elapsed = now().saturating_duration_since(began);
                recorder.request_ended(&func, caller, elapsed, code);
                if let (Some(times), Some((adapter, waited))) = (recorder.times(), of_adapter) {
                    times.ended(&adapter, waited, elapsed);
                }
            }));
            let result = call.await;
            counted.end(result.as_ref().map_or_else(Error::code, |_| codes::OK));
            result
        })
    }
}

struct CountOnDrop<F: FnOnce(i32)>(Option<F>);

impl<F: FnOnce(i32)> CountOnDrop<F> {
    fn end(&mut self, code: i32) {
        if let Some(count) = self.0.take() {
            count(code);
        }
    }
}

impl<F: FnOnce(i32)> Drop for CountOnDrop<F> {
    fn drop(&mut self) {
        self.end(codes::UNKNOWN);
    }
}
