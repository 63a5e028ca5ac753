//! Numbers for the `metrics` crate.

use std::{
    task::{Context, Poll},
    time::Instant,
};

use metrics::{Label, SharedString, counter, gauge, histogram};
use tower_layer::Layer;
use tower_service::Service;

use crate::{
    Error, Result, codes,
    net::now,
    server::{
        Dispatch, Reply, Request,
        layer::{self, BoxError},
    },
};

/// The function of requests for one that does not exist. What callers invent must not make a time series each.
const UNKNOWN: &str = "unknown";

/// Counts and times requests, for whatever recorder the program has installed with the
/// [metrics](https://docs.rs/metrics) crate.
///
/// | metric | labels | what |
/// |---|---|---|
/// | counter `tars_server_requests_total` | `servant`, `func`, `code` | requests whose handlers have ended, also those that were cut off by the end of the server (`abandoned`) |
/// | histogram `tars_server_request_seconds` | `servant`, `func` | how long they took |
/// | gauge `tars_server_requests_in_flight` | `servant` | requests that run |
///
/// Functions that the servant does not have are `unknown`. What never reaches a handler (no such servant, a full queue)
/// is counted by [`Stats`](crate::server::Stats).
///
/// ```
/// use tars_rpc::server::{Server, layer::Metrics};
///
/// let builder = Server::builder().layer(Metrics);
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct Metrics;

impl<S> Layer<S> for Metrics {
    type Service = Metered<S>;

    fn layer(&self, inner: S) -> Metered<S> {
        Metered(inner)
    }
}

/// The service of [`Metrics`].
#[derive(Debug, Clone)]
pub struct Metered<S>(S);

impl<S> Service<Request> for Metered<S>
where
    S: Service<Request, Response = Reply>,
    S::Error: Into<BoxError>,
    S::Future: Send + 'static,
{
    type Response = Reply;
    type Error = Error;
    type Future = Dispatch;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        self.0.poll_ready(cx).map_err(layer::error)
    }

    fn call(&mut self, request: Request) -> Dispatch {
        let mut measured = Measured::new(&request);
        let call = self.0.call(request);
        Box::pin(async move {
            let result = call.await.map_err(layer::error);
            measured.ended(&result);
            result
        })
    }
}

/// A request that runs. It counts when it is dropped, however it ends.
struct Measured {
    began: Instant,
    servant: SharedString,
    func: SharedString,
    code: SharedString,
}

impl Measured {
    fn new(request: &Request) -> Self {
        let cx = request.context();
        let servant = SharedString::from(cx.servant().to_owned());
        gauge!("tars_server_requests_in_flight", "servant" => servant.clone()).increment(1);
        Self {
            began: now(),
            servant,
            func: cx.func().to_owned().into(),
            code: "abandoned".into(),
        }
    }

    fn ended<T>(&mut self, result: &Result<T>) {
        let code = result.as_ref().map_or_else(Error::code, |_| codes::OK);
        if code == codes::NO_FUNCTION {
            self.func = UNKNOWN.into();
        }
        self.code = code.to_string().into();
    }
}

impl Drop for Measured {
    fn drop(&mut self) {
        let servant = Label::new("servant", self.servant.clone());
        let func = Label::new("func", self.func.clone());
        gauge!("tars_server_requests_in_flight", vec![servant.clone()]).decrement(1);
        let seconds = now().saturating_duration_since(self.began).as_secs_f64();
        let labels = vec![servant.clone(), func.clone()];
        histogram!("tars_server_request_seconds", labels).record(seconds);
        let code = Label::new("code", self.code.clone());
        counter!("tars_server_requests_total", vec![servant, func, code]).increment(1);
    }
}
