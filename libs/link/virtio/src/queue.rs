// SPDX-License-Identifier: BSD-2-Clause
//! The driver's side of a split virtqueue (virtio 1.2 section 2.7).

use core::sync::atomic::{Ordering, fence};

use heapless::Vec;
use virtio_drivers::transport::Transport;

use crate::{DeviceError, QueueMemory, StartError};

/// A virtqueue that holds a `P` for each chain that the device has. Indices and ownership are
/// private; what the device writes is checked against them.
///
/// Chains have a fixed place: that of number `k` begins at descriptor `k * stride`.
pub struct Queue<'a, P, const MAX: usize> {
    memory: &'a QueueMemory<MAX>,
    number: u16,
    /// Descriptors: what the device offers, at most `MAX`, a power of two.
    size: u16,
    /// What the device has, by the first descriptor of the chain.
    held: [Option<P>; MAX],
    /// Stack of idle chains, by first descriptor.
    idle: Vec<u16, MAX>,
    /// Chains that were ever idle.
    chains: u16,
    /// Free-running indices of both rings.
    available: u16,
    used: u16,
    interrupts: bool,
    /// Something was added since the last doorbell.
    added: bool,
}

impl<'a, P, const MAX: usize> Queue<'a, P, MAX> {
    const SIZE_IS_FINE: () = assert!(MAX.is_power_of_two() && MAX <= 1 << 15);

    /// Sets the queue up in a device that has its features: `paddr` is where it finds `memory`,
    /// `number` and `needed` are the queue's number and the least number of descriptors that it
    /// must have, `stride` is the number of descriptors in a chain.
    ///
    /// # Errors
    /// The device offers fewer descriptors, or says that the queue is in use.
    pub fn new<T: Transport>(
        memory: &'a QueueMemory<MAX>,
        paddr: u64,
        transport: &mut T,
        number: u16,
        needed: u32,
        stride: u16,
    ) -> Result<Self, StartError> {
        let () = Self::SIZE_IS_FINE;
        let offered = transport.max_queue_size(number);
        if offered < needed {
            return Err(StartError::QueueTooSmall {
                queue: number,
                offered,
                needed,
            });
        }
        if transport.queue_used(number) {
            return Err(virtio_drivers::Error::AlreadyUsed.into());
        }
        // Not more than `MAX`, which fits.
        let size = (1 << offered.ilog2()).min(MAX as u32) as u16;
        let chains = size / stride;
        memory.clear();
        let [descriptors, available, used] =
            QueueMemory::<MAX>::PARTS.map(|part| paddr + part as u64);
        transport.queue_set(number, size.into(), descriptors, available, used);
        Ok(Self {
            memory,
            number,
            size,
            held: [const { None }; MAX],
            // The lowest on top, so that few cache lines are touched while few are in use.
            idle: (0..chains).rev().map(|chain| chain * stride).collect(),
            chains,
            available: 0,
            used: 0,
            interrupts: true,
            added: false,
        })
    }

    /// Descriptors of the queue.
    pub fn size(&self) -> u16 {
        self.size
    }

    /// The used index up to which everything was taken.
    pub fn used(&self) -> u16 {
        self.used
    }

    /// Chains that the queue can have.
    pub fn capacity(&self) -> usize {
        self.chains.into()
    }

    /// Chains that the device has.
    #[allow(
        clippy::len_without_is_empty,
        reason = "nobody asks whether the device has none"
    )]
    pub fn len(&self) -> usize {
        self.capacity() - self.idle.len()
    }

    /// Whether no chain is idle.
    pub fn is_full(&self) -> bool {
        self.idle.is_empty()
    }

    /// Gives the device a chain whose descriptors `describe` fills, beginning at the number it
    /// gets.
    ///
    /// # Errors
    /// The queue is full; `payload` is dropped.
    #[inline]
    pub fn post(
        &mut self,
        payload: P,
        describe: impl FnOnce(&QueueMemory<MAX>, &P, u16),
    ) -> Result<(), DeviceError> {
        let full = DeviceError::QueueFull { queue: self.number };
        let id = self.idle.pop().ok_or(full)?;
        describe(self.memory, &payload, id);
        *self.held.get_mut(usize::from(id)).ok_or(full)? = Some(payload);
        self.memory.make_available(self.available, self.size, id);
        self.available = self.available.wrapping_add(1);
        self.added = true;
        Ok(())
    }

    /// Takes the next chain that the device has returned; with it the number of bytes written, as
    /// the device says.
    ///
    /// # Errors
    /// The device returns what it does not have.
    #[inline]
    pub fn take(&mut self) -> Result<Option<(P, u32)>, DeviceError> {
        if !self.has_used() {
            return Ok(None);
        }
        let (id, len) = self.memory.used_entry(self.used, self.size);
        let unknown = DeviceError::UnknownId {
            queue: self.number,
            id,
        };
        let held = self.held.get_mut(id as usize);
        let payload = held.and_then(Option::take).ok_or(unknown)?;
        self.idle.push(id as u16).map_err(|_| unknown)?;
        self.used = self.used.wrapping_add(1);
        Ok(Some((payload, len)))
    }

    /// Whether the device says that it has returned something.
    #[inline]
    pub fn has_used(&self) -> bool {
        self.memory.used_index() != self.used
    }

    /// Checks that the device does not say that it has returned more than it has. Without this
    /// check [`take`](Self::take) finds out when it comes to the first one too many.
    ///
    /// # Errors
    /// It does.
    pub fn check_used(&self) -> Result<(), DeviceError> {
        let (reported, last) = (self.memory.used_index(), self.used);
        if usize::from(reported.wrapping_sub(last)) > self.len() {
            return Err(DeviceError::UsedIndex {
                queue: self.number,
                reported,
                last,
            });
        }
        Ok(())
    }

    /// Switches interrupts for used buffers on or off. When on, look again: what was used before
    /// raises none.
    pub fn set_interrupts(&mut self, on: bool) {
        if self.interrupts != on {
            self.interrupts = on;
            self.memory.set_interrupts(on);
        }
    }

    /// Rings the doorbell, if something was added and the device wants to know. Returns whether it
    /// was rung.
    pub fn doorbell<T: Transport>(&mut self, transport: &mut T) -> bool {
        if !core::mem::take(&mut self.added) {
            return false;
        }
        // Between publishing the index and reading the device's flag (virtio 1.2 section
        // 2.7.13.4.1).
        fence(Ordering::SeqCst);
        let wanted = self.memory.wants_doorbell();
        if wanted {
            transport.notify(self.number);
        }
        wanted
    }
}
