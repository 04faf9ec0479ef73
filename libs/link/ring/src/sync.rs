// SPDX-License-Identifier: BSD-2-Clause
//! Atomics: the machine's, or under `--cfg loom` the model checker's. Nothing else differs between
//! the two.

#[cfg(not(loom))]
pub(crate) use core::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};
#[cfg(loom)]
pub(crate) use loom::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};

/// The barrier between a store and a later load of rules S2 and S3.
#[inline]
pub fn full_fence() {
    fence(Ordering::SeqCst);
}

/// Declares a struct of atomics that lies in shared memory.
#[cfg(not(loom))]
macro_rules! page_struct {
    ($($declaration:tt)*) => { shm::shared_struct! { $($declaration)* } };
}

/// As above; the model checker's atomics are no plain words, so the struct is an ordinary one.
#[cfg(loom)]
macro_rules! page_struct {
    ($($declaration:tt)*) => { $($declaration)* };
}

pub(crate) use page_struct;

page_struct! {
    /// A word alone on its cache line, so that the two ends do not fight for the line when each
    /// writes its own word.
    #[derive(Debug)]
    #[repr(align(64))]
    pub struct Line {
        pub(crate) word: AtomicU32,
    }
}

impl Line {
    pub(crate) fn new() -> Self {
        Self {
            word: AtomicU32::new(0),
        }
    }

    #[cfg(any(test, loom, feature = "fault-injection"))]
    pub(crate) fn overwrite(&self, next: &mut dyn FnMut() -> u64) {
        self.word.store(next() as u32, Ordering::Relaxed);
    }

    /// Changes the word, for a peer that looks for a change.
    pub(crate) fn raise(&self) {
        let next = self.raised().wrapping_add(1);
        self.word.store(next, Ordering::Release);
    }

    pub(crate) fn raised(&self) -> u32 {
        self.word.load(Ordering::Acquire)
    }
}
