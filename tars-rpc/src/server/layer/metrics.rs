//! Numbers for the `metrics` crate.

use std::{
    collections::HashSet,
    mem,
    sync::{Arc, PoisonError, RwLock},
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
/// Functions of a servant that have a label.
const MAX_FUNCS: usize = 1024;
/// While there are fewer, those get one that have only failed. A layer may refuse requests before anybody knows whether
/// there are their functions, with an error that cannot be told from the servant's: invented names must leave room.
const MAX_FAILED: usize = MAX_FUNCS / 2;
/// The longest of their names in bytes, as the platform has them.
const MAX_NAME: usize = 128;

/// Counts and times requests, for whatever recorder the program has installed with the
/// [metrics](https://docs.rs/metrics) crate.
///
/// | metric | labels | what |
/// |---|---|---|
/// | counter `tars_server_requests_total` | `servant`, `func`, `code` | requests whose handlers have ended, also those that were cut off by the end of the server (`abandoned`) |
/// | histogram `tars_server_request_seconds` | `servant`, `func` | how long they took |
/// | gauge `tars_server_requests_in_flight` | `servant` | requests that run |
///
/// Functions that the servant does not have are `unknown`, and so are those that have not run yet when a
/// [`RateLimit`](super::RateLimit) refuses them, those beyond the first 1,024 of a servant, or 512 if they have never
/// succeeded, and those with more than 128 bytes. What never reaches a handler (no such servant, a full queue) is counted by
/// [`Stats`](crate::server::Stats).
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
        Metered {
            inner,
            funcs: Arc::default(),
        }
    }
}

/// The service of [`Metrics`].
#[derive(Debug, Clone)]
pub struct Metered<S> {
    inner: S,
    funcs: Arc<Funcs>,
}

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
        self.inner.poll_ready(cx).map_err(layer::error)
    }

    fn call(&mut self, request: Request) -> Dispatch {
        let mut measured = Measured::new(&request, Arc::clone(&self.funcs));
        let call = self.inner.call(request);
        Box::pin(async move {
            let result = call.await.map_err(layer::error);
            measured.ended(&result);
            result
        })
    }
}

/// The functions of a servant that have a label.
#[derive(Debug, Default)]
struct Funcs(RwLock<HashSet<String>>);

impl Funcs {
    /// The label of a function that has ended.
    fn label(&self, func: String, code: Option<i32>) -> SharedString {
        let has_label = match code {
            Some(codes::NO_FUNCTION) => false,
            Some(codes::OVERLOAD) => self.has(&func, 0),
            Some(codes::OK) => self.has(&func, MAX_FUNCS),
            _ => self.has(&func, MAX_FAILED),
        };
        if has_label {
            func.into()
        } else {
            UNKNOWN.into()
        }
    }

    /// Whether a function has a label; it gets one if fewer than `max` have.
    fn has(&self, func: &str, max: usize) -> bool {
        if func.len() > MAX_NAME {
            return false;
        }
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if known.contains(func) {
            return true;
        }
        // Names that are invented must not make the others wait.
        if known.len() >= max {
            return false;
        }
        drop(known);
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() < max {
            known.insert(func.to_owned());
        }
        known.contains(func)
    }
}

/// A request that runs. It counts when it is dropped, however it ends.
struct Measured {
    began: Instant,
    servant: SharedString,
    func: String,
    funcs: Arc<Funcs>,
    /// Of its answer; `None` if there is none.
    code: Option<i32>,
}

impl Measured {
    fn new(request: &Request, funcs: Arc<Funcs>) -> Self {
        let cx = request.context();
        let servant = SharedString::from(cx.servant().to_owned());
        gauge!("tars_server_requests_in_flight", "servant" => servant.clone()).increment(1);
        Self {
            began: now(),
            servant,
            func: cx.func().to_owned(),
            funcs,
            code: None,
        }
    }

    fn ended<T>(&mut self, result: &Result<T>) {
        self.code = Some(result.as_ref().map_or_else(Error::code, |_| codes::OK));
    }
}

impl Drop for Measured {
    fn drop(&mut self) {
        let servant = Label::new("servant", self.servant.clone());
        let func = self.funcs.label(mem::take(&mut self.func), self.code);
        let func = Label::new("func", func);
        gauge!("tars_server_requests_in_flight", vec![servant.clone()]).decrement(1);
        let seconds = now().saturating_duration_since(self.began).as_secs_f64();
        let labels = vec![servant.clone(), func.clone()];
        histogram!("tars_server_request_seconds", labels).record(seconds);
        let code: SharedString = match self.code {
            Some(code) => code.to_string().into(),
            None => "abandoned".into(),
        };
        let code = Label::new("code", code);
        counter!("tars_server_requests_total", vec![servant, func, code]).increment(1);
    }
}
