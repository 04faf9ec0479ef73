// SPDX-License-Identifier: BSD-2-Clause
//! One direction of the link as one end has it: the ring that it fills, and the one it empties.

use crate::{Consumer, Descriptor, Producer, Queue, Reason, Tally};

/// The two rings of a direction, receive or transmit.
#[derive(Debug)]
pub(crate) struct Side<'a, const N: usize> {
    pub(crate) produced: Producer<'a, N>,
    pub(crate) consumed: Consumer<'a, N>,
    /// Names of the two, for violations.
    queues: [Queue; 2],
    /// Violations that the next look at the link confirms (E5).
    pub(crate) suspected: Tally,
    /// Whether the rings may be used (E2).
    pub(crate) up: bool,
    /// Descriptors were published since the peer's signal request was looked at.
    pub(crate) unsignalled: bool,
}

impl<'a, const N: usize> Side<'a, N> {
    pub(crate) fn new(
        produced: Producer<'a, N>,
        consumed: Consumer<'a, N>,
        queues: [Queue; 2],
    ) -> Self {
        Self {
            produced,
            consumed,
            queues,
            suspected: Tally::default(),
            up: false,
            unsignalled: false,
        }
    }

    /// Looks for what the peer has published since. Returns how much there is to take.
    pub(crate) fn look(&mut self) -> u32 {
        self.consumed.refresh().unwrap_or_else(|reason| {
            self.refuse(reason);
            0
        })
    }

    /// What the last look has found, one by one.
    #[inline]
    pub(crate) fn pop(&mut self) -> Option<Descriptor> {
        if self.up { self.consumed.pop() } else { None }
    }

    /// The next descriptor for which `accept` has a use. What it refuses is counted.
    #[inline]
    pub(crate) fn take<T>(
        &mut self,
        mut accept: impl FnMut(Descriptor) -> Result<T, Reason>,
    ) -> Option<T> {
        loop {
            match accept(self.pop()?) {
                Ok(taken) => return Some(taken),
                Err(reason) => self.refuse(reason),
            }
        }
    }

    /// Counts a descriptor of the peer that breaks a rule.
    pub(crate) fn refuse(&mut self, reason: Reason) {
        self.suspected.note(self.queues[1], reason);
    }

    /// Puts a descriptor into the ring. The ring has room for every buffer, so it is full only if
    /// the peer lies or has just started anew: then the descriptor is dropped, and its buffer is
    /// missing until the next epoch.
    #[inline]
    pub(crate) fn push(&mut self, descriptor: Descriptor) {
        if let Err(reason) = self.produced.push(descriptor) {
            self.suspected.note(self.queues[0], reason);
        }
    }

    /// Lets the peer see what was pushed.
    #[inline]
    pub(crate) fn publish(&mut self) {
        self.unsignalled |= self.produced.publish();
    }

    /// With the link down nothing that was read counts, neither as descriptors nor as a violation
    /// (E5).
    pub(crate) fn set_up(&mut self, up: bool) {
        self.up = up;
        if !up {
            self.suspected = Tally::default();
        }
    }

    /// Empties both rings (E3).
    pub(crate) fn reset(&mut self) {
        self.produced.reset();
        self.consumed.reset();
        self.unsignalled = false;
    }
}
