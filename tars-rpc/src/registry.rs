//! Where servants are: the registry, and what stands in for it when it is away.
//!
//! A proxy of a bare name (`App.Server.Obj`) asks a [`Resolver`] for the servant's endpoints, at its first call and
//! then every [`Config::refresh`](crate::client::Config::refresh), in the background: no call waits for that once a
//! list is known. The resolver of a communicator with a
//! [locator](crate::CommunicatorBuilder::locator) asks the registry of the Tars platform; an application can bring
//! another one.
//!
//! The last good list stays: when the registry cannot be asked, and when it suddenly knows no active endpoint, as
//! in the first seconds after a restart. A [cache](crate::CommunicatorBuilder::cache) on disk keeps it for the next
//! start of the program. A servant of which nothing is known yet is looked for when a call wants it, and that call
//! waits for the answer, up to its deadline.

use std::{fmt, future::Future, pin::Pin, sync::Arc};

use crate::{Endpoint, Result};

mod cache;
mod finder;
mod locator;

pub use locator::Locator;

pub(crate) use cache::Cache;
pub(crate) use finder::Finder;

/// What to find.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Query {
    /// `App.Server.Obj`.
    pub object: Arc<str>,
}

/// The endpoints of a servant.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Resolved {
    /// Those to call. None: the servant is not known, or none of its servers is up.
    pub active: Vec<Endpoint>,
    /// Those that are known, but not up.
    pub inactive: Vec<Endpoint>,
}

/// The search for a servant.
pub type Resolving = Pin<Box<dyn Future<Output = Result<Resolved>> + Send>>;

/// Finds servants by their names.
///
/// ```
/// use std::sync::Arc;
/// use tars_rpc::{Communicator, registry::{Query, Resolved, Resolver, Resolving}};
///
/// /// Everything is on one machine.
/// #[derive(Debug)]
/// struct OneMachine;
///
/// impl Resolver for OneMachine {
///     fn resolve(&self, _: Query) -> Resolving {
///         Box::pin(async {
///             let active = vec!["tcp -h 10.0.0.7 -p 15380".parse()?];
///             Ok(Resolved { active, ..Resolved::default() })
///         })
///     }
/// }
///
/// let communicator = Communicator::builder().resolver(OneMachine).build();
/// let proxy = communicator.string_to_proxy("PHPTest.PHPServer.obj")?;
/// # Ok::<(), tars_rpc::Error>(())
/// ```
pub trait Resolver: fmt::Debug + Send + Sync + 'static {
    /// Asks once. An error leaves what was known before; the question comes again.
    fn resolve(&self, query: Query) -> Resolving;
}
