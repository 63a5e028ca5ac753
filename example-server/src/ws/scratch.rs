//! Read buffers that belong to a thread, not to a connection.
//!
//! A connection needs a buffer only from the moment its socket has bytes until they are handled,
//! so ten thousand idle connections share a handful of buffers.

use std::cell::RefCell;
use std::ops::{Deref, DerefMut};

/// The size of one read.
const SIZE: usize = 16 * 1024;
/// A turn that waits inside of a handler keeps its buffer; more than these are not worth keeping.
const KEPT_PER_THREAD: usize = 8;

thread_local! {
    static POOL: RefCell<Vec<Box<[u8]>>> = const { RefCell::new(Vec::new()) };
}

/// A buffer of this thread, given back when dropped.
pub(super) struct Scratch(Box<[u8]>);

impl Scratch {
    pub(super) fn take() -> Self {
        let kept = POOL.with_borrow_mut(Vec::pop);
        Self(kept.unwrap_or_else(|| vec![0; SIZE].into_boxed_slice()))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let buffer = std::mem::take(&mut self.0);
        // A thread that ends has no pool any more; the buffer is then simply freed.
        let _ = POOL.try_with(|pool| {
            let mut pool = pool.borrow_mut();
            if pool.len() < KEPT_PER_THREAD {
                pool.push(buffer);
            }
        });
    }
}

impl Deref for Scratch {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl DerefMut for Scratch {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}
