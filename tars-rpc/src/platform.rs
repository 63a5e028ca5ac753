//! The Tars platform as a server and a client meet it: proxies of its servants, and traits to stand in for them.
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

mod servant;

pub use servant::tars::platform::obj::classes::tars::*;
pub use servant::tars::platform::obj::*;
