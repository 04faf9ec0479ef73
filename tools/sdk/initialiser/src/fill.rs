// SPDX-License-Identifier: BSD-2-Clause
//! Writing what memory starts with: each frame is mapped into a window of the initialiser's,
//! written, and taken out.

use crate::bootinfo::slots;
use crate::build::{Builder, Failure};
use crate::kernel::{Attributes, CapRights};

/// Windows for frames of either size: far above the initialiser's image, each with page tables of
/// its own.
pub const SMALL_WINDOW: u64 = 0x40_0000_0000;
const LARGE_WINDOW: u64 = 0x50_0000_0000;

/// The readers of the bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Readers {
    /// Loads through the caches.
    Data,
    /// Instruction fetches, too.
    Code,
    /// Anybody, also devices and uncached maps.
    All,
}

impl Builder<'_> {
    /// Writes `bytes` to the frames of 2^`page_bits` bytes in the slots from `first` on, which are
    /// mapped nowhere and zero. There must be enough frames.
    pub fn fill(
        &mut self,
        first: u64,
        page_bits: u32,
        bytes: &[u8],
        readers: Readers,
    ) -> Result<(), Failure> {
        let len = 1u64 << page_bits;
        let window = if page_bits == 12 {
            SMALL_WINDOW
        } else {
            LARGE_WINDOW
        };
        for (frame, part) in (first..).zip(bytes.chunks(len as usize)) {
            self.map(
                slots::VSPACE,
                frame,
                window,
                CapRights::ALL,
                Attributes::new(true, false),
            )?;
            // SAFETY: the frame is mapped here, writable, and a part is not longer than it; nobody
            // else has it yet.
            unsafe { core::ptr::copy_nonoverlapping(part.as_ptr(), window as *mut u8, part.len()) };
            if readers == Readers::All {
                self.kernel.clean_page(frame, len)?;
            }
            if readers != Readers::Data {
                self.kernel.unify_page(frame, len)?;
            }
            self.kernel.unmap_page(frame)?;
        }
        Ok(())
    }
}
