//! The queue of frames to one connection: bounded in bytes, filled by anybody, emptied by its task.

use std::collections::VecDeque;
use std::io::IoSlice;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::{Buf, Bytes};
use tokio::sync::Notify;

use super::close::CloseCode;
use super::frame;

/// A connection's outgoing frames.
///
/// A frame counts from the moment it is queued until the socket has taken its last byte. A frame
/// that would exceed the limit is not queued: the peer reads slower than it is written to, and the
/// connection is closed with 1013 instead of growing.
#[derive(Debug)]
pub struct Outbox {
    limit: usize,
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    frames: VecDeque<Bytes>,
    /// Bytes queued here and bytes taken by the writer and not written yet.
    unwritten: usize,
    /// A close frame is queued; nothing comes after it.
    closing: bool,
}

/// What became of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pushed {
    /// It is queued.
    Queued,
    /// The connection is closing and takes no more frames.
    Closing,
    /// It did not fit, and the connection is closed for it.
    Overflow,
}

impl Outbox {
    /// An empty queue of at most `limit` bytes.
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            state: Mutex::default(),
            changed: Notify::new(),
        }
    }

    /// Queues a frame, or begins the close of a connection that does not keep up.
    pub fn push(&self, frame: Bytes) -> Pushed {
        let mut state = self.lock();
        if state.closing {
            return Pushed::Closing;
        }
        if state.unwritten.saturating_add(frame.len()) > self.limit {
            // What waits was not read anyway. What the writer has begun goes out first.
            let dropped: usize = state.frames.drain(..).map(|frame| frame.len()).sum();
            state.unwritten -= dropped;
            state.close(Some(CloseCode::TRY_AGAIN_LATER), "slow consumer");
            drop(state);
            self.changed.notify_one();
            return Pushed::Overflow;
        }
        state.queue(frame);
        drop(state);
        self.changed.notify_one();
        Pushed::Queued
    }

    /// Queues a pong past the limit: a peer that pings is alive.
    ///
    /// A connection stops reading while much is unwritten, so its pings do not add up either.
    pub fn push_pong(&self, payload: &[u8]) {
        let mut state = self.lock();
        if !state.closing {
            state.queue(frame::encode(frame::OpCode::Pong, payload));
            drop(state);
            self.changed.notify_one();
        }
    }

    /// Queues a close frame behind everything else. The first close wins.
    pub fn close(&self, code: Option<CloseCode>, reason: &str) {
        self.lock().close(code, reason);
        self.changed.notify_one();
    }

    /// Whether a close frame has been queued.
    pub fn is_closing(&self) -> bool {
        self.lock().closing
    }

    /// Bytes queued and not written yet.
    pub fn unwritten(&self) -> usize {
        self.lock().unwritten
    }

    /// Waits until something was queued since the last wait.
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }

    fn take_all(&self, into: &mut VecDeque<Bytes>) {
        std::mem::swap(&mut self.lock().frames, into);
    }

    fn written(&self, bytes: usize) {
        self.lock().unwritten -= bytes;
    }

    /// A panic elsewhere leaves the queue whole: every change of it is complete before it unlocks.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn queue(&mut self, frame: Bytes) {
        self.unwritten += frame.len();
        self.frames.push_back(frame);
    }

    fn close(&mut self, code: Option<CloseCode>, reason: &str) {
        if !self.closing {
            self.closing = true;
            self.queue(frame::encode_close(code, reason));
        }
    }
}

/// The frames that a connection's task is writing: everything that was queued goes out in as few
/// system calls as the socket allows.
#[derive(Debug, Default)]
pub(super) struct Writing {
    frames: VecDeque<Bytes>,
}

/// Frames handed to one system call.
const BATCH: usize = 64;

impl Writing {
    /// Whether frames wait for the socket.
    pub(super) fn is_pending(&self) -> bool {
        !self.frames.is_empty()
    }

