// SPDX-License-Identifier: BSD-2-Clause
//! Whether a PD is at work, and whether it gets anywhere: one word of its page, for the supervisor.
//!
//! The word is odd while the PD handles an event, even while it waits for one, and changes with
//! each event. A PD that is at work at several looks in a row, with the word unchanged, does not
//! come to an end.

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::StatsPage;

/// The PD's own side. Its two stores a turn are all that being watched costs.
#[derive(Clone, Copy)]
pub struct Pulse(&'static AtomicU64);

impl Pulse {
    pub(crate) fn new(page: &'static StatsPage) -> Self {
        Self(&page.pulse)
    }

    /// The PD is at work. To be said at the beginning of a turn, and again by a turn that may last
    /// for seconds, each time that it has got further.
    #[inline]
    pub fn working(self) {
        self.0
            .store(self.0.load(Relaxed).wrapping_add(1) | 1, Relaxed);
    }

    /// The PD waits for the next event.
    #[inline]
    pub fn waiting(self) {
        self.0
            .store(self.0.load(Relaxed).wrapping_add(1) & !1, Relaxed);
    }
}

/// What a look at the word shows: the PD's allegation about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Beat(u64);

impl Beat {
    /// Whether the PD says that it is at work.
    pub fn is_working(self) -> bool {
        self.0 & 1 == 1
    }
}

impl From<u64> for Beat {
    fn from(word: u64) -> Self {
        Self(word)
    }
}

impl StatsPage {
    /// A look at the word.
    pub fn beat(&self) -> Beat {
        Beat(self.pulse.load(Relaxed))
    }
}
