// SPDX-License-Identifier: BSD-2-Clause
//! The two virtqueues, and who has which buffer.

use crate::{DeviceError, PacketMemory, StartError};
use core::ptr::NonNull;
use core::sync::atomic::{Ordering, fence};
use ring::{BUFFER_SIZE, RxSlot, TxFrame, TxSlot};
use virtio_drivers::queue::VirtQueue;
use virtio_drivers::transport::Transport;
use virtio_drivers::{BufferDirection, Hal, PhysAddr};

/// Length of `virtio_net_hdr` in front of each frame (virtio 1.2 section 5.1.6), in bytes.
pub const HEADER_LEN: usize = 12;

const RECEIVE: u16 = 0;
const TRANSMIT: u16 = 1;

/// A virtqueue with notification control. The crate's queue has no full fences where flags are looked at after an index was published, so they are here.
struct Queue<H: Hal, const SIZE: usize> {
    inner: VirtQueue<H, SIZE>,
    number: u16,
    interrupts: bool,
    /// Something was added since the last doorbell.
    added: bool,
}

impl<H: Hal, const SIZE: usize> Queue<H, SIZE> {
    fn new<T: Transport>(transport: &mut T, number: u16) -> Result<Self, StartError> {
        let offered = transport.max_queue_size(number);
        if offered < SIZE as u32 {
            return Err(StartError::QueueTooSmall {
                queue: number,
                offered,
                needed: SIZE as u32,
            });
        }
        // Neither indirect descriptors nor event indices; the crate's documentation says why.
        let inner = VirtQueue::new(transport, number, false, false)?;
        Ok(Self {
            inner,
            number,
            interrupts: true,
            added: false,
        })
    }

    /// Switches interrupts for used buffers on or off. When on, look again: what was used before raises none.
    fn set_interrupts(&mut self, on: bool) {
        if self.interrupts != on {
            self.interrupts = on;
            self.inner.set_dev_notify(on);
        }
    }

    /// Rings the doorbell, if something was added and the device wants to know. Returns whether it was rung.
    fn doorbell<T: Transport>(&mut self, transport: &mut T) -> bool {
        if !core::mem::take(&mut self.added) {
            return false;
        }
        // Between publishing the index and reading the device's flag (virtio 1.2 section 2.7.13.4.1).
        fence(Ordering::SeqCst);
        let wanted = self.inner.should_notify();
        if wanted {
            transport.notify(self.number);
        }
        wanted
    }

    /// The next used chain, if it is one that `known` says the device has. The id is the device's word.
    fn next_used(&self, known: impl FnOnce(u16) -> bool) -> Result<Option<u16>, DeviceError> {
        match self.inner.peek_used() {
            None => Ok(None),
            Some(id) if known(id) => Ok(Some(id)),
            Some(id) => Err(DeviceError::UnknownId {
                queue: self.number,
                id,
            }),
        }
    }
}

/// The header in front of every frame that is sent: twelve zeros say "nothing special" (virtio 1.2 section 5.1.6.2), so all share one.
struct Header<H: Hal> {
    paddr: PhysAddr,
    bytes: NonNull<u8>,
    hal: core::marker::PhantomData<H>,
}

impl<H: Hal> Header<H> {
    fn new() -> Result<Self, StartError> {
        let (paddr, bytes) = H::dma_alloc(1, BufferDirection::DriverToDevice);
        if paddr == 0 {
            return Err(virtio_drivers::Error::DmaError.into());
        }
        Ok(Self {
            paddr,
            bytes,
            hal: core::marker::PhantomData,
        })
    }

    fn bytes<'a>(&self) -> &'a [u8] {
        // SAFETY: a page of zeroed memory that nobody writes, valid until this value is dropped; the slice serves one call of the queue.
        unsafe { core::slice::from_raw_parts(self.bytes.as_ptr(), HEADER_LEN) }
    }
}

impl<H: Hal> Drop for Header<H> {
    fn drop(&mut self) {
        // SAFETY: allocated in `new` with these values; the queues, which are reset first, were its only users.
        unsafe { H::dma_dealloc(self.paddr, self.bytes, 1) };
    }
}

/// A frame that the device has, in few bytes: there is an entry for each descriptor.
struct Sending {
    offset: u32,
    len: u16,
    slot: TxSlot,
}

/// Both queues. To be dropped only when the device has been reset.
pub struct Queues<H: Hal, const RX: usize, const TX: usize> {
    memory: PacketMemory,
    rx: Queue<H, RX>,
    tx: Queue<H, TX>,
    header: Header<H>,
    /// What each receive descriptor's buffer is.
    receiving: [Option<RxSlot>; RX],
    posted: usize,
    /// What the frame of each chain is, by the number of the chain's first descriptor.
    sending: [Option<Sending>; TX],
    in_flight: usize,
}

impl<H: Hal, const RX: usize, const TX: usize> Queues<H, RX, TX> {
    /// Sets the queues up in a device that has its features.
    pub(crate) fn new<T: Transport>(
        transport: &mut T,
        memory: PacketMemory,
    ) -> Result<Self, StartError> {
        Ok(Self {
            memory,
            rx: Queue::new(transport, RECEIVE)?,
            tx: Queue::new(transport, TRANSMIT)?,
            header: Header::new()?,
            receiving: [const { None }; RX],
            posted: 0,
            sending: [const { None }; TX],
            in_flight: 0,
        })
    }

