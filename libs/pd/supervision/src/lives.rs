// SPDX-License-Identifier: BSD-2-Clause
//! A page that says how often each PD has faulted. The supervisor writes it, others read it.
//!
//! The supervisor raises a PD's word and then notifies. A reader compares the words with what it
//! has seen: every PD whose word is another has begun a new life since.

use core::sync::atomic::{AtomicU32, Ordering};

use crate::MAX_CHILDREN;

shm::shared_struct! {
    /// The page, by the numbers of the PDs.
    pub struct Lives {
        faults: [AtomicU32; MAX_CHILDREN],
    }
}

impl Lives {
    /// Counts the end of a life of this PD. A number that is no child's changes nothing.
    pub fn end(&self, child: usize) {
        if let Some(word) = self.faults.get(child) {
            // One writer: load and store need not be one step.
            word.store(
                word.load(Ordering::Relaxed).wrapping_add(1),
                Ordering::Release,
            );
        }
    }

    /// Returns how often this PD has faulted; 0 for a number that is no child's.
    pub fn of(&self, child: usize) -> u32 {
        self.faults
            .get(child)
            .map_or(0, |word| word.load(Ordering::Acquire))
    }
}
