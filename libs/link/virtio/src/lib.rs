// SPDX-License-Identifier: BSD-2-Clause
//! What the drivers of virtio devices share: how a device is brought up, its split virtqueues
//! (virtio 1.2 section 2.7), and what can be wrong with it.
//!
//! The transport is that of the crate virtio-drivers. The virtqueues are this crate's own: they are
//! made of atomics, so that nothing here is unsafe, and their memory survives a restart of the
//! driver. The device may write there what it likes and when it likes; everything that it reports
//! is checked against private state.
//!
//! # What is supported
//!
//! Devices of virtio 1 (`VIRTIO_F_VERSION_1`). The fences are those for memory that processors
//! share, and caches are neither cleaned nor invalidated: that suffices for emulated devices and
//! for ones that are coherent with the processor's caches, and for no others.
//! `VIRTIO_F_ACCESS_PLATFORM` and `VIRTIO_F_ORDER_PLATFORM`, by which a device says that it needs
//! more, are not accepted; a device that insists refuses the features, and the driver says so.
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

mod error;
mod memory;
mod queue;
mod registers;

pub use error::{DeviceError, StartError};
pub use memory::{NEXT, QueueMemory, WRITE};
pub use queue::Queue;
pub use registers::Registers;
