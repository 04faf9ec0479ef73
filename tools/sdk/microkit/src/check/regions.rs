// SPDX-License-Identifier: BSD-2-Clause
//! Memory regions: size, page size, place.

use sdk_spec::abi::{LARGE_PAGE, SMALL_PAGE};

use crate::diagnostics::Diagnostics;
use crate::platform::{self, Platform};
use crate::sdf::model::{MemoryRegion, SetVarValue, System};

/// Where a region's memory comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Any RAM, not necessarily contiguous.
    Anywhere,
    /// Contiguous RAM at an address that the tool chooses.
    Contiguous,
    /// RAM at this address.
    Ram(u64),
    /// A device at this address.
    Device(u64),
}

/// A region with everything settled but the address of contiguous ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RegionPlan {
    /// Size in bytes, a multiple of the page size, not zero.
    pub size: u64,
    /// 4 KiB or 2 MiB.
    pub page_size: u64,
    /// Where its memory comes from.
    pub place: Place,
}

pub(super) fn plan(
    system: &System,
    prefill: &[Option<Vec<u8>>],
    platform: &Platform,
    diagnostics: &Diagnostics,
) -> Vec<RegionPlan> {
    let mut plans = Vec::new();
    for (index, region) in system.regions.iter().enumerate() {
        let file = prefill.get(index).and_then(Option::as_deref);
        let page_size = page_size(region, diagnostics);
        let size = size(region, file, page_size, diagnostics);
        let place = place(system, index, size, page_size, platform, diagnostics);
        if file.is_some() && matches!(place, Place::Device(_)) {
            diagnostics.error(
                region.at,
                format!(
                    "memory region '{}' is a device and cannot be prefilled",
                    region.name
                ),
                "remove prefill_path or phys_addr",
            );
        }
        let page_size = best_page_size(system, index, size, page_size);
        if size > platform.memory_size() && !matches!(place, Place::Device(_)) {
            diagnostics.error(
                region.at,
                format!(
                    "memory region '{}' of {size:#x} bytes is larger than the memory of the board",
                    region.name
                ),
                format!(
                    "the board has {:#x} bytes; make it smaller",
                    platform.memory_size()
                ),
            );
        }
        plans.push(RegionPlan {
            size,
            page_size,
            place,
        });
        used(system, index, diagnostics);
    }
    overlaps(system, &plans, diagnostics);
    plans
}

fn page_size(region: &MemoryRegion, diagnostics: &Diagnostics) -> u64 {
    match region.page_size {
        None | Some(SMALL_PAGE) => SMALL_PAGE,
        Some(LARGE_PAGE) => LARGE_PAGE,
        Some(other) => {
            diagnostics.error(
                region.at,
                format!("page size {other:#x} does not exist"),
                format!("choose {SMALL_PAGE:#x} or {LARGE_PAGE:#x}, or leave page_size out"),
            );
            SMALL_PAGE
        }
    }
}

fn size(
    region: &MemoryRegion,
    file: Option<&[u8]>,
    page_size: u64,
    diagnostics: &Diagnostics,
) -> u64 {
    let Some(size) = region.size else {
        let len = file.map_or(0, <[u8]>::len) as u64;
        return len.max(1).next_multiple_of(page_size);
    };
    if size == 0 || !size.is_multiple_of(page_size) {
        diagnostics.error(
            region.at,
            format!(
                "size {size:#x} of memory region '{}' is no multiple of its page size",
                region.name
            ),
            format!("choose a multiple of {page_size:#x}, not zero"),
        );
        return page_size;
    }
    if let (Some(file), Some(prefill)) = (file, &region.prefill)
        && file.len() as u64 > size
    {
        diagnostics.error(
            prefill.at,
            format!(
                "file '{}' of {:#x} bytes does not fit memory region '{}' of {size:#x} bytes",
                prefill.path,
                file.len(),
                region.name
            ),
            format!(
                "make the region at least {:#x} bytes, or leave size out",
                (file.len() as u64).next_multiple_of(page_size)
            ),
        );
    }
    size
}

