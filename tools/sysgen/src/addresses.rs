// SPDX-License-Identifier: BSD-2-Clause
//! Where in a PD its regions are mapped.
//!
//! What a PD touches in a turn shall need few page tables: each costs at every switch of address
//! spaces. So small regions come first, side by side, with an unmapped page behind each.

use crate::plan::{LARGE_PAGE, PAGE, Plan};

/// The first address.
const BASE: u64 = 0x1000_0000;
/// From this size on a region begins with a page table of its own.
const BIG: u64 = 0x10_0000;

/// Gives every mapping its address.
pub fn assign(plan: &mut Plan<'_>) {
    let Plan { regions, pds, .. } = plan;
    for pd in pds {
        // Stable: of one size, as they were declared.
        pd.maps.sort_by_key(|map| regions[map.region].size);
        let mut next = BASE;
        for map in &mut pd.maps {
            let region = &regions[map.region];
            let alignment = match region.size {
                BIG.. if next % LARGE_PAGE + region.size > LARGE_PAGE => LARGE_PAGE,
                _ => region.alignment(),
            };
            map.vaddr = next.next_multiple_of(alignment);
            next = map.vaddr + region.size;
            // Two pools of frames fill one page table.
            if region.size < BIG {
                next += PAGE;
            }
        }
    }
}
