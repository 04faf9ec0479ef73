// SPDX-License-Identifier: BSD-2-Clause
//! The device: reset, negotiation (virtio 1.2 section 3.1.1), and one request at a time.

use core::hint::spin_loop;
use core::sync::atomic::{Ordering, fence};

use virtio_drivers::transport::{DeviceStatus, DeviceType, Transport};

use crate::page::{AVAILABLE, BUFFER, DESCRIPTORS, USED};
use crate::{DeviceError, RequestPage, SEED_LEN, Seed, StartError};

/// The one feature that is needed; the device has none of its own (virtio 1.2 sections 5.4.3 and
/// 6).
const VERSION_1: u64 = 1 << 32;

/// The queue for requests, and its size.
const QUEUE: u16 = 0;
const QUEUE_SIZE: u32 = 1;

/// `VIRTQ_DESC_F_WRITE`: the device writes the buffer.
const DEVICE_WRITES: u16 = 2;
/// `VIRTQ_AVAIL_F_NO_INTERRUPT`: the driver looks by itself.
const NO_INTERRUPT: u16 = 1;
/// `VIRTQ_USED_F_NO_NOTIFY`: the device looks by itself.
const NO_NOTIFY: u16 = 1;

/// Looks at the status register before a reset counts as failed. QEMU's devices are ready at the
/// first.
const RESET_LOOKS: usize = 10_000;

/// An entropy device with its queue.
pub struct Device<'a, T: Transport> {
    transport: T,
    page: &'a RequestPage,
    /// Where the device finds the page.
    paddr: u64,
    /// Requests made, modulo 2^16: the available ring's index.
    made: u16,
    /// Bytes asked for by the request that the device has.
    asked: Option<u32>,
}

impl<'a, T: Transport> Device<'a, T> {
    /// Takes the device, stops what an earlier life of this PD had asked of it, and starts it.
    ///
    /// The page is the driver's and the device's alone; `paddr` is its physical address.
    ///
    /// # Errors
    ///
    /// It is no virtio 1 entropy device, or does not come up; it is then marked as failed.
    pub fn start(transport: T, page: &'a RequestPage, paddr: u64) -> Result<Self, StartError> {
        if transport.device_type() != DeviceType::EntropySource {
            return Err(StartError::NotEntropy);
        }
        if transport.requires_legacy_layout() {
            return Err(StartError::Legacy);
        }
        let mut device = Self {
            transport,
            page,
            paddr,
            made: 0,
            asked: None,
        };
        device.restart()?;
        Ok(device)
    }

    /// Resets the device and starts it anew. A request that it had is forgotten.
    ///
    /// # Errors
    ///
    /// It does not come up; it is then marked as failed.
    pub fn restart(&mut self) -> Result<(), StartError> {
        self.reset()
            .and_then(|()| self.bring_up())
            .inspect_err(|_| self.transport.set_status(DeviceStatus::FAILED))
    }

    /// Stops the device for good and marks it as failed (virtio 1.2 section 2.1).
    pub fn give_up(&mut self) {
        // A device that does not finish the reset is not one that is asked again.
        let _ = self.reset();
        self.transport.set_status(DeviceStatus::FAILED);
    }

    /// Afterwards the device does not touch the page any more.
    fn reset(&mut self) -> Result<(), StartError> {
        self.transport.set_status(DeviceStatus::empty());
        for _ in 0..RESET_LOOKS {
            if self.transport.get_status().is_empty() {
                self.made = 0;
                self.asked = None;
                self.page.clear();
                return Ok(());
            }
            spin_loop();
        }
        Err(StartError::ResetTimeout)
    }

    fn bring_up(&mut self) -> Result<(), StartError> {
        let mut status = DeviceStatus::ACKNOWLEDGE | DeviceStatus::DRIVER;
        self.transport.set_status(status);
        if self.transport.read_device_features() & VERSION_1 == 0 {
            return Err(StartError::Missing(VERSION_1));
        }
        self.transport.write_driver_features(VERSION_1);
        status |= DeviceStatus::FEATURES_OK;
        self.transport.set_status(status);
        let accepted = self.transport.get_status();
        if !accepted.contains(DeviceStatus::FEATURES_OK) {
            return Err(StartError::FeaturesRefused);
        }
        if self.transport.max_queue_size(QUEUE) < QUEUE_SIZE {
            return Err(StartError::NoQueue);
        }
        self.page
            .available_flags
            .store(NO_INTERRUPT, Ordering::Relaxed);
        self.transport.queue_set(
            QUEUE,
            QUEUE_SIZE,
            self.paddr + DESCRIPTORS,
            self.paddr + AVAILABLE,
            self.paddr + USED,
        );
        self.transport.set_status(status | DeviceStatus::DRIVER_OK);
        Ok(())
    }

    /// Whether the device has a request.
    pub fn is_asked(&self) -> bool {
        self.asked.is_some()
    }

    /// Asks for up to `len` bytes, at least one and at most [`SEED_LEN`]. Does nothing while the
    /// device has a request.
    pub fn ask(&mut self, len: usize) {
        if self.is_asked() {
            return;
        }
        let len = len.clamp(1, SEED_LEN) as u32;
        let page = self.page;
        page.descriptor_address
            .store(self.paddr + BUFFER, Ordering::Relaxed);
        page.descriptor_len.store(len, Ordering::Relaxed);
        page.descriptor_flags
            .store(DEVICE_WRITES, Ordering::Relaxed);
        page.descriptor_next.store(0, Ordering::Relaxed);
        page.available_ring[0].store(0, Ordering::Relaxed);
        self.made = self.made.wrapping_add(1);
        self.asked = Some(len);
        page.available_index.store(self.made, Ordering::Release);
        // Between publishing the index and reading the device's flag (virtio 1.2 section
        // 2.7.13.4.1).
        fence(Ordering::SeqCst);
        if page.used_flags.load(Ordering::Relaxed) & NO_NOTIFY == 0 {
            self.transport.notify(QUEUE);
        }
    }

    /// What the device has brought since it was asked: the bytes, and how many of them. `None` if
    /// it is not done.
    ///
    /// # Errors
    ///
    /// The device reports what cannot be, or has given up. It has to be [restarted](Self::restart).
    pub fn take(&mut self) -> Result<Option<(Seed, usize)>, DeviceError> {
        // All requests but the one that the device has are done.
        let last = self.made.wrapping_sub(self.is_asked().into());
        let used = self.page.used_index.load(Ordering::Acquire);
        if used == last {
            let waits = self.is_asked();
            return if waits && self.needs_reset() {
                Err(DeviceError::NeedsReset)
            } else {
                Ok(None)
            };
        }
        let Some(asked) = self.asked.filter(|_| used == self.made) else {
            return Err(DeviceError::UsedIndex {
                reported: used,
                last,
            });
        };
        let id = self.page.used_id.load(Ordering::Relaxed);
        if id != 0 {
            return Err(DeviceError::UnknownId(id));
        }
        let reported = self.page.used_len.load(Ordering::Relaxed);
        if reported == 0 || reported > asked {
            return Err(DeviceError::Length { reported, asked });
        }
        let bytes = self.page.bytes();
        self.page.clear_buffer();
        self.asked = None;
        Ok(Some((bytes, reported as usize)))
    }

    fn needs_reset(&self) -> bool {
        self.transport
            .get_status()
            .contains(DeviceStatus::DEVICE_NEEDS_RESET)
    }
}
