// SPDX-License-Identifier: BSD-2-Clause
//! Payload memory that another PD may write at any time.
//!
//! No slice is ever formed over it. Bytes are copied out or in exactly once; what was checked is the copy, never the window.

use crate::OutOfBounds;
use crate::copy::copy_once;
use crate::error::check;
use core::ptr::NonNull;

/// A window that this PD only reads.
#[derive(Debug)]
pub struct ReadWindow {
    base: NonNull<u8>,
    len: usize,
}

// SAFETY: an address and a length, not tied to a thread. (Not `Sync`: two threads of this program have no business in one window.)
unsafe impl Send for ReadWindow {}

impl ReadWindow {
    /// # Safety
    ///
    /// `len` bytes at `base` are readable for good, and no Rust reference to them exists or will exist.
    pub(crate) unsafe fn new(base: NonNull<u8>, len: usize) -> Self {
        Self { base, len }
    }

    /// Size in bytes.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether the window has no bytes.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Copies the bytes from `offset` on into `into`, each exactly once.
    ///
    /// # Errors
    ///
    /// The range does not lie in the window; nothing is copied.
    pub fn read_at(&self, offset: usize, into: &mut [u8]) -> Result<(), OutOfBounds> {
        check(offset, into.len(), self.len)?;
        // SAFETY: the range lies in the window (checked above), which is readable; `into` is ours alone, so the two do not overlap.
        unsafe {
            copy_once(
                self.base.add(offset).as_ptr(),
                into.as_mut_ptr(),
                into.len(),
            )
        };
        Ok(())
    }
}

/// A window that this PD writes, and may read.
#[derive(Debug)]
pub struct Window {
    base: NonNull<u8>,
    len: usize,
}

// SAFETY: as for `ReadWindow`.
unsafe impl Send for Window {}

impl Window {
    /// # Safety
    ///
    /// `len` bytes at `base` are readable and writable for good, and no Rust reference to them exists or will exist.
    pub(crate) unsafe fn new(base: NonNull<u8>, len: usize) -> Self {
        Self { base, len }
    }

    /// Size in bytes.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether the window has no bytes.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Copies the bytes from `offset` on into `into`, each exactly once.
    ///
    /// # Errors
    ///
    /// The range does not lie in the window; nothing is copied.
    pub fn read_at(&self, offset: usize, into: &mut [u8]) -> Result<(), OutOfBounds> {
        check(offset, into.len(), self.len)?;
        // SAFETY: the range lies in the window (checked above), which is readable; `into` is ours alone, so the two do not overlap.
        unsafe {
            copy_once(
                self.base.add(offset).as_ptr(),
                into.as_mut_ptr(),
                into.len(),
            )
        };
        Ok(())
    }

    /// Copies `from` into the window from `offset` on, each byte exactly once.
    ///
    /// # Errors
    ///
    /// The range does not lie in the window; nothing is copied.
    pub fn write_at(&self, offset: usize, from: &[u8]) -> Result<(), OutOfBounds> {
        check(offset, from.len(), self.len)?;
        // SAFETY: the range lies in the window (checked above), which is writable; no reference to the window exists, so `from` does not overlap.
        unsafe { copy_once(from.as_ptr(), self.base.add(offset).as_ptr(), from.len()) };
        Ok(())
    }
}
