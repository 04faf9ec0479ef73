// SPDX-License-Identifier: BSD-2-Clause
//! Bytes that can be borrowed as slices, because nobody else writes them meanwhile.

use crate::{Access, OutOfBounds, ReadOnly, ReadWrite, Region};
use core::slice;

/// Bytes that are read in place, such as received frames. See
/// [`Region::into_frozen_bytes`](crate::Region::into_frozen_bytes).
pub type FrozenBytes = Bytes<ReadOnly>;

/// Bytes that only this PD writes, such as frames to be sent. Others may read them. See
/// [`Region::into_exclusive_bytes`](crate::Region::into_exclusive_bytes).
pub type ExclusiveBytes = Bytes<ReadWrite>;

/// [`FrozenBytes`] or [`ExclusiveBytes`].
#[derive(Debug)]
pub struct Bytes<A: Access>(pub(crate) Region<A>);

// SAFETY: nobody else writes the bytes while they are borrowed (contract of the two functions that
// make them), and through `&Bytes` threads only read.
unsafe impl<A: Access> Sync for Bytes<A> {}

impl<A: Access> Bytes<A> {
    /// Size in bytes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `len` bytes from `offset`, for reading.
    ///
    /// # Errors
    /// The range does not lie in the region.
    pub fn slice(&self, offset: usize, len: usize) -> Result<&[u8], OutOfBounds> {
        let first = self.0.range(offset, len)?;
        // SAFETY: the range lies in the region (checked above), which is readable for good; others
        // do not write it (contract of the functions that make `Bytes`), and `&self` keeps us from
        // writing.
        Ok(unsafe { slice::from_raw_parts(first.as_ptr(), len) })
    }
}

impl ExclusiveBytes {
    /// `len` bytes from `offset`, for writing.
    ///
    /// # Errors
    /// The range does not lie in the region.
    pub fn slice_mut(&mut self, offset: usize, len: usize) -> Result<&mut [u8], OutOfBounds> {
        let first = self.0.range(offset, len)?;
        // SAFETY: the range lies in the region (checked above); we are its only writer, and `&mut
        // self` makes the slice the only one.
        Ok(unsafe { slice::from_raw_parts_mut(first.as_ptr(), len) })
    }
}
