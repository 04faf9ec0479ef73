// SPDX-License-Identifier: BSD-2-Clause
//! What a device can be or do wrong.

use core::fmt;

/// The device cannot be used.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum StartError {
    /// There is something else, or nothing, in this slot. The device is given to the right one by
    /// QEMU's `bus=virtio-mmio-bus.N`.
    NotNetwork,
    /// The transport speaks the legacy interface. Remedy in QEMU: `-global
    /// virtio-mmio.force-legacy=false`.
    Legacy,
    /// Features that the driver needs are not offered; the bits that are missing.
    Missing(u64),
    /// The device did not accept the features that it had offered.
    FeaturesRefused,
    /// The device does not finish a reset.
    ResetTimeout,
    /// The device's configuration changes whenever it is read.
    ConfigUnstable,
    /// The device broke the rules again and again without moving a frame in between; the last
    /// error.
    Unusable(DeviceError),
    /// A queue has fewer descriptors than the driver wants at least.
    QueueTooSmall {
        /// Number of the queue: 0 receives, 1 transmits.
        queue: u16,
        /// Descriptors that the device offers.
        offered: u32,
        /// Descriptors needed.
        needed: u32,
    },
    /// The device's configuration cannot be read, or a queue is in use after a reset.
    Transport(virtio_drivers::Error),
}

impl From<virtio_drivers::Error> for StartError {
    fn from(error: virtio_drivers::Error) -> Self {
        Self::Transport(error)
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotNetwork => f.write_str("no network device in this virtio slot"),
            Self::Legacy => f.write_str(
                "the transport is virtio 0.9 (QEMU: -global virtio-mmio.force-legacy=false)",
            ),
            Self::Missing(bits) => write!(f, "the device does not offer feature bits {bits:#x}"),
            Self::FeaturesRefused => {
                f.write_str("the device refused the features that it had offered")
            }
            Self::ResetTimeout => f.write_str("the device does not finish its reset"),
            Self::ConfigUnstable => {
                f.write_str("the device's configuration changes whenever it is read")
            }
            Self::Unusable(error) => {
                write!(f, "the device was reset again and again: {error}")
            }
            Self::QueueTooSmall {
                queue,
                offered,
                needed,
            } => {
                write!(
                    f,
                    "queue {queue} has {offered} descriptors, {needed} are needed"
                )
            }
            Self::Transport(error) => write!(f, "{error}"),
        }
    }
}

impl core::error::Error for StartError {}

/// The device broke virtio's rules; it has to be reset.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum DeviceError {
    /// A used ring names a descriptor chain that the device does not have.
    UnknownId {
        /// Number of the queue.
        queue: u16,
        /// The id.
        id: u32,
    },
    /// The device asks for a reset (`DEVICE_NEEDS_RESET`, virtio 1.2 section 2.1.2).
    NeedsReset,
    /// The driver has more for the device than fits into its queue, which is its own mistake.
    QueueFull {
        /// Number of the queue.
        queue: u16,
    },
}

impl fmt::Display for DeviceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownId { queue, id } => {
                write!(f, "queue {queue} returns {id}, which it does not have")
            }
            Self::NeedsReset => f.write_str("the device asks for a reset"),
            Self::QueueFull { queue } => write!(f, "queue {queue} is full"),
        }
    }
}

impl core::error::Error for DeviceError {}
