//! Lines on their way to the platform.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::mpsc::{self, error::TryRecvError},
    time::sleep,
};
use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::Rolling;
use crate::{
    Counter, Result,
    platform::{LogInfo, LogServant, identity::Identity},
};

/// Lines that wait, and their bytes.
const MAX_QUEUE: usize = 10_000;
const MAX_BYTES: usize = 16 << 20;
/// Lines of a report, and their bytes, about.
const MAX_LINES: usize = 500;
const MAX_REPORT: usize = 256 << 10;
/// How long the first line of a report waits for others.
const GATHER: Duration = Duration::from_millis(100);
/// The pause after a report that failed; it doubles up to the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// The queue of lines for the platform.
#[derive(Debug)]
pub(super) struct Queue {
    queue: mpsc::Sender<Line>,
    lines: Mutex<Option<Lines>>,
    bytes: Arc<AtomicUsize>,
    lost: Arc<Counter>,
}

#[derive(Debug)]
struct Line {
    name: Arc<str>,
    rolling: Rolling,
    text: String,
}

/// The other end of the queue.
#[derive(Debug)]
pub(crate) struct Lines {
    lines: mpsc::Receiver<Line>,
    bytes: Arc<AtomicUsize>,
}

impl Queue {
    pub(super) fn new() -> Self {
        let (queue, lines) = mpsc::channel(MAX_QUEUE);
        let bytes = Arc::new(AtomicUsize::new(0));
        let lines = Lines {
            lines,
            bytes: Arc::clone(&bytes),
        };
        Self {
            queue,
            lines: Mutex::new(Some(lines)),
            bytes,
            lost: Arc::default(),
        }
    }

    pub(super) fn push(&self, name: &Arc<str>, rolling: Rolling, text: String) {
        if self.queue.is_closed() {
            return; // there is no service that wants them
        }
        let len = text.len();
        let before = self.bytes.fetch_add(len, Ordering::Relaxed);
        let line = Line {
            name: Arc::clone(name),
            rolling,
            text,
        };
        if before.saturating_add(len) > MAX_BYTES || self.queue.try_send(line).is_err() {
            self.bytes.fetch_sub(len, Ordering::Relaxed);
            self.lost.increment();
        }
    }

    /// The other end, for the first that asks.
    pub(super) fn lines(&self) -> Option<Lines> {
        self.lines
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }

    pub(super) fn lost(&self) -> &Arc<Counter> {
        &self.lost
    }
}

/// Sends lines to the platform.
#[derive(Debug)]
pub(crate) struct Sender {
    pub(crate) identity: Arc<Identity>,
    pub(crate) platform: LogServant,
    pub(crate) lines: Lines,
    pub(crate) lost: Arc<Counter>,
    /// From then on, what is queued is sent without waiting for more, and tried once.
    pub(crate) stop: CancellationToken,
}

impl Sender {
    pub(crate) async fn run(mut self) {
        let mut next = None;
        loop {
            let first = match next.take() {
                Some(line) => line,
                None => match self.first().await {
                    Some(line) => line,
                    None => return,
                },
            };
            let report;
            (report, next) = self.gather(first);
            self.report(report).await;
        }
    }

    /// Waits for a line; `None` when there will be no more.
    async fn first(&mut self) -> Option<Line> {
        tokio::select! {
            biased;
            line = self.lines.lines.recv() => {
                let line = line?;
                tokio::select! {
                    () = sleep(GATHER) => {}
                    () = self.stop.cancelled() => {}
                }
                Some(line)
            }
            () = self.stop.cancelled() => self.lines.lines.try_recv().ok(),
        }
    }

    /// Lines for the same file, and the first for another.
    fn gather(&mut self, first: Line) -> (Report, Option<Line>) {
        let mut size = first.text.len();
        let mut report = Report {
            name: first.name,
            rolling: first.rolling,
            texts: vec![first.text],
        };
        let mut next = None;
        while report.texts.len() < MAX_LINES && size < MAX_REPORT {
            match self.lines.lines.try_recv() {
                Ok(line) if line.name == report.name && line.rolling == report.rolling => {
                    size += line.text.len();
                    report.texts.push(line.text);
                }
                Ok(line) => {
                    next = Some(line);
                    break;
                }
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => break,
            }
        }
        self.lines.bytes.fetch_sub(size, Ordering::Relaxed);
        (report, next)
    }

    /// Sends a report, and again until it arrives. The queue is bounded meanwhile.
    async fn report(&self, report: Report) {
        let mut pause = FIRST_PAUSE;
        while let Err(error) = self.send(&report).await {
            debug!(%error, "log lines not sent");
            if self.stop.is_cancelled() {
                self.lost.add(report.texts.len() as u64);
                return;
            }
            tokio::select! {
                () = sleep(pause) => {}
                () = self.stop.cancelled() => {}
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn send(&self, report: &Report) -> Result<()> {
        let info = LogInfo {
            appname: self.identity.app.clone(),
            servername: self.identity.server.clone(),
            s_filename: report.name.to_string(),
            s_format: report.rolling.format().to_owned(),
            setdivision: self
                .identity
                .set
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default(),
            ..LogInfo::default()
        };
        self.platform.loggerby_info(&info, &report.texts).await
    }
}

struct Report {
    name: Arc<str>,
    rolling: Rolling,
    texts: Vec<String>,
}
