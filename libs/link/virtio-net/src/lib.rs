// SPDX-License-Identifier: BSD-2-Clause
//! The logic of the network driver: a virtio-net device (virtio 1.2 section 5.1) on one side, the
//! driver's end of the packet link on the other.
//!
//! The transport is that of the crate virtio-drivers. The virtqueues are this crate's own: they are
//! made of atomics, so that nothing here is unsafe; they keep what a later life of the driver needs
//! in the memory that survives it; and they take as many descriptors as the device offers.
//! Everything is generic over the transport, so that tests drive it with a test device.
//!
//! # A wake-up
//!
//! [`NetDriver::interrupt`] acknowledges the device's interrupt, before anything is looked at: what
//! the device does after that raises a new one. [`NetDriver::run`] then switches the device's
//! interrupts off and works in passes. A pass takes received frames to the server, sent buffers
//! back to it, empty buffers and frames from it to the device, rings each queue's doorbell at most
//! once, and notifies the server at most once. When a pass has found nothing, interrupts are
//! switched on, everything is looked at once more, and the driver sleeps. While the server works
//! there are no interrupts: if it has the higher priority, it runs inside of the pass's
//! notification, and the next pass finds what it has left.
//!
//! Interrupts for sent frames are on only while the server waits for buffers; otherwise
//! confirmations are collected when the driver is awake anyway.
//!
//! A wake-up is bounded: after [`TURNS`] passes, or a second reset of the device, the driver asks
//! the server to notify it (rule S6 of the crate `ring`) and returns. A device that has to be reset
//! [`RESETS`] times without a frame moved in between is given up.
//!
//! # A restart
//!
//! All that the driver knows is lost when it faults, but not what lies in shared memory. A new life
//! resets the device, so that memory holds still, and then looks for received frames: in the ring
//! to the server, and in the used ring behind the index up to which the earlier life had handed
//! frames on. They are the first that the server gets (rule B5). Frames to be sent are submitted
//! once more by the server.
//!
//! An index is noted after its frame was put into the ring, and before its descriptor is used
//! again. So a fault between any two instructions loses no frame; one may be found twice, and the
//! server takes it once.
//!
//! # What is supported
//!
//! Devices of virtio 1 (`VIRTIO_F_VERSION_1`) whose queues have at least [`MIN_QUEUE`] descriptors;
//! of more than the tables of the driver hold it uses that many, always a power of two. A device
//! without an address gets [`FALLBACK_MAC`]. The fences are those for memory that processors share,
//! and caches are neither cleaned nor invalidated: that suffices for emulated devices and for ones
//! that are coherent with the processor's caches, and for no others. `VIRTIO_F_ACCESS_PLATFORM` and
//! `VIRTIO_F_ORDER_PLATFORM`, by which a device says that it needs more, are not accepted; a device
//! that insists refuses the features, and the driver says so.
//!
//! # Why not `EVENT_IDX`
//!
//! Interrupts and doorbells are suppressed by the rings' flags (virtio 1.2 sections 2.7.7 and
//! 2.7.10), which works with every device, and costs nothing where a whole batch is taken at a
//! time.
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

mod device;
mod driver;
mod error;
mod memory;
mod queue;
mod queues;

pub use device::{Device, FALLBACK_MAC, Features};
pub use driver::{NetDriver, RESETS, TURNS};
pub use error::{DeviceError, StartError};
pub use memory::{DmaMemory, Notes, QueueMemory, QueuePages};
pub use queue::MIN_QUEUE;
pub use queues::{HEADER_LEN, Queues};
