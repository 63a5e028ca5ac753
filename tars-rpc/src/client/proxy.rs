//! The proxy of a servant.

use std::{
    fmt, mem,
    sync::{Arc, Mutex, PoisonError},
};

use tars_codec::Attributes;
use tower_layer::Layer;

use super::{
    Args, CallOptions, EndpointStatus, Pushes, Reply, Target,
    connection::Body,
    layer::{CallRequest, CallService, MakesCalls},
};
use crate::{Call, Error, Result};

/// A servant somewhere else. Cheap to clone, and to be shared by tasks.
///
/// Generated clients (`XServant`) have one; so can code that knows function names and parameters by itself. Calls
/// through one proxy run at the same time, and may end in any order. With several endpoints, each call goes to the
/// one that [`Config::balance`](super::Config::balance) or the call's hash says; one that does not answer is passed
/// over ([`Config::health`](super::Config::health)).
///
/// ```no_run
/// use std::time::Duration;
/// use tars_rpc::{Communicator, Result, client::CallOptions};
///
/// # async fn run() -> Result<()> {
/// let proxy = Communicator::new().string_to_proxy("PHPTest.PHPServer.obj@tcp -h 127.0.0.1 -p 15380")?;
/// let hasty = proxy.with(CallOptions::new().timeout(Duration::from_millis(200)));
/// hasty.call("tars_ping", |_| {}).await?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct ServantProxy {
    target: Arc<Target>,
    options: Arc<CallOptions>,
    layers: Option<CallService>,
    /// Where the context of each answer is left, for [`with_response_context`](Self::with_response_context).
    context: Option<Arc<Mutex<Attributes>>>,
}

impl ServantProxy {
    pub(crate) fn new(target: Arc<Target>) -> Self {
        Self {
            target,
            options: Arc::default(),
            layers: None,
            context: None,
        }
    }

    /// The name of the servant.
    pub fn servant(&self) -> &str {
        self.target.servant()
    }

    /// The options of its calls.
    pub fn options(&self) -> &CallOptions {
        &self.options
    }

    /// The same servant with other options for its calls; those of `self` are not kept.
    /// `proxy.with(proxy.options().clone().timeout(..))` keeps them.
    #[must_use]
    pub fn with(&self, options: CallOptions) -> Self {
        Self {
            target: Arc::clone(&self.target),
            options: Arc::new(options),
            ..self.clone()
        }
    }

    /// The same servant with a layer around its calls, and around the layers that there are already.
    ///
    /// ```
    /// use tars_rpc::{Communicator, client::layer::RateLimit};
    ///
    /// let proxy = Communicator::new().string_to_proxy("App.Server.obj@tcp -h 127.0.0.1 -p 15380")?;
    /// let seldom = proxy.layer(&RateLimit::per_second(10));
    /// # Ok::<(), tars_rpc::Error>(())
    /// ```
    #[must_use]
    pub fn layer(&self, layer: &impl Layer<CallService, Service: MakesCalls>) -> Self {
        self.layered(|inner| inner.within(layer))
    }

    pub(crate) fn layered(&self, layer: impl FnOnce(CallService) -> CallService) -> Self {
        let layers = self.layers.clone();
        let innermost = || CallService::innermost(Arc::clone(&self.target));
        Self {
            layers: Some(layer(layers.unwrap_or_else(innermost))),
            ..self.clone()
        }
    }

    /// Where the servant is, as far as that is known, and which of its endpoints get calls.
    pub fn endpoints(&self) -> Vec<EndpointStatus> {
        self.target.endpoints()
    }

    /// What the servers of this servant send by themselves from now on, on connections that calls have made: a servant
    /// mostly has a function that asks for it.
    ///
    /// ```no_run
    /// use tars_rpc::{Result, client::{PushEvent, ServantProxy}};
    ///
    /// async fn follow(proxy: ServantProxy) -> Result<()> {
    ///     let mut pushes = proxy.pushes();
    ///     proxy.call("subscribe", |_| {}).await?;
    ///     while let Some(event) = pushes.recv().await {
    ///         match event {
    ///             PushEvent::Message(push) => println!("{:?}: {:?}", push.func(), push.body()),
    ///             _ => drop(proxy.call("subscribe", |_| {}).await?), // disconnected
    ///         }
    ///     }
    ///     Ok(())
    /// }
    /// ```
    pub fn pushes(&self) -> Pushes {
        self.target.subscribe()
    }

    /// Calls a function. `args` is run once, at the first poll.
    ///
    /// Dropping the future gives the call up: nobody waits for its answer any more, but the servant may run it.
    /// Must be called within a tokio runtime, whose end is the end of the connection.
    ///
    /// A call that was surely not run ([`Error::is_not_run`]) is tried at other endpoints, if there are any, as often
    /// as [`Config::retries`](super::Config::retries) says. One that may have been run is so only if it is
    /// [idempotent](CallOptions::idempotent).
    ///
    /// # Errors
    /// No connection, no answer in time, a full queue, or an answer that says that the call failed.
    pub async fn call(&self, func: &'static str, args: impl FnOnce(&mut Args)) -> Result<Reply> {
        let call = Call {
            servant: Arc::clone(self.target.servant()),
            func,
        };
        let mut encoded = Args::new(self.options.protocol());
        args(&mut encoded);
        let body = match encoded.finish() {
            Ok(body) => body,
            Err(source) => return Err(Error::Encode { call, source }),
        };
        if let Some(layers) = &self.layers {
            let request = CallRequest {
                call,
                options: Arc::clone(&self.options),
                body: body.into(),
            };
            let reply = layers.make(request).await?;
            self.keep_context(&reply);
            return Ok(reply);
        }
        let body = Body::Owned(body);
        let answer = self.target.call(&call, &self.options, body).await?;
        let reply = Reply::new(call, self.options.protocol(), answer)?;
        self.keep_context(&reply);
        Ok(reply)
    }

    /// What calls give, and the context that the servant has set with its answer: of several calls, the last one's.
    /// Whoever calls by a [`Reply`] has it there.
    ///
    /// Generated clients have the same, for calls of their methods.
    ///
    /// # Errors
    /// Those of the calls.
    pub async fn with_response_context<T>(
        &self,
        calls: impl AsyncFnOnce(Self) -> Result<T>,
    ) -> Result<(T, Attributes)> {
        let context = Arc::<Mutex<Attributes>>::default();
        let proxy = Self {
            context: Some(Arc::clone(&context)),
            ..self.clone()
        };
        let value = calls(proxy).await?;
        let context = mem::take(&mut *context.lock().unwrap_or_else(PoisonError::into_inner));
        Ok((value, context))
    }

    fn keep_context(&self, reply: &Reply) {
        if let Some(context) = &self.context {
            let mut context = context.lock().unwrap_or_else(PoisonError::into_inner);
            context.clone_from(reply.context());
        }
    }
}

impl fmt::Debug for ServantProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServantProxy")
            .field("servant", &self.servant())
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
