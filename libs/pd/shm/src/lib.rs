// SPDX-License-Identifier: BSD-2-Clause
//! Views of memory that other protection domains can read or write.
//!
//! A region that the system description maps into a PD is an address and a length. This crate turns
//! it, once, into the one kind of view that its users need, and it is the place where the unsafe
//! code for that lives:
//!
//! | what is in the region | view | why it is sound |
//! | --- | --- | --- |
//! | words that two PDs talk through | [`Region::into_page`]: a reference to a struct of atomics ([`Shared`]) | concurrent access to an atomic is defined, every bit pattern is a value |
//! | payload that another PD may write at any time | [`Window`], [`ReadWindow`] | bytes are copied once, by instructions that the compiler cannot repeat; no slice exists |
//! | bytes that nobody else writes while we look | [`FrozenBytes`], [`ExclusiveBytes`] | the caller states it when the view is made |
//!
//! A [`Region`] is consumed by the conversion, so one range of bytes never has two kinds of view.
//!
//! Two kinds of access exist: [`ReadWrite`], and [`ReadOnly`] for a mapping without write
//! permission. A store through a page of a read-only mapping is no undefined behaviour but a fault;
//! the crates above keep roles apart by type, so that it does not happen.
#![cfg_attr(not(test), no_std)]
#![deny(missing_docs)]

mod bytes;
mod copy;
mod error;
mod region;
mod shared;
mod window;

/// The atomics that shared memory is made of: the machine's, or under `--cfg loom` the model
/// checker's. Nothing else differs between the two.
pub mod atomic {
    #[cfg(not(loom))]
    pub use core::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};
    #[cfg(loom)]
    pub use loom::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};
}

pub use bytes::{Bytes, ExclusiveBytes, FrozenBytes};
pub use error::{OutOfBounds, RegionError};
pub use region::{Access, ReadOnly, ReadWrite, Region};
pub use shared::{Shared, Words};
pub use window::{ReadWindow, Window};
