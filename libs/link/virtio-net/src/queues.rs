// SPDX-License-Identifier: BSD-2-Clause
//! The two queues of a network device (virtio 1.2 section 5.1.2), and who has which buffer.

use core::sync::atomic::{Ordering, fence};

use ring::{BUFFER_SIZE, RxSlot, TxFrame, TxSlot};
use virtio::{NEXT, Queue, WRITE};
use virtio_drivers::transport::Transport;

use crate::control::Control;
use crate::memory::QueuePages;
use crate::{DeviceError, DmaMemory, StartError};

/// Descriptors that each queue must have at least; fewer are not worth driving.
pub const MIN_QUEUE: u32 = 8;

/// Length of `virtio_net_hdr` in front of each frame (virtio 1.2 section 5.1.6), in bytes.
pub const HEADER_LEN: u16 = 12;

const RECEIVE: u16 = 0;
const TRANSMIT: u16 = 1;
/// Descriptors of a chain: a buffer to receive into; the header and a frame to send.
const RECEIVE_STRIDE: u16 = 1;
const TRANSMIT_STRIDE: u16 = 2;

/// The queues. To be dropped only when the device has been reset.
pub(crate) struct Queues<'a, const RX: usize, const TX: usize> {
    memory: DmaMemory<'a, RX, TX>,
    pub(crate) rx: Queue<'a, RxSlot, RX>,
    pub(crate) tx: Queue<'a, TxSlot, TX>,
    /// Of a device that can be told which frames to receive.
    pub(crate) control: Option<Control<'a>>,
}

impl<'a, const RX: usize, const TX: usize> Queues<'a, RX, TX> {
    /// Sets the queues up in a device that has its features.
    pub(crate) fn new<T: Transport>(
        transport: &mut T,
        memory: DmaMemory<'a, RX, TX>,
        filters: bool,
    ) -> Result<Self, StartError> {
        let pages = memory.queues;
        pages.notes.forget();
        for word in &pages.header {
            word.store(0, Ordering::Relaxed);
        }
        let at = |part: usize| memory.queues_paddr + part as u64;
        let rx = Queue::new(
            &pages.receive,
            at(QueuePages::<RX, TX>::RECEIVE),
            transport,
            RECEIVE,
            MIN_QUEUE,
            RECEIVE_STRIDE,
        )?;
        let tx = Queue::new(
            &pages.transmit,
            at(QueuePages::<RX, TX>::TRANSMIT),
            transport,
            TRANSMIT,
            MIN_QUEUE,
            TRANSMIT_STRIDE,
        )?;
        let header = at(QueuePages::<RX, TX>::HEADER);
        for id in (0..tx.size()).step_by(TRANSMIT_STRIDE.into()) {
            pages
                .transmit
                .describe(id, header, HEADER_LEN.into(), NEXT, id + 1);
        }
        pages.notes.handed_on(rx.used(), rx.size());
        let control = match filters {
            true => Control::new(transport, &pages.control, at(QueuePages::<RX, TX>::CONTROL))?,
            false => None,
        };
        Ok(Self {
            memory,
            rx,
            tx,
            control,
        })
    }

    /// Gives the device a buffer to receive into.
    ///
    /// # Errors
    /// The queue is full.
    pub(crate) fn rx_post(&mut self, slot: RxSlot) -> Result<(), DeviceError> {
        let DmaMemory {
            queues, rx_paddr, ..
        } = self.memory;
        self.rx.post(slot, |memory, slot, id| {
            queues.notes.given(id, slot.to_word());
            let address = rx_paddr + slot.offset() as u64;
            memory.describe(id, address, BUFFER_SIZE as u32, WRITE, 0);
        })
    }

    /// Notes for the next life of the driver that all frames taken were handed on or dropped. To be
    /// called before another buffer is posted.
    #[inline]
    pub(crate) fn rx_done(&self) {
        let notes = &self.memory.queues.notes;
        notes.handed_on(self.rx.used(), self.rx.size());
    }

    /// Gives the device a frame to send.
    ///
    /// # Errors
    /// The queue is full.
    pub(crate) fn tx_post(&mut self, frame: TxFrame) -> Result<(), DeviceError> {
        let address = self.memory.tx_paddr + frame.offset as u64;
        let len = frame.len as u32;
        self.tx.post(frame.slot, |memory, _, id| {
            memory.describe(id + 1, address, len, 0, 0);
        })
    }

    /// Rings the doorbells that are due. Returns whether the receive and the transmit queue's were
    /// rung.
    pub(crate) fn doorbells<T: Transport>(&mut self, transport: &mut T) -> (bool, bool) {
        (self.rx.doorbell(transport), self.tx.doorbell(transport))
    }

    /// Switches the device's interrupts off; it may still raise one that was on its way.
    pub(crate) fn mask(&mut self) {
        self.rx.set_interrupts(false);
        self.tx.set_interrupts(false);
    }

    /// Switches interrupts on, for sent frames only if `tx`. Returns whether something was used
    /// meanwhile, for which none comes.
    pub(crate) fn unmask(&mut self, tx: bool) -> bool {
        self.rx.set_interrupts(true);
        self.tx.set_interrupts(tx);
        // Between writing our flag and reading the device's index (virtio 1.2 section 2.7.7.1).
        fence(Ordering::SeqCst);
        self.rx.has_used() || (tx && self.tx.has_used())
    }
}

const _: () = assert!((HEADER_LEN as usize) < BUFFER_SIZE);
