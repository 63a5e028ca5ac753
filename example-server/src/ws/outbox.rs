//! The queue of frames to one connection: bounded in bytes, filled by anybody, emptied by its task.

use std::collections::VecDeque;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::{Buf, Bytes};

use super::close::CloseCode;
use super::frame;
use super::scratch::Scratch;
use crate::services::SlowConsumer;

/// A connection's outgoing frames.
///
/// A frame counts, with what it costs to hold it, from the moment it is queued until the socket has
/// taken its last byte. A message that would exceed the limit shows that the peer reads slower than
/// it is written to; what becomes of it says the policy.
#[derive(Debug)]
pub struct Outbox {
    limit: usize,
    policy: SlowConsumer,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    frames: VecDeque<Queued>,
    /// The cost of what is queued here or taken by the writer, and not written yet.
    unwritten: usize,
    /// The part of it that is no messages.
    unwritten_answers: usize,
    /// A close frame is queued; nothing comes after it.
    closing: bool,
    /// It is time to look whether the peer lives.
    look: bool,
    /// Something of the above came that the connection's task has not seen.
    changed: bool,
    /// The task, while it waits for that.
    waiting: Option<Waker>,
}

/// What a connection has to know for its next turn.
#[derive(Debug, Clone, Copy)]
pub(super) struct Turn {
    /// A close frame is queued.
    pub(super) closing: bool,
    /// So much is unwritten that the peer should not be read from: it would ask for more.
    pub(super) behind: bool,
    /// It is time to look whether the peer lives. It is said once.
    pub(super) look: bool,
}

#[derive(Debug)]
struct Queued {
    frame: Bytes,
    /// A message, and not an answer, pong or close.
    is_message: bool,
}

/// What a frame costs beside its bytes: its place in a queue that may be twice as long as it is full.
const OVERHEAD: usize = 2 * size_of::<Queued>();

/// No more input is read while this much output is unwritten: TCP then slows the peer down, and a
/// peer that never reads cannot make the server work for it.
const READ_PAUSE: usize = 64 * 1024;

/// What a message of `len` bytes counts in a queue.
pub const fn cost_of_message(len: usize) -> usize {
    len.saturating_add(frame::MAX_SERVER_HEADER + OVERHEAD)
}

impl Queued {
    fn cost(&self) -> usize {
        self.frame.len() + OVERHEAD
    }
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pushed {
    /// It is queued.
    Queued,
    /// The connection is closing and takes no more frames.
    Closing,
    /// So many messages were dropped, this one or older ones.
    Dropped(usize),
    /// It did not fit, and the connection is closed for it.
    Overflow,
}

impl Outbox {
    /// An empty queue of at most `limit` bytes.
    pub fn new(limit: usize, policy: SlowConsumer) -> Self {
        Self {
            limit,
            policy,
            state: Mutex::default(),
        }
    }

    /// Queues a message, or does with a peer that does not keep up what the policy says.
    pub fn push(&self, frame: Bytes) -> Pushed {
        let message = Queued {
            frame,
            is_message: true,
        };
        let mut state = self.lock();
        if state.closing {
            return Pushed::Closing;
        }
        let mut pushed = Pushed::Queued;
        if state.unwritten.saturating_add(message.cost()) > self.limit {
            pushed = match self.policy {
                SlowConsumer::DropNewest => return Pushed::Dropped(1),
                SlowConsumer::DropOldest => {
                    let allowed = self.limit.saturating_sub(message.cost());
                    let dropped = state.drop_oldest(allowed);
                    if state.unwritten > allowed {
                        return Pushed::Dropped(dropped + 1);
                    }
                    Pushed::Dropped(dropped)
                }
                SlowConsumer::Close => {
                    // What waits was not read anyway. What the writer has begun goes out first.
                    state.drop_all();
                    state.close(Some(CloseCode::TRY_AGAIN_LATER), "slow consumer");
                    wake(state);
                    return Pushed::Overflow;
                }
            };
        }
        state.queue(message);
        wake(state);
        pushed
    }

    /// Queues an answer past the limit. A connection is not read from while much is unwritten, so
    /// the answers to one read are all that can exceed it.
    pub fn push_answer(&self, frame: Bytes) {
        let mut state = self.lock();
        if !state.closing {
            state.queue(Queued {
                frame,
                is_message: false,
            });
            wake(state);
        }
    }

    /// Queues a pong, which is an answer.
    pub fn push_pong(&self, payload: &[u8]) {
        self.push_answer(frame::encode(frame::OpCode::Pong, payload));
    }

    /// Queues a ping.
    pub fn push_ping(&self) {
        self.push_answer(frame::encode(frame::OpCode::Ping, &[]));
    }

