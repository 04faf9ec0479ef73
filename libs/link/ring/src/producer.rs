// SPDX-License-Identifier: BSD-2-Clause
//! The producer's role in a ring.

use crate::half::first_index;
use crate::{ConsumerHalf, Descriptor, ProducerHalf, Reason};
use shm::atomic::Ordering;

/// The only writer of a [`ProducerHalf`].
#[derive(Debug)]
pub struct Producer<'a, const N: usize> {
    mine: &'a ProducerHalf<N>,
    theirs: &'a ConsumerHalf,
    /// Index of the next slot to fill.
    tail: u32,
    /// The tail that the consumer can see.
    published: u32,
    /// The last believed head.
    head: u32,
}

impl<'a, const N: usize> Producer<'a, N> {
    const CAPACITY_IS_FINE: () = assert!(N.is_power_of_two() && N <= 1 << 16);

    /// Takes the role. The shared words are left as they are until [`reset`](Self::reset).
    pub fn new(mine: &'a ProducerHalf<N>, theirs: &'a ConsumerHalf) -> Self {
        let () = Self::CAPACITY_IS_FINE;
        let first = first_index(N);
        Self {
            mine,
            theirs,
            tail: first,
            published: first,
            head: first,
        }
    }

    /// Empties the ring from this side (rule E3).
    pub fn reset(&mut self) {
        let first = first_index(N);
        (self.tail, self.published, self.head) = (first, first, first);
        // Release: a peer that sees this store sees the epoch that was written before it (E5).
        self.mine.tail.word.store(first, Ordering::Release);
    }

    /// Puts a descriptor in the ring; the consumer sees it after [`publish`](Self::publish). Looks
    /// at the shared head only if the ring seems full.
    ///
    /// # Errors
    /// [`Reason::NoRoom`] if the consumer has not made room yet, [`Reason::Index`] if the ring
    /// looks full because the consumer's head is not credible.
    #[inline]
    pub fn push(&mut self, descriptor: Descriptor) -> Result<(), Reason> {
        if self.tail.wrapping_sub(self.head) >= N as u32 {
            self.look()?;
        }
        if let Some(slot) = self.mine.slot(self.tail) {
            slot.write(descriptor);
        }
        self.tail = self.tail.wrapping_add(1);
        Ok(())
    }

    /// Makes room for one more, if the consumer's head says so (R4, R5).
    fn look(&mut self) -> Result<(), Reason> {
        let reported = self.theirs.head.word.load(Ordering::Acquire);
        self.head = Reason::check_index(reported, self.head, self.published)?;
        if self.tail.wrapping_sub(self.head) >= N as u32 {
            return Err(Reason::NoRoom);
        }
        Ok(())
    }

    /// Shows the consumer everything pushed so far (R3). Returns whether there was anything new.
    #[inline]
    pub fn publish(&mut self) -> bool {
        if self.published == self.tail {
            return false;
        }
        self.published = self.tail;
        self.mine.tail.word.store(self.tail, Ordering::Release);
        true
    }

    /// Whether the consumer has left descriptors where they are that it was shown. What it says may
    /// be wrong.
    #[inline]
    pub fn has_untaken(&self) -> bool {
        self.theirs.head.word.load(Ordering::Relaxed) != self.published
    }

    /// Whether the consumer asks for a notification. Valid only after [`publish`](Self::publish)
    /// and then a [`full_fence`](crate::full_fence) (S3).
    #[inline]
    pub fn signal_wanted(&self) -> bool {
        self.theirs.want_signal.word.load(Ordering::Relaxed) != 0
    }
}
