// SPDX-License-Identifier: BSD-2-Clause
//! What the kernel tells its root task (libsel4 of seL4 5.0.0, `bootinfo_types.h`), and the slots
//! that it fills first.

use crate::kernel::numbers::MAX_BOOT_UNTYPEDS;

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

#[derive(Clone, Copy)]
#[repr(C)]
struct SlotRegion {
    start: u64,
    end: u64,
}

/// A piece of untyped memory.
pub struct Untyped {
    /// Slot of its capability.
    pub slot: u64,
    /// First physical address.
    pub paddr: u64,
    /// log2 of the size in bytes.
    pub size_bits: u8,
    /// Device memory: only frames can be made of it, and nobody clears it.
    pub is_device: bool,
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
    ipc_buffer: u64,
    empty: SlotRegion,
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
    /// Address of this thread's IPC buffer.
    pub fn ipc_buffer(&self) -> u64 {
        self.ipc_buffer
    }

    /// The slots that are free: first, and the one after the last.
    pub fn empty_slots(&self) -> (u64, u64) {
        let empty = self.empty;
        (empty.start, empty.end)
    }

    /// Every piece of untyped memory.
    pub fn untypeds(&self) -> impl Iterator<Item = Untyped> + '_ {
        let region = self.untyped;
        (region.start..region.end)
            .zip(&self.descriptions)
            .map(|(slot, description)| {
                let [paddr @ .., _, _, size_bits, is_device] = *description;
                Untyped {
                    slot,
                    paddr: u64::from_le_bytes(paddr),
                    size_bits,
                    is_device: is_device != 0,
                }
            })
    }
}
