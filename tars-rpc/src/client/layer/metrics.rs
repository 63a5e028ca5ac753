//! Numbers for the `metrics` crate.

use std::task::{Context, Poll};

use metrics::{Label, SharedString, counter, gauge, histogram};
use tower_layer::Layer;
use tower_service::Service;

use super::{CallRequest, CallService, Calling};
use crate::{Error, Result, net::now};

/// Counts and times calls, for whatever recorder the program has installed with the
/// [metrics](https://docs.rs/metrics) crate.
///
/// | metric | labels | what |
/// |---|---|---|
/// | counter `tars_client_calls_total` | `servant`, `func`, `code` | calls that have ended, also those that were given up (`abandoned`) |
/// | histogram `tars_client_call_seconds` | `servant`, `func` | how long they took |
/// | gauge `tars_client_calls_in_flight` | `servant` | calls under way |
///
/// ```
/// use tars_rpc::{Communicator, client::layer::Metrics};
///
/// let communicator = Communicator::builder().layer(Metrics).build();
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct Metrics;

impl Layer<CallService> for Metrics {
    type Service = Metered;

    fn layer(&self, inner: CallService) -> Metered {
        Metered(inner)
    }
}

/// The service that [`Metrics`] makes.
#[derive(Debug, Clone)]
pub struct Metered(CallService);

impl Service<CallRequest> for Metered {
    type Response = super::Reply;
    type Error = Error;
    type Future = Calling;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: CallRequest) -> Calling {
        let mut measured = Measured::new(&request);
        let call = self.0.call(request);
        Box::pin(async move {
            let result = call.await;
            measured.ended(&result);
            result
        })
    }
}

/// A call under way. It counts when it is dropped, however it ends.
struct Measured {
    began: std::time::Instant,
    servant: SharedString,
    func: &'static str,
    code: SharedString,
}

impl Measured {
    fn new(request: &CallRequest) -> Self {
        let servant = SharedString::from_shared(std::sync::Arc::clone(request.servant()));
        gauge!("tars_client_calls_in_flight", "servant" => servant.clone()).increment(1);
        Self {
            began: now(),
            servant,
            func: request.func(),
            code: "abandoned".into(),
        }
    }

    fn ended<T>(&mut self, result: &Result<T>) {
        self.code = match result {
            Ok(_) => "0".into(),
            Err(error) => error.code().to_string().into(),
        };
    }
}

impl Drop for Measured {
    fn drop(&mut self) {
        let servant = Label::new("servant", self.servant.clone());
        let func = Label::new("func", self.func);
        gauge!("tars_client_calls_in_flight", vec![servant.clone()]).decrement(1);
        let seconds = now().saturating_duration_since(self.began).as_secs_f64();
        histogram!(
            "tars_client_call_seconds",
            vec![servant.clone(), func.clone()]
        )
        .record(seconds);
        let code = Label::new("code", self.code.clone());
        counter!("tars_client_calls_total", vec![servant, func, code]).increment(1);
    }
}
