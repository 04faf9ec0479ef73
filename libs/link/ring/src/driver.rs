// SPDX-License-Identifier: BSD-2-Clause
//! The driver's end of the link: a mover of buffers, without state worth saving.

use crate::held::Held;
use crate::pool::{check_length, locate, locate_start, offset_of};
use crate::sync::Ordering;
use crate::violation::Patience;
use crate::{
    Consumer, Descriptor, DeviceState, DriverHalves, Flags, IndexViolation, Inheritance, Link,
    LinkEvent, PeerEpoch, Producer, Queue, Reason, ServerHalves, Tally, full_fence,
};
use core::mem::take;

/// What a look at the link says.
#[derive(Debug, Eq, PartialEq)]
pub enum DriverEvent {
    /// The rings may be used. `first` is true once for each start of the server.
    Up {
        /// The link was not up before for this start of the server.
        first: bool,
    },
    /// The server has started (anew): forget all slots, reset the device, and then call
    /// [`DriverEnd::acknowledge`].
    PeerRestarted(PeerEpoch),
    /// The server has not started yet, or has not seen us.
    Waiting,
    /// The ends are out of step for good (E6): reset the device, and then call [`DriverEnd::start`]
    /// once more.
    OutOfStep,
}

/// An empty receive buffer that the server has lent. Proof that it lies in the pool and is here
/// once.
#[derive(Debug, Eq, PartialEq)]
#[must_use = "a slot that is dropped is lost until the server or the driver restarts"]
pub struct RxSlot {
    pub(crate) buffer: u16,
    pub(crate) cookie: u32,
}

impl RxSlot {
    /// First byte of the buffer, from the start of `rx_data`. The buffer has
    /// [`BUFFER_SIZE`](crate::BUFFER_SIZE) bytes.
    pub fn offset(&self) -> usize {
        offset_of(self.buffer) as usize
    }

    /// What a later life of the driver needs to hand on a frame in this buffer; see
    /// [`Leftover`](crate::Leftover).
    pub fn to_word(&self) -> u64 {
        u64::from(self.buffer) | u64::from(self.cookie) << 32
    }

    pub(crate) fn from_word(word: u64) -> Self {
        Self {
            buffer: word as u16,
            cookie: (word >> 32) as u32,
        }
    }
}

/// A transmit buffer that the server has lent.
#[derive(Debug, Eq, PartialEq)]
#[must_use = "a slot that is dropped is lost until the server or the driver restarts"]
pub struct TxSlot {
    buffer: u16,
}

/// A frame to be sent. Proof that offset and length lie within one buffer of the pool.
#[derive(Debug, Eq, PartialEq)]
pub struct TxFrame {
    /// The buffer, to be returned when the frame has been sent.
    pub slot: TxSlot,
    /// First byte of the frame, from the start of `tx_data`.
    pub offset: usize,
    /// Length of the frame in bytes.
    pub len: usize,
    /// What the device is to do with it.
    pub flags: Flags,
    /// See [`Descriptor::spare`].
    pub spare: u32,
}

/// The driver's end.
///
/// The order within a wake-up: [`poll`](Self::poll), the verbs, [`flush`](Self::flush), and when
/// there is nothing more to do [`sleep`](Self::sleep). The verbs move what `poll` has found.
#[derive(Debug)]
pub struct DriverEnd<'a, const N: usize> {
    mine: &'a DriverHalves<N>,
    link: Link<'a>,
    rx_free: Consumer<'a, N>,
    rx_active: Producer<'a, N>,
    tx_active: Consumer<'a, N>,
    tx_free: Producer<'a, N>,
    rx_held: Held<N>,
    tx_held: Held<N>,
    suspected: Tally,
    confirmed: Tally,
    patience: Patience<N>,
    inheritance: Inheritance<N>,
    up: bool,
    /// Frames were published since the server's signal request was looked at.
    rx_unsignalled: bool,
    owes_notification: bool,
}

