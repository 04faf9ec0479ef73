// SPDX-License-Identifier: BSD-2-Clause
//! What driver and device share: the virtqueues as they lie in memory (virtio 1.2 section 2.7), and
//! what the driver notes for its next life.

use core::mem::offset_of;
use core::sync::atomic::{AtomicU16, AtomicU32, AtomicU64, Ordering};

use ring::{BUFFER_SIZE, Flags, Leftover, MIN_FRAME};

use crate::HEADER_LEN;

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

/// Bits of a descriptor's flags.
pub(crate) const NEXT: u16 = 1;
pub(crate) const WRITE: u16 = 2;

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
    pub(crate) fn describe(&self, id: u16, address: u64, len: u32, flags: u16, next: u16) {
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

    #[inline]
    pub(crate) fn used_index(&self) -> u16 {
        self.used.index.load(Ordering::Acquire)
    }

    /// Id and length in the used ring at an index of a queue of `size`, as the device says.
    #[inline]
    pub(crate) fn used_entry(&self, index: u16, size: u16) -> (u32, u32) {
        match self.used.entries.get(usize::from(index & (size - 1))) {
            Some(entry) => (
                entry.id.load(Ordering::Relaxed),
                entry.len.load(Ordering::Relaxed),
            ),
            None => (u32::MAX, 0),
        }
    }
}

shm::shared_struct! {
    /// What the driver notes of the receive queue for its next life, which finds received frames by
    /// it.
    #[derive(Debug)]
    pub struct Notes<const MAX: usize> {
        /// Bits 0..16 the used index up to which frames were handed on, 16..32 descriptors of the
        /// queue, 0 for no queue.
        progress: AtomicU64,
        /// The buffer of each descriptor that the device has
        /// ([`RxSlot::to_word`](ring::RxSlot::to_word)).
        slots: [AtomicU64; MAX],
    }
}

impl<const MAX: usize> Notes<MAX> {
    /// Says that there is no queue. To be called before its memory is cleared.
    pub(crate) fn forget(&self) {
        self.progress.store(0, Ordering::Release);
    }

    /// Notes which buffer a descriptor has. To be called before the device can have it.
    #[inline]
    pub(crate) fn given(&self, id: u16, slot: u64) {
        if let Some(entry) = self.slots.get(usize::from(id)) {
            entry.store(slot, Ordering::Relaxed);
        }
    }

    /// Notes that everything in the used ring before this index was handed on. Release: after it
    /// was, and before a descriptor is used again.
    #[inline]
    pub(crate) fn handed_on(&self, used: u16, size: u16) {
        let progress = u64::from(used) | u64::from(size) << 16;
        self.progress.store(progress, Ordering::Release);
    }
}

shm::shared_struct! {
    /// The region `virtqueues`: a receive queue of at most `RX` and a transmit queue of at most
    /// `TX` descriptors.
    #[derive(Debug)]
    pub struct QueuePages<const RX: usize, const TX: usize> {
        pub(crate) receive: QueueMemory<RX>,
        pub(crate) transmit: QueueMemory<TX>,
        /// The header in front of every frame that is sent. Twelve zeros say "nothing special"
        /// (virtio 1.2 section 5.1.6.2), so all share one.
        pub(crate) header: [AtomicU64; 3],
        pub(crate) notes: Notes<RX>,
    }
}

impl<const RX: usize, const TX: usize> QueuePages<RX, TX> {
    /// Offsets of the queues and of the header.
    pub(crate) const RECEIVE: usize = offset_of!(Self, receive);
    pub(crate) const TRANSMIT: usize = offset_of!(Self, transmit);
    pub(crate) const HEADER: usize = offset_of!(Self, header);

    /// Frames that the device has delivered to an earlier life of the driver and that were not
    /// handed on, oldest first. The device has been reset.
    ///
    /// Whatever lies in the memory, there are at most `RX`. Entries that cannot be true are left
    /// out; whether the others are, the server knows.
    pub(crate) fn leftovers(&self) -> impl Iterator<Item = Leftover> + '_ {
        let progress = self.notes.progress.load(Ordering::Relaxed);
        let (handed_on, size) = (progress as u16, (progress >> 16) as u16);
        let delivered = self.receive.used_index().wrapping_sub(handed_on);
        let sound = size.is_power_of_two() && usize::from(size) <= RX && delivered <= size;
        let delivered = if sound { delivered } else { 0 };
        (0..delivered).filter_map(move |n| {
            let (id, len) = self.receive.used_entry(handed_on.wrapping_add(n), size);
            let slot = self.notes.slots.get(id as usize)?;
            Some(Leftover {
                slot: slot.load(Ordering::Relaxed),
                start: HEADER_LEN,
                len: frame_len(len)?,
                flags: Flags::NONE,
            })
        })
    }
}

/// There is no padding: whatever is written into the memory is written into an atomic.
const _: () = assert!(
    size_of::<QueuePages<16, 32>>() == (16 + 32) * (16 + 2 + 8) + 2 * (8 + 8) + 3 * 8 + 8 + 16 * 8
);

/// Length of the frame in a buffer into which the device has written `len` bytes. `None`: that
/// cannot be.
#[inline]
pub(crate) fn frame_len(len: u32) -> Option<u16> {
    const LEAST: u32 = HEADER_LEN as u32 + MIN_FRAME as u32;
    (LEAST..=BUFFER_SIZE as u32)
        .contains(&len)
        .then(|| len as u16 - HEADER_LEN)
}

/// The memory that the device reads and writes.
#[derive(Clone, Copy, Debug)]
pub struct DmaMemory<'a, const RX: usize, const TX: usize> {
    /// The virtqueues, which no other PD maps.
    pub queues: &'a QueuePages<RX, TX>,
    /// Where the device finds them.
    pub queues_paddr: u64,
    /// Where the device finds the pool of received frames, of [`POOL_SIZE`](ring::POOL_SIZE)
    /// bytes. The driver itself touches no frame.
    pub rx_paddr: u64,
    /// Where it finds the pool of frames to send, of the same size.
    pub tx_paddr: u64,
}
