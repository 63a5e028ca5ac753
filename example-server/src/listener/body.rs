//! The body of a request, and from when on its connection is busy.

use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use axum::body::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};

use super::slots::{Busy, Slot};

/// A body. Until it is dropped its connection idles, and gives way to others: a client can send it as slowly as it
/// likes. It is dropped by who has read it to its end, or does not want the rest of it.
pub(super) struct RequestBody {
    body: Incoming,
    slot: Arc<Slot>,
    busy: Arc<OnceLock<Busy>>,
}

impl RequestBody {
    /// The body of a request whose head has come. `busy` is to be kept until the request is answered.
    pub(super) fn new(body: Incoming, slot: &Arc<Slot>, busy: &Arc<OnceLock<Busy>>) -> Self {
        let now = Slot::busy(slot);
        if body.is_end_stream() {
            let _ = busy.set(now);
        } else {
            // It idles from now on, not since its last request.
            drop(now);
        }
        Self {
            body,
            slot: Arc::clone(slot),
            busy: Arc::clone(busy),
        }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        self.busy.get_or_init(|| Slot::busy(&self.slot));
    }
}
