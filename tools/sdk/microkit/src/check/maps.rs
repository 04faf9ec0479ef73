// SPDX-License-Identifier: BSD-2-Clause
//! Maps: alignment, limits, overlap within a PD.

use std::ops::Range;

use sdk_spec::abi::STACK_TOP;

use super::RegionPlan;
use crate::diagnostics::Diagnostics;
use crate::platform::overlap;
use crate::sdf::model::{Map, ProtectionDomain, System};

/// Addresses of a map whose region is settled, or nothing if they exceed 64 bits.
#[must_use]
pub fn map_range(map: &Map, plans: &[RegionPlan]) -> Option<Range<u64>> {
    let size = plans.get(map.region)?.size;
    Some(map.vaddr..map.vaddr.checked_add(size)?)
}

pub(super) fn check(system: &System, plans: &[RegionPlan], diagnostics: &Diagnostics) {
    for pd in &system.pds {
        check_pd(system, pd, plans, diagnostics);
    }
}

fn check_pd(
    system: &System,
    pd: &ProtectionDomain,
    plans: &[RegionPlan],
    diagnostics: &Diagnostics,
) {
    let limit = STACK_TOP - pd.stack_size;
    let mut before: Vec<(&Map, Range<u64>)> = Vec::new();
    for map in &pd.maps {
        let (region, plan) = (&system.regions[map.region], &plans[map.region]);
        if !map.vaddr.is_multiple_of(plan.page_size) {
            diagnostics.error(
                map.at,
                format!(
                    "vaddr {:#x} is not aligned to the page size {:#x} of memory region '{}'",
                    map.vaddr, plan.page_size, region.name
                ),
                format!("choose a multiple of {:#x}", plan.page_size),
            );
            continue;
        }
        let Some(range) = map_range(map, plans).filter(|range| range.end <= limit) else {
            diagnostics.error(
                map.at,
                format!(
                    "memory region '{}' of {:#x} bytes at {:#x} reaches into the stack of '{}' or beyond",
                    region.name, plan.size, map.vaddr, pd.name
                ),
                format!("maps end below {limit:#x}, where the stack starts"),
            );
            continue;
        };
        if let Some((other, theirs)) = before.iter().find(|(_, o)| overlap(&range, o)) {
            diagnostics.error(
                map.at,
                format!(
                    "memory region '{}' at {:#x}..{:#x} overlaps '{}' at {:#x}..{:#x} in '{}'",
                    region.name,
                    range.start,
                    range.end,
                    system.regions[other.region].name,
                    theirs.start,
                    theirs.end,
                    pd.name
                ),
                format!("move it; the other map stands in line {}", other.at.line),
            );
        }
        before.push((map, range));
    }
}