    /// Queues a close frame behind everything else. The first close wins.
    pub fn close(&self, code: Option<CloseCode>, reason: &str) {
        let mut state = self.lock();
        state.close(code, reason);
        wake(state);
    }

    /// Whether a close frame has been queued.
    pub fn is_closing(&self) -> bool {
        self.lock().closing
    }

    /// The cost of what is queued and not written yet.
    pub fn unwritten(&self) -> usize {
        self.lock().unwritten
    }

    /// Makes the connection look whether its peer lives.
    ///
    /// Not a timer of the connection: that would be asked in each of its turns.
    pub fn look_for_life(&self) {
        let mut state = self.lock();
        state.look = true;
        wake(state);
    }

    /// What the next turn has to know.
    pub(super) fn turn(&self) -> Turn {
        let mut state = self.lock();
        // Where messages may be dropped, they keep nobody from asking.
        let unwritten = match self.policy {
            SlowConsumer::Close => state.unwritten,
            SlowConsumer::DropNewest | SlowConsumer::DropOldest => state.unwritten_answers,
        };
        Turn {
            closing: state.closing,
            behind: unwritten >= READ_PAUSE,
            look: std::mem::take(&mut state.look),
        }
    }

    /// Ready when something came since it was last ready, or everything was last taken; else the
    /// task is woken when something comes.
    pub(super) fn poll_changed(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.lock();
        if std::mem::take(&mut state.changed) {
            return Poll::Ready(());
        }
        match &mut state.waiting {
            Some(waiting) => waiting.clone_from(cx.waker()),
            none => *none = Some(cx.waker().clone()),
        }
        Poll::Pending
    }

    /// Takes what is to be written next. Of a long queue only the front: the rest can still be
    /// dropped. What came is seen with that: the writer goes on until nothing is left to take, or
    /// waits for the socket, and then comes [`turn`](Self::turn).
    fn take(&self, into: &mut VecDeque<Queued>) {
        let mut state = self.lock();
        state.changed = false;
        if state.frames.len() <= BATCH {
            std::mem::swap(&mut state.frames, into);
        } else {
            into.extend(state.frames.drain(..BATCH));
        }
    }

    fn written(&self, written: Written) {
        let mut state = self.lock();
        state.unwritten -= written.cost;
        state.unwritten_answers -= written.answers;
    }

    /// A panic elsewhere leaves the queue whole: every change of it is complete before it unlocks.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Wakes the connection's task, once for all that comes until it waits again.
fn wake(mut state: MutexGuard<'_, State>) {
    state.changed = true;
    let waiting = state.waiting.take();
    drop(state);
    if let Some(task) = waiting {
        task.wake();
    }
}

impl State {
    fn queue(&mut self, frame: Queued) {
        self.unwritten += frame.cost();
        if !frame.is_message {
            self.unwritten_answers += frame.cost();
        }
        self.frames.push_back(frame);
    }

    fn close(&mut self, code: Option<CloseCode>, reason: &str) {
        if !self.closing {
            self.closing = true;
            self.queue(Queued {
                frame: frame::encode_close(code, reason),
                is_message: false,
            });
        }
    }

    fn drop_all(&mut self) {
        for queued in std::mem::take(&mut self.frames) {
            self.unwritten -= queued.cost();
            if !queued.is_message {
                self.unwritten_answers -= queued.cost();
            }
        }
    }

    /// Drops messages from the front until no more than `allowed` is unwritten. Says how many.
    fn drop_oldest(&mut self, allowed: usize) -> usize {
        let mut dropped = 0;
        let mut answers = Vec::new();
        while self.unwritten > allowed
            && let Some(queued) = self.frames.pop_front()
        {
            if queued.is_message {
                self.unwritten -= queued.cost();
                dropped += 1;
            } else {
                answers.push(queued);
            }
        }
        for answer in answers.into_iter().rev() {
            self.frames.push_front(answer);
        }
        dropped
    }
}

/// The frames that a connection's task is writing: what was queued goes out in as few system calls
/// as the socket allows.
#[derive(Debug, Default)]
pub(super) struct Writing {
    frames: VecDeque<Queued>,
}

/// Frames that the writer takes at once.
const BATCH: usize = 64;
/// A frame of at least this many bytes is written from where it is; smaller ones are copied
/// together. Both go out by a plain write, which costs the kernel less than a vectored one.
const LARGE: usize = 4096;
/// Room for this many frames stays with an idle connection: most turns write one or two.
const KEPT_FRAMES: usize = 4;

impl Writing {
    /// Whether frames wait for the socket.
    pub(super) fn is_pending(&self) -> bool {
        !self.frames.is_empty()
    }

