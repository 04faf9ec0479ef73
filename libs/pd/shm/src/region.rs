// SPDX-License-Identifier: BSD-2-Clause
//! A mapped region before it is known what lies in it.

use crate::{
    Bytes, ExclusiveBytes, FrozenBytes, OutOfBounds, ReadWindow, RegionError, Shared, Window,
};
use core::marker::PhantomData;
use core::ptr::{NonNull, with_exposed_provenance_mut};

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::ReadOnly {}
    impl Sealed for super::ReadWrite {}
}

/// What the mapping of a region permits: [`ReadOnly`] or [`ReadWrite`].
pub trait Access: sealed::Sealed {
    /// Whether the mapping must permit writing.
    const WRITES: bool;
}

/// The region is mapped without write permission (`perms="r"`).
#[derive(Debug)]
pub enum ReadOnly {}

/// The region is mapped with write permission (`perms="rw"`).
#[derive(Debug)]
pub enum ReadWrite {}

impl Access for ReadOnly {
    const WRITES: bool = false;
}
impl Access for ReadWrite {
    const WRITES: bool = true;
}

/// The right to make one view of each byte of a mapped region.
#[derive(Debug)]
pub struct Region<A: Access> {
    base: NonNull<u8>,
    len: usize,
    access: PhantomData<A>,
}

// SAFETY: a region is an address and a length; nothing in it is tied to the thread that made it.
unsafe impl<A: Access> Send for Region<A> {}

impl<A: Access> Region<A> {
    /// The region of `len` bytes that the system description has mapped at `address`.
    ///
    /// # Safety
    ///
    /// - `len` bytes at `address` are mapped as normal memory (not device memory), at least with
    ///   the access that `A` names, until the program ends.
    /// - `address` is not 0, and `address + len` does not overflow.
    /// - Nothing else in this program refers to these bytes: no static, no stack, no second
    ///   `Region`.
    pub unsafe fn new(address: usize, len: usize) -> Self {
        // SAFETY: the caller promises that the address is not 0, and the rest of the contract.
        unsafe {
            let base = NonNull::new_unchecked(with_exposed_provenance_mut(address));
            Self::from_ptr(base, len)
        }
    }

    /// Like [`new`](Self::new), for memory that the program already has a pointer to (tests,
    /// allocations).
    ///
    /// # Safety
    ///
    /// As for [`new`](Self::new), with the pointer in place of the address.
    pub unsafe fn from_ptr(base: NonNull<u8>, len: usize) -> Self {
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

    /// Whether the region has no bytes.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The region again, if it has at least so many bytes.
    ///
    /// # Errors
    /// It has fewer.
    pub fn at_least(self, bytes: usize) -> Result<Self, RegionError> {
        if self.len < bytes {
            return Err(RegionError::TooSmall {
                needed: bytes,
                size: self.len,
            });
        }
        Ok(self)
    }

    /// A pointer to the first of `len` bytes from `offset` on, all of which lie in the region.
    pub(crate) fn range(&self, offset: usize, len: usize) -> Result<NonNull<u8>, OutOfBounds> {
        let size = self.len;
        match offset.checked_add(len) {
            // SAFETY: `offset` is at most the region's length, so the pointer stays within it or
            // one past its end.
            Some(end) if end <= size => Ok(unsafe { self.base.add(offset) }),
            _ => Err(OutOfBounds { offset, len, size }),
        }
    }

    /// The start of the region as a struct of atomics.
    ///
    /// # Errors
    /// The region is too small for `T`, or its address is not aligned for it.
    pub fn into_page<T: Shared>(self) -> Result<&'static T, RegionError> {
        Ok(&self.at_least(size_of::<T>())?.into_slice()?[0])
    }

    /// The region as structs of atomics, one behind the other: as many as it has room for.
    ///
    /// # Errors
    /// The region has no room for one, or its address is not aligned for `T`.
    pub fn into_slice<T: Shared>(self) -> Result<&'static [T], RegionError> {
        let region = self.at_least(size_of::<T>())?;
        let first = region.base.cast::<T>();
        if !first.is_aligned() {
            return Err(RegionError::Misaligned {
                address: region.base.addr().get(),
                alignment: align_of::<T>(),
            });
        }
        let all = NonNull::slice_from_raw_parts(first, region.len / size_of::<T>());
        // SAFETY: mapped for good (contract of `new`), large enough and aligned (checked above), no
        // other view exists (the region is consumed), and `Shared` promises validity for
        // whatever is or will be written there.
        Ok(unsafe { all.as_ref() })
    }

    fn into_read_only(self) -> Region<ReadOnly> {
        Region {
            base: self.base,
            len: self.len,
            access: PhantomData,
        }
    }

    /// The region as payload that another PD may write at any time, to be read only.
    pub fn into_read_window(self) -> ReadWindow {
        Window(self.into_read_only())
    }

    /// The region as bytes that do not change while we look at them.
    ///
    /// # Safety
    ///
    /// As long as a slice obtained from the result lives, nobody writes the bytes of that slice: no
    /// PD, and no device. For receive buffers this follows from the packet link: the device
    /// gets a buffer only after its owner has handed it over.
    pub unsafe fn into_frozen_bytes(self) -> FrozenBytes {
        Bytes(self.into_read_only())
    }
}

impl Region<ReadWrite> {
    /// The region as payload that another PD may read, and perhaps write, at any time.
    pub fn into_window(self) -> Window {
        Window(self)
    }

    /// The region as bytes that only this PD writes.
    ///
    /// # Safety
    ///
    /// No other PD and no device ever writes the region.
    pub unsafe fn into_exclusive_bytes(self) -> ExclusiveBytes {
        Bytes(self)
    }
}
