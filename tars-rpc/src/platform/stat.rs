//! Statistics of calls: how many, how long, and how they ended.
//!
//! ```text
//! calls -> Recorder (in shards, cheap) -> StatStore (merged) -> Reporter -> tars.tarsstat.StatObj
//! ```
//!
//! A [`Recorder`] is told of each call. At the end of each `report-interval` what it has goes to a [`StatStore`], and
//! from there to the platform. A report that cannot be sent goes back to the store and is merged into the next.

mod body;
mod layer;
mod recorder;
#[cfg(feature = "redis")]
mod redis;
mod reporter;
mod store;
mod times;

pub use body::{BOUNDS, add};
pub use layer::{Counted, StatLayer};
pub use recorder::Recorder;
#[cfg(feature = "redis")]
pub use redis::{RedisStatConfig, RedisStatStore};
pub(crate) use reporter::Reporter;
pub use store::{Entry, MemoryStatStore, Side, StatFuture, StatStore, StoreError};
pub(crate) use times::Times;
