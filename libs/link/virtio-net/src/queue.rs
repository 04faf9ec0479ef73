// SPDX-License-Identifier: BSD-2-Clause
//! The driver's side of a split virtqueue (virtio 1.2 section 2.7).

use core::sync::atomic::{Ordering, fence};

use virtio_drivers::transport::Transport;

use crate::memory::QueueMemory;
use crate::{DeviceError, StartError};

/// Descriptors that a queue must have at least; fewer are not worth driving.
pub const MIN_QUEUE: u32 = 8;

/// A virtqueue that holds a `P` for each chain that the device has. Indices and ownership are
/// private; what the device writes is checked against them.
///
/// Chains have a fixed place: that of number `k` begins at descriptor `k * stride`.
pub(crate) struct Queue<'a, P, const MAX: usize> {
    memory: &'a QueueMemory<MAX>,
    number: u16,
    /// Descriptors: what the device offers, at most `MAX`, a power of two.
    size: u16,
    /// What the device has, by the first descriptor of the chain.
    held: [Option<P>; MAX],
    /// Stack of idle chains, by first descriptor: the first `idle_len` entries.
    idle: [u16; MAX],
    idle_len: usize,
    /// Chains that were ever idle.
    chains: usize,
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
    /// `stride` the number of descriptors in a chain.
    pub(crate) fn new<T: Transport>(
        memory: &'a QueueMemory<MAX>,
        paddr: u64,
        transport: &mut T,
        number: u16,
        stride: u16,
    ) -> Result<Self, StartError> {
        let () = Self::SIZE_IS_FINE;
        let offered = transport.max_queue_size(number);
        if offered < MIN_QUEUE {
            return Err(StartError::QueueTooSmall {
                queue: number,
                offered,
                needed: MIN_QUEUE,
            });
        }
        if transport.queue_used(number) {
            return Err(virtio_drivers::Error::AlreadyUsed.into());
        }
        // Not more than `MAX`, which fits.
        let size = (1 << offered.ilog2()).min(MAX as u32) as u16;
        let chains = usize::from(size / stride);
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
            idle: core::array::from_fn(|n| chains.saturating_sub(n + 1) as u16 * stride),
            idle_len: chains,
            chains,
            available: 0,
            used: 0,
            interrupts: true,
            added: false,
        })
    }

    pub(crate) fn memory(&self) -> &'a QueueMemory<MAX> {
        self.memory
    }

    /// Descriptors of the queue.
    pub(crate) fn size(&self) -> u16 {
        self.size
    }

    /// The used index up to which everything was taken.
    pub(crate) fn used(&self) -> u16 {
        self.used
    }

    /// Chains that the queue can have.
    pub(crate) fn capacity(&self) -> usize {
        self.chains
    }

    /// Chains that the device has.
    pub(crate) fn len(&self) -> usize {
        self.chains - self.idle_len
    }

    /// Whether no chain is idle.
    pub(crate) fn is_full(&self) -> bool {
        self.idle_len == 0
    }

    /// Gives the device a chain whose descriptors `describe` fills, beginning at the number it
    /// gets.
    ///
    /// # Errors
    ///
    /// The queue is full; `payload` is dropped.
    #[inline]
    pub(crate) fn post(
        &mut self,
        payload: P,
        describe: impl FnOnce(&QueueMemory<MAX>, &P, u16),
    ) -> Result<(), DeviceError> {
        let full = DeviceError::QueueFull { queue: self.number };
        let top = self.idle_len.checked_sub(1).ok_or(full)?;
        let id = *self.idle.get(top).ok_or(full)?;
        describe(self.memory, &payload, id);
        *self.held.get_mut(usize::from(id)).ok_or(full)? = Some(payload);
        self.idle_len = top;
        self.memory.make_available(self.available, self.size, id);
        self.available = self.available.wrapping_add(1);
        self.added = true;
        Ok(())
    }

    /// Takes the next chain that the device has returned; with it the number of bytes written, as
    /// the device says.
    ///
    /// # Errors
    ///
    /// The device returns what it does not have.
    #[inline]
    pub(crate) fn take(&mut self) -> Result<Option<(P, u32)>, DeviceError> {
        if !self.has_used() {
            return Ok(None);
        }
        let (id, len) = self.memory.used_entry(self.used, self.size);
        let payload = self.held.get_mut(id as usize).and_then(Option::take);
        let (Some(payload), Some(idle)) = (payload, self.idle.get_mut(self.idle_len)) else {
            return Err(DeviceError::UnknownId {
                queue: self.number,
                id,
            });
        };
        *idle = id as u16;
        self.idle_len += 1;
        self.used = self.used.wrapping_add(1);
        Ok(Some((payload, len)))
    }

    /// Whether the device says that it has returned something.
    #[inline]
    pub(crate) fn has_used(&self) -> bool {
        self.memory.used_index() != self.used
    }

    /// Switches interrupts for used buffers on or off. When on, look again: what was used before
    /// raises none.
    pub(crate) fn set_interrupts(&mut self, on: bool) {
        if self.interrupts != on {
            self.interrupts = on;
            self.memory.set_interrupts(on);
        }
    }

    /// Rings the doorbell, if something was added and the device wants to know. Returns whether it
    /// was rung.
    pub(crate) fn doorbell<T: Transport>(&mut self, transport: &mut T) -> bool {
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
