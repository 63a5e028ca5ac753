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
use crate::{Error, Result, client::options::TRACEPARENT};

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

/// `00-TRACE-SPAN-FLAGS`, all in hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct TraceParent {
    trace: u128,
    span: u64,
    flags: u8,
}

impl TraceParent {
    const SAMPLED: u8 = 1;

    fn random() -> Self {
        Self {
            trace: fastrand::u128(1..),
            span: fastrand::u64(1..),
            flags: Self::SAMPLED,
        }
    }

    fn child(self) -> Self {
        let span = fastrand::u64(1..);
        Self { span, ..self }
    }

    /// `None` for what W3C says must be ignored. Versions to come may have more parts.
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let mut part = |digits: usize| {
            let part = parts.next()?;
            let is_hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
            (part.len() == digits && part.bytes().all(is_hex)).then_some(part)
        };
        let version = part(2)?;
        let trace = u128::from_str_radix(part(32)?, 16).ok()?;
        let span = u64::from_str_radix(part(16)?, 16).ok()?;
        let flags = u8::from_str_radix(part(2)?, 16).ok()?;
        let has_more = parts.next().is_some();
        let is_valid = version != "ff" && !(version == "00" && has_more) && trace != 0 && span != 0;
        is_valid.then_some(Self { trace, span, flags })
    }
}

impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { trace, span, flags } = self;
        write!(f, "00-{trace:032x}-{span:016x}-{flags:02x}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_w3c_takes_and_what_not() {
        let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let parent = TraceParent::parse(good).unwrap();
        assert_eq!(parent.to_string(), good);
        let child = parent.child();
        assert_eq!((child.trace, child.flags), (parent.trace, 1));
        assert_ne!(child.span, parent.span);
        let newer = good.replacen("00", "01", 1) + "-more";
        assert_eq!(TraceParent::parse(&newer), Some(parent));
        for bad in [
            "",
            "00",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-+1",
        ] {
            assert_eq!(TraceParent::parse(bad), None, "{bad}");
        }
    }
}
