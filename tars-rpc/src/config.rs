//! The config file that `tarsnode` writes for a server, and any other file of its format.
//!
//! [`Document`] is a file as it is written; it can be changed and written back. [`ApplicationConfig`] is what the
//! platform's keys in it mean: checked, with defaults, and with all that is unknown listed.
//!
//! ```
//! use tars_rpc::config::{ApplicationConfig, Document};
//!
//! let document = Document::parse_named(
//!     "PHPTest.PHPServer.config.conf",
//!     "<tars>
//!   <application>
//!     <server>
//!       app=PHPTest
//!       server=PHPServer
//!       logsize=10M
//!       <PHPTest.PHPServer.objAdapter>
//!         endpoint=tcp -h 127.0.0.1 -p 22001 -t 60000
//!         servant=PHPTest.PHPServer.obj
//!       </PHPTest.PHPServer.objAdapter>
//!     </server>
//!     <client>
//!       sync-invoke-timeout=soon
//!     </client>
//!   </application>
//! </tars>
//! ",
//! )?;
//! let error = ApplicationConfig::new(&document).unwrap_err();
//! assert_eq!(
//!     error.to_string(),
//!     "PHPTest.PHPServer.config.conf:13:27: `sync-invoke-timeout` must be a number of milliseconds from 1 to \
//!      2147483647, not `soon`
//!     |       sync-invoke-timeout=soon
//!     |                           ^^^^",
//! );
//!
//! let mut document = document;
//! document.set("/tars/application/client<sync-invoke-timeout>", "2000")?;
//! let config = ApplicationConfig::new(&document)?;
//! let server = config.server.expect("it has a <server>");
//! assert_eq!((server.log_size, server.adapters[0].endpoint.port), (10 << 20, 22001));
//! # Ok::<(), tars_rpc::config::ConfigError>(())
//! ```

mod application;
mod client;
mod document;
mod edit;
mod error;
mod parse;
mod section;
mod server;
mod values;

pub use application::{ApplicationConfig, Key};
pub use client::ClientConfig;
pub use document::{Block, Document, Entry};
pub use error::{ConfigError, Fault};
pub use server::{AdapterConfig, ServerConfig};
pub use values::{Credentials, LogLevel, Protocol, SetDivision, TlsConfig};
