// SPDX-License-Identifier: BSD-2-Clause
//! Bytes that can be borrowed as slices, because nobody else writes them meanwhile.

use crate::error::check;
use crate::{Access, OutOfBounds, ReadOnly, ReadWrite};
use core::marker::PhantomData;
use core::ptr::NonNull;
use core::slice;

/// Bytes that are read in place, such as received frames. See
/// [`Region::into_frozen_bytes`](crate::Region::into_frozen_bytes).
pub type FrozenBytes = Bytes<ReadOnly>;

/// Bytes that only this PD writes, such as frames to be sent. Others may read them. See
/// [`Region::into_exclusive_bytes`](crate::Region::into_exclusive_bytes).
pub type ExclusiveBytes = Bytes<ReadWrite>;

/// [`FrozenBytes`] or [`ExclusiveBytes`].
#[derive(Debug)]
pub struct Bytes<A: Access> {
    base: NonNull<u8>,
    len: usize,
    access: PhantomData<A>,
}

// SAFETY: nobody else writes the bytes while they are borrowed (contract of `new`), and writing
// them needs `&mut`.
unsafe impl<A: Access> Send for Bytes<A> {}
// SAFETY: through `&Bytes` threads only read.
unsafe impl<A: Access> Sync for Bytes<A> {}

impl<A: Access> Bytes<A> {
    /// # Safety
    ///
    /// `len` bytes at `base` are accessible as `A` says for good, and nobody but the holder of the
    /// result writes them while a slice of them lives.
    pub(crate) unsafe fn new(base: NonNull<u8>, len: usize) -> Self {
        Self {
            base,
            len,
            access: PhantomData,
        }
    }

    /// Size in bytes.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// `len` bytes from `offset`, for reading.
    ///
    /// # Errors
    ///
    /// The range does not lie in the region.
    pub fn slice(&self, offset: usize, len: usize) -> Result<&[u8], OutOfBounds> {
        check(offset, len, self.len)?;
        // SAFETY: the range lies in the region (checked above), which is readable for good; others
        // do not write it (contract of `new`), and `&self` keeps us from writing.
        Ok(unsafe { slice::from_raw_parts(self.base.add(offset).as_ptr(), len) })
    }
}

impl ExclusiveBytes {
    /// `len` bytes from `offset`, for writing.
    ///
    /// # Errors
    ///
    /// The range does not lie in the region.
    pub fn slice_mut(&mut self, offset: usize, len: usize) -> Result<&mut [u8], OutOfBounds> {
        check(offset, len, self.len)?;
        // SAFETY: the range lies in the region (checked above); we are its only writer, and `&mut
        // self` makes the slice the only one.
        Ok(unsafe { slice::from_raw_parts_mut(self.base.add(offset).as_ptr(), len) })
    }
}
