// SPDX-License-Identifier: BSD-2-Clause
//! Bytes that can be borrowed as slices, because nobody else writes them meanwhile.

use crate::OutOfBounds;
use crate::error::check;
use core::ptr::NonNull;
use core::slice;

/// Bytes that are read in place, such as received frames. See [`Region::into_frozen_bytes`](crate::Region::into_frozen_bytes).
#[derive(Debug)]
pub struct FrozenBytes {
    base: NonNull<u8>,
    len: usize,
}

// SAFETY: the bytes are only read through it, and its contract says that nobody writes them under a slice.
unsafe impl Send for FrozenBytes {}
// SAFETY: threads that share it only read bytes that nobody writes.
unsafe impl Sync for FrozenBytes {}

impl FrozenBytes {
    /// # Safety
    ///
    /// `len` bytes at `base` are readable for good, and do not change while a slice of them lives.
    pub(crate) unsafe fn new(base: NonNull<u8>, len: usize) -> Self {
        Self { base, len }
    }

    /// Size in bytes.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// `len` bytes from `offset`.
    ///
    /// # Errors
    ///
    /// The range does not lie in the region.
    pub fn slice(&self, offset: usize, len: usize) -> Result<&[u8], OutOfBounds> {
        check(offset, len, self.len)?;
        // SAFETY: the range lies in the region (checked above), which is readable for good; unchanging by the contract of `new`.
        Ok(unsafe { slice::from_raw_parts(self.base.add(offset).as_ptr(), len) })
    }
}

/// Bytes that only this PD writes, such as frames to be sent. Others may read them. See
/// [`Region::into_exclusive_bytes`](crate::Region::into_exclusive_bytes).
#[derive(Debug)]
pub struct ExclusiveBytes {
    base: NonNull<u8>,
    len: usize,
}

// SAFETY: it is the only view of its bytes, and writing needs `&mut`.
unsafe impl Send for ExclusiveBytes {}
// SAFETY: `&ExclusiveBytes` only reads, and nobody writes while it is borrowed.
unsafe impl Sync for ExclusiveBytes {}

impl ExclusiveBytes {
    /// # Safety
    ///
    /// `len` bytes at `base` are readable and writable for good, and nobody but the holder of the result writes them.
    pub(crate) unsafe fn new(base: NonNull<u8>, len: usize) -> Self {
        Self { base, len }
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
        // SAFETY: the range lies in the region (checked above); we are its only writer, and `&self` keeps us from writing.
        Ok(unsafe { slice::from_raw_parts(self.base.add(offset).as_ptr(), len) })
    }

    /// `len` bytes from `offset`, for writing.
    ///
    /// # Errors
    ///
    /// The range does not lie in the region.
    pub fn slice_mut(&mut self, offset: usize, len: usize) -> Result<&mut [u8], OutOfBounds> {
        check(offset, len, self.len)?;
        // SAFETY: the range lies in the region (checked above); we are its only writer, and `&mut self` makes the slice the only one.
        Ok(unsafe { slice::from_raw_parts_mut(self.base.add(offset).as_ptr(), len) })
    }
}
