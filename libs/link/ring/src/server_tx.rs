// SPDX-License-Identifier: BSD-2-Clause
//! The server's transmit side.

use crate::pool::{BUFFER_SIZE, MIN_FRAME, Place, Pool, PoolUse, locate_start, offset_of};
use crate::{Consumer, Descriptor, DriverHalves, Producer, Queue, ServerHalves, Side};
use heapless::Vec;

/// A transmit buffer in the server's hands: [`BUFFER_SIZE`] bytes to be filled. Nobody else writes
/// them, and nobody reads them until it is submitted.
#[derive(Debug, Eq, PartialEq)]
#[must_use = "a buffer that is neither submitted nor cancelled is lost"]
pub struct TxBuffer {
    buffer: u16,
}

impl TxBuffer {
    /// First byte of the buffer, from the start of `tx_data`.
    pub fn offset(&self) -> usize {
        offset_of(self.buffer) as usize
    }
}

/// A frame that has been submitted and not been confirmed.
#[derive(Clone, Copy, Debug, Default)]
struct Pending {
    len: u16,
    /// Number of the submission, so that frames are sent again in the order in which they were
    /// first sent.
    order: u64,
}

/// Queues tx_active and tx_free with their pool.
#[derive(Debug)]
pub struct ServerTx<'a, const N: usize> {
    /// Fills tx_active, empties tx_free.
    pub(crate) side: Side<'a, N>,
    pool: Pool<N>,
    pending: [Pending; N],
    next_order: u64,
    /// Stack of idle buffers.
    idle: Vec<u16, N>,
    /// Frames wait although buffers are free.
    pub(crate) hurried: bool,
    /// Most buffers that were in use at a flush, and how often none was free.
    peak: usize,
    failures: u32,
}

impl<'a, const N: usize> ServerTx<'a, N> {
    pub(crate) fn new(mine: &'a ServerHalves<N>, theirs: &'a DriverHalves<N>) -> Self {
        Self {
            side: Side::new(
                Producer::new(&mine.tx_active, &theirs.tx_active),
                Consumer::new(&mine.tx_free, &theirs.tx_free),
                [Queue::TxActive, Queue::TxFree],
            ),
            pool: Pool::new(),
            pending: [Pending::default(); N],
            next_order: 0,
            // The lowest on top, so that few pages are touched while few are in use.
            idle: (0..N as u16).rev().collect(),
            hurried: false,
            peak: 0,
            failures: 0,
        }
    }

    /// Takes a free buffer. `None`: all are with the driver, or the link is down; try again after a
    /// wake-up by the driver.
    pub fn take(&mut self) -> Option<TxBuffer> {
        if !self.side.up {
            return None;
        }
        let Some(buffer) = self.idle.pop() else {
            self.failures = self.failures.saturating_add(1);
            return None;
        };
        self.pool.set(buffer, Place::InUse);
        Some(TxBuffer { buffer })
    }

    /// Buffers that [`take`](Self::take) can give now.
    pub fn idle(&self) -> usize {
        if self.side.up { self.idle.len() } else { 0 }
    }

    /// Has the first `len` bytes of a buffer sent. If the link is down, the frame is sent when it
    /// comes up.
    ///
    /// # Errors
    /// `len` is less than [`MIN_FRAME`] or more than [`BUFFER_SIZE`]; the buffer is handed back.
    pub fn submit(&mut self, buffer: TxBuffer, len: usize) -> Result<(), TxBuffer> {
        if !(usize::from(MIN_FRAME)..=BUFFER_SIZE).contains(&len) {
            return Err(buffer);
        }
        let order = self.next_order;
        self.next_order += 1;
        if let Some(pending) = self.pending.get_mut(usize::from(buffer.buffer)) {
            let len = len as u16;
            *pending = Pending { len, order };
        }
        self.lend(buffer.buffer);
        Ok(())
    }

    /// Gives a buffer back unused.
    pub fn cancel(&mut self, buffer: TxBuffer) {
        self.come_home(buffer.buffer);
    }

    fn come_home(&mut self, buffer: u16) {
        self.pool.set(buffer, Place::Home);
        // There is room: each buffer is in the stack at most once.
        let _ = self.idle.push(buffer);
    }

    fn lend(&mut self, buffer: u16) {
        let Some(&Pending { len, .. }) = self.pending.get(usize::from(buffer)) else {
            return;
        };
        let cookie = self.pool.lend(buffer);
        if !self.side.up {
            return;
        }
        self.side.push(Descriptor {
            offset: offset_of(buffer),
            len,
            cookie,
        });
    }

    /// Takes back the buffers of frames that have been sent, as far as the last look at the ring
    /// found any.
    pub(crate) fn reap(&mut self) {
        while let Some(buffer) = self.side.take(|descriptor| {
            let buffer = locate_start::<N>(descriptor.offset)?;
            self.pool.take_back(buffer, descriptor.cookie, false)?;
            Ok(buffer)
        }) {
            self.come_home(buffer);
        }
    }

    /// Notes how many buffers are in use. They come back when the ring is looked at, so between two
    /// looks none has been in use that is not now.
    #[inline]
    pub(crate) fn note_use(&mut self) {
        self.peak = self.peak.max(N - self.idle.len());
    }

    /// What is in use of the pool, and the failures since the last call.
    pub fn take_use(&mut self) -> PoolUse {
        PoolUse {
            free: self.idle.len(),
            peak: self.peak,
            failures: core::mem::take(&mut self.failures),
        }
    }

    /// Asks for a signal when the driver has sent frames, even if enough buffers are free (B4).
    pub fn hurry(&mut self) {
        self.hurried = true;
    }

    /// Whether so few buffers are left that the driver should say when there are more (B4).
    pub(crate) fn is_short(&self) -> bool {
        self.hurried || self.idle.len() < N.div_ceil(4)
    }

    /// Sends all unconfirmed frames once more, oldest first (B3): the link has come up. Returns how
    /// many.
    pub(crate) fn resubmit(&mut self) -> u32 {
        let mut unconfirmed = Vec::<(u64, u16), N>::new();
        for buffer in self.pool.lent() {
            let pending = self.pending.get(usize::from(buffer));
            // There is room for all buffers of the pool.
            let _ = unconfirmed.push((pending.map_or(0, |pending| pending.order), buffer));
        }
        unconfirmed.sort_unstable();
        for (_, buffer) in &unconfirmed {
            self.lend(*buffer);
        }
        unconfirmed.len() as u32
    }

    /// Empties the rings. What was lent stays marked so until [`resubmit`](Self::resubmit).
    pub(crate) fn reset(&mut self) {
        self.side.reset();
        // A server that has all its buffers waits for none.
        self.side.consumed.cancel_signal();
    }
}
