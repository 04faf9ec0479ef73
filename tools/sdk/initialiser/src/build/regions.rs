// SPDX-License-Identifier: BSD-2-Clause
//! Frames of the memory regions, and what they start with.

use sdk_spec::{NO_PADDR, Region, RegionKind};

use super::{Builder, Failure};
use crate::fill::Readers;
use crate::kernel::ObjectType;
use crate::layout::Layout;

impl Builder<'_> {
    /// Makes and fills all regions but `made`, which is there already.
    pub(super) fn regions(&mut self, layout: &Layout, made: Option<usize>) -> Result<(), Failure> {
        // By ascending address, so that memory in between is cut up only once.
        let mut above = None;
        while let Some((paddr, index)) = self.next_fixed(above) {
            if Some(index) != made {
                self.region(layout, index)?;
            }
            above = Some((paddr, index));
        }
        // Large pages while there are large pieces.
        for large in [true, false] {
            for (index, region) in self.spec.regions().iter().enumerate() {
                if region.paddr == NO_PADDR && large == (region.page_bits > 12) {
                    self.region(layout, index)?;
                }
            }
        }
        Ok(())
    }

    /// The region with the lowest physical address (and index) above the given one.
    fn next_fixed(&self, above: Option<(u64, usize)>) -> Option<(u64, usize)> {
        let fixed = self
            .spec
            .regions()
            .iter()
            .enumerate()
            .filter(|(_, region)| region.paddr != NO_PADDR);
        fixed
            .map(|(index, region)| (region.paddr, index))
            .filter(|&place| Some(place) > above)
            .min()
    }

    /// Makes and fills one region.
    pub(super) fn region(&mut self, layout: &Layout, index: usize) -> Result<(), Failure> {
        let Some(&region) = self.spec.regions().get(index) else {
            return Ok(());
        };
        self.step("frames of region", self.spec.name(region.name));
        let first = layout.region(&self.spec, index);
        let kind = page_kind(&region);
        if region.paddr == NO_PADDR {
            self.make(kind, first, region.pages)?;
        } else {
            let is_device = region.kind == RegionKind::Device;
            let slots = (first, region.pages);
            self.make_at(kind, region.paddr, slots, is_device)?;
        }
        self.step("content of region", self.spec.name(region.name));
        self.fill(
            first,
            region.page_bits,
            self.spec.data(region.data),
            Readers::All,
        )
    }
}

/// Returns the kind of a region's frames.
pub(super) fn page_kind(region: &Region) -> ObjectType {
    if region.page_bits > 12 {
        ObjectType::LARGE_PAGE
    } else {
        ObjectType::SMALL_PAGE
    }
}
