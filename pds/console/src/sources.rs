// SPDX-License-Identifier: BSD-2-Clause

//! Whose lines are printed: the log rings that the system description maps into this PD.

use core::sync::atomic::{AtomicU64, Ordering};

use log_ring::{Entry, LogPage, Reader};
use sel4_microkit::{persistent, var};
use shm::{ReadOnly, Region};

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
    /// The time that the next entry claims, if the PD has a ring and something new is in it. A note about lost lines comes first.
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
    /// It counts as printed from here on: if printing it is what makes this PD fault, the restart does not try again.
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
    ($($name:literal: $symbol:ident),+ $(,)?) => {{
        const { assert!([$($name),+].len() <= MAX_SOURCES) };
        let mut positions = POSITIONS.iter();
        [$(source($name, *var!($symbol: usize = 0), positions.next())),+].into_iter().flatten()
    }};
}

/// All sources. To be called once.
pub fn take() -> impl Iterator<Item = Source> {
    sources![
        "supervisor": supervisor_log_vaddr,
        "timer_driver": timer_driver_log_vaddr,
        "net_driver": net_driver_log_vaddr,
        "net_server": net_server_log_vaddr,
        "echo_server": echo_server_log_vaddr,
        "http_server": http_server_log_vaddr,
        "rng_driver": rng_driver_log_vaddr,
    ]
}

fn source(
    name: &'static str,
    address: usize,
    position: Option<&'static AtomicU64>,
) -> Option<Source> {
    let position = position?;
    let page: Option<&'static LogPage> = (address != 0)
        .then(|| {
            // SAFETY: the system description maps a log region of the size of a `LogPage` there, read-only; each symbol is used for one
            // source, and the program calls `take` once.
            unsafe { Region::<ReadOnly>::new(address, size_of::<LogPage>()) }
        })
        .and_then(|region| region.into_page().ok());
    Some(Source {
        name,
        ring: page.map(|page| Reader::resume(page, position.load(Ordering::Relaxed))),
        position,
        next: None,
    })
}
