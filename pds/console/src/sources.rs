// SPDX-License-Identifier: BSD-2-Clause

//! The PDs whose lines are printed: all whose log rings the declaration gives to this PD.

use core::sync::atomic::{AtomicU64, Ordering};

use heapless::Vec;
use log_ring::{Entry, LogPage, Reader};
use pd_support::{ReadOnly, regions, role};
use sel4_microkit::persistent;
use static_cell::StaticCell;

/// PDs that can have a ring here: as many as Microkit lets there be.
pub const MAX_SOURCES: usize = 63;

persistent! {
    /// The position of this PD in each ring, so that a restart neither repeats nor skips lines.
    static POSITIONS: [AtomicU64; MAX_SOURCES] = [const { AtomicU64::new(0) }; MAX_SOURCES];
}

/// One PD's ring.
pub struct Source {
    /// Name of the PD.
    pub name: &'static str,
    ring: Reader<'static>,
    position: &'static AtomicU64,
    /// Read, not yet printed.
    next: Option<Entry>,
}

impl Source {
    /// The time that the next entry claims, if something new is in the ring. A note about lost
    /// lines comes first.
    pub fn next_ticks(&mut self) -> Option<u64> {
        if self.next.is_none() {
            self.next = self.ring.next();
        }
        match self.next.as_ref()? {
            Entry::Line(line) => Some(line.ticks),
            Entry::Lost { .. } | Entry::Garbled => Some(0),
        }
    }

    /// The entry that [`next_ticks`](Self::next_ticks) spoke of.
    ///
    /// It counts as printed from here on: if printing it is what makes this PD fault, the restart
    /// does not try again.
    pub fn take(&mut self) -> Option<Entry> {
        let entry = self.next.take()?;
        self.position.store(self.ring.position(), Ordering::Relaxed);
        Some(entry)
    }
}

/// Returns all sources. Call it once.
///
/// # Panics
/// If a region is too small.
pub fn take() -> &'static mut [Source] {
    // With a line each they would fill the stack.
    static SOURCES: StaticCell<Vec<Source, MAX_SOURCES>> = StaticCell::new();
    let sources = SOURCES.init(Vec::new());
    for log in regions::<ReadOnly>(role::LOG) {
        // By number, so that a restart finds it again.
        let place = log
            .peer()
            .map(|peer| (peer.name, POSITIONS.get(peer.number)));
        let Some((name, Some(position))) = place else {
            continue;
        };
        // There is room for one of each PD.
        let _ = sources.push(Source {
            name,
            ring: Reader::resume(log.page::<LogPage>(), position.load(Ordering::Relaxed)),
            position,
            next: None,
        });
    }
    sources
}
