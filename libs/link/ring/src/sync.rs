// SPDX-License-Identifier: BSD-2-Clause
//! What the rings need beside plain atomics: a word with a cache line of its own, and the barrier.

use shm::atomic::{AtomicU32, Ordering, fence};

/// The barrier between a store and a later load of rules S2 and S3.
#[inline]
pub fn full_fence() {
    fence(Ordering::SeqCst);
}

shm::shared_struct! {
    /// A word alone on its cache line, so that the two ends do not fight for the line when each
    /// writes its own word.
    #[derive(Debug)]
    #[repr(align(64))]
    pub struct Line {
        pub(crate) word: AtomicU32,
    }
}

impl Line {
    /// Changes the word, for a peer that looks for a change.
    pub(crate) fn raise(&self) {
        let next = self.raised().wrapping_add(1);
        self.word.store(next, Ordering::Release);
    }

    pub(crate) fn raised(&self) -> u32 {
        self.word.load(Ordering::Acquire)
    }
}
