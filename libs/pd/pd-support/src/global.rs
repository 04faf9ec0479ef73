// SPDX-License-Identifier: BSD-2-Clause

//! State that log lines and counts reach from anywhere in the PD.

use core::cell::{Cell, RefCell};

use log_ring::Writer;
use sel4_microkit::Channel;
use stats::Pulse;
use wiring::Wiring;

/// Shared by all code of the PD, which has one thread.
pub struct Global {
    /// The wiring table, once it has been read.
    pub wiring: Cell<Option<Wiring<'static>>>,
    /// The log ring, once [`Pd::start`](crate::Pd::start) has been called.
    pub log: RefCell<Option<Writer<'static>>>,
    /// Whom to tell that there are lines.
    pub console: Cell<Option<Channel>>,
    /// Lines that the console has not been told of.
    pub unannounced: Cell<bool>,
    /// What shows the supervisor that this PD lives, once its page of counters is there.
    pub pulse: Cell<Option<Pulse>>,
    /// Lines that were left out and that no line has told of, and when the next one may.
    pub untold: Cell<u64>,
    pub tell_at: Cell<u64>,
    /// Log lines written and left out, notifications and calls since they were last added to the
    /// counters.
    pub lines: Cell<u64>,
    pub suppressed: Cell<u64>,
    pub notifications: Cell<u64>,
    pub calls: Cell<u64>,
}

// SAFETY: a PD has one thread, and no code of it runs in an interrupt or signal handler.
unsafe impl Sync for Global {}

pub static GLOBAL: Global = Global {
    wiring: Cell::new(None),
    log: RefCell::new(None),
    console: Cell::new(None),
    unannounced: Cell::new(false),
    pulse: Cell::new(None),
    untold: Cell::new(0),
    tell_at: Cell::new(0),
    lines: Cell::new(0),
    suppressed: Cell::new(0),
    notifications: Cell::new(0),
    calls: Cell::new(0),
};

/// Adds one.
pub fn count(counter: &Cell<u64>) {
    counter.set(counter.get().wrapping_add(1));
}
