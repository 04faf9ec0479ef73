// SPDX-License-Identifier: BSD-2-Clause

//! Limits the lines that one place in the program may write, so that lines caused by a peer do not
//! push everybody's out of the log.

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use stats::Common;
use time::{Bucket, Rate};

use crate::global::{GLOBAL, count};
use crate::{Level, clock, log};

/// Lines at once from one place.
const BURST: u64 = 32;
/// Lines a second from one place after that.
const LINES_PER_SECOND: u64 = 16;

/// A use of a log macro.
#[doc(hidden)]
pub struct Site(AtomicU64);

impl Site {
    #[allow(clippy::new_without_default)] // for statics only
    pub const fn new() -> Self {
        Self(AtomicU64::new(Bucket::full().full_at()))
    }

    /// Returns whether this place may write a line now. A line that it may not write is counted.
    pub fn admits(&self) -> bool {
        let mut bucket = Bucket::from_full_at(self.0.load(Relaxed));
        let rate = Rate::new(BURST, clock::frequency() / LINES_PER_SECOND);
        let admitted = bucket.take(&rate, 1, clock::now());
        self.0.store(bucket.full_at(), Relaxed);
        if !admitted {
            count(Common::LogLinesSuppressed, 1);
            GLOBAL.untold.set(GLOBAL.untold.get() + 1);
        }
        admitted
    }
}

/// At the end of a turn: tells of the lines that were left out, once a second at most.
pub fn tell() {
    let untold = GLOBAL.untold.get();
    if untold == 0 {
        return;
    }
    let now = clock::now();
    if now >= GLOBAL.tell_at.get() {
        GLOBAL.tell_at.set(now.saturating_add(clock::frequency()));
        GLOBAL.untold.set(0);
        log::write(Level::Warn, format_args!("{untold} log lines suppressed"));
    }
}