impl<'a, const N: usize> DriverEnd<'a, N> {
    /// Starts the driver's end. The device has been reset, so that nothing is written to any
    /// buffer, and is described by `device`. `inheritance` is handed to the server that it is for,
    /// before anything else. [`flush`](Self::flush) will ask for a notification.
    pub fn start(
        mine: &'a DriverHalves<N>,
        theirs: &'a ServerHalves<N>,
        device: DeviceState,
        inheritance: Inheritance<N>,
    ) -> Self {
        mine.device.write(device);
        Self {
            mine,
            link: Link::start(&mine.link, &theirs.link),
            rx_free: Consumer::new(&mine.rx_free, &theirs.rx_free),
            rx_active: Producer::new(&mine.rx_active, &theirs.rx_active),
            tx_active: Consumer::new(&mine.tx_active, &theirs.tx_active),
            tx_free: Producer::new(&mine.tx_free, &theirs.tx_free),
            rx_held: Held::new(),
            tx_held: Held::new(),
            suspected: Tally::default(),
            confirmed: Tally::default(),
            patience: Patience::default(),
            inheritance,
            up: false,
            rx_unsignalled: false,
            owes_notification: true,
        }
    }

    /// Looks at the rings and at the link, and withdraws the signal requests (S1). Call it on every
    /// wake-up and after each [`sleep`](Self::sleep) that says there is work.
    pub fn poll(&mut self) -> DriverEvent {
        self.rx_free.cancel_signal();
        self.tx_active.cancel_signal();
        if self.up {
            Self::refresh(&mut self.rx_free, Queue::RxFree, &mut self.suspected);
            Self::refresh(&mut self.tx_active, Queue::TxActive, &mut self.suspected);
        }
        let event = self.link.poll();
        self.up = matches!(event, LinkEvent::Up { .. });
        if self.up {
            let worn_out = self.patience.wears_out(&self.suspected);
            self.confirmed.absorb(&mut self.suspected);
            if worn_out {
                self.up = false;
                return DriverEvent::OutOfStep;
            }
        } else {
            self.suspected = Tally::default();
        }
        match event {
            LinkEvent::Up { first } => DriverEvent::Up { first },
            LinkEvent::PeerRestarted(epoch) => DriverEvent::PeerRestarted(epoch),
            LinkEvent::Waiting => DriverEvent::Waiting,
            LinkEvent::Overwritten => DriverEvent::OutOfStep,
        }
    }

    fn refresh(ring: &mut Consumer<'a, N>, queue: Queue, suspected: &mut Tally) -> u32 {
        ring.refresh().unwrap_or_else(|violation: IndexViolation| {
            suspected.note(queue, Reason::Index(violation));
            0
        })
    }

    /// Goes on with a server that has started anew. The device has been reset and all slots are
    /// forgotten. Poll again afterwards.
    pub fn acknowledge(&mut self, peer: PeerEpoch) {
        self.rx_free.reset();
        self.rx_active.reset();
        self.tx_active.reset();
        self.tx_free.reset();
        self.rx_held.reset();
        self.tx_held.reset();
        self.patience = Patience::default();
        // After the reset: no frame for another server may be in the ring.
        self.mine.lender.word.store(peer.0, Ordering::Release);
        for frame in self.inheritance.frames_for(&peer) {
            Self::push(
                &mut self.rx_active,
                *frame,
                Queue::RxActive,
                &mut self.suspected,
            );
        }
        self.rx_active.publish();
        self.inheritance.clear();
        self.rx_unsignalled = false;
        self.link.acknowledge(peer);
        self.owes_notification = true;
    }

    /// Takes the next empty buffer, for the device to receive into.
    pub fn rx_provide(&mut self) -> Option<RxSlot> {
        while self.up {
            let descriptor = self.rx_free.pop()?;
            let accepted = locate_start::<N>(&descriptor).and_then(|buffer| {
                self.rx_held
                    .accept(buffer, descriptor.cookie)
                    .map(|()| RxSlot {
                        buffer,
                        cookie: descriptor.cookie,
                    })
            });
            match accepted {
                Ok(slot) => return Some(slot),
                Err(reason) => self.suspected.note(Queue::RxFree, reason),
            }
        }
        None
    }

    /// Hands a received frame to the server: `len` bytes, `start` bytes behind the start of the
    /// buffer. It is in the ring when this returns, so that it is not lost if the driver faults
    /// (B5); [`flush`](Self::flush) says whether the server must be notified.
    pub fn rx_return(&mut self, slot: RxSlot, start: u16, len: u16, flags: Flags) {
        if let Some(cookie) = self.rx_held.release(slot.buffer) {
            let offset = offset_of(slot.buffer) + u32::from(start);
            let descriptor = Descriptor {
                offset,
                len,
                flags,
                cookie,
                spare: 0,
            };
            Self::push(
                &mut self.rx_active,
                descriptor,
                Queue::RxActive,
                &mut self.suspected,
            );
            self.rx_unsignalled |= self.rx_active.publish();
        }
    }

