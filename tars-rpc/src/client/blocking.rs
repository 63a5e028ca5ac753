//! Calls from code that is not async.

use std::{fmt, future::Future, io};

use tokio::runtime::{Builder, Handle, Runtime};

use crate::{Error, Result};

/// Waits for calls in programs, or threads, that have no tokio runtime: it has one thread of its own, on which
/// connections live on between calls. A program has one, and shares it.
///
/// ```
/// use tars_rpc::{Communicator, client::Blocking};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let blocking = Blocking::new()?;
/// let proxy = Communicator::new().string_to_proxy("App.Server.obj@tcp -h 127.0.0.1 -p 9")?;
/// let result = blocking.run(proxy.call("tars_ping", |_| {}));
/// assert!(result.is_err(), "nobody is there");
/// # Ok(()) }
/// ```
///
/// The same for a generated client: `blocking.run(client.say_hello_world("ted"))?`.
///
/// Dropping it ends all calls and connections that it has run.
pub struct Blocking(Option<Runtime>);

impl Blocking {
    /// Starts the thread.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn new() -> io::Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("tars-client")
            .enable_all()
            .build()?;
        Ok(Self(Some(runtime)))
    }

    /// Waits for a call.
    ///
    /// # Errors
    /// That of the call, and [`Error::WithinRuntime`] on a thread of a tokio runtime, which must not be blocked:
    /// await the call there.
    pub fn run<T>(&self, call: impl Future<Output = Result<T>>) -> Result<T> {
        match &self.0 {
            Some(runtime) if Handle::try_current().is_err() => runtime.block_on(call),
            _ => Err(Error::WithinRuntime),
        }
    }
}

impl Drop for Blocking {
    fn drop(&mut self) {
        // To wait for the thread is not allowed everywhere; it has nothing to end in order.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl fmt::Debug for Blocking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Blocking")
    }
}
