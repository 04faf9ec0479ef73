// SPDX-License-Identifier: BSD-2-Clause
//! The layout of the page.

use core::sync::atomic::AtomicU64;

use zerocopy::{FromBytes, IntoBytes, KnownLayout};

/// Size of a statistics page in bytes; one page of the smallest kind.
pub const PAGE_SIZE: usize = 4096;

/// `b"ISTHSTAT"` as a little-endian number.
pub(crate) const MAGIC: u64 = u64::from_le_bytes(*b"ISTHSTAT");

/// Changes with the layout of the page, not with the sets of counters: writer and readers come from
/// one build.
pub(crate) const LAYOUT_VERSION: u32 = 1;

/// Words in front of the counters.
const HEADER_WORDS: usize = 8;

/// Words kept for the counters that every PD has; the PD's own follow.
pub(crate) const COMMON_WORDS: usize = 16;

/// Words for the PD's own counters.
pub(crate) const OWN_WORDS: usize = PAGE_SIZE / 8 - HEADER_WORDS - COMMON_WORDS;

shm::shared_struct! {
    /// A page of counters as it lies in shared memory.
    ///
    /// All fields are atomics and every bit pattern is valid, so a reference to a page that another
    /// PD writes is sound.
    #[derive(FromBytes, IntoBytes, KnownLayout)]
    #[repr(align(4096))]
    pub struct StatsPage {
        /// [`MAGIC`] once the writer has set up the page, and nothing else before.
        pub(crate) magic: AtomicU64,
        /// [`LAYOUT_VERSION`] in the low half, the [`PdKind`](crate::PdKind) in the high half.
        pub(crate) layout: AtomicU64,
        /// Odd while the PD is at work: [`Pulse`](crate::Pulse).
        pub(crate) pulse: AtomicU64,
        pub(crate) reserved: [AtomicU64; HEADER_WORDS - 3],
        pub(crate) common: [AtomicU64; COMMON_WORDS],
        pub(crate) own: [AtomicU64; OWN_WORDS],
    }
}

const _: () = assert!(size_of::<StatsPage>() == PAGE_SIZE);

/// The value of the word `layout` for a PD of this kind.
pub(crate) fn layout_word(kind: crate::PdKind) -> u64 {
    u64::from(LAYOUT_VERSION) | u64::from(kind as u32) << 32
}
