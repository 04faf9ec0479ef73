// SPDX-License-Identifier: BSD-2-Clause
//! Payload memory that another PD may write at any time.
//!
//! No slice is ever formed over it. Bytes are copied out or in exactly once; what was checked is
//! the copy, never the window.

use crate::copy::copy_once;
use crate::{Access, OutOfBounds, ReadOnly, ReadWrite, Region};

/// A window that this PD only reads.
pub type ReadWindow = Window<ReadOnly>;

/// A window that this PD writes, and may read; or only reads, as [`ReadWindow`].
///
/// It is not `Sync`: two threads of this program have no business in one window.
#[derive(Debug)]
pub struct Window<A: Access = ReadWrite>(pub(crate) Region<A>);

impl<A: Access> Window<A> {
    /// Size in bytes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the window has no bytes.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Copies the bytes from `offset` on into `into`, each exactly once.
    ///
    /// # Errors
    /// The range does not lie in the window; nothing is copied.
    pub fn read_at(&self, offset: usize, into: &mut [u8]) -> Result<(), OutOfBounds> {
        let from = self.0.range(offset, into.len())?;
        // SAFETY: the range lies in the window (checked above), which is readable; `into` is ours
        // alone, so the two do not overlap.
        unsafe { copy_once(from.as_ptr(), into.as_mut_ptr(), into.len()) };
        Ok(())
    }
}

impl Window<ReadWrite> {
    /// Copies `from` into the window from `offset` on, each byte exactly once.
    ///
    /// # Errors
    /// The range does not lie in the window; nothing is copied.
    pub fn write_at(&self, offset: usize, from: &[u8]) -> Result<(), OutOfBounds> {
        let into = self.0.range(offset, from.len())?;
        // SAFETY: the range lies in the window (checked above), which is writable; no reference to
        // the window exists, so `from` does not overlap.
        unsafe { copy_once(from.as_ptr(), into.as_ptr(), from.len()) };
        Ok(())
    }
}
