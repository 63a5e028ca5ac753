//! Who is told of calls.

use std::{fmt, time::Duration};

use crate::Endpoint;

/// Is told of each call of a communicator that has ended, at each endpoint that it was tried at.
///
/// [`Communicator::observe`](crate::Communicator::observe) sets it. It runs in the task of the caller, so it should
/// be quick. Calls that their caller gives up are not told.
pub trait CallObserver: fmt::Debug + Send + Sync + 'static {
    /// A call has ended.
    fn call_ended(&self, call: &EndedCall<'_>);
}

/// A call that has ended.
#[derive(Debug, Clone, Copy)]
pub struct EndedCall<'a> {
    /// Name of the servant.
    pub servant: &'a str,
    /// Name of the function.
    pub func: &'a str,
    /// Where it was called.
    pub endpoint: &'a Endpoint,
    /// How long it took.
    pub elapsed: Duration,
    /// The Tars return code: `iRet` of the answer, or that of the [error](crate::Error::code).
    pub code: i32,
    /// Whether no answer was wanted.
    pub is_oneway: bool,
}
