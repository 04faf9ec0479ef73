// SPDX-License-Identifier: BSD-2-Clause
//! What driver and device share: the virtqueues, and what the driver notes for its next life.

use core::mem::offset_of;
use core::sync::atomic::{AtomicU64, Ordering};

use ring::{BUFFER_SIZE, Descriptor, MIN_FRAME};
use virtio::QueueMemory;

use crate::{ControlMemory, HEADER_LEN};

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
        pub(crate) control: ControlMemory,
    }
}

impl<const RX: usize, const TX: usize> QueuePages<RX, TX> {
    /// Offsets of the queues and of the header.
    pub(crate) const RECEIVE: usize = offset_of!(Self, receive);
    pub(crate) const TRANSMIT: usize = offset_of!(Self, transmit);
    pub(crate) const HEADER: usize = offset_of!(Self, header);
    pub(crate) const CONTROL: usize = offset_of!(Self, control);

    /// Frames that the device has delivered to an earlier life of the driver and that were not
    /// handed on, oldest first. The device has been reset.
    ///
    /// Whatever lies in the memory, there are at most `RX`. Entries that cannot be true are left
    /// out; whether the others are, the server knows.
    pub(crate) fn leftovers(&self) -> impl Iterator<Item = Descriptor> + '_ {
        let progress = self.notes.progress.load(Ordering::Relaxed);
        let (handed_on, size) = (progress as u16, (progress >> 16) as u16);
        let delivered = self.receive.used_index().wrapping_sub(handed_on);
        let sound = size.is_power_of_two() && usize::from(size) <= RX && delivered <= size;
        let delivered = if sound { delivered } else { 0 };
        (0..delivered).filter_map(move |n| {
            let (id, len) = self.receive.used_entry(handed_on.wrapping_add(n), size);
            let slot = self.notes.slots.get(id as usize)?;
            let slot = slot.load(Ordering::Relaxed);
            Some(Descriptor::leftover(slot, HEADER_LEN, frame_len(len)?))
        })
    }
}

/// There is no padding: whatever is written into the memory is written into an atomic.
const _: () = assert!(
    size_of::<QueuePages<16, 32>>()
        == (16 + 32) * (16 + 2 + 8) + 2 * (8 + 8) + 3 * 8 + 8 + 16 * 8 + size_of::<ControlMemory>()
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
