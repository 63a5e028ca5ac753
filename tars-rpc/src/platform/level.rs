//! The level of the log, which operators change while the server runs.

use std::sync::{
    Arc,
    atomic::{AtomicU8, Ordering},
};

use tracing::level_filters::LevelFilter;

use crate::config::LogLevel;

/// The level of the log: `logLevel` of the config at first, and then what `tars.setloglevel` says. Clones are the
/// same level.
///
/// The layers of `platform::logs` (feature `log`) follow it, and it is a filter for other layers:
/// `layer.with_filter(level.clone())`. Other subscribers can ask it:
///
/// ```
/// use tars_rpc::{config::LogLevel, platform::LevelControl};
///
/// let control = LevelControl::new(LogLevel::Info);
/// assert!(control.enables(&tracing::Level::INFO));
/// assert!(!control.enables(&tracing::Level::DEBUG));
/// control.set(LogLevel::Debug);
/// assert!(control.enables(&tracing::Level::DEBUG));
/// ```
#[derive(Debug, Clone)]
pub struct LevelControl(Arc<AtomicU8>);

impl LevelControl {
    /// With this level.
    pub fn new(level: LogLevel) -> Self {
        let control = Self(Arc::default());
        control.set(level);
        control
    }

    /// Changes the level.
    pub fn set(&self, level: LogLevel) {
        let place = LogLevel::ALL.iter().position(|other| *other == level);
        let place = place.and_then(|place| u8::try_from(place).ok());
        let before = self.0.swap(place.unwrap_or_default(), Ordering::Relaxed);
        if place != Some(before) {
            // Events that no filter wants are skipped where they are: what was decided there is void.
            tracing::callsite::rebuild_interest_cache();
        }
    }

    /// The level now.
    pub fn get(&self) -> LogLevel {
        let place = usize::from(self.0.load(Ordering::Relaxed));
        LogLevel::ALL.get(place).copied().unwrap_or_default()
    }

    /// Whether an event of this level is logged.
    pub fn enables(&self, level: &tracing::Level) -> bool {
        *level <= self.most()
    }

    fn most(&self) -> LevelFilter {
        match self.get() {
            LogLevel::None => LevelFilter::OFF,
            LogLevel::Error => LevelFilter::ERROR,
            LogLevel::Warn => LevelFilter::WARN,
            LogLevel::Info => LevelFilter::INFO,
            LogLevel::Debug => LevelFilter::DEBUG,
            LogLevel::Tars => LevelFilter::TRACE,
        }
    }
}

#[cfg(feature = "log")]
impl<S> tracing_subscriber::layer::Filter<S> for LevelControl {
    fn enabled(
        &self,
        metadata: &tracing::Metadata<'_>,
        _: &tracing_subscriber::layer::Context<'_, S>,
    ) -> bool {
        self.enables(metadata.level())
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.most())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_kept_and_nested() {
        let control = LevelControl::new(LogLevel::Tars);
        let mut before = 0;
        for level in LogLevel::ALL {
            control.set(level);
            assert_eq!(control.get(), level);
            use tracing::Level;
            let levels = [
                Level::ERROR,
                Level::WARN,
                Level::INFO,
                Level::DEBUG,
                Level::TRACE,
            ];
            let enabled = levels.iter().filter(|level| control.enables(level)).count();
            assert_eq!(enabled, before);
            before = enabled + 1;
        }
    }
}
