// SPDX-License-Identifier: BSD-2-Clause
//! What travels through a ring: 16 bytes about one buffer.

use crate::RxSlot;

/// One buffer on its way.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Descriptor {
    /// First byte, from the start of the pool.
    pub offset: u32,
    /// Number of bytes; 0 for an empty buffer.
    pub len: u16,
    /// Chosen by the server when it lends a buffer, handed back unchanged (rule B1).
    pub cookie: u32,
}

impl Descriptor {
    /// A frame of `len` bytes that the device had delivered and an earlier life of the driver had
    /// not handed on. It begins `start` bytes behind the start of the buffer of which
    /// [`RxSlot::to_word`] said `slot`.
    pub fn leftover(slot: u64, start: u16, len: u16) -> Self {
        RxSlot::from_word(slot).frame(start, len)
    }

    /// The two words that lie in a slot: offset and length, and the cookie. Bits 48..64 of the
    /// first and 32..64 of the second are 0, and free for what offloads will have to say.
    pub const fn to_words(self) -> [u64; 2] {
        [
            self.offset as u64 | (self.len as u64) << 32,
            self.cookie as u64,
        ]
    }

    /// The descriptor that two words mean. Every word means one; whether it makes sense is for the
    /// receiver to check. Free bits are ignored.
    pub const fn from_words([first, second]: [u64; 2]) -> Self {
        Self {
            offset: first as u32,
            len: (first >> 32) as u16,
            cookie: second as u32,
        }
    }
}
