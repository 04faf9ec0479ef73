// SPDX-License-Identifier: BSD-2-Clause
//! The view of the others, which trusts nothing in the page.

use core::{
    fmt,
    sync::atomic::Ordering::{Acquire, Relaxed},
};

use crate::{
    Common, Counter, CounterSet, PdKind, StatsPage, Value,
    page::{LAYOUT_VERSION, MAGIC},
};

/// Why a page cannot be read. All of them concern that page alone: show the PD without figures and
/// go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatsError {
    /// The PD has not set up its page, or is doing so; try again later.
    NotReady,
    /// The page belongs to another layout, or its PD writes garbage.
    Layout {
        /// Version that the page names.
        found: u32,
        /// Version that this crate reads.
        expected: u32,
    },
    /// The page names a kind of PD that this crate does not know: its PD is of another build, or
    /// writes garbage.
    Kind {
        /// Number that the page names.
        found: u32,
    },
}

impl fmt::Display for StatsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StatsError::NotReady => write!(f, "statistics page not set up yet"),
            StatsError::Layout { found, expected } => {
                write!(f, "statistics page has layout {found}, expected {expected}")
            }
            StatsError::Kind { found } => {
                write!(f, "statistics page names kind {found}, which is not known")
            }
        }
    }
}

impl core::error::Error for StatsError {}

/// One counter at the moment it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Name, unit and help, from this crate.
    pub counter: &'static Counter,
    /// Number and unit, as the PD alleges them.
    pub value: Value,
}

/// A page of a PD.
#[derive(Clone, Copy)]
pub struct Reader<'a> {
    page: &'a StatsPage,
    kind: PdKind,
}

impl<'a> Reader<'a> {
    /// Checks the header of a page, and takes from it which counters the PD has.
    ///
    /// The check says that a correct PD has set up the page; it protects nobody, and nothing here
    /// needs it to: a PD that writes garbage can have its own figures shown under other names.
    ///
    /// # Errors
    /// See [`StatsError`].
    pub fn open(page: &'a StatsPage) -> Result<Self, StatsError> {
        if page.magic.load(Acquire) != MAGIC {
            return Err(StatsError::NotReady);
        }
        let layout = page.layout.load(Relaxed);
        if layout as u32 != LAYOUT_VERSION {
            return Err(StatsError::Layout {
                found: layout as u32,
                expected: LAYOUT_VERSION,
            });
        }
        let found = (layout >> 32) as u32;
        match PdKind::from_raw(found) {
            Some(kind) => Ok(Self { page, kind }),
            None => Err(StatsError::Kind { found }),
        }
    }

    /// The kind that the page names.
    pub fn kind(&self) -> PdKind {
        self.kind
    }

    /// All counters, the common ones first, each read once.
    pub fn samples(&self) -> impl Iterator<Item = Sample> + use<'a> {
        let common = Common::COUNTERS.iter().zip(&self.page.common);
        let own = self.kind.counters().iter().zip(&self.page.own);
        common.chain(own).map(|(counter, word)| Sample {
            counter,
            value: Value {
                raw: word.load(Relaxed),
                unit: counter.unit,
            },
        })
    }

    /// One counter that every PD has.
    pub fn common(&self, counter: Common) -> u64 {
        self.page.common[counter as usize].load(Relaxed)
    }

    /// One counter of the PD's own set; `None` if `C` is the set of another kind.
    pub fn own<C: CounterSet>(&self, counter: C) -> Option<u64> {
        (C::KIND == self.kind).then(|| self.page.own[counter.index()].load(Relaxed))
    }
}
