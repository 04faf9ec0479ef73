// SPDX-License-Identifier: BSD-2-Clause
//! The logic of the network driver: a virtio-net device (virtio 1.2 section 5.1) on one side, the
//! driver's end of the packet link on the other.
//!
//! Device and virtqueues are those of the crate `virtio`. What a later life of the driver needs
//! lies in memory that survives it. Everything is generic over the transport, so that tests drive
//! it with a test device.
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
//! What the crate `virtio` supports, with queues of at least [`MIN_QUEUE`] descriptors. Of more
//! than the tables of the driver hold it uses that many, always a power of two. A device without
//! an address gets [`FALLBACK_MAC`].
//!
//! Where the device has a control queue, it gets the filter that the server wants (rule F1): so
//! frames for groups that this machine is not in cost nothing. A device that refuses it is told to
//! receive all.
//!
//! # Why not `EVENT_IDX`
//!
//! Interrupts and doorbells are suppressed by the rings' flags (virtio 1.2 sections 2.7.7 and
//! 2.7.10), which works with every device, and costs nothing where a whole batch is taken at a
//! time.
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

mod control;
mod device;
mod driver;
mod memory;
mod queues;

pub use control::ControlMemory;
pub use device::FALLBACK_MAC;
pub use driver::{NetDriver, RESETS, TURNS};
pub use memory::{DmaMemory, Notes, QueuePages};
pub use queues::{HEADER_LEN, MIN_QUEUE};
pub use virtio::{DeviceError, StartError};

use queues::Queues;
