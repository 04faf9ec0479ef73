// SPDX-License-Identifier: BSD-2-Clause
//! Rules that hold between parts of the description. What passes can be laid out.

mod channels;
mod maps;
mod regions;

use crate::diagnostics::Diagnostics;
use crate::platform::Platform;
use crate::sdf::model::System;

pub use maps::map_range;
pub use regions::{Place, RegionPlan};

/// Checks the whole description and settles size, page size and kind of every region. `prefill`
/// holds the content of the prefill files, in order of the regions.
#[must_use]
pub fn check(
    system: &System,
    prefill: &[Option<Vec<u8>>],
    platform: &Platform,
    diagnostics: &Diagnostics,
) -> Vec<RegionPlan> {
    let plans = regions::plan(system, prefill, platform, diagnostics);
    maps::check(system, &plans, diagnostics);
    channels::check(system, platform, diagnostics);
    plans
}
