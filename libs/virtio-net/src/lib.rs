// SPDX-License-Identifier: BSD-2-Clause
//! The logic of the network driver: a virtio-net device (virtio 1.2 section 5.1) on one side, the driver's end of the packet link on the other.
//!
//! Transport and virtqueues are those of the crate virtio-drivers; its `VirtIONet` is not used, as it waits, allocates, and rings the doorbell for
//! each frame. Everything is generic over the transport, so that tests drive it with a pretended device.
//!
//! # A wake-up
//!
//! [`NetDriver::interrupt`] acknowledges the device's interrupt, before anything is looked at: what the device does after that raises a new one.
//! [`NetDriver::run`] then switches the device's interrupts off and works in passes. A pass takes received frames to the server, sent buffers back to it,
//! empty buffers and frames from it to the device, rings each queue's doorbell at most once, and notifies the server at most once. When a pass has found nothing,
//! interrupts are switched on, everything is looked at once more, and the driver sleeps. While the server works there are no interrupts: if it has the
//! higher priority, it runs inside of the pass's notification, and the next pass finds what it has left.
//!
//! Interrupts for sent frames are on only while the server waits for buffers; otherwise confirmations are collected when the driver is awake anyway.
//!
//! # Why not `EVENT_IDX`
//!
//! Interrupts and doorbells are suppressed by the rings' flags (virtio 1.2 sections 2.7.7 and 2.7.10), which works with every device. virtio-drivers 0.13 implements
//! `VIRTIO_F_EVENT_IDX` in a way that cannot be used here: `set_dev_notify` has no effect with it, each pop asks for the next interrupt, and `should_notify` compares
//! free-running 16-bit indices by size, so that after their wrap a doorbell is missing that the device waits for. `INDIRECT_DESC` needs an allocator
//! there and saves nothing for chains of two.
#![cfg_attr(not(test), no_std)]

mod device;
mod dma;
mod driver;
mod error;
mod queues;

pub use device::{Device, Features};
pub use dma::{DmaRegion, PacketMemory, QUEUE_MEMORY, RegionHal};
pub use driver::NetDriver;
pub use error::{DeviceError, StartError};
pub use queues::{HEADER_LEN, Queues};
