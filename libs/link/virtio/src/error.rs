// SPDX-License-Identifier: BSD-2-Clause
//! What a device can be or do wrong.

use thiserror::Error;
use virtio_drivers::transport::DeviceType;

/// The device cannot be used.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Error)]
pub enum StartError {
    /// There is something else, or nothing, in this slot. The device is given to the right one by
    /// QEMU's `bus=virtio-mmio-bus.N`.
    #[error("no {wanted:?} device in this virtio slot (QEMU: bus=virtio-mmio-bus.N)")]
    OtherDevice {
        /// The device that the driver is for.
        wanted: DeviceType,
    },
    /// The transport speaks the legacy interface. Remedy in QEMU: `-global
    /// virtio-mmio.force-legacy=false`.
    #[error("the transport is virtio 0.9 (QEMU: -global virtio-mmio.force-legacy=false)")]
    Legacy,
    /// Features that the driver needs are not offered; the bits that are missing.
    #[error("the device does not offer feature bits {0:#x}")]
    Missing(u64),
    /// The device did not accept the features that it had offered.
    #[error("the device refused the features that it had offered")]
    FeaturesRefused,
    /// The device does not finish a reset.
    #[error("the device does not finish its reset")]
    ResetTimeout,
    /// The device's configuration changes whenever it is read.
    #[error("the device's configuration changes whenever it is read")]
    ConfigUnstable,
    /// The device broke the rules again and again without doing anything useful in between; the
    /// last error.
    #[error("the device was reset again and again: {0}")]
    Unusable(DeviceError),
    /// A queue has fewer descriptors than the driver wants at least.
    #[error("queue {queue} has {offered} descriptors, {needed} are needed")]
    QueueTooSmall {
        /// Number of the queue.
        queue: u16,
        /// Descriptors that the device offers.
        offered: u32,
        /// Descriptors needed.
        needed: u32,
    },
    /// The device's configuration cannot be read, or a queue is in use after a reset.
    #[error(transparent)]
    Transport(#[from] virtio_drivers::Error),
}

/// The device broke virtio's rules; it has to be reset.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Error)]
pub enum DeviceError {
    /// A used ring names a descriptor chain that the device does not have.
    #[error("queue {queue} returns {id}, which the device does not have")]
    UnknownId {
        /// Number of the queue.
        queue: u16,
        /// The id.
        id: u32,
    },
    /// A used ring's index is further ahead than the device has chains.
    #[error("the used index of queue {queue} went from {last} to {reported}")]
    UsedIndex {
        /// Number of the queue.
        queue: u16,
        /// What the device wrote.
        reported: u16,
        /// The last one.
        last: u16,
    },
    /// The device says that it has written nothing, or more than there was room for.
    #[error("the device was asked for {asked} bytes and brings {reported}")]
    Length {
        /// Bytes that it says it has written.
        reported: u32,
        /// Bytes that it was asked for.
        asked: u32,
    },
    /// What an entropy device brings is the same as before, or all zeros.
    #[error("the device brings the same bytes again")]
    Repeated,
    /// The device asks for a reset (`DEVICE_NEEDS_RESET`, virtio 1.2 section 2.1.2).
    #[error("the device asks for a reset")]
    NeedsReset,
    /// The driver has more for the device than fits into its queue, which is its own mistake.
    #[error("queue {queue} is full")]
    QueueFull {
        /// Number of the queue.
        queue: u16,
    },
}
