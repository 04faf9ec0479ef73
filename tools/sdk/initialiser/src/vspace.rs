// SPDX-License-Identifier: BSD-2-Clause
//! Mapping frames, with the page tables on the way.

use crate::build::{Builder, Failure};
use crate::kernel::{Attributes, CapRights, LEVELS};

impl Builder<'_> {
    /// Maps `frame` at `vaddr`. A missing level is what the kernel complains about; it is made and
    /// the map tried again.
    pub fn map(
        &mut self,
        vspace: u64,
        frame: u64,
        vaddr: u64,
        rights: CapRights,
        attributes: Attributes,
    ) -> Result<(), Failure> {
        loop {
            let error = match self
                .kernel
                .map_page(frame, vspace, vaddr, rights, attributes)
            {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            // The third detail is how many bits of the address the missing level and those below it
            // translate.
            let is_missing = error.code == sel4::Error::FailedLookup;
            let level = LEVELS
                .iter()
                .find(|level| is_missing && level.bits == error.details[2]);
            let level = level.ok_or(error)?;
            let table = self.slots.take(1)?;
            self.make(level.table, table, 1)?;
            self.kernel.map_table(level, table, vspace, vaddr)?;
        }
    }
}