    /// Gives the device a buffer to receive into.
    ///
    /// # Errors
    ///
    /// The queue is full, which a server that keeps to its pool cannot bring about.
    pub fn rx_post(&mut self, slot: RxSlot) -> Result<(), DeviceError> {
        // SAFETY: the slot is the only one of its buffer, and the slice ends with the call below.
        let buffer = unsafe { self.memory.rx_buffer(slot.offset()) };
        // SAFETY: the buffer stays mapped, and nobody touches it before the device returns it: the driver gives it to the server only then.
        let id = unsafe { self.rx.inner.add(&[], &mut [buffer]) }?;
        if let Some(entry) = self.receiving.get_mut(usize::from(id)) {
            *entry = Some(slot);
        }
        self.rx.added = true;
        self.posted += 1;
        Ok(())
    }

    /// Takes a buffer that the device has received into; with it the number of bytes written, header included, as the device says.
    ///
    /// # Errors
    ///
    /// The device returns what it does not have.
    pub fn rx_take(&mut self) -> Result<Option<(RxSlot, u32)>, DeviceError> {
        let receiving = &self.receiving;
        let known = |id| receiving.get(usize::from(id)).is_some_and(Option::is_some);
        let Some(id) = self.rx.next_used(known)? else {
            return Ok(None);
        };
        let Some(slot) = self
            .receiving
            .get_mut(usize::from(id))
            .and_then(Option::take)
        else {
            return Ok(None);
        };
        // SAFETY: as in `rx_post`.
        let buffer = unsafe { self.memory.rx_buffer(slot.offset()) };
        // SAFETY: the very buffer that `rx_post` added under this id.
        let len = unsafe { self.rx.inner.pop_used(id, &[], &mut [buffer]) }?;
        self.posted -= 1;
        Ok(Some((slot, len)))
    }

    /// Gives the device a frame to send.
    ///
    /// # Errors
    ///
    /// The queue is full, which a server that keeps to its pool cannot bring about.
    pub fn tx_post(&mut self, frame: TxFrame) -> Result<(), DeviceError> {
        // SAFETY: `TxFrame` proves that the range lies in the pool.
        let bytes = unsafe { self.memory.tx_frame(frame.offset, frame.len) };
        // SAFETY: header and frame stay mapped until the device has returned them, and the driver accesses neither.
        let id = unsafe { self.tx.inner.add(&[self.header.bytes(), bytes], &mut []) }?;
        if let Some(entry) = self.sending.get_mut(usize::from(id)) {
            *entry = Some(Sending {
                offset: frame.offset as u32,
                len: frame.len as u16,
                slot: frame.slot,
            });
        }
        self.tx.added = true;
        self.in_flight += 1;
        Ok(())
    }

    /// Takes the buffer of a frame that the device has sent.
    ///
    /// # Errors
    ///
    /// The device returns what it does not have.
    pub fn tx_take(&mut self) -> Result<Option<TxSlot>, DeviceError> {
        let sending = &self.sending;
        let known = |id| sending.get(usize::from(id)).is_some_and(Option::is_some);
        let Some(id) = self.tx.next_used(known)? else {
            return Ok(None);
        };
        let Some(Sending { offset, len, slot }) =
            self.sending.get_mut(usize::from(id)).and_then(Option::take)
        else {
            return Ok(None);
        };
        // SAFETY: as in `tx_post`.
        let bytes = unsafe { self.memory.tx_frame(offset as usize, usize::from(len)) };
        // SAFETY: the very header and frame that `tx_post` added under this id.
        unsafe {
            self.tx
                .inner
                .pop_used(id, &[self.header.bytes(), bytes], &mut [])
        }?;
        self.in_flight -= 1;
        Ok(Some(slot))
    }

    /// Rings the doorbells that are due. Returns whether the receive and the transmit queue's were rung.
    pub fn doorbells<T: Transport>(&mut self, transport: &mut T) -> (bool, bool) {
        (self.rx.doorbell(transport), self.tx.doorbell(transport))
    }

    /// Switches the device's interrupts off; it may still raise one that was on its way.
    pub fn mask(&mut self) {
        self.rx.set_interrupts(false);
        self.tx.set_interrupts(false);
    }

    /// Switches interrupts on, for sent frames only if `tx`. Returns whether something was used meanwhile, for which none comes.
    pub fn unmask(&mut self, tx: bool) -> bool {
        self.rx.set_interrupts(true);
        self.tx.set_interrupts(tx);
        // Between writing our flag and reading the device's index (virtio 1.2 section 2.7.7.1).
        fence(Ordering::SeqCst);
        self.rx.inner.can_pop() || (tx && self.tx.inner.can_pop())
    }

    /// Buffers that the device can receive into.
    pub fn receive_buffers(&self) -> usize {
        self.posted
    }

    /// Frames given to the device and not confirmed.
    pub fn in_flight(&self) -> usize {
        self.in_flight
    }
}

const _: () = assert!(HEADER_LEN < BUFFER_SIZE);
