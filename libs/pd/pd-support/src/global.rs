// SPDX-License-Identifier: BSD-2-Clause

//! State that log lines and counts reach from anywhere in the PD.

use core::cell::{Cell, RefCell};

use stats::{Common, NoCounters};
use wiring::Wiring;

use crate::Peer;

/// Shared by all code of the PD, which has one thread.
pub struct Global {
    /// The wiring table, once it has been read.
    pub wiring: Cell<Option<Wiring<'static>>>,
    /// The log ring, once [`Pd::start`](crate::Pd::start) has been called.
    pub log: RefCell<Option<log_ring::Writer<'static>>>,
    /// The PD to tell that there are lines.
    pub console: Cell<Option<Peer>>,
    /// Lines that the console has not been told of.
    pub unannounced: Cell<bool>,
    /// The counters that every PD has, once its page is there.
    pub stats: Cell<Option<stats::Writer<NoCounters>>>,
    /// The parent knows that this PD is ready.
    pub ready: Cell<bool>,
    /// Lines that were left out and that no line has told of, and when the next one may.
    pub untold: Cell<u64>,
    pub tell_at: Cell<u64>,
}

// SAFETY: a PD has one thread, and no code of it runs in an interrupt or signal handler.
unsafe impl Sync for Global {}

pub static GLOBAL: Global = Global {
    wiring: Cell::new(None),
    log: RefCell::new(None),
    console: Cell::new(None),
    unannounced: Cell::new(false),
    stats: Cell::new(None),
    ready: Cell::new(false),
    untold: Cell::new(0),
    tell_at: Cell::new(0),
};

/// Adds `n` to a counter that every PD has.
#[inline]
pub fn count(counter: Common, n: u64) {
    if let Some(stats) = GLOBAL.stats.get() {
        stats.common(counter).add(n);
    }
}
