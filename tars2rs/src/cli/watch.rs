//! `--watch`: runs again whenever an input changes.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, SystemTime};

use signal_hook::consts::{SIGINT, SIGTERM};

use super::Outcome;
use super::messages::print_error;

/// How often files are looked at. Some `stat`s a second cost nothing, and unlike the events of an operating system
/// they work on every file system and see an include that appears where it was missing.
const PERIOD: Duration = Duration::from_millis(200);

/// What a file was like: enough to see that somebody wrote it. `None` if it is not there.
type State = Option<(SystemTime, u64)>;

/// Plans and acts; then again after each change of a file that the plan depends on; until the process is asked to end.
pub(super) fn watch<T>(
    mut plan: impl FnMut() -> (T, Vec<PathBuf>),
    mut act: impl FnMut(T),
) -> Outcome {
    let end = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        if let Err(error) = signal_hook::flag::register(signal, Arc::clone(&end)) {
            print_error(format_args!("cannot wait for signals: {error}"));
            return Outcome::Failed;
        }
    }
    // A plan that failed may not have come to all files, so that those of earlier plans stay.
    let mut known = BTreeMap::new();
    while !end.load(Ordering::Relaxed) {
        let planned = loop {
            refresh(&mut known);
            let (planned, paths) = plan();
            let count = known.len();
            for path in paths {
                known.entry(path).or_insert(None);
            }
            // The states must be older than what the plan read, or else a change in between would be lost.
            if known.len() == count {
                break planned;
            }
        };
        act(planned);
        wait_for_change(&known, &end);
    }
    Outcome::Good
}

fn refresh(known: &mut BTreeMap<PathBuf, State>) {
    known.iter_mut().for_each(|(path, old)| *old = state(path));
}

/// Returns once something has changed and then nothing for a period: an editor or a checkout may write many files.
fn wait_for_change(known: &BTreeMap<PathBuf, State>, end: &AtomicBool) {
    let mut now = known.clone();
    while !end.load(Ordering::Relaxed) {
        thread::sleep(PERIOD);
        let before = now.clone();
        refresh(&mut now);
        if now != *known && now == before {
            return;
        }
    }
}

fn state(path: &Path) -> State {
    let read = || -> io::Result<(SystemTime, u64)> {
        let data = fs::metadata(path)?;
        Ok((data.modified()?, data.len()))
    };
    read().ok()
}
