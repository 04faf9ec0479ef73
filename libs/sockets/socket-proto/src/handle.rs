// SPDX-License-Identifier: BSD-2-Clause

//! Socket handles: an index into the client's own table and a generation, so that a handle kept
//! after `close` is noticed.

use core::num::NonZeroU16;

/// Names a socket of one client. Bits 0..16 are the index, 16..32 the generation, which is never 0;
/// so the raw value is never 0 either, and 0 can mean "no socket".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Handle {
    index: u16,
    generation: NonZeroU16,
}

impl Handle {
    /// A handle from its parts.
    #[must_use]
    pub const fn new(index: u16, generation: NonZeroU16) -> Handle {
        Handle { index, generation }
    }

    /// Reads a word. `None` if it cannot be a handle (high bits set, or generation 0).
    #[must_use]
    pub fn from_raw(word: u64) -> Option<Handle> {
        let word = u32::try_from(word).ok()?;
        let generation = NonZeroU16::new((word >> 16) as u16)?;
        Some(Handle::new(word as u16, generation))
    }

    /// The word that travels in messages.
    #[must_use]
    pub const fn raw(self) -> u64 {
        self.index as u64 | (self.generation.get() as u64) << 16
    }

    /// The index in the client's table, and in the readiness page.
    #[must_use]
    pub const fn index(self) -> usize {
        self.index as usize
    }

    /// The generation of that index.
    #[must_use]
    pub const fn generation(self) -> NonZeroU16 {
        self.generation
    }

    /// The generation that follows, skipping 0.
    #[must_use]
    pub fn next_generation(generation: NonZeroU16) -> NonZeroU16 {
        generation.checked_add(1).unwrap_or(NonZeroU16::MIN)
    }
}
