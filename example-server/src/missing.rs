//! What the server would like to have, and has not at the moment.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Names of what is missing, with the reasons. `/readyz` shows them.
#[derive(Debug, Default)]
pub struct Missing(Mutex<BTreeMap<&'static str, String>>);

impl Missing {
    /// It is missing; whether it was not before.
    pub fn lost(&self, name: &'static str, reason: String) -> bool {
        self.lock().insert(name, reason).is_none()
    }

    /// It is there; whether it was missing.
    pub fn found(&self, name: &'static str) -> bool {
        self.lock().remove(name).is_some()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<&'static str, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `, without PHPServer (reason)`, for each of them.
impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lock()
            .iter()
            .try_for_each(|(name, reason)| write!(f, ", without {name} ({reason})"))
    }
}
