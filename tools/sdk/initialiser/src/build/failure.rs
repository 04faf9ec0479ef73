// SPDX-License-Identifier: BSD-2-Clause
//! Why the system cannot be made.

use core::fmt;

use crate::kernel::KernelError;

/// An error; [`super::Progress`] says what was being made.
#[derive(Clone, Copy, Debug)]
pub enum Failure {
    /// The kernel refused.
    Kernel(KernelError),
    /// No untyped memory has room.
    Memory {
        /// log2 of the size of one object.
        bits: u8,
        /// How many were still to be made.
        count: u64,
    },
    /// Physical memory is not there, or taken.
    NotFree {
        /// The physical address.
        paddr: u64,
        /// Whether device memory was asked for.
        is_device: bool,
    },
    /// The CNode is full: too many frames and mappings.
    Slots {
        /// How many slots were asked for.
        wanted: u64,
        /// How many there are.
        left: u64,
    },
    /// The table of pieces of memory is full: too many regions with physical addresses.
    Pieces,
    /// The initialiser runs on after it was suspended.
    Awake,
}

impl From<KernelError> for Failure {
    fn from(error: KernelError) -> Self {
        Self::Kernel(error)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kernel(error) => write!(f, "{error}"),
            Self::Memory { bits, count } => {
                write!(
                    f,
                    "out of memory: no room for {count} objects of {:#x} bytes",
                    1u64 << bits
                )
            }
            Self::NotFree { paddr, is_device } => {
                let kind = if *is_device { "device memory" } else { "RAM" };
                write!(
                    f,
                    "there is no free {kind} at {paddr:#x}; two regions may overlap, or the kernel has it"
                )
            }
            Self::Slots { wanted, left } => write!(
                f,
                "out of capability slots: {wanted} wanted, {left} left; use fewer or larger (2 MiB) pages"
            ),
            Self::Pieces => write!(f, "too many regions with physical addresses"),
            Self::Awake => write!(f, "the kernel did not suspend it"),
        }
    }
}
