// SPDX-License-Identifier: BSD-2-Clause
//! The two halves of a ring as they lie in shared memory.

use crate::Descriptor;
use crate::sync::Line;
use shm::atomic::{AtomicU64, Ordering};

/// The index that both ends of a ring of capacity `n` start with: the counters wrap after one turn,
/// so that every run exercises the wrap.
pub const fn first_index(n: usize) -> u32 {
    (n as u32).wrapping_neg()
}

shm::shared_struct! {
    /// One descriptor.
    #[derive(Debug)]
    pub(crate) struct Slot {
        first: AtomicU64,
        second: AtomicU64,
    }
}

impl Slot {
    /// Relaxed: the tail orders the content (R3).
    #[inline]
    pub(crate) fn write(&self, descriptor: Descriptor) {
        let [first, second] = descriptor.to_words();
        self.first.store(first, Ordering::Relaxed);
        self.second.store(second, Ordering::Relaxed);
    }

    #[inline]
    pub(crate) fn read(&self) -> Descriptor {
        let first = self.first.load(Ordering::Relaxed);
        Descriptor::from_words([first, self.second.load(Ordering::Relaxed)])
    }
}

shm::shared_struct! {
    /// What the producer writes: tail and slots.
    #[derive(Debug)]
    pub struct ProducerHalf<const N: usize> {
        pub(crate) tail: Line,
        pub(crate) slots: [Slot; N],
    }
}

impl<const N: usize> ProducerHalf<N> {
    /// The slot of an index. `N` is a power of two, which [`Producer`](crate::Producer) and
    /// [`Consumer`](crate::Consumer) assert.
    #[inline]
    pub(crate) fn slot(&self, index: u32) -> Option<&Slot> {
        self.slots.get(index as usize & (N - 1))
    }
}

shm::shared_struct! {
    /// What the consumer writes: head and signal request.
    #[derive(Debug)]
    pub struct ConsumerHalf {
        pub(crate) head: Line,
        pub(crate) want_signal: Line,
    }
}

/// Both ends rely on these sizes.
#[cfg(not(loom))]
const _: () = {
    assert!(size_of::<ProducerHalf<512>>() == 64 + 512 * 16);
    assert!(size_of::<ConsumerHalf>() == 128);
};
