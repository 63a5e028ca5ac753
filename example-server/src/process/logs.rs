//! Where the events of a server on the platform are written.
//!
//! All of them go to its log file, at the level of its config, which `tars.setloglevel` changes; those of the chat, from
//! INFO on, also to the platform's log service. `tarsnode` has standard error go to the same file, so a server writes
//! there only what a person sees.

use std::io::{self, IsTerminal as _};
use std::path::PathBuf;

use tars_rpc::config::ServerConfig;
use tars_rpc::platform::logs::{Rolling, TarsLog};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::{FilterExt as _, Targets};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

use super::Failure;

/// The log of the server, which libraries may write to when something is wrong.
pub(super) fn start(server: &ServerConfig) -> Result<TarsLog, Failure> {
    let log = TarsLog::open(server).map_err(|source| Failure::File {
        action: "write logs in",
        path: server.log_path.clone(),
        source,
    })?;
    let ours = Targets::new()
        .with_default(LevelFilter::WARN)
        .with_target("example_server", LevelFilter::TRACE)
        .with_target("tars_rpc", LevelFilter::TRACE);
    let chat = Targets::new().with_target("example_server", LevelFilter::INFO);
    let level = || log.level().clone();
    let remote = log.day("chat", Rolling::Day).local(false);
    let is_seen = io::stderr().is_terminal();
    let terminal = is_seen.then(|| {
        let layer = tracing_subscriber::fmt::layer().with_writer(io::stderr);
        layer.with_filter(level().and(ours.clone()))
    });
    tracing_subscriber::registry()
        .with(log.layer().with_filter(level().and(ours)))
        .with(remote.layer().with_filter(level().and(chat)))
        .with(terminal)
        .init();
    Ok(log)
}

/// The file of the log.
pub(super) fn path(server: &ServerConfig) -> PathBuf {
    let directory = server.log_path.join(&server.app).join(&server.server);
    directory.join(format!("{}.log", server.name()))
}
