// SPDX-License-Identifier: BSD-2-Clause
//! What the kernel tells its root task (libsel4 of seL4 5.0.0, `bootinfo_types.h`), and the slots
//! that it fills first.

use crate::kernel::numbers::MAX_BOOT_UNTYPEDS;
use crate::memory::Piece;

/// Slots of the root CNode that the kernel fills.
pub mod slots {
    /// The root task's thread.
    pub const TCB: u64 = 1;
    /// The root CNode itself.
    pub const CNODE: u64 = 2;
    /// The root task's address space.
    pub const VSPACE: u64 = 3;
    /// Makes interrupt handlers.
    pub const IRQ_CONTROL: u64 = 4;
    /// Gives address spaces their ASIDs.
    pub const ASID_POOL: u64 = 6;
}

/// Slots one behind the other.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct SlotRegion {
    /// The first.
    pub start: u64,
    /// The one after the last.
    pub end: u64,
}

/// A description: physical address (8 bytes), two unused bytes, log2 of the size, whether it is
/// device memory.
const DESCRIPTION_LEN: usize = 12;

/// The boot information.
#[repr(C, packed)]
pub struct BootInfo {
    extra_len: u64,
    node_id: u64,
    node_count: u64,
    io_levels: u64,
    /// Address of this thread's IPC buffer.
    pub ipc_buffer: u64,
    /// The slots that are free.
    pub empty: SlotRegion,
    shared_frames: SlotRegion,
    image_frames: SlotRegion,
    image_paging: SlotRegion,
    io_space: SlotRegion,
    extra_pages: SlotRegion,
    cnode_size_bits: u8,
    domain: u64,
    arch: u64,
    untyped: SlotRegion,
    descriptions: [[u8; DESCRIPTION_LEN]; MAX_BOOT_UNTYPEDS as usize],
}

impl BootInfo {
    /// Every piece of untyped memory.
    pub fn untypeds(&self) -> impl Iterator<Item = Piece> + '_ {
        let region = self.untyped;
        (region.start..region.end)
            .zip(&self.descriptions)
            .map(|(slot, description)| {
                let [paddr @ .., _, _, size_bits, is_device] = *description;
                Piece::new(
                    slot,
                    u64::from_le_bytes(paddr),
                    size_bits.into(),
                    is_device != 0,
                )
            })
    }
}
