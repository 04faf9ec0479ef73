// SPDX-License-Identifier: BSD-2-Clause
//! A virtqueue as it lies in the memory that driver and device share (virtio 1.2 section 2.7).

use core::mem::offset_of;
use core::sync::atomic::{AtomicU16, AtomicU32, AtomicU64, Ordering};

const _: () = assert!(cfg!(target_endian = "little"), "virtio's order of bytes");

shm::shared_struct! {
    /// A descriptor: address; length (bits 0..32), flags (32..48), next (48..64).
    #[derive(Debug)]
    #[repr(align(16))]
    struct Descriptor {
        address: AtomicU64,
        rest: AtomicU64,
    }
}

shm::shared_struct! {
    /// The available ring. A queue of fewer descriptors uses the first entries.
    #[derive(Debug)]
    struct Available<const MAX: usize> {
        flags: AtomicU16,
        index: AtomicU16,
        entries: [AtomicU16; MAX],
        used_event: AtomicU16,
        spare: AtomicU16,
    }
}

shm::shared_struct! {
    #[derive(Debug)]
    struct UsedEntry {
        id: AtomicU32,
        len: AtomicU32,
    }
}

shm::shared_struct! {
    /// The used ring, which the device writes.
    #[derive(Debug)]
    #[repr(align(4))]
    struct Used<const MAX: usize> {
        flags: AtomicU16,
        index: AtomicU16,
        entries: [UsedEntry; MAX],
        available_event: AtomicU16,
        spare: AtomicU16,
    }
}

/// Bit of [`Available`]'s flags: the driver wants no interrupt (`VIRTQ_AVAIL_F_NO_INTERRUPT`).
const NO_INTERRUPT: u16 = 1;
/// Bit of [`Used`]'s flags: the device wants no doorbell (`VIRTQ_USED_F_NO_NOTIFY`).
const NO_NOTIFY: u16 = 1;

/// `VIRTQ_DESC_F_NEXT`: the chain goes on.
pub const NEXT: u16 = 1;
/// `VIRTQ_DESC_F_WRITE`: the device writes the buffer.
pub const WRITE: u16 = 2;

shm::shared_struct! {
    /// One virtqueue of at most `MAX` descriptors.
    #[derive(Debug)]
    pub struct QueueMemory<const MAX: usize> {
        descriptors: [Descriptor; MAX],
        available: Available<MAX>,
        used: Used<MAX>,
    }
}

impl<const MAX: usize> QueueMemory<MAX> {
    /// Offsets of descriptor table, available ring and used ring.
    pub(crate) const PARTS: [usize; 3] = [
        offset_of!(Self, descriptors),
        offset_of!(Self, available),
        offset_of!(Self, used),
    ];

    /// Empties the queue; the device has been reset.
    pub(crate) fn clear(&self) {
        self.available.flags.store(0, Ordering::Relaxed);
        self.available.index.store(0, Ordering::Relaxed);
        self.used.flags.store(0, Ordering::Relaxed);
        self.used.index.store(0, Ordering::Relaxed);
    }

    /// Fills a descriptor. The available index orders it for the device.
    #[inline]
    pub fn describe(&self, id: u16, address: u64, len: u32, flags: u16, next: u16) {
        if let Some(descriptor) = self.descriptors.get(usize::from(id)) {
            descriptor.address.store(address, Ordering::Relaxed);
            let rest = u64::from(len) | u64::from(flags) << 32 | u64::from(next) << 48;
            descriptor.rest.store(rest, Ordering::Relaxed);
        }
    }

    /// Puts a chain's first descriptor into the available ring, at an index of a queue of `size`,
    /// and shows it to the device.
    #[inline]
    pub(crate) fn make_available(&self, index: u16, size: u16, id: u16) {
        if let Some(entry) = self.available.entries.get(usize::from(index & (size - 1))) {
            entry.store(id, Ordering::Relaxed);
        }
        // Release: a device that sees the index sees descriptor and entry.
        self.available
            .index
            .store(index.wrapping_add(1), Ordering::Release);
    }

    #[inline]
    pub(crate) fn set_interrupts(&self, on: bool) {
        let flags = if on { 0 } else { NO_INTERRUPT };
        self.available.flags.store(flags, Ordering::Release);
    }

    #[inline]
    pub(crate) fn wants_doorbell(&self) -> bool {
        self.used.flags.load(Ordering::Acquire) & NO_NOTIFY == 0
    }

    /// The used ring's index, as the device says.
    #[inline]
    pub fn used_index(&self) -> u16 {
        self.used.index.load(Ordering::Acquire)
    }

    /// Id and length in the used ring at an index of a queue of `size`, as the device says.
    #[inline]
    pub fn used_entry(&self, index: u16, size: u16) -> (u32, u32) {
        match self.used.entries.get(usize::from(index & (size - 1))) {
            Some(entry) => (
                entry.id.load(Ordering::Relaxed),
                entry.len.load(Ordering::Relaxed),
            ),
            None => (u32::MAX, 0),
        }
    }
}
