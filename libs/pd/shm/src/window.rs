// SPDX-License-Identifier: BSD-2-Clause
//! Payload memory that another PD may write at any time.
//!
//! No slice is ever formed over it. Bytes are copied out or in exactly once; what was checked is
//! the copy, never the window.

use crate::copy::copy_once;
use crate::error::check;
use crate::{Access, OutOfBounds, ReadOnly, ReadWrite};
use core::marker::PhantomData;
use core::ptr::NonNull;

/// A window that this PD only reads.
pub type ReadWindow = Window<ReadOnly>;

/// A window that this PD writes, and may read; or only reads, as [`ReadWindow`].
#[derive(Debug)]
pub struct Window<A: Access = ReadWrite> {
    base: NonNull<u8>,
    len: usize,
    access: PhantomData<A>,
}

// SAFETY: an address and a length, not tied to a thread. (Not `Sync`: two threads of this program
// have no business in one window.)
unsafe impl<A: Access> Send for Window<A> {}

impl<A: Access> Window<A> {
    /// # Safety
    ///
    /// `len` bytes at `base` are accessible as `A` says for good, and no Rust reference to them
    /// exists or will exist.
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
        // SAFETY: the range lies in the window (checked above), which is readable; `into` is ours
        // alone, so the two do not overlap.
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

impl Window<ReadWrite> {
    /// Copies `from` into the window from `offset` on, each byte exactly once.
    ///
    /// # Errors
    ///
    /// The range does not lie in the window; nothing is copied.
    pub fn write_at(&self, offset: usize, from: &[u8]) -> Result<(), OutOfBounds> {
        check(offset, from.len(), self.len)?;
        // SAFETY: the range lies in the window (checked above), which is writable; no reference to
        // the window exists, so `from` does not overlap.
        unsafe { copy_once(from.as_ptr(), self.base.add(offset).as_ptr(), from.len()) };
        Ok(())
    }
}
