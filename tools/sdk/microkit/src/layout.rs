// SPDX-License-Identifier: BSD-2-Clause
//! Where contiguous regions lie, and whether everything fits.

use std::ops::Range;

use sdk_spec::abi::{CNODE_BITS, LARGE_PAGE, SMALL_PAGE};

use crate::check::{Place, RegionPlan};
use crate::diagnostics::Diagnostics;
use crate::image::RootPlace;
use crate::platform::{self, Platform};
use crate::sdf::model::System;
use crate::spec::Settled;

/// Physical addresses in order of the regions: those asked for, and for contiguous regions
/// addresses from the top of the free part of memory downwards, so that they do not move when the
/// image grows.
#[must_use]
pub fn addresses(
    system: &System,
    plans: &[RegionPlan],
    platform: &Platform,
    diagnostics: &Diagnostics,
) -> Vec<Option<u64>> {
    let mut taken: Vec<Range<u64>> = Vec::new();
    for plan in plans {
        if let Place::Ram(paddr) = plan.place {
            taken.push(paddr..paddr + plan.size);
        }
    }
    let mut addresses = Vec::new();
    for (region, plan) in system.regions.iter().zip(plans) {
        addresses.push(match plan.place {
            Place::Anywhere => None,
            Place::Ram(paddr) | Place::Device(paddr) => Some(paddr),
            Place::Contiguous => {
                let found = highest(&platform.fixed, &taken, plan);
                if let Some(paddr) = found {
                    taken.push(paddr..paddr + plan.size);
                } else {
                    diagnostics.error(
                        region.at,
                        format!(
                            "no room for memory region '{}': {:#x} bytes in one piece",
                            region.name, plan.size
                        ),
                        format!(
                            "regions with a physical address share {}; make some smaller",
                            platform::list(std::slice::from_ref(&platform.fixed))
                        ),
                    );
                }
                found
            }
        });
    }
    addresses
}

fn highest(free: &Range<u64>, taken: &[Range<u64>], plan: &RegionPlan) -> Option<u64> {
    let mut end = free.end;
    loop {
        let start = end.checked_sub(plan.size)? & !(plan.page_size - 1);
        if start < free.start {
            return None;
        }
        let own = start..start + plan.size;
        match taken.iter().find(|other| platform::overlap(&own, other)) {
            None => return Some(start),
            Some(other) => end = other.start,
        }
    }
}

/// What the system needs at most, and what there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Budget {
    /// Bytes of frames, page tables and kernel objects.
    pub bytes: u64,
    /// Capability slots of the initialiser.
    pub slots: u64,
}

/// Kernel objects of a PD beside its CNode and page tables: TCB, endpoint, notification, rounded
/// up.
const OBJECTS: u64 = 2 * SMALL_PAGE;
/// Memory that the kernel takes at boot: the initialiser's CNode, page tables and thread.
const BOOT_BYTES: u64 = 16 << 20;
/// Slots that the kernel fills at boot beside those of the image's frames, and those of the
/// initialiser's own use.
const BOOT_SLOTS: u64 = 1024;

/// Checks that everything fits into memory and into the initialiser's capability space.
#[must_use]
pub fn budget(
    settled: &Settled,
    root: RootPlace,
    platform: &Platform,
    diagnostics: &Diagnostics,
) -> Budget {
    let mut budget = Budget {
        bytes: 0,
        slots: BOOT_SLOTS + (root.end - root.start) / SMALL_PAGE,
    };
    let (system, plans) = (&settled.system, &settled.plans);
    for plan in plans {
        budget.slots += plan.size / plan.page_size;
        if !matches!(plan.place, Place::Device(_)) {
            budget.bytes += plan.size;
        }
    }
    for (pd, program) in system.pds.iter().zip(&settled.programs) {
        let segments = program.iter().flat_map(|program| &program.segments);
        let image: u64 = segments.map(|s| s.pages().end - s.pages().start).sum();
        let private = image + pd.stack_size + SMALL_PAGE;
        let tables = tables(pd.maps.iter().map(|m| plans[m.region].size), private);
        let maps: u64 = pd
            .maps
            .iter()
            .map(|m| plans[m.region].size / plans[m.region].page_size)
            .sum();
        budget.bytes += private + (tables * SMALL_PAGE) + OBJECTS + (32 << CNODE_BITS);
        budget.slots += private / SMALL_PAGE + tables + maps + 8;
    }
    let used = root.end - platform.memory.first().map_or(root.end, |m| m.start);
    let free = platform.memory_size().saturating_sub(used + BOOT_BYTES);
    let why = if budget.bytes > free {
        format!(
            "{:#x} bytes of memory, and {free:#x} are free",
            budget.bytes
        )
    } else if root.end > platform.fixed.start {
        let limit = platform.fixed.start;
        format!(
            "an image up to {:#x}, and it must end below {limit:#x}",
            root.end
        )
    } else if budget.slots > platform.cap_slots {
        let slots = platform.cap_slots;
        format!("{} capabilities, and there are {slots}", budget.slots)
    } else {
        return budget;
    };
    let largest = system.regions.iter().zip(plans).max_by_key(|(_, p)| p.size);
    let (at, what) = match largest {
        Some((region, _)) => (
            region.at,
            format!("; '{}' is the largest region", region.name),
        ),
        None => (
            system.pds.first().map_or_else(Default::default, |pd| pd.at),
            String::new(),
        ),
    };
    diagnostics.error(
        at,
        format!("the system does not fit: it needs {why}"),
        format!("make regions or programs smaller, or use page_size=\"{LARGE_PAGE:#x}\"{what}"),
    );
    budget
}

/// Page tables that cannot be exceeded: the levels above once for each map, and one table for each
/// 2 MiB.
fn tables(maps: impl Iterator<Item = u64>, private: u64) -> u64 {
    let each = |size: u64| size.div_ceil(LARGE_PAGE) + 4;
    maps.map(each).sum::<u64>() + each(private) + 8
}
