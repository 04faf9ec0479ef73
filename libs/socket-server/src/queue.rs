// SPDX-License-Identifier: BSD-2-Clause

//! A queue of indices, each in it at most once: the sockets that have something to send.

use alloc::vec::Vec;

/// First in, first out; pushing what is in it already does nothing.
pub struct WorkQueue {
    ring: Vec<u32>,
    queued: Vec<bool>,
    head: usize,
    len: usize,
}

impl WorkQueue {
    /// A queue for indices `0..count`.
    #[must_use]
    pub fn new(count: usize) -> Self {
        WorkQueue {
            ring: (0..count).map(|_| 0).collect(),
            queued: (0..count).map(|_| false).collect(),
            head: 0,
            len: 0,
        }
    }

    /// Number of indices.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Adds an index at the end unless it is queued.
    pub fn push(&mut self, index: usize) {
        if self.queued[index] {
            return;
        }
        self.queued[index] = true;
        // There are as many places as indices, and each is in the queue once.
        let at = (self.head + self.len) % self.ring.len();
        self.ring[at] = index as u32;
        self.len += 1;
    }

    /// Takes the oldest.
    pub fn pop(&mut self) -> Option<usize> {
        if self.len == 0 {
            return None;
        }
        let index = self.ring[self.head] as usize;
        self.head = (self.head + 1) % self.ring.len();
        self.len -= 1;
        self.queued[index] = false;
        Some(index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::VecDeque;

    proptest! {
        #[test]
        fn behaves_like_a_deque_without_duplicates(steps in prop::collection::vec(prop::option::of(0usize..9), 0..200)) {
            let mut queue = WorkQueue::new(9);
            let mut model = VecDeque::new();
            for step in steps {
                match step {
                    None => prop_assert_eq!(queue.pop(), model.pop_front()),
                    Some(index) => {
                        queue.push(index);
                        if !model.contains(&index) {
                            model.push_back(index);
                        }
                    }
                }
                prop_assert_eq!(queue.len(), model.len());
            }
        }
    }
}
