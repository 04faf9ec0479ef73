// SPDX-License-Identifier: BSD-2-Clause
//! The logic of the random number generator's driver: a virtio-rng device (virtio 1.2 section 5.4)
//! seeds a generator that serves the callers.
//!
//! [`Source`] is the whole: each call does one step with the device and at most one with the
//! generator, so that its work is bounded and no caller can use up what another needs. There are no
//! interrupts. What the device has brought is looked for when somebody calls, so a device that
//! raises one after the other disturbs nobody.
//!
//! [`Device`] asks for entropy through a queue of one descriptor (crate `virtio`) in one page of
//! memory.
//!
//! [`Generator`] is ChaCha20 with fast key erasure: each block of the key stream gives the next key
//! and one caller's bytes, so the state tells nothing of what was given out before. It gives
//! nothing until it has been seeded with 256 bits of the device, and what the device brings later
//! is mixed in. The state is not meant to survive a restart of the driver: a copy that is restored
//! would repeat what was given out already.
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

mod device;
mod generator;
mod source;

pub use device::{Device, RequestPage};
pub use generator::{Generator, SEED_LEN, Seed};
pub use source::{Event, MAX_FAILURES, Policy, Source};
pub use virtio::{DeviceError, StartError};
