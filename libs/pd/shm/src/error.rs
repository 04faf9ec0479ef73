// SPDX-License-Identifier: BSD-2-Clause
//! What can be wrong with a range.

use core::fmt;

/// A range does not lie in the memory it is meant for.
///
/// Offsets and lengths often come from a peer, so this is an ordinary value: the caller counts it
/// against the peer or answers `EINVAL`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct OutOfBounds {
    /// First byte asked for, from the start of the memory.
    pub offset: usize,
    /// Number of bytes asked for.
    pub len: usize,
    /// Size of the memory in bytes.
    pub size: usize,
}

impl fmt::Display for OutOfBounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { offset, len, size } = self;
        write!(
            f,
            "{len} bytes at offset {offset} exceed a memory of {size} bytes"
        )
    }
}

impl core::error::Error for OutOfBounds {}

/// A region cannot be viewed in the way asked for: the system description and the code disagree.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RegionError {
    /// The type needs more bytes than the region has. Remedy: raise the region's size in
    /// the declaration.
    TooSmall {
        /// Bytes needed.
        needed: usize,
        /// Bytes there.
        size: usize,
    },
    /// The address is not a multiple of the type's alignment. Remedy: regions start at page
    /// boundaries; split them at aligned offsets.
    Misaligned {
        /// Address of the region.
        address: usize,
        /// Alignment needed, in bytes.
        alignment: usize,
    },
}

impl fmt::Display for RegionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooSmall { needed, size } => {
                write!(f, "{needed} bytes are needed, the region has {size}")
            }
            Self::Misaligned { address, alignment } => {
                write!(f, "address {address:#x} is not a multiple of {alignment}")
            }
        }
    }
}

impl core::error::Error for RegionError {}

/// Checks that `offset..offset + len` lies in `0..size`, without overflow.
pub(crate) fn check(offset: usize, len: usize, size: usize) -> Result<(), OutOfBounds> {
    match offset.checked_add(len) {
        Some(end) if end <= size => Ok(()),
        _ => Err(OutOfBounds { offset, len, size }),
    }
}