    /// Writes until the outbox is empty or `write` would block.
    pub(super) fn flush(
        &mut self,
        outbox: &Outbox,
        mut write: impl FnMut(&[IoSlice<'_>]) -> std::io::Result<usize>,
    ) -> std::io::Result<()> {
        loop {
            if self.frames.is_empty() {
                outbox.take_all(&mut self.frames);
            }
            if self.frames.is_empty() {
                // An idle connection holds no buffers: it may be idle for hours.
                self.frames = VecDeque::new();
                return Ok(());
            }
            let mut slices = [IoSlice::new(&[]); BATCH];
            let mut count = 0;
            for (slice, frame) in slices.iter_mut().zip(&self.frames) {
                *slice = IoSlice::new(frame);
                count += 1;
            }
            match write(&slices[..count]) {
                Ok(0) => return Err(std::io::ErrorKind::WriteZero.into()),
                Ok(written) => {
                    self.advance(written);
                    outbox.written(written);
                }
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn advance(&mut self, mut written: usize) {
        while let Some(front) = self.frames.front_mut() {
            if written < front.len() {
                front.advance(written);
                return;
            }
            written -= front.len();
            self.frames.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes at most `room` bytes to `sink`, then blocks.
    fn socket<'a>(
        sink: &'a mut Vec<u8>,
        mut room: usize,
    ) -> impl FnMut(&[IoSlice<'_>]) -> std::io::Result<usize> + 'a {
        move |slices| {
            let bytes: Vec<u8> = slices
                .iter()
                .flat_map(|slice| slice.iter().copied())
                .collect();
            let taken = bytes.len().min(room);
            if taken == 0 {
                return Err(std::io::ErrorKind::WouldBlock.into());
            }
            room -= taken;
            sink.extend(&bytes[..taken]);
            Ok(taken)
        }
    }

    #[test]
    fn the_limit_at_its_borders() {
        for (len, expected) in [
            (9, Pushed::Queued),
            (10, Pushed::Queued),
            (11, Pushed::Overflow),
        ] {
            let outbox = Outbox::new(20);
            assert_eq!(outbox.push(Bytes::from_static(&[1; 10])), Pushed::Queued);
            assert_eq!(outbox.push(Bytes::from(vec![2; len])), expected);
            assert_eq!(outbox.is_closing(), expected == Pushed::Overflow);
        }
    }

    #[test]
    fn frames_leave_in_order_whatever_the_socket_takes() {
        for room in 1..70 {
            let outbox = Outbox::new(10_000);
            let mut writing = Writing::default();
            let mut sent = Vec::new();
            let mut expected = Vec::<u8>::new();
            for value in 0..200u8 {
                let frame = vec![value; usize::from(value) % 7 + 1];
                expected.extend(&frame);
                outbox.push(Bytes::from(frame));
                writing.flush(&outbox, socket(&mut sent, room % 5)).unwrap();
                assert_eq!(outbox.unwritten(), expected.len() - sent.len());
            }
            writing
                .flush(&outbox, socket(&mut sent, usize::MAX))
                .unwrap();
            assert_eq!(sent, expected);
            assert!(!writing.is_pending());
            assert_eq!(writing.frames.capacity(), 0);
        }
    }

    #[test]
    fn an_overflow_keeps_the_frame_that_is_half_written() {
        let outbox = Outbox::new(8);
        let mut writing = Writing::default();
        let mut sent = Vec::new();
        outbox.push(Bytes::from_static(b"abcd"));
        writing.flush(&outbox, socket(&mut sent, 2)).unwrap();
        assert_eq!(outbox.push(Bytes::from_static(b"efgh")), Pushed::Queued);
        assert_eq!(outbox.push(Bytes::from_static(b"ijkl")), Pushed::Overflow);
        assert_eq!(outbox.push(Bytes::from_static(b"m")), Pushed::Closing);
        writing
            .flush(&outbox, socket(&mut sent, usize::MAX))
            .unwrap();
        let close = frame::encode_close(Some(CloseCode::TRY_AGAIN_LATER), "slow consumer");
        assert_eq!(sent, [b"abcd", close.as_ref()].concat());
        assert_eq!(outbox.unwritten(), 0);
    }

    #[test]
    fn the_first_close_wins_and_pongs_pass_the_limit() {
        let outbox = Outbox::new(0);
        outbox.push_pong(b"p");
        outbox.close(None, "");
        outbox.close(Some(CloseCode::GOING_AWAY), "later");
        outbox.push_pong(b"q");
        let mut sent = Vec::new();
        Writing::default()
            .flush(&outbox, socket(&mut sent, usize::MAX))
            .unwrap();
        assert_eq!(sent, [0x8A, 1, b'p', 0x88, 0]);
    }
}
