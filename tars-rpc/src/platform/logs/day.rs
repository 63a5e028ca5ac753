//! Logs by day, hour or minute.

use std::sync::Arc;

use super::{LineLayer, TarsLog, files::Target, line};

/// When a new file begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rolling {
    /// Each day.
    Day,
    /// Each hour.
    Hour,
    /// Each minute.
    Minute,
}

impl Rolling {
    /// The date in the names of files, as `strftime` has it.
    pub fn format(self) -> &'static str {
        match self {
            Self::Day => "%Y%m%d",
            Self::Hour => "%Y%m%d%H",
            Self::Minute => "%Y%m%d%H%M",
        }
    }
}

/// A log by day, hour or minute. Cheap to clone.
#[derive(Debug, Clone)]
pub struct DayLog {
    log: TarsLog,
    name: Arc<str>,
    rolling: Rolling,
    is_local: bool,
    is_remote: bool,
}

impl DayLog {
    pub(super) fn new(log: TarsLog, name: String, rolling: Rolling) -> Self {
        Self {
            log,
            // It becomes a part of the name of a file.
            name: name.replace(['/', '\\', '\0'], "_").into(),
            rolling,
            is_local: true,
            is_remote: true,
        }
    }

    /// Whether there is a local file. Default yes.
    #[must_use]
    pub fn local(mut self, is_local: bool) -> Self {
        self.is_local = is_local;
        self
    }

    /// Whether the platform gets the lines. Default yes.
    #[must_use]
    pub fn remote(mut self, is_remote: bool) -> Self {
        self.is_remote = is_remote;
        self
    }

    /// Writes a line, `2026-11-23 01:01:26|text`. Line breaks in it are escaped.
    pub fn write(&self, text: &str) {
        self.write_line(line(text));
    }

    fn write_line(&self, line: String) {
        let logs = &self.log.0;
        if self.is_remote {
            logs.remote.push(&self.name, self.rolling, line.clone());
        }
        if self.is_local {
            logs.files
                .write(Target::Day(Arc::clone(&self.name), self.rolling), line);
        }
    }

    /// A layer for `tracing` that writes events to this log; a filter says which. What tars-rpc itself says is left
    /// out: it would speak of each report of its own lines.
    pub fn layer(&self) -> LineLayer {
        let log = self.clone();
        LineLayer::new(self.log.level().clone(), move |line| log.write_line(line))
            .without_target("tars_rpc")
    }
}
