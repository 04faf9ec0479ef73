// SPDX-License-Identifier: BSD-2-Clause

//! Whose lines are printed: the log rings that the system description maps into this PD.

use core::sync::atomic::{AtomicU64, Ordering};

use log_ring::{Entry, LogPage, Reader};
use pd_support::{Mapped, region};
use sel4_microkit::persistent;
use shm::ReadOnly;

/// PDs that can have a ring here.
pub const MAX_SOURCES: usize = 16;

persistent! {
    /// Where this PD had got to in each ring, so that a restart neither repeats nor skips lines.
    static POSITIONS: [AtomicU64; MAX_SOURCES] = [const { AtomicU64::new(0) }; MAX_SOURCES];
}

/// One PD's ring.
pub struct Source {
    /// Name of the PD.
    pub name: &'static str,
    ring: Option<Reader<'static>>,
    position: &'static AtomicU64,
    /// Read, not yet printed.
    next: Option<Entry>,
}

impl Source {
    /// The time that the next entry claims, if the PD has a ring and something new is in it. A note
    /// about lost lines comes first.
    pub fn next_ticks(&mut self) -> Option<u64> {
        if self.next.is_none() {
            self.next = self.ring.as_mut()?.next();
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
        if let Some(ring) = &self.ring {
            self.position.store(ring.position(), Ordering::Relaxed);
        }
        Some(entry)
    }
}

/// The PDs. One is added here, with its symbol, and in the system description.
macro_rules! sources {
    ($($name:literal: $region:ident),+ $(,)?) => {{
        const { assert!([$($name),+].len() <= MAX_SOURCES) };
        let mut positions = POSITIONS.iter();
        [$(source($name, region!(optional r $region), positions.next())),+].into_iter().flatten()
    }};
}

/// All sources. To be called once.
///
/// # Panics
/// If a region is too small.
pub fn take() -> impl Iterator<Item = Source> {
    sources![
        "supervisor": supervisor_log,
        "timer_driver": timer_driver_log,
        "net_driver": net_driver_log,
        "net_server": net_server_log,
        "echo_server": echo_server_log,
        "http_server": http_server_log,
        "rng_driver": rng_driver_log,
        "hostile": hostile_log,
    ]
}

fn source(
    name: &'static str,
    region: Option<Mapped<ReadOnly>>,
    position: Option<&'static AtomicU64>,
) -> Option<Source> {
    let position = position?;
    let resume = |page| Reader::resume(page, position.load(Ordering::Relaxed));
    Some(Source {
        name,
        ring: region.map(Mapped::page::<LogPage>).map(resume),
        position,
        next: None,
    })
}
