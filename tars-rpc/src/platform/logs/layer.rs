//! Events of `tracing` as lines.

use std::fmt::{self, Write};

use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{Layer, layer::Context};

use super::line;
use crate::platform::{LevelControl, notifier::thread_id};

/// A layer that writes events as lines of a log, if the level of the log lets them pass.
pub struct LineLayer {
    control: LevelControl,
    without: Option<&'static str>,
    write: Box<dyn Fn(String) + Send + Sync>,
}

impl LineLayer {
    pub(super) fn new(
        control: LevelControl,
        write: impl Fn(String) + Send + Sync + 'static,
    ) -> Self {
        Self {
            control,
            without: None,
            write: Box::new(write),
        }
    }

    pub(super) fn without_target(mut self, prefix: &'static str) -> Self {
        self.without = Some(prefix);
        self
    }
}

impl<S: Subscriber> Layer<S> for LineLayer {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let metadata = event.metadata();
        let target = metadata.target();
        // `enabled` would decide for all layers.
        if !self.control.enables(metadata.level())
            || self
                .without
                .is_some_and(|prefix| target.starts_with(prefix))
        {
            return;
        }
        let mut text = Text::default();
        event.record(&mut text);
        let Text { message, fields } = text;
        let level = metadata.level();
        (self.write)(line(&format!(
            "{}|{level}|{target}|{message}{fields}",
            thread_id()
        )));
    }
}

impl fmt::Debug for LineLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LineLayer")
            .field("control", &self.control)
            .finish_non_exhaustive()
    }
}

/// The text of an event.
#[derive(Default)]
struct Text {
    message: String,
    fields: String,
}

impl Visit for Text {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.fields, " {name}={value:?}"),
        };
    }
}
