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
    let stderr = io::stderr();
    let is_terminal = stderr.is_terminal();
    beside(stderr, is_terminal, STEP, what, work)
}

/// Works, and tells a terminal so after each step.
fn beside<T>(
    stream: impl Write + Send,
    is_terminal: bool,
    step: Duration,
    what: &str,
    work: impl FnOnce() -> T,
) -> T {
    if !is_terminal {
        return work();
    }
    let (done, wait) = mpsc::channel::<()>();
    thread::scope(|scope| {
        scope.spawn(move || count(stream, step, what, &wait));
        let result = work();
        drop(done);
        result
    })
}

/// A terminal that went away is no reason to fail.
fn count(mut stream: impl Write, step: Duration, what: &str, wait: &mpsc::Receiver<()>) {
    let start = Instant::now();
    let mut shown = false;
    while wait.recv_timeout(step) == Err(RecvTimeoutError::Timeout) {
        let _ = write!(stream, "\r{what}: {} s", start.elapsed().as_secs());
        shown = true;
    }
    if shown {
        // Back to the start of the line, which is erased.
        let _ = write!(stream, "\r\x1b[K");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Passes on what is written.
    struct Stream(mpsc::Sender<Vec<u8>>);

    impl Write for Stream {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _ = self.0.send(bytes.to_owned());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_terminal_gets_a_line_that_is_gone_at_the_end() {
        let (written, seen) = mpsc::channel();
        let first = beside(Stream(written), true, Duration::ZERO, "working", || {
            seen.recv().unwrap()
        });
        let text = [first, seen.iter().collect::<Vec<_>>().concat()].concat();
        let text = String::from_utf8(text).unwrap();
        assert!(text.starts_with("\rworking: "), "{text:?}");
        assert!(text.ends_with(" s\r\x1b[K"), "{text:?}");
    }

    #[test]
    fn a_terminal_gets_nothing_about_short_work() {
        let (written, seen) = mpsc::channel();
        let result = beside(Stream(written), true, Duration::MAX, "working", || 7);
        assert_eq!((result, seen.iter().count()), (7, 0));
    }

    #[test]
    fn what_is_no_terminal_gets_nothing() {
        let (written, seen) = mpsc::channel();
        let long_work = || (0..1000).for_each(|_| thread::yield_now());
        beside(Stream(written), false, Duration::ZERO, "working", long_work);
        assert_eq!(seen.iter().count(), 0);
    }
}
