//! A handler that cannot take its connection down with it.

use std::{
    any::Any,
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    task::{Context, Poll, Waker},
};

use super::{Dispatch, Reply, Request, Servant};
use crate::Result;

/// The handler panicked; what it said.
#[derive(Debug)]
pub(crate) struct Panicked(pub(crate) String);

/// What became of a handler.
pub(crate) type Outcome = Result<Result<Reply>, Panicked>;

/// A running handler, whose panics are caught.
pub(crate) struct Handler(Option<Dispatch>);

impl Handler {
    /// Calls the servant.
    pub(crate) fn start(servant: &dyn Servant, request: Request) -> Result<Self, Panicked> {
        match catch_unwind(AssertUnwindSafe(|| servant.dispatch(request))) {
            Ok(dispatch) => Ok(Self(Some(dispatch))),
            Err(payload) => Err(Panicked(message(&*payload))),
        }
    }

    /// Runs it up to its first wait. If it has one, a task has to go on with it, which polls it at once and so
    /// registers the waker that is missing here.
    pub(crate) fn run_inline(mut self) -> Result<Outcome, Self> {
        match Pin::new(&mut self).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(outcome) => Ok(outcome),
            Poll::Pending => Err(self),
        }
    }
}

impl Future for Handler {
    type Output = Outcome;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Outcome> {
        let Some(mut dispatch) = self.0.take() else {
            return Poll::Ready(Err(Panicked("polled after its end".to_owned())));
        };
        // The future is dropped in here, too: its drop may panic as well.
        let polled = catch_unwind(AssertUnwindSafe(|| match dispatch.as_mut().poll(cx) {
            Poll::Ready(result) => Ok(result),
            Poll::Pending => Err(dispatch),
        }));
        match polled {
            Ok(Ok(result)) => Poll::Ready(Ok(result)),
            Ok(Err(dispatch)) => {
                self.0 = Some(dispatch);
                Poll::Pending
            }
            Err(payload) => Poll::Ready(Err(Panicked(message(&*payload)))),
        }
    }
}

fn message(payload: &(dyn Any + Send)) -> String {
    if let Some(text) = payload.downcast_ref::<&str>() {
        (*text).to_owned()
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text.clone()
    } else {
        "a panic without text".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use tars_codec::RequestPacket;

    use super::*;
    use crate::{
        Version,
        server::{Adapter, adapter::Shared, link::Link, request::Origin},
    };

    struct Scripted(fn() -> Dispatch);

    impl Servant for Scripted {
        fn dispatch(&self, _: Request) -> Dispatch {
            (self.0)()
        }
    }

    fn run(script: fn() -> Dispatch) -> Result<String, Panicked> {
        let shared = Shared::new(Adapter::new("test"), &Arc::default(), |servant| servant);
        let origin = Origin {
            link: Arc::new(Link::new(Arc::new(shared.unwrap()))),
            serial: 1,
            peer: ([127, 0, 0, 1], 1).into(),
            deadline: None,
            waited: Duration::ZERO,
        };
        let request = Request::new(RequestPacket::default(), Version::Tars, origin).unwrap();
        let handler = Handler::start(&Scripted(script), request)?;
        match handler.run_inline() {
            Ok(outcome) => outcome.map(|result| result.unwrap_err().to_string()),
            Err(_) => Ok("pending".to_owned()),
        }
    }

    fn fail() -> Result<Reply> {
        Err(crate::Error::new(1, "failed"))
    }

    struct PanicsInDrop;

    impl Drop for PanicsInDrop {
        fn drop(&mut self) {
            panic!("in drop");
        }
    }

    #[test]
    fn runs_up_to_the_first_wait() {
        assert_eq!(run(|| Box::pin(async { fail() })).unwrap(), "failed");
        let waits: fn() -> Dispatch = || Box::pin(std::future::pending());
        assert_eq!(run(waits).unwrap(), "pending");
    }

    #[test]
    fn panics_are_caught_wherever_they_are() {
        for (script, text) in [
            (
                (|| panic!("in dispatch")) as fn() -> Dispatch,
                "in dispatch",
            ),
            (|| Box::pin(async { panic!("in {}", "poll") }), "in poll"),
            (
                || Box::pin(async { std::panic::panic_any(7) }),
                "a panic without text",
            ),
        ] {
            assert_eq!(run(script).unwrap_err().0, text);
        }
        let in_drop: fn() -> Dispatch = || {
            let guard = PanicsInDrop;
            Box::pin(async move {
                let _guard = &guard;
                fail()
            })
        };
        assert_eq!(run(in_drop).unwrap_err().0, "in drop");
    }
}
