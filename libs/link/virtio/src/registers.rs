// SPDX-License-Identifier: BSD-2-Clause
//! The device's status: reset, negotiation, giving up (virtio 1.2 sections 2.1 and 3.1.1).

use core::hint::spin_loop;

use virtio_drivers::transport::{DeviceStatus, DeviceType, Transport};

use crate::StartError;

/// The feature that all drivers need: the device speaks virtio 1 (virtio 1.2 section 6).
const VERSION_1: u64 = 1 << 32;

/// A device of virtio 1.
pub struct Registers<T: Transport> {
    /// For what is asked of the device besides its status.
    pub transport: T,
    /// Looks at the status before a reset counts as failed.
    reset_looks: usize,
}

impl<T: Transport> Registers<T> {
    /// Takes a device of this kind and resets it: whatever an earlier life of the PD had given it,
    /// it does not touch memory any more. A reset that is not done after `reset_looks` looks at
    /// the status has failed; QEMU's devices are done at the first.
    ///
    /// # Errors
    /// It is another device or one of before virtio 1, or does not finish the reset.
    pub fn take(transport: T, kind: DeviceType, reset_looks: usize) -> Result<Self, StartError> {
        if transport.device_type() != kind {
            return Err(StartError::OtherDevice { wanted: kind });
        }
        if transport.requires_legacy_layout() {
            return Err(StartError::Legacy);
        }
        let mut registers = Self {
            transport,
            reset_looks,
        };
        registers.reset()?;
        Ok(registers)
    }

    /// Stops the device. Afterwards it does not touch memory.
    ///
    /// # Errors
    /// The device does not finish: it may still be writing. It is told that the driver has given
    /// up.
    pub fn reset(&mut self) -> Result<(), StartError> {
        self.transport.set_status(DeviceStatus::empty());
        for _ in 0..self.reset_looks {
            if self.transport.get_status().is_empty() {
                return Ok(());
            }
            spin_loop();
        }
        // Without the bits that it has: it has been asked to drop them.
        self.transport.set_status(DeviceStatus::FAILED);
        Err(StartError::ResetTimeout)
    }

    /// Negotiates with the device, which has been reset, has `set_up` make its queues, and starts
    /// it. Of the features in `known`, those that it offers are taken; `set_up` is told which.
    ///
    /// # Errors
    /// The device lacks something; it is told that the driver has given up.
    pub fn bring_up<R>(
        &mut self,
        known: u64,
        set_up: impl FnOnce(&mut T, u64) -> Result<R, StartError>,
    ) -> Result<R, StartError> {
        self.negotiate(known, set_up)
            .inspect_err(|_| self.give_up())
    }

    fn negotiate<R>(
        &mut self,
        known: u64,
        set_up: impl FnOnce(&mut T, u64) -> Result<R, StartError>,
    ) -> Result<R, StartError> {
        let transport = &mut self.transport;
        let mut status = DeviceStatus::ACKNOWLEDGE | DeviceStatus::DRIVER;
        transport.set_status(status);
        let offered = transport.read_device_features();
        if offered & VERSION_1 == 0 {
            return Err(StartError::Missing(VERSION_1));
        }
        let features = offered & (VERSION_1 | known);
        transport.write_driver_features(features);
        status |= DeviceStatus::FEATURES_OK;
        transport.set_status(status);
        let accepted = transport.get_status();
        if !accepted.contains(DeviceStatus::FEATURES_OK) {
            return Err(StartError::FeaturesRefused);
        }
        let result = set_up(transport, features)?;
        transport.set_status(status | DeviceStatus::DRIVER_OK);
        Ok(result)
    }

    /// Tells the device that the driver has given up.
    pub fn give_up(&mut self) {
        let status = self.transport.get_status() | DeviceStatus::FAILED;
        self.transport.set_status(status);
    }

    /// Whether the device has given up and wants to be reset.
    pub fn needs_reset(&self) -> bool {
        let status = self.transport.get_status();
        status.contains(DeviceStatus::DEVICE_NEEDS_RESET)
    }
}