    /// Writes until the outbox is empty or `write` would block. Says whether it wrote anything.
    pub(super) fn flush(
        &mut self,
        outbox: &Outbox,
        mut write: impl FnMut(&[u8]) -> io::Result<usize>,
    ) -> io::Result<bool> {
        let mut wrote = false;
        loop {
            if self.frames.is_empty() {
                // An idle connection holds no large buffers: it may be idle for hours.
                self.frames.shrink_to(KEPT_FRAMES);
                outbox.take(&mut self.frames);
            }
            let Some(Queued { frame: first, .. }) = self.frames.front() else {
                return Ok(wrote);
            };
            let written = if self.frames.len() == 1 || first.len() >= LARGE {
                write(first)
            } else {
                let mut scratch = Scratch::take();
                let filled = self.copy_small(&mut scratch);
                write(&scratch[..filled])
            };
            match written {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => {
                    wrote = true;
                    outbox.written(self.advance(written));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(wrote),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Copies the small frames at the front, as many as fit. Says how many bytes.
    fn copy_small(&self, into: &mut [u8]) -> usize {
        let mut filled = 0;
        let frames = self.frames.iter().map(|queued| &queued.frame);
        for frame in frames.take_while(|frame| frame.len() < LARGE) {
            let Some(room) = into.get_mut(filled..filled + frame.len()) else {
                break;
            };
            room.copy_from_slice(frame);
            filled += frame.len();
        }
        filled
    }

    /// Takes `bytes` from the front.
    fn advance(&mut self, mut bytes: usize) -> Written {
        let mut written = Written::default();
        while let Some(front) = self.frames.front_mut() {
            let whole = bytes >= front.frame.len();
            let taken = bytes.min(front.frame.len());
            let cost = taken + if whole { OVERHEAD } else { 0 };
            written.cost += cost;
            if !front.is_message {
                written.answers += cost;
            }
            if !whole {
                front.frame.advance(taken);
                break;
            }
            bytes -= taken;
            self.frames.pop_front();
        }
        written
    }
}

/// What became free by a write.
#[derive(Debug, Default)]
struct Written {
    cost: usize,
    answers: usize,
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    use super::*;

    /// Writes at most `room` bytes to `sink`, then blocks.
    fn socket<'a>(
        sink: &'a mut Vec<u8>,
        mut room: usize,
    ) -> impl FnMut(&[u8]) -> io::Result<usize> + 'a {
        move |bytes| {
            let taken = bytes.len().min(room);
            if taken == 0 {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            room -= taken;
            sink.extend(&bytes[..taken]);
            Ok(taken)
        }
    }

    fn outbox(limit: usize, policy: SlowConsumer) -> Outbox {
        Outbox::new(limit, policy)
    }

    /// What is sent when everything is taken.
    fn drain(outbox: &Outbox) -> Vec<u8> {
        let mut sent = Vec::new();
        let flushed = Writing::default().flush(outbox, socket(&mut sent, usize::MAX));
        flushed.unwrap();
        assert_eq!(outbox.unwritten(), 0);
        sent
    }

    #[test]
    fn the_limit_at_its_borders() {
        for (len, expected) in [
            (9, Pushed::Queued),
            (10, Pushed::Queued),
            (11, Pushed::Overflow),
        ] {
            let outbox = outbox(20 + 2 * OVERHEAD, SlowConsumer::Close);
            assert_eq!(outbox.push(Bytes::from_static(&[1; 10])), Pushed::Queued);
            assert_eq!(outbox.push(Bytes::from(vec![2; len])), expected);
            assert_eq!(outbox.is_closing(), expected == Pushed::Overflow);
        }
    }

    #[test]
    fn frames_leave_in_order_whatever_the_socket_takes() {
        for room in 1..70 {
            let outbox = outbox(100_000, SlowConsumer::Close);
            let mut writing = Writing::default();
            let mut sent = Vec::new();
            let mut expected = Vec::<u8>::new();
            for value in 0..200u8 {
                let frame = vec![value; usize::from(value) % 7 + 1];
                expected.extend(&frame);
                outbox.push(Bytes::from(frame));
                writing.flush(&outbox, socket(&mut sent, room % 5)).unwrap();
                let waiting = outbox.unwritten() % OVERHEAD;
                assert_eq!(waiting, (expected.len() - sent.len()) % OVERHEAD);
            }
            writing
                .flush(&outbox, socket(&mut sent, usize::MAX))
                .unwrap();
            assert_eq!(sent, expected);
            assert_eq!(outbox.unwritten(), 0);
            assert!(!writing.is_pending());
            assert!(writing.frames.capacity() <= KEPT_FRAMES);
        }
    }

    #[test]
    fn large_frames_and_more_than_a_buffer_leave_in_order() {
        let outbox = outbox(1 << 20, SlowConsumer::Close);
        let mut sent = Vec::new();
        let mut expected = Vec::<u8>::new();
        for (value, len) in (0u8..).zip([LARGE - 1, LARGE, LARGE + 1, 1, 100_000, 2]) {
            // A buffer takes four of the largest small ones, and not the fifth.
            for _ in 0..5 {
                let frame = vec![value; len];
                expected.extend(&frame);
                outbox.push(Bytes::from(frame));
            }
        }
        let mut writing = Writing::default();
        while sent.len() < expected.len() {
            writing.flush(&outbox, socket(&mut sent, 10_007)).unwrap();
        }
        assert_eq!(sent, expected);
        assert_eq!(outbox.unwritten(), 0);
    }

    #[test]
    fn the_task_is_woken_once_for_all_that_comes_until_it_waits_again() {
        #[derive(Default)]
        struct Count(AtomicUsize);
        impl Wake for Count {
            fn wake(self: Arc<Self>) {
                self.0.fetch_add(1, Ordering::Relaxed);
            }
        }
        let count = Arc::new(Count::default());
        let woken = || count.0.swap(0, Ordering::Relaxed);
        let waker = Waker::from(count.clone());
        let cx = &mut Context::from_waker(&waker);
        let outbox = outbox(0, SlowConsumer::Close);

        outbox.push_pong(b"before the task waits");
        assert!(outbox.poll_changed(cx).is_ready());
        assert!(outbox.poll_changed(cx).is_pending());
        assert_eq!(woken(), 0);

        outbox.push_pong(b"while it waits");
        outbox.look_for_life();
        assert_eq!(woken(), 1);
        assert!(outbox.poll_changed(cx).is_ready());
        assert!(outbox.poll_changed(cx).is_pending());

        outbox.look_for_life();
        assert_eq!(woken(), 1);
        drain(&outbox);
        assert!(outbox.poll_changed(cx).is_pending());
        assert!(outbox.turn().look);

        assert_eq!(outbox.push(Bytes::from_static(b"m")), Pushed::Overflow);
        assert_eq!(woken(), 1);
        assert!(outbox.poll_changed(cx).is_ready());
    }

    #[test]
    fn an_overflow_keeps_the_frame_that_is_half_written() {
        let outbox = outbox(8 + 2 * OVERHEAD, SlowConsumer::Close);
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
    fn the_newest_is_dropped() {
        let outbox = outbox(2 * OVERHEAD + 2, SlowConsumer::DropNewest);
        let pushed = [b"a", b"b", b"c"].map(|frame| outbox.push(Bytes::from_static(frame)));
        assert_eq!(pushed, [Pushed::Queued, Pushed::Queued, Pushed::Dropped(1)]);
        outbox.push_answer(Bytes::from_static(b"!"));
        assert_eq!(drain(&outbox), b"ab!");
        assert_eq!(outbox.push(Bytes::from_static(b"d")), Pushed::Queued);
    }

    #[test]
    fn the_oldest_are_dropped_and_answers_are_not() {
        let outbox = outbox(4 * OVERHEAD + 4, SlowConsumer::DropOldest);
        outbox.push_answer(Bytes::from_static(b"!"));
        for frame in [b"a", b"b", b"c"] {
            assert_eq!(outbox.push(Bytes::from_static(frame)), Pushed::Queued);
        }
        assert_eq!(outbox.push(Bytes::from_static(b"d")), Pushed::Dropped(1));
        assert_eq!(outbox.push(Bytes::from_static(b"ef")), Pushed::Dropped(2));
        let huge = Bytes::from(vec![0; 4 * OVERHEAD]);
        assert_eq!(outbox.push(huge), Pushed::Dropped(3));
        assert_eq!(outbox.push(Bytes::from_static(b"g")), Pushed::Queued);
        assert_eq!(drain(&outbox), b"!g");
    }

    #[test]
    fn what_the_writer_has_is_not_dropped() {
        let outbox = outbox(2 * OVERHEAD + 20, SlowConsumer::DropOldest);
        let mut writing = Writing::default();
        let mut sent = Vec::new();
        outbox.push(Bytes::from_static(b"abcdefghij"));
        writing.flush(&outbox, socket(&mut sent, 1)).unwrap();
        outbox.push(Bytes::from_static(b"klm"));
        assert_eq!(
            outbox.push(Bytes::from_static(b"nopqrstuvw")),
            Pushed::Dropped(1)
        );
        writing
            .flush(&outbox, socket(&mut sent, usize::MAX))
            .unwrap();
        assert_eq!(sent, b"abcdefghijnopqrstuvw");
    }

    #[test]
    fn the_first_close_wins_and_pongs_pass_the_limit() {
        let outbox = outbox(0, SlowConsumer::Close);
        outbox.push_pong(b"p");
        outbox.close(None, "");
        outbox.close(Some(CloseCode::GOING_AWAY), "later");
        outbox.push_pong(b"q");
        assert_eq!(drain(&outbox), [0x8A, 1, b'p', 0x88, 0]);
    }
}
