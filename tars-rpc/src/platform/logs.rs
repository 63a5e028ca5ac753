//! Logs where Tars has them: files in `logpath/App/Server`, and lines that the platform gathers from all nodes.
//!
//! | log | local file | on the platform |
//! |---|---|---|
//! | [`TarsLog::layer`] | `App.Server.log`, rolled at `logsize`, of which `lognum` are kept (`App.Server1.log` ..) | |
//! | [`TarsLog::day`] | `App.Server_NAME_DATE.log` | the same, under `remote_app_log/App/Server` |
//!
//! ```no_run
//! use tars_rpc::{Communicator, config::ApplicationConfig, platform::{Platform, logs::{Rolling, TarsLog}}};
//! use tracing_subscriber::layer::SubscriberExt;
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let config = ApplicationConfig::read("/etc/App.Server.config.conf")?;
//! let log = TarsLog::open(config.server.as_ref().ok_or("no <server>")?)?;
//! tracing::subscriber::set_global_default(tracing_subscriber::registry().with(log.layer()))?;
//! let platform = Platform::builder(&config, &Communicator::new()).log(&log).start();
//!
//! let orders = log.day("orders", Rolling::Hour);
//! orders.write("4711|paid");
//! # Ok(()) }
//! ```
//!
//! Nobody waits for a disk or the platform: lines go through bounded queues, and those that do not fit are
//! [counted](TarsLog::lost).

mod day;
mod files;
mod layer;
mod remote;

use std::{io, sync::Arc};

use chrono::Local;

pub(crate) use self::remote::Sender;
pub use self::{
    day::{DayLog, Rolling},
    layer::LineLayer,
};
use self::{
    files::{Files, Target},
    remote::Queue,
};
use super::LevelControl;
use crate::{Counter, config::ServerConfig};

/// Bytes of a line. More are cut.
const MAX_LINE: usize = 16 << 10;

/// The logs of a server. Cheap to clone.
#[derive(Debug, Clone)]
pub struct TarsLog(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    control: LevelControl,
    files: Files,
    remote: Queue,
}

impl TarsLog {
    /// The logs of the server in this config. A thread writes the files from now on.
    ///
    /// # Errors
    /// The directory cannot be made, or the thread cannot be started.
    pub fn open(config: &ServerConfig) -> io::Result<Self> {
        Ok(Self(Arc::new(Inner {
            control: LevelControl::new(config.log_level),
            files: Files::open(config)?,
            remote: Queue::new(),
        })))
    }

    /// The level of the log.
    pub fn level(&self) -> &LevelControl {
        &self.0.control
    }

    /// A layer for `tracing` that writes `App.Server.log`: lines of
    /// `2026-11-23 01:01:26|THREAD|LEVEL|TARGET|text name=value`.
    pub fn layer(&self) -> LineLayer {
        let files = self.0.files.clone();
        LineLayer::new(self.0.control.clone(), move |line| {
            files.write(Target::Main, line);
        })
    }

    /// A log by day, hour or minute: `App.Server_NAME_DATE.log`.
    pub fn day(&self, name: impl Into<String>, rolling: Rolling) -> DayLog {
        DayLog::new(self.clone(), name.into(), rolling)
    }

    /// Lines that were lost, because a queue was full or a file could not be written.
    pub fn lost(&self) -> u64 {
        self.0.files.lost().get() + self.remote_lost().get()
    }

    pub(crate) fn remote_lost(&self) -> &Arc<Counter> {
        self.0.remote.lost()
    }

    /// Waits until what was logged so far is in the files. Blocks.
    pub fn flush(&self) {
        self.0.files.flush();
    }

    pub(crate) fn sender(&self) -> Option<remote::Lines> {
        self.0.remote.lines()
    }
}

/// A line as all logs have it: the time, what follows, and no other line break than at its end.
fn line(rest: &str) -> String {
    let mut end = rest.len().min(MAX_LINE);
    while !rest.is_char_boundary(end) {
        end -= 1;
    }
    let rest = rest.get(..end).unwrap_or_default();
    let now = Local::now().format("%Y-%m-%d %H:%M:%S");
    let mut line = format!("{now}|{}", rest.replace('\n', "\\n"));
    line.push('\n');
    line
}
