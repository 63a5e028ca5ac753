//! What a server serves.

use std::{collections::BTreeMap, fmt, future::Future, pin::Pin, sync::Arc};

use super::{Reply, Request};
use crate::{Error, Result};

/// Runs the functions of an interface. `tars2rs` writes the implementation (`XServer`).
pub trait Servant: Send + Sync + 'static {
    /// Begins to run the function that the request names.
    ///
    /// The future is polled once where the request was read, so what comes before its first wait should be short.
    /// It always runs to its end, whether its caller still waits or not, unless the server's time to drain is over.
    fn dispatch(&self, request: Request) -> Dispatch;
}

impl<S: Servant + ?Sized> Servant for Arc<S> {
    fn dispatch(&self, request: Request) -> Dispatch {
        (**self).dispatch(request)
    }
}

/// A function that runs. A panic in it is answered with [`UNKNOWN`](crate::codes::UNKNOWN).
pub type Dispatch = Pin<Box<dyn Future<Output = Result<Reply>> + Send>>;

/// Servants by name. They are few, so that comparing is quicker than hashing.
#[derive(Clone, Default)]
pub(super) struct Servants(BTreeMap<String, Arc<dyn Servant>>);

impl Servants {
    pub(super) fn add(&mut self, name: String, servant: Arc<dyn Servant>) -> Result<()> {
        if self.0.contains_key(&name) {
            return Err(Error::DuplicateServant(name));
        }
        self.0.insert(name, servant);
        Ok(())
    }

    pub(super) fn get(&self, name: &str) -> Option<&Arc<dyn Servant>> {
        self.0.get(name)
    }
}

impl fmt::Debug for Servants {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
