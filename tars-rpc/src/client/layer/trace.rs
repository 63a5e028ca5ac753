//! A span for each call, and the trace context of W3C.

use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
};

use tower_layer::Layer;
use tower_service::Service;
use tracing::{Instrument, field::Empty, info_span};

use super::{CallRequest, CallService, Calling};
use crate::{
    Error, Result,
    trace_parent::{TRACEPARENT, TraceParent},
};

/// Makes a [`tracing`] span of each call, and tells the server the trace that it belongs to.
///
/// The span is called `tars.call`; its fields are those of OpenTelemetry (`otel.kind`, `rpc.system`, `rpc.service`,
/// `rpc.method`), `trace_id` and `span_id`, and at its end `code`, with `error` if the call failed.
///
/// What the server gets is the entry `traceparent` of the call's context, as
/// [W3C](https://www.w3.org/TR/trace-context/) defines it. The trace is the first of these that there is:
/// what [`parent`](Self::parent) says, what the call's context says already, as after
/// [`CallOptions::inherit`](crate::client::CallOptions::inherit), and a new one.
///
/// ```
/// use tars_rpc::{Communicator, client::layer::Trace};
///
/// let communicator = Communicator::builder().layer(Trace::new()).build();
/// ```
#[derive(Clone, Default)]
pub struct Trace {
    parent: Option<Arc<dyn Fn() -> Option<String> + Send + Sync>>,
}

impl Trace {
    /// With the trace of the call's context.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks this function for the `traceparent` of what makes the call: for programs that keep it in a place of
    /// their own, as the OpenTelemetry SDK does.
    #[must_use]
    pub fn parent(mut self, parent: impl Fn() -> Option<String> + Send + Sync + 'static) -> Self {
        self.parent = Some(Arc::new(parent));
        self
    }
}

impl fmt::Debug for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trace").finish_non_exhaustive()
    }
}

impl Layer<CallService> for Trace {
    type Service = Traced;

    fn layer(&self, inner: CallService) -> Traced {
        Traced {
            trace: self.clone(),
            inner,
        }
    }
}

/// The service that [`Trace`] makes.
#[derive(Debug, Clone)]
pub struct Traced {
    trace: Trace,
    inner: CallService,
}

impl Service<CallRequest> for Traced {
    type Response = super::Reply;
    type Error = Error;
    type Future = Calling;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: CallRequest) -> Calling {
        let (context, _) = request.options().attributes();
        let told = self.trace.parent.as_ref().and_then(|parent| parent());
        let parent = told.as_deref().and_then(TraceParent::parse);
        let inherited = || {
            context
                .get(TRACEPARENT)
                .and_then(|text| TraceParent::parse(text))
        };
        let own = match parent.or_else(inherited) {
            Some(parent) => parent.child(),
            None => TraceParent::random(),
        };
        let span = info_span!(
            "tars.call",
            otel.kind = "client",
            rpc.system = "tars",
            rpc.service = &**request.servant(),
            rpc.method = request.func(),
            trace_id = format_args!("{:032x}", own.trace),
            span_id = format_args!("{:016x}", own.span),
            code = Empty,
            error = Empty,
        );
        request.change_options(|options| options.context(TRACEPARENT, own.to_string()));
        let call = self.inner.call(request);
        let call = async move {
            let result = call.await;
            let span = tracing::Span::current();
            match &result {
                Ok(_) => span.record("code", 0),
                Err(error) => span
                    .record("code", error.code())
                    .record("error", tracing::field::display(error)),
            };
            result
        };
        Box::pin(call.instrument(span))
    }
}
