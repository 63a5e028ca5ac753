//! Messages for the people who run a server, who read them on the platform's web page.

use std::{future::Future, sync::Arc, thread, time::Duration};

use tokio::{
    sync::mpsc::{self, error::TrySendError},
    time::sleep,
};
use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::{
    NotifyServant, Notifylevel, ReportInfo, ReportType,
    identity::{Identity, sent},
};
use crate::Counter;

/// Messages that wait to be sent.
const MAX_QUEUE: usize = 256;
/// The pause after a message that could not be sent; it doubles up to the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// Bytes of a message. The platform keeps them in a table.
const MAX_MESSAGE: usize = 4096;

/// Sends messages to `tars.tarsnotify.NotifyObj`. Cheap to clone.
///
/// Nobody waits for the platform: messages go through a queue of 256, and are sent again until they arrive. Those that
/// find no room, or that cannot be sent when the server ends, are [counted](Self::lost).
#[derive(Debug, Clone)]
pub struct Notifier {
    identity: Arc<Identity>,
    /// `None` without a service to send to.
    queue: Option<mpsc::Sender<ReportInfo>>,
    lost: Arc<Counter>,
}

/// How bad a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Good to know.
    Normal,
    /// Somebody should look.
    Warn,
    /// Something is broken.
    Error,
}

impl Notifier {
    /// The notifier, and what sends its messages, up to those that were there at `stop`.
    pub(crate) fn new(
        identity: Arc<Identity>,
        platform: Option<NotifyServant>,
        stop: CancellationToken,
    ) -> (Self, impl Future<Output = ()> + Send + use<>) {
        let (queue, messages) = mpsc::channel(MAX_QUEUE);
        let lost = Arc::new(Counter::default());
        let sender = Sender {
            messages,
            platform: platform.clone(),
            lost: Arc::clone(&lost),
            stop,
        };
        let notifier = Self {
            identity,
            queue: platform.map(|_| queue),
            lost,
        };
        (notifier, sender.run())
    }

    /// Sends a message of the application.
    pub fn notify(&self, level: Level, message: &str) {
        let level = match level {
            Level::Normal => Notifylevel::NOTIFYNORMAL,
            Level::Warn => Notifylevel::NOTIFYWARN,
            Level::Error => Notifylevel::NOTIFYERROR,
        };
        self.send(ReportType::NOTIFY, level, message);
    }

    /// Sends a message of the framework. The platform reads from the text how bad it is: `[alarm]`, `[error]`,
    /// `[warn]` or `[fail]`.
    pub(crate) fn report(&self, message: &str) {
        self.send(ReportType::REPORT, Notifylevel::NOTIFYNORMAL, message);
    }

    /// Messages that were not sent.
    pub fn lost(&self) -> &Arc<Counter> {
        &self.lost
    }

    fn send(&self, e_type: ReportType, e_level: Notifylevel, message: &str) {
        let Some(queue) = &self.queue else {
            return;
        };
        let mut end = message.len().min(MAX_MESSAGE);
        while !message.is_char_boundary(end) {
            end -= 1;
        }
        let set = self.identity.set.as_ref();
        let info = ReportInfo {
            e_type,
            s_app: self.identity.app.clone(),
            s_set: set.map(ToString::to_string).unwrap_or_default(),
            s_container: String::new(),
            s_server: self.identity.server.clone(),
            s_message: message.get(..end).unwrap_or_default().to_owned(),
            s_thread_id: thread_id(),
            e_level,
            s_node_name: self.identity.node_name.clone(),
        };
        if let Err(TrySendError::Full(_) | TrySendError::Closed(_)) = queue.try_send(info) {
            self.lost.increment();
        }
    }
}

/// A number for the thread, as far as Rust has one.
pub(crate) fn thread_id() -> String {
    let id = format!("{:?}", thread::current().id());
    id.chars().filter(char::is_ascii_digit).collect()
}

struct Sender {
    messages: mpsc::Receiver<ReportInfo>,
    platform: Option<NotifyServant>,
    lost: Arc<Counter>,
    stop: CancellationToken,
}

impl Sender {
    async fn run(mut self) {
        let Some(platform) = self.platform else {
            return;
        };
        loop {
            let next = tokio::select! {
                biased;
                info = self.messages.recv() => info,
                () = self.stop.cancelled() => self.messages.try_recv().ok(),
            };
            let Some(info) = next else {
                return;
            };
            let mut pause = FIRST_PAUSE;
            while let Err(error) = sent(platform.report_notify_info(&info).await) {
                debug!(%error, message = info.s_message, "not notified yet");
                if self.stop.is_cancelled() {
                    self.lost.increment();
                    break;
                }
                tokio::select! {
                    () = sleep(pause) => {}
                    () = self.stop.cancelled() => {}
                }
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
    }
}
