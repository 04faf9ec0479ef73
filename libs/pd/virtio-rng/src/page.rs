// SPDX-License-Identifier: BSD-2-Clause
//! The memory that driver and device share: a split virtqueue with one descriptor (virtio 1.2
//! section 2.7), and the buffer that the descriptor names.

use core::mem::offset_of;
use core::sync::atomic::{AtomicU8, AtomicU16, AtomicU32, AtomicU64, Ordering};

use crate::{SEED_LEN, Seed};

shm::shared_struct! {
    /// Queue and buffer. Its address must be a multiple of 16.
    #[repr(align(16))]
    pub struct RequestPage {
        pub(crate) descriptor_address: AtomicU64,
        pub(crate) descriptor_len: AtomicU32,
        pub(crate) descriptor_flags: AtomicU16,
        pub(crate) descriptor_next: AtomicU16,

        pub(crate) available_flags: AtomicU16,
        pub(crate) available_index: AtomicU16,
        pub(crate) available_ring: [AtomicU16; 1],
        pub(crate) used_event: AtomicU16,

        pub(crate) used_flags: AtomicU16,
        pub(crate) used_index: AtomicU16,
        pub(crate) used_id: AtomicU32,
        pub(crate) used_len: AtomicU32,
        pub(crate) available_event: AtomicU32,

        buffer: [AtomicU8; SEED_LEN],
    }
}

/// Offsets in the page of the parts whose addresses the device is told.
pub(crate) const DESCRIPTORS: u64 = offset_of!(RequestPage, descriptor_address) as u64;
pub(crate) const AVAILABLE: u64 = offset_of!(RequestPage, available_flags) as u64;
pub(crate) const USED: u64 = offset_of!(RequestPage, used_flags) as u64;
pub(crate) const BUFFER: u64 = offset_of!(RequestPage, buffer) as u64;

// Alignments and the layout of virtio 1.2 sections 2.7 to 2.7.8, with a queue size of 1.
const _: () = assert!(DESCRIPTORS.is_multiple_of(16) && AVAILABLE == DESCRIPTORS + 16);
const _: () = assert!(USED == AVAILABLE + 8 && USED.is_multiple_of(4));
const _: () = assert!(offset_of!(RequestPage, available_event) as u64 == USED + 12);

impl RequestPage {
    /// An empty queue. The device must not be using it.
    pub(crate) fn clear(&self) {
        self.available_index.store(0, Ordering::Relaxed);
        self.used_flags.store(0, Ordering::Relaxed);
        self.used_index.store(0, Ordering::Relaxed);
        self.clear_buffer();
    }

    /// Bytes of one request never pass for those of the next, and nobody who reads the page later
    /// learns them.
    pub(crate) fn clear_buffer(&self) {
        for byte in &self.buffer {
            byte.store(0, Ordering::Relaxed);
        }
    }

    /// Copies the buffer out.
    pub(crate) fn bytes(&self) -> Seed {
        core::array::from_fn(|i| self.buffer[i].load(Ordering::Relaxed))
    }
}
