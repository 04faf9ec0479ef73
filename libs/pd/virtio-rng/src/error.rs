// SPDX-License-Identifier: BSD-2-Clause
//! What can be wrong with the device.

use core::fmt;

/// The device cannot be used.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum StartError {
    /// The device in this virtio slot is another one. QEMU's `bus=virtio-mmio-bus.N` says which
    /// slot a device gets.
    NotEntropy,
    /// The transport is that of virtio 0.9.
    Legacy,
    /// The device does not offer these feature bits.
    Missing(u64),
    /// The device took back features that it had offered.
    FeaturesRefused,
    /// The device does not finish a reset.
    ResetTimeout,
    /// The device has no queue for requests.
    NoQueue,
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotEntropy => f.write_str("the device in this virtio slot is another one"),
            Self::Legacy => f.write_str(
                "the transport is virtio 0.9 (QEMU: -global virtio-mmio.force-legacy=false)",
            ),
            Self::Missing(bits) => write!(f, "the device does not offer feature bits {bits:#x}"),
            Self::FeaturesRefused => {
                f.write_str("the device refused the features that it had offered")
            }
            Self::ResetTimeout => f.write_str("the device does not finish its reset"),
            Self::NoQueue => f.write_str("the device has no queue"),
        }
    }
}

impl core::error::Error for StartError {}

/// The device broke virtio's rules, or what it brings is not random. It has to be reset.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum DeviceError {
    /// The used ring's index is neither the last one nor the one after the request that the device
    /// has.
    UsedIndex {
        /// What the device wrote.
        reported: u16,
        /// The last one.
        last: u16,
    },
    /// The used ring names a descriptor that does not exist.
    UnknownId(u32),
    /// The device says that it has written nothing, or more than there was room for.
    Length {
        /// Bytes that it says it has written.
        reported: u32,
        /// Bytes that it was asked for.
        asked: u32,
    },
    /// The seed is the same as the one before, or all zeros.
    Repeated,
    /// The device asks for a reset (`DEVICE_NEEDS_RESET`, virtio 1.2 section 2.1.2).
    NeedsReset,
}

impl fmt::Display for DeviceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UsedIndex { reported, last } => {
                write!(f, "its used index went from {last} to {reported}")
            }
            Self::UnknownId(id) => write!(f, "it returns descriptor {id}, which it does not have"),
            Self::Length { reported, asked } => {
                write!(f, "it was asked for {asked} bytes and brings {reported}")
            }
            Self::Repeated => f.write_str("it brings the same bytes again"),
            Self::NeedsReset => f.write_str("it asks for a reset"),
        }
    }
}

impl core::error::Error for DeviceError {}
