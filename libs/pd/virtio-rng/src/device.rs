// SPDX-License-Identifier: BSD-2-Clause
//! The device (virtio 1.2 section 5.4): one request at a time.

use core::mem::offset_of;
use core::sync::atomic::{AtomicU8, Ordering};

use virtio::{DeviceError, Queue, QueueMemory, Registers, StartError, WRITE};
use virtio_drivers::transport::{DeviceType, Transport};

use crate::{SEED_LEN, Seed};

/// The queue for requests, the least number of its descriptors, and their number in a chain.
const QUEUE: u16 = 0;
const NEEDED: u32 = 1;
const STRIDE: u16 = 1;

/// Looks at the status register before a reset counts as failed.
const RESET_LOOKS: usize = 10_000;

shm::shared_struct! {
    /// The memory that driver and device share: a queue with one descriptor, and the buffer that
    /// the descriptor names. Its address must be a multiple of 16.
    pub struct RequestPage {
        queue: QueueMemory<1>,
        buffer: [AtomicU8; SEED_LEN],
    }
}

impl RequestPage {
    /// Bytes of one request never pass for those of the next, and nobody who reads the page later
    /// learns them.
    fn clear_buffer(&self) {
        for byte in &self.buffer {
            byte.store(0, Ordering::Relaxed);
        }
    }
}

/// An entropy device with its queue.
pub struct Device<'a, T: Transport> {
    registers: Registers<T>,
    page: &'a RequestPage,
    /// Where the device finds the page.
    paddr: u64,
    /// Of each request the number of bytes asked for.
    queue: Queue<'a, u32, 1>,
}

impl<'a, T: Transport> Device<'a, T> {
    /// Takes the device, stops what an earlier life of this PD had asked of it, and starts it.
    ///
    /// The page is the driver's and the device's alone; `paddr` is its physical address.
    ///
    /// # Errors
    /// It is no virtio 1 entropy device, or does not come up; it is then marked as failed.
    pub fn start(transport: T, page: &'a RequestPage, paddr: u64) -> Result<Self, StartError> {
        let mut registers = Registers::take(transport, DeviceType::EntropySource, RESET_LOOKS)?;
        Ok(Self {
            queue: bring_up(&mut registers, page, paddr)?,
            registers,
            page,
            paddr,
        })
    }

    /// Resets the device and starts it anew. A request that it had is forgotten.
    ///
    /// # Errors
    /// It does not come up; it is then marked as failed.
    pub fn restart(&mut self) -> Result<(), StartError> {
        self.registers.reset()?;
        self.queue = bring_up(&mut self.registers, self.page, self.paddr)?;
        Ok(())
    }

    /// Stops the device for good and marks it as failed (virtio 1.2 section 2.1).
    pub fn give_up(&mut self) {
        // A device that does not finish the reset is not one that is asked again.
        let _ = self.registers.reset();
        self.registers.give_up();
    }

    /// Asks for up to `len` bytes, at least one and at most [`SEED_LEN`]. Does nothing while the
    /// device has a request.
    pub fn ask(&mut self, len: usize) {
        let len = len.clamp(1, SEED_LEN) as u32;
        let buffer = self.paddr + offset_of!(RequestPage, buffer) as u64;
        let asked = self.queue.post(len, |memory, len, id| {
            memory.describe(id, buffer, *len, WRITE, 0);
        });
        if asked.is_ok() {
            self.queue.doorbell(&mut self.registers.transport);
        }
    }

    /// What the device has brought since it was asked: the bytes, and how many of them. `None` if
    /// it is not done.
    ///
    /// # Errors
    /// The device reports what cannot be, or has given up. It has to be [restarted](Self::restart).
    pub fn take(&mut self) -> Result<Option<(Seed, usize)>, DeviceError> {
        self.queue.check_used()?;
        let Some((asked, reported)) = self.queue.take()? else {
            return if self.queue.is_full() && self.registers.needs_reset() {
                Err(DeviceError::NeedsReset)
            } else {
                Ok(None)
            };
        };
        if reported == 0 || reported > asked {
            return Err(DeviceError::Length { reported, asked });
        }
        let buffer = &self.page.buffer;
        let bytes = core::array::from_fn(|i| buffer[i].load(Ordering::Relaxed));
        self.page.clear_buffer();
        Ok(Some((bytes, reported as usize)))
    }
}

/// Starts a device that has been reset.
fn bring_up<'a, T: Transport>(
    registers: &mut Registers<T>,
    page: &'a RequestPage,
    paddr: u64,
) -> Result<Queue<'a, u32, 1>, StartError> {
    page.clear_buffer();
    // The device has no features of its own (virtio 1.2 section 5.4.3).
    registers.bring_up(0, |transport, _| {
        let paddr = paddr + offset_of!(RequestPage, queue) as u64;
        let mut queue = Queue::new(&page.queue, paddr, transport, QUEUE, NEEDED, STRIDE)?;
        // The driver looks by itself.
        queue.set_interrupts(false);
        Ok(queue)
    })
}
