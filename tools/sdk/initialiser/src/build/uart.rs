// SPDX-License-Identifier: BSD-2-Clause
//! The console of a release build: the PL011 in the initialiser's own address space.

use sdk_spec::{Region, RegionKind};

use super::{Builder, Failure};
use crate::bootinfo::slots;
use crate::console::{self, UART_PADDR};
use crate::kernel::{Attributes, CapRights, ObjectType};
use crate::layout::Layout;

/// Where a frame with the PL011 in it is mapped: its own 1 GiB, so that a page of any size can be.
const WINDOW: u64 = 0x60_0000_0000;

impl Builder<'_> {
    /// Maps the PL011 and prints there from now on. If a region of the spec covers it, that region
    /// is made now, because there can be only one frame for it; gives its index.
    pub(super) fn uart(&mut self, layout: &Layout) -> Result<Option<usize>, Failure> {
        let regions = self.spec.regions();
        let Some((index, region)) = regions
            .iter()
            .enumerate()
            .find(|(_, region)| covers_uart(region))
        else {
            self.bare_uart()?;
            return Ok(None);
        };
        self.region(layout, index)?;
        self.step("the console", "");
        let into = UART_PADDR - region.paddr;
        let page = into >> region.page_bits;
        let copy = self.slots.take(1)?;
        let original = layout.region(&self.spec, index) + page;
        self.kernel.copy_here(copy, original)?;
        self.attach(copy, into - (page << region.page_bits))?;
        Ok(Some(index))
    }

    /// Maps the PL011 in a frame of its own, and prints there from now on.
    pub(super) fn bare_uart(&mut self) -> Result<(), Failure> {
        let frame = self.slots.take(1)?;
        let page = ObjectType::SMALL_PAGE;
        self.make_at(page, UART_PADDR, (frame, 1), true)?;
        self.attach(frame, 0)
    }

    /// Maps `frame`, which has the PL011 at `offset`.
    fn attach(&mut self, frame: u64, offset: u64) -> Result<(), Failure> {
        self.map(
            slots::VSPACE,
            frame,
            WINDOW,
            CapRights::ALL,
            Attributes::new(false, false),
        )?;
        // SAFETY: the page with the PL011 has just been mapped here as device memory, and is never
        // unmapped.
        unsafe { console::attach(WINDOW + offset) };
        Ok(())
    }
}

fn covers_uart(region: &Region) -> bool {
    let len = region.pages << region.page_bits;
    region.kind == RegionKind::Device
        && region.paddr <= UART_PADDR
        && UART_PADDR - region.paddr < len
}
