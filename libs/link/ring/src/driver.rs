// SPDX-License-Identifier: BSD-2-Clause
//! The driver's end of the link: a mover of buffers, without state worth saving.

use crate::held::Held;
use crate::pool::{check_length, locate, locate_start, offset_of};
use crate::{
    Consumer, Descriptor, DeviceState, DriverHalves, Filter, FilterWords, Inheritance, LinkEvent,
    PeerEpoch, Producer, Queue, ServerHalves, Session, Side, Tally, full_fence,
};
use shm::atomic::Ordering;

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
    /// [`Descriptor::leftover`].
    pub fn to_word(&self) -> u64 {
        u64::from(self.buffer) | u64::from(self.cookie) << 32
    }

    pub(crate) fn from_word(word: u64) -> Self {
        Self {
            buffer: word as u16,
            cookie: (word >> 32) as u32,
        }
    }

    /// A frame in this buffer, `start` bytes behind its start.
    pub(crate) fn frame(&self, start: u16, len: u16) -> Descriptor {
        Descriptor {
            offset: offset_of(self.buffer) + u32::from(start),
            len,
            cookie: self.cookie,
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
}

/// The driver's end.
///
/// The order within a wake-up: [`poll`](Self::poll), the verbs, [`flush`](Self::flush), and when
/// there is nothing more to do [`sleep`](Self::sleep). The verbs move what `poll` has found.
#[derive(Debug)]
pub struct DriverEnd<'a, const N: usize> {
    mine: &'a DriverHalves<N>,
    pub(crate) session: Session<'a, N>,
    /// Fills rx_active, empties rx_free.
    rx: Side<'a, N>,
    /// Fills tx_free, empties tx_active.
    tx: Side<'a, N>,
    rx_held: Held<N>,
    tx_held: Held<N>,
    inheritance: Inheritance<N>,
    /// What the server wants, and the version of it that was taken last.
    wanted: &'a FilterWords,
    taken: u32,
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
            session: Session::start(&mine.link, &theirs.link),
            rx: Side::new(
                Producer::new(&mine.rx_active, &theirs.rx_active),
                Consumer::new(&mine.rx_free, &theirs.rx_free),
                [Queue::RxActive, Queue::RxFree],
            ),
            tx: Side::new(
                Producer::new(&mine.tx_free, &theirs.tx_free),
                Consumer::new(&mine.tx_active, &theirs.tx_active),
                [Queue::TxFree, Queue::TxActive],
            ),
            rx_held: Held::new(),
            tx_held: Held::new(),
            inheritance,
            wanted: &theirs.filter,
            taken: 0,
        }
    }

    /// Looks at the rings and at the link, and withdraws the signal requests (S1). Call it on every
    /// wake-up and after each [`sleep`](Self::sleep) that says there is work.
    ///
    /// [`LinkEvent::PeerRestarted`]: forget all slots, reset the device, then
    /// [`acknowledge`](Self::acknowledge). [`LinkEvent::OutOfStep`]: reset the device, then
    /// [`start`](Self::start) this end once more.
    pub fn poll(&mut self) -> LinkEvent {
        self.session.poll(&mut self.rx, &mut self.tx)
    }

    /// Goes on with a server that has started anew. The device has been reset and all slots are
    /// forgotten. Poll again afterwards.
    pub fn acknowledge(&mut self, peer: PeerEpoch) {
        self.rx.reset();
        self.tx.reset();
        self.rx_held.reset();
        self.tx_held.reset();
        // After the reset: no frame for another server may be in the ring.
        self.mine.lender.word.store(peer.0, Ordering::Release);
        for frame in self.inheritance.frames_for(&peer) {
            self.rx.push(*frame);
        }
        self.rx.produced.publish();
        self.inheritance.clear();
        self.taken = 0;
        self.session.acknowledge(peer);
    }

    /// The frames that the server wants, if that has changed since the last call or the link has
    /// come up (F1, F2).
    #[inline]
    pub fn take_filter(&mut self) -> Option<Filter> {
        let version = self.wanted.version();
        if version == self.taken || !self.rx.up {
            return None;
        }
        self.taken = version;
        Some(self.wanted.read())
    }

    /// Takes the next empty buffer, for the device to receive into.
    pub fn rx_provide(&mut self) -> Option<RxSlot> {
        self.rx.take(|Descriptor { offset, cookie, .. }| {
            let buffer = locate_start::<N>(offset)?;
            self.rx_held.accept(buffer, cookie)?;
            Ok(RxSlot { buffer, cookie })
        })
    }

    /// Hands a received frame to the server: `len` bytes, `start` bytes behind the start of the
    /// buffer. It is in the ring when this returns, so that it is not lost if the driver faults
    /// (B5); [`flush`](Self::flush) says whether the server must be notified.
    pub fn rx_return(&mut self, slot: RxSlot, start: u16, len: u16) {
        if let Some(cookie) = self.rx_held.release(slot.buffer) {
            self.rx.push(RxSlot { cookie, ..slot }.frame(start, len));
            self.rx.publish();
        }
    }

    /// Takes the next frame to be sent.
    pub fn tx_provide(&mut self) -> Option<TxFrame> {
        self.tx.take(|descriptor| {
            let (buffer, start) = locate::<N>(descriptor.offset)?;
            check_length(descriptor.len, start)?;
            self.tx_held.accept(buffer, descriptor.cookie)?;
            Ok(TxFrame {
                slot: TxSlot { buffer },
                offset: descriptor.offset as usize,
                len: usize::from(descriptor.len),
            })
        })
    }

    /// Gives the buffer of a sent frame back to the server.
    pub fn tx_return(&mut self, slot: TxSlot) {
        if let Some(cookie) = self.tx_held.release(slot.buffer) {
            self.tx.push(Descriptor {
                offset: offset_of(slot.buffer),
                cookie,
                ..Descriptor::default()
            });
        }
    }

    /// Makes everything visible to the server. Returns whether the server must be notified now (S3,
    /// S4, E4).
    #[must_use = "the server sleeps on if it is not notified"]
    pub fn flush(&mut self) -> bool {
        self.session.flush(&mut self.rx, &mut self.tx)
    }

    /// Prepares to sleep (S2): asks for a signal when there are frames to send, if `can_send`, and
    /// when there are empty buffers, if `need_rx`. Returns whether there is work after all; then go
    /// on with [`poll`](Self::poll).
    #[must_use = "work that has come meanwhile is not signalled again"]
    pub fn sleep(&mut self, need_rx: bool, can_send: bool) -> bool {
        if !self.rx.up {
            return false;
        }
        let mut asked = [(can_send, &mut self.tx), (need_rx, &mut self.rx)];
        for (_, side) in asked.iter_mut().filter(|(wanted, _)| *wanted) {
            side.consumed.request_signal();
        }
        full_fence();
        let asked = asked.iter_mut().filter(|(wanted, _)| *wanted);
        asked.map(|(_, side)| side.look()).sum::<u32>() != 0
    }

    /// Asks the server to notify the driver at once (S6): it has work left and gives up the
    /// processor. [`flush`](Self::flush) will ask for a notification.
    pub fn ask_again(&mut self) {
        self.mine.again.raise();
        self.session.owes_notification = true;
    }

    /// Whether the server waits for transmit buffers (B4), so that the driver should learn soon
    /// that frames have been sent.
    pub fn server_wants_tx(&self) -> bool {
        self.tx.up && self.tx.produced.signal_wanted()
    }

    /// Tells the server that the link of the device has gone up or down; [`flush`](Self::flush)
    /// will ask for a notification.
    pub fn set_link_up(&mut self, up: bool) {
        self.mine.device.set_link_up(up);
        self.session.owes_notification = true;
    }

    /// Violations by the server since the last call, if there are any.
    pub fn take_violations(&mut self) -> Option<Tally> {
        self.session.confirmed.take()
    }
}
