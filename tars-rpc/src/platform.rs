//! The Tars platform as a server and a client meet it.
//!
//! [`Platform`] tells it what a server does, and is told by it: heartbeats, [statistics](stat),
//! [properties](property), [messages](notifier), [config files](remote_config), [commands](admin), and logs
//! (`logs`, with feature `log`). `docs/platform.md` is the guide.
//!
//! Below that are proxies of the platform's servants, and traits to stand in for them:
//!
//! | servant | usual name | client | what it is |
//! |---|---|---|---|
//! | [`QueryF`] | `tars.tarsregistry.QueryObj` | [`QueryFServant`] | registry: where objects are |
//! | [`ServerF`] | `tars.tarsnode.ServerObj` | [`ServerFServant`] | node: starts, watches and stops servers |
//! | [`Config`] | `tars.tarsconfig.ConfigObj` | [`ConfigServant`] | config files |
//! | [`StatF`] | `tars.tarsstat.StatObj` | [`StatFServant`] | statistics of calls |
//! | [`PropertyF`] | `tars.tarsproperty.PropertyObj` | [`PropertyFServant`] | properties of servers |
//! | [`Notify`] | `tars.tarsnotify.NotifyObj` | [`NotifyServant`] | messages for operators |
//! | [`Log`] | `tars.tarslog.LogObj` | [`LogServant`] | remote log files |
//! | [`AdminF`] | `AdminObj` | [`AdminFServant`] | what every server offers to its node |
//!
//! All of it is generated from `tars/platform/*.tars`. The documentation of the functions says what the platform
//! itself answers.
//!
//! ```no_run
//! use tars_rpc::{Communicator, Result, platform::QueryFServant};
//!
//! # async fn run() -> Result<()> {
//! let registry = Communicator::new()
//!     .string_to_proxy("tars.tarsregistry.QueryObj@tcp -h 127.0.0.1 -p 17890 -t 60000")?;
//! for endpoint in QueryFServant::new(registry).find_object_by_id("PHPTest.PHPServer.obj").await? {
//!     println!("{}:{}", endpoint.host, endpoint.port);
//! }
//! # Ok(()) }
//! ```

mod adapters;
pub mod admin;
mod identity;
mod level;
#[cfg(feature = "log")]
pub mod logs;
mod node;
pub mod notifier;
pub mod property;
pub mod remote_config;
mod runtime;
mod servant;
pub mod stat;
mod status;

pub use adapters::LiveAdapter;
pub use level::LevelControl;
pub use runtime::{Platform, PlatformBuilder};
pub use servant::tars::platform::obj::classes::tars::*;
pub use servant::tars::platform::obj::*;
