//! The frames that wait for one socket: what they cost, and their way into it. No lock and no task.

use std::collections::VecDeque;
use std::io;

use bytes::{Buf as _, Bytes};

use super::frame;
use super::scratch::Scratch;

/// What a frame costs beside its bytes: its place in a queue that may be twice as long as it is full.
pub(super) const OVERHEAD: usize = 2 * size_of::<Queued>();
/// A frame of at least this many bytes is written from where it is; smaller ones are copied
/// together. Both go out by a plain write, which costs the kernel less than a vectored one.
pub(super) const LARGE: usize = 4096;
/// Room for this many frames stays with an idle connection: most writes take one or two.
const KEPT_FRAMES: usize = 4;

/// What a message of `len` bytes counts in a queue.
pub const fn cost_of_message(len: usize) -> usize {
    len.saturating_add(frame::MAX_SERVER_HEADER + OVERHEAD)
}

/// Frames in the order in which they will be written.
///
/// A frame counts until the socket has taken its last byte.
#[derive(Debug, Default)]
pub(super) struct Queue {
    frames: VecDeque<Queued>,
    /// The socket has taken a part of the first frame, which therefore stays.
    begun: bool,
    cost: usize,
    cost_of_answers: usize,
}

#[derive(Debug)]
struct Queued {
    frame: Bytes,
    kind: Kind,
}

/// Why a frame is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Others said it.
    Message,
    /// An answer to the peer, a ping, a pong or a close.
    Answer,
}

/// What a frame counts.
pub(super) fn cost(frame: &Bytes) -> usize {
    frame.len() + OVERHEAD
}

impl Queue {
    /// What all of it costs.
    pub(super) fn cost(&self) -> usize {
        self.cost
    }

    /// What the answers among it cost.
    pub(super) fn cost_of_answers(&self) -> usize {
        self.cost_of_answers
    }

    pub(super) fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    pub(super) fn push(&mut self, frame: Bytes, kind: Kind) {
        let queued = Queued { frame, kind };
        self.count(&queued);
        self.frames.push_back(queued);
    }

    /// Drops everything that has not been begun.
    pub(super) fn clear(&mut self) {
        let kept = usize::from(self.begun);
        for dropped in self.frames.split_off(kept) {
            self.discount(dropped.kind, cost(&dropped.frame));
        }
    }

    /// Drops messages from the front until the rest costs no more than `allowed`. Says how many.
    pub(super) fn drop_oldest(&mut self, allowed: usize) -> usize {
        let mut dropped = 0;
        let mut kept = Vec::new();
        if self.begun {
            kept.extend(self.frames.pop_front());
        }
        while self.cost > allowed
            && let Some(queued) = self.frames.pop_front()
        {
            if queued.kind == Kind::Message {
                self.discount(queued.kind, cost(&queued.frame));
                dropped += 1;
            } else {
                kept.push(queued);
            }
        }
        for queued in kept.into_iter().rev() {
            self.frames.push_front(queued);
        }
        dropped
    }

    /// Writes from the front as much as one call takes. There must be something.
    pub(super) fn write(
        &mut self,
        write: impl FnOnce(&[u8]) -> io::Result<usize>,
    ) -> io::Result<()> {
        let Some(Queued { frame: first, .. }) = self.frames.front() else {
            return Ok(());
        };
        let written = if self.frames.len() == 1 || first.len() >= LARGE {
            write(first)?
        } else {
            let mut scratch = Scratch::take();
            let filled = self.copy_small(&mut scratch);
            write(&scratch[..filled])?
        };
        if written == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        self.advance(written);
        Ok(())
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
    fn advance(&mut self, mut bytes: usize) {
        self.begun = false;
        while bytes > 0
            && let Some(front) = self.frames.front_mut()
        {
            let kind = front.kind;
            if bytes < front.frame.len() {
                front.frame.advance(bytes);
                self.begun = true;
                self.discount(kind, bytes);
                return;
            }
            let cost = cost(&front.frame);
            bytes -= front.frame.len();
            self.frames.pop_front();
            self.discount(kind, cost);
        }
        if self.frames.is_empty() {
            // An idle connection holds no large buffers: it may be idle for hours.
            self.frames.shrink_to(KEPT_FRAMES);
        }
    }

    fn count(&mut self, queued: &Queued) {
        self.cost += cost(&queued.frame);
        if queued.kind == Kind::Answer {
            self.cost_of_answers += cost(&queued.frame);
        }
    }

    fn discount(&mut self, kind: Kind, cost: usize) {
        self.cost -= cost;
        if kind == Kind::Answer {
            self.cost_of_answers -= cost;
        }
    }

    #[cfg(test)]
    pub(super) fn holds_little(&self) -> bool {
        self.frames.capacity() <= KEPT_FRAMES
    }
}