fn place(
    system: &System,
    index: usize,
    size: u64,
    page_size: u64,
    platform: &Platform,
    diagnostics: &Diagnostics,
) -> Place {
    let region = &system.regions[index];
    let Some(paddr) = region.phys_addr else {
        let target = SetVarValue::RegionPaddr(index);
        let mut setvars = system.pds.iter().flat_map(|pd| &pd.setvars);
        return if setvars.any(|setvar| setvar.value == target) {
            Place::Contiguous
        } else {
            Place::Anywhere
        };
    };
    if !paddr.is_multiple_of(page_size) {
        diagnostics.error(
            region.at,
            format!("phys_addr {paddr:#x} is not aligned to the page size {page_size:#x}"),
            "align it, or choose a smaller page_size",
        );
        return Place::Anywhere;
    }
    let range = paddr..paddr.saturating_add(size);
    if platform::within(&range, &platform.devices) {
        return Place::Device(paddr);
    }
    if platform::within(&range, std::slice::from_ref(&platform.fixed)) {
        return Place::Ram(paddr);
    }
    let fixed = platform::list(std::slice::from_ref(&platform.fixed));
    if platform::within(&range, &platform.memory) {
        diagnostics.error(
            region.at,
            format!(
                "memory region '{}' at {paddr:#x} may collide with the kernel's own memory",
                region.name
            ),
            format!("choose an address in {fixed}, or leave phys_addr out"),
        );
    } else {
        diagnostics.error(
            region.at,
            format!(
                "memory region '{}' at {:#x}..{:#x} is neither RAM nor a device that programs may have",
                region.name, range.start, range.end
            ),
            format!(
                "RAM for fixed regions: {fixed}; devices: {}",
                platform::list(&platform.devices)
            ),
        );
    }
    Place::Anywhere
}

/// Large pages where nothing speaks against them: the description does not say, and size and all
/// addresses are multiples of them.
fn best_page_size(system: &System, index: usize, size: u64, page_size: u64) -> u64 {
    let region = &system.regions[index];
    let maps = system.pds.iter().flat_map(|pd| &pd.maps);
    let mut addresses = maps
        .filter(|map| map.region == index)
        .map(|map| map.vaddr)
        .chain(region.phys_addr);
    let fits = size.is_multiple_of(LARGE_PAGE) && addresses.all(|a| a.is_multiple_of(LARGE_PAGE));
    if region.page_size.is_none() && fits {
        LARGE_PAGE
    } else {
        page_size
    }
}

fn used(system: &System, index: usize, diagnostics: &Diagnostics) {
    let mut maps = system.pds.iter().flat_map(|pd| &pd.maps);
    if !maps.any(|map| map.region == index) {
        let region = &system.regions[index];
        diagnostics.warning(
            region.at,
            format!("memory region '{}' is mapped nowhere", region.name),
            "map it or remove it",
        );
    }
}

fn overlaps(system: &System, plans: &[RegionPlan], diagnostics: &Diagnostics) {
    let range = |plan: &RegionPlan| match plan.place {
        Place::Ram(paddr) | Place::Device(paddr) => Some(paddr..paddr.saturating_add(plan.size)),
        Place::Anywhere | Place::Contiguous => None,
    };
    for (index, plan) in plans.iter().enumerate() {
        let Some(own) = range(plan) else { continue };
        for (other, before) in system.regions.iter().zip(&plans[..index]) {
            if range(before).is_some_and(|theirs| platform::overlap(&own, &theirs)) {
                let region = &system.regions[index];
                diagnostics.error(
                    region.at,
                    format!(
                        "memory region '{}' at {:#x}..{:#x} overlaps memory region '{}'",
                        region.name, own.start, own.end, other.name
                    ),
                    format!(
                        "'{}' stands in line {}; move one, or map one region twice",
                        other.name, other.at.line
                    ),
                );
            }
        }
    }
}