    /// Takes the next frame to be sent.
    pub fn tx_provide(&mut self) -> Option<TxFrame> {
        while self.up {
            let descriptor = self.tx_active.pop()?;
            match self.tx_accept(&descriptor) {
                Ok(frame) => return Some(frame),
                Err(reason) => self.suspected.note(Queue::TxActive, reason),
            }
        }
        None
    }

    fn tx_accept(&mut self, descriptor: &Descriptor) -> Result<TxFrame, Reason> {
        let (buffer, start) = locate::<N>(descriptor)?;
        check_length(descriptor, start)?;
        self.tx_held.accept(buffer, descriptor.cookie)?;
        Ok(TxFrame {
            slot: TxSlot { buffer },
            offset: descriptor.offset as usize,
            len: usize::from(descriptor.len),
            flags: descriptor.flags,
            spare: descriptor.spare,
        })
    }

    /// Gives the buffer of a sent frame back to the server.
    pub fn tx_return(&mut self, slot: TxSlot) {
        if let Some(cookie) = self.tx_held.release(slot.buffer) {
            let descriptor = Descriptor {
                offset: offset_of(slot.buffer),
                cookie,
                ..Descriptor::default()
            };
            Self::push(
                &mut self.tx_free,
                descriptor,
                Queue::TxFree,
                &mut self.suspected,
            );
        }
    }

    /// Pushes a descriptor. A ring has room for every buffer, so it is full only if the server does
    /// not give slots back: then the descriptor is dropped, and the server misses a buffer of
    /// its own until the next start of either end.
    fn push(
        ring: &mut Producer<'a, N>,
        descriptor: Descriptor,
        queue: Queue,
        suspected: &mut Tally,
    ) {
        if let Err(error) = ring.push(descriptor) {
            suspected.note(queue, error.kind.reason());
        }
    }

    /// Makes everything visible to the server. Returns whether the server must be notified now (S3,
    /// S4, E4).
    #[must_use = "the server sleeps on if it is not notified"]
    pub fn flush(&mut self) -> bool {
        // Heads before tails: a server that sees a buffer come back also finds room to lend it
        // again.
        self.rx_free.release();
        self.tx_active.release();
        let rx = take(&mut self.rx_unsignalled);
        let tx = self.tx_free.publish();
        let mut notify = take(&mut self.owes_notification);
        if rx || tx {
            full_fence();
            notify |= rx && self.rx_active.signal_wanted();
            notify |= tx && self.tx_free.signal_wanted();
        }
        notify
    }

    /// Prepares to sleep (S2): asks for a signal when there are frames to send, if `can_send`, and
    /// when there are empty buffers, if `need_rx`. Returns whether there is work after all; then go
    /// on with [`poll`](Self::poll).
    #[must_use = "work that has come meanwhile is not signalled again"]
    pub fn sleep(&mut self, need_rx: bool, can_send: bool) -> bool {
        if !self.up {
            return false;
        }
        if can_send {
            self.tx_active.request_signal();
        }
        if need_rx {
            self.rx_free.request_signal();
        }
        full_fence();
        let mut work = 0;
        if can_send {
            work += Self::refresh(&mut self.tx_active, Queue::TxActive, &mut self.suspected);
        }
        if need_rx {
            work += Self::refresh(&mut self.rx_free, Queue::RxFree, &mut self.suspected);
        }
        work != 0
    }

    /// Frames to send that the last look has found and that were not taken.
    pub fn tx_waiting(&self) -> u32 {
        if self.up {
            self.tx_active.available()
        } else {
            0
        }
    }

    /// Asks the server to notify the driver at once (S6): it has work left and gives up the
    /// processor. [`flush`](Self::flush) will ask for a notification.
    pub fn ask_again(&mut self) {
        self.mine.again.raise();
        self.owes_notification = true;
    }

    /// Whether the server waits for transmit buffers (B4), so that the driver should learn soon
    /// that frames have been sent.
    pub fn server_wants_tx(&self) -> bool {
        self.up && self.tx_free.signal_wanted()
    }

    /// Tells the server that the link of the device has gone up or down; [`flush`](Self::flush)
    /// will ask for a notification.
    pub fn set_link_up(&mut self, up: bool) {
        self.mine.device.set_link_up(up);
        self.owes_notification = true;
    }

    /// The epoch of this end.
    pub fn epoch(&self) -> u32 {
        self.link.epoch()
    }

    /// Violations by the server since the last call, if there are any.
    pub fn take_violations(&mut self) -> Option<Tally> {
        self.confirmed.take()
    }
}
