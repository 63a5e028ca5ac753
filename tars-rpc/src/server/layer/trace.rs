//! Spans for requests.

use std::task::{Context, Poll};

use tower_layer::Layer;
use tower_service::Service;
use tracing::{Instrument, Span, field::Empty, info_span};

use crate::{
    Error, Result,
    server::{
        Dispatch, Reply, Request,
        layer::{self, BoxError},
    },
    trace_parent::{TRACEPARENT, TraceParent},
};

/// A layer that runs each request in a span `tars.request` of level INFO.
///
/// | field | is |
/// |---|---|
/// | `servant`, `func`, `adapter`, `peer` | of the request |
/// | `trace_id`, `parent_id` | of the entry `traceparent` in the request's context, the form in which [W3C Trace Context](https://www.w3.org/TR/trace-context/) passes them on |
/// | `dyeing_key` | of a dyed request |
/// | `code` | the return code of a request that failed |
#[derive(Debug, Clone, Copy, Default)]
pub struct Trace(());

impl Trace {
    /// The layer.
    pub fn new() -> Self {
        Self(())
    }
}

impl<S> Layer<S> for Trace {
    type Service = Traced<S>;

    fn layer(&self, inner: S) -> Traced<S> {
        Traced(inner)
    }
}

/// The service of [`Trace`].
#[derive(Debug, Clone)]
pub struct Traced<S>(S);

impl<S> Service<Request> for Traced<S>
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

    fn call(&mut self, request: Request) -> Self::Future {
        let span = span(&request);
        let call = span.in_scope(|| self.0.call(request));
        Box::pin(
            async move {
                let result = call.await.map_err(layer::error);
                if let Err(error) = &result {
                    Span::current().record("code", error.code());
                }
                result
            }
            .instrument(span),
        )
    }
}

fn span(request: &Request) -> Span {
    let cx = request.context();
    let span = info_span!(
        "tars.request",
        servant = cx.servant(),
        func = cx.func(),
        adapter = cx.adapter(),
        peer = %cx.peer(),
        trace_id = Empty,
        parent_id = Empty,
        dyeing_key = Empty,
        code = Empty,
    );
    if span.is_disabled() {
        return span;
    }
    let traceparent = cx.context().get(TRACEPARENT);
    if let Some((trace, parent)) = traceparent.and_then(|text| ids(text)) {
        span.record("trace_id", trace);
        span.record("parent_id", parent);
    }
    if let Some(key) = cx.dyeing_key() {
        span.record("dyeing_key", key);
    }
    span
}

/// Trace and parent, in hexadecimal digits.
fn ids(traceparent: &str) -> Option<(String, String)> {
    let TraceParent { trace, span, .. } = TraceParent::parse(traceparent)?;
    Some((format!("{trace:032x}"), format!("{span:016x}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ids_of_a_traceparent() {
        let (trace, parent) = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");
        assert_eq!(
            ids(&format!("00-{trace}-{parent}-01")),
            Some((trace.to_owned(), parent.to_owned()))
        );
        assert_eq!(
            ids(&format!("cc-{trace}-{parent}-01-more")),
            Some((trace.to_owned(), parent.to_owned()))
        );
        for wrong in [
            String::new(),
            format!("ff-{trace}-{parent}-01"),
            format!("00-{trace}"),
            format!("00-{}-{parent}-01", "0".repeat(32)),
            format!("00-{trace}-{}-01", "0".repeat(16)),
            format!("00-{}-{parent}-01", trace.to_uppercase()),
        ] {
            assert_eq!(ids(&wrong), None, "{wrong}");
        }
    }
}
