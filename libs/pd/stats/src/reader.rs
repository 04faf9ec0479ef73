// SPDX-License-Identifier: BSD-2-Clause
//! The view of the others, which trusts nothing in the page.

use core::sync::atomic::Ordering::{Acquire, Relaxed};

use thiserror::Error;

use crate::{
    Common, Counter, PdKind, StatsPage, Value,
    page::{LAYOUT_VERSION, MAGIC},
};

/// Why a page cannot be read. All of them concern that page alone: show the PD without figures and
/// go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum StatsError {
    /// The PD has not set up its page, or is doing so; try again later.
    #[error("statistics page not set up yet")]
    NotReady,
    /// The page belongs to another layout, or its PD writes garbage.
    #[error("statistics page has layout {found}, expected {expected}")]
    Layout {
        /// Version that the page names.
        found: u32,
        /// Version that this crate reads.
        expected: u32,
    },
    /// The page names a kind of PD that this crate does not know: its PD is of another build, or
    /// writes garbage.
    #[error("statistics page names kind {found}, which is not known")]
    Kind {
        /// Number that the page names.
        found: u32,
    },
}

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
}
