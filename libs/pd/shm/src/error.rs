// SPDX-License-Identifier: BSD-2-Clause
//! What can be wrong with a range.

use thiserror::Error;

/// A range does not lie in the memory it is meant for.
///
/// Offsets and lengths often come from a peer, so this is an ordinary value: the caller counts it
/// against the peer or returns `EINVAL`.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Error)]
#[error("{len} bytes at offset {offset} exceed a memory of {size} bytes")]
pub struct OutOfBounds {
    /// First byte asked for, from the start of the memory.
    pub offset: usize,
    /// Number of bytes asked for.
    pub len: usize,
    /// Size of the memory in bytes.
    pub size: usize,
}

/// A region cannot be viewed in the way asked for: the system description and the code disagree.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Error)]
pub enum RegionError {
    /// The type needs more bytes than the region has. Remedy: raise the region's size in
    /// the declaration.
    #[error("{needed} bytes are needed, the region has {size}")]
    TooSmall {
        /// Bytes needed.
        needed: usize,
        /// Bytes there.
        size: usize,
    },
    /// The address is not a multiple of the type's alignment. Remedy: regions start at page
    /// boundaries; give the type a region of its own.
    #[error("address {address:#x} is not a multiple of {alignment}")]
    Misaligned {
        /// Address of the region.
        address: usize,
        /// Alignment needed, in bytes.
        alignment: usize,
    },
}
