// SPDX-License-Identifier: BSD-2-Clause
//! The consumer's role in a ring.

use crate::half::first_index;
use crate::{ConsumerHalf, Descriptor, ProducerHalf, Reason};
use shm::atomic::Ordering;

/// The only writer of a [`ConsumerHalf`].
#[derive(Debug)]
pub struct Consumer<'a, const N: usize> {
    mine: &'a ConsumerHalf,
    theirs: &'a ProducerHalf<N>,
    /// Index of the next slot to take.
    head: u32,
    /// The head that the producer can see.
    released: u32,
    /// The last believed tail.
    tail: u32,
    /// Whether `want_signal` is set.
    asked: bool,
}

impl<'a, const N: usize> Consumer<'a, N> {
    const CAPACITY_IS_FINE: () = assert!(N.is_power_of_two() && N <= 1 << 16);

    /// Takes the role. The shared words are left as they are until [`reset`](Self::reset).
    pub fn new(mine: &'a ConsumerHalf, theirs: &'a ProducerHalf<N>) -> Self {
        let () = Self::CAPACITY_IS_FINE;
        let first = first_index(N);
        Self {
            mine,
            theirs,
            head: first,
            released: first,
            tail: first,
            asked: false,
        }
    }

    /// Empties the ring from this side, and asks for a signal (rule E3).
    pub fn reset(&mut self) {
        let first = first_index(N);
        (self.head, self.released, self.tail, self.asked) = (first, first, first, true);
        self.mine.want_signal.word.store(1, Ordering::Relaxed);
        // Release: a peer that sees this store sees the epoch that was written before it (E5).
        self.mine.head.word.store(first, Ordering::Release);
    }

    /// Looks for new descriptors (R3, R5). Returns how many can be [`pop`](Self::pop)ped now.
    ///
    /// # Errors
    /// [`Reason::Index`] if the tail is not credible; the number that can be popped is what it was
    /// before.
    #[inline]
    pub fn refresh(&mut self) -> Result<u32, Reason> {
        let reported = self.theirs.tail.word.load(Ordering::Acquire);
        self.tail = Reason::check_index(reported, self.tail, self.head.wrapping_add(N as u32))?;
        Ok(self.available())
    }

    /// How many descriptors can be popped without another look.
    #[inline]
    pub fn available(&self) -> u32 {
        self.tail.wrapping_sub(self.head)
    }

    /// Takes the next descriptor that [`refresh`](Self::refresh) has found.
    #[inline]
    pub fn pop(&mut self) -> Option<Descriptor> {
        if self.head == self.tail {
            return None;
        }
        let descriptor = self.theirs.slot(self.head)?.read();
        self.head = self.head.wrapping_add(1);
        Some(descriptor)
    }

    /// The descriptor that is `ahead` places behind the one that [`pop`](Self::pop) takes next, if
    /// it has been found.
    pub(crate) fn peek(&self, ahead: u32) -> Option<Descriptor> {
        if ahead >= self.available() {
            return None;
        }
        Some(self.theirs.slot(self.head.wrapping_add(ahead))?.read())
    }

    /// Gives the popped slots back to the producer (R4). Once a batch is enough.
    #[inline]
    pub fn release(&mut self) {
        if self.released != self.head {
            self.released = self.head;
            self.mine.head.word.store(self.head, Ordering::Release);
        }
    }

    /// Asks for a notification (S2). To be followed by a [`full_fence`](crate::full_fence) and a
    /// [`refresh`](Self::refresh).
    #[inline]
    pub fn request_signal(&mut self) {
        self.asked = true;
        self.mine.want_signal.word.store(1, Ordering::Relaxed);
    }

    /// Withdraws the request (S1).
    #[inline]
    pub fn cancel_signal(&mut self) {
        if self.asked {
            self.asked = false;
            self.mine.want_signal.word.store(0, Ordering::Relaxed);
        }
    }

    /// Whether a request stands.
    pub fn has_asked(&self) -> bool {
        self.asked
    }
}
