// SPDX-License-Identifier: BSD-2-Clause
//! What travels through a ring: 16 bytes about one buffer.

/// Facts about a frame, bit by bit. Bits that are not declared here are passed on and mean nothing.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Flags(pub u16);

impl Flags {
    /// Nothing is known.
    pub const NONE: Self = Self(0);
    /// Received: the device has checked the frame's checksums (virtio 1.2 section 5.1.6.4,
    /// `VIRTIO_NET_HDR_F_DATA_VALID`).
    pub const CHECKSUM_VALID: Self = Self(1 << 0);

    /// Whether all bits of `other` are set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// One buffer on its way.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Descriptor {
    /// First byte, from the start of the pool.
    pub offset: u32,
    /// Number of bytes; 0 for an empty buffer.
    pub len: u16,
    /// Facts about the frame.
    pub flags: Flags,
    /// Chosen by the server when it lends a buffer, handed back unchanged (rule B1).
    pub cookie: u32,
    /// 0; for what offloads will have to say.
    pub spare: u32,
}

impl Descriptor {
    /// The two words that lie in a slot.
    pub const fn to_words(self) -> [u64; 2] {
        [
            self.offset as u64 | (self.len as u64) << 32 | (self.flags.0 as u64) << 48,
            self.cookie as u64 | (self.spare as u64) << 32,
        ]
    }

    /// The descriptor that two words mean. Every word means one; whether it makes sense is for the
    /// receiver to check.
    pub const fn from_words([first, second]: [u64; 2]) -> Self {
        Self {
            offset: first as u32,
            len: (first >> 32) as u16,
            flags: Flags((first >> 48) as u16),
            cookie: second as u32,
            spare: (second >> 32) as u32,
        }
    }
}
