// SPDX-License-Identifier: BSD-2-Clause
//! The layout of the page.

use shm::atomic::AtomicU64;

/// `b"ISTHLOG1"` as a little-endian number; the last character is the version of the layout.
pub(crate) const MAGIC: u64 = u64::from_le_bytes(*b"ISTHLOG1");

const HEADER_WORDS: usize = 8;

/// Size of the ring in words of 8 bytes.
#[cfg(not(loom))]
pub const DATA_WORDS: usize = 16 * 1024 / 8 - HEADER_WORDS;
/// Size of the ring in words of 8 bytes: small, so that loom sees it overwritten.
#[cfg(loom)]
pub const DATA_WORDS: usize = 7;

shm::shared_struct! {
    /// A log ring as it lies in shared memory: 16 KiB, all atomics, every bit pattern valid.
    #[cfg_attr(
        not(loom),
        derive(zerocopy::FromBytes, zerocopy::IntoBytes, zerocopy::KnownLayout)
    )]
    #[repr(align(64))]
    pub struct LogPage {
        /// [`MAGIC`] once a writer has set up the page.
        pub(crate) magic: AtomicU64,
        /// Position of the oldest complete record, in words.
        pub(crate) tail: AtomicU64,
        /// Position behind the newest complete record, in words.
        pub(crate) head: AtomicU64,
        reserved: [AtomicU64; HEADER_WORDS - 3],
        data: [AtomicU64; DATA_WORDS],
    }
}

#[cfg(not(loom))]
const _: () = assert!(size_of::<LogPage>() == 16 * 1024);

impl LogPage {
    /// The word of the ring at a position.
    pub(crate) fn word(&self, position: u64) -> &AtomicU64 {
        &self.data[(position % DATA_WORDS as u64) as usize]
    }
}
