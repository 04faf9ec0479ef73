// SPDX-License-Identifier: BSD-2-Clause
//! Mapping frames, with the page tables on the way.

use crate::build::{Builder, Failure};
use crate::kernel::{Attributes, CapRights, ObjectType, TableKind};

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
            let missing = match (error.code, error.details[2]) {
                (sel4::Error::FailedLookup, 39) => TableKind::UpperDirectory,
                (sel4::Error::FailedLookup, 30) => TableKind::Directory,
                (sel4::Error::FailedLookup, 21) => TableKind::PageTable,
                _ => return Err(error.into()),
            };
            let table = self.slots.take(1)?;
            self.memory
                .allocate(&mut self.kernel, ObjectType::Table(missing), table, 1)?;
            self.kernel.map_table(missing, table, vspace, vaddr)?;
        }
    }
}
