//! A sign of life during long work.

use std::io::{self, IsTerminal, Write};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

/// Work that takes less than this needs no sign.
const STEP: Duration = Duration::from_secs(1);

/// Works. On a terminal, the line `what` counts the seconds meanwhile, and is gone at the end; into a pipe or a file
/// nothing is written.
pub(super) fn during<T>(what: &str, work: impl FnOnce() -> T) -> T {
    if !io::stderr().is_terminal() {
        return work();
    }
    let (done, wait) = mpsc::channel::<()>();
    thread::scope(|scope| {
        scope.spawn(move || count(what, &wait));
        let result = work();
        drop(done);
        result
    })
}

/// A terminal that went away is no reason to fail.
fn count(what: &str, wait: &mpsc::Receiver<()>) {
    let start = Instant::now();
    let mut shown = false;
    while wait.recv_timeout(STEP) == Err(RecvTimeoutError::Timeout) {
        let _ = write!(io::stderr(), "\r{what}: {} s", start.elapsed().as_secs());
        shown = true;
    }
    if shown {
        // Back to the start of the line, which is erased.
        let _ = write!(io::stderr(), "\r\x1b[K");
    }
}
