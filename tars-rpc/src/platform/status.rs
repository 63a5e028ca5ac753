//! What `tars.viewstatus` says about the reports themselves.

use std::{fmt::Write, sync::Arc};

use crate::Counter;

/// Counters by name.
#[derive(Debug, Clone, Default)]
pub(crate) struct Status(Vec<(&'static str, Arc<Counter>)>);

impl Status {
    pub(crate) fn add(&mut self, name: &'static str, counter: &Arc<Counter>) {
        self.0.push((name, Arc::clone(counter)));
    }

    pub(crate) fn write(&self, text: &mut String) {
        for (name, counter) in &self.0 {
            let _ = writeln!(text, "[{name}]: {}", counter.get());
        }
    }
}
