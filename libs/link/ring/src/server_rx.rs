// SPDX-License-Identifier: BSD-2-Clause
//! The server's receive side.

use crate::pool::{BUFFER_SIZE, Place, Pool, PoolUse, check_length, locate, offset_of};
use crate::{Consumer, Descriptor, DriverHalves, Producer, Queue, Reason, ServerHalves, Side};

/// A received frame in its buffer. Proof that it lies within one buffer of the pool, and that the
/// driver has given that buffer back: nobody writes it until [`ServerRx::give_back`].
#[derive(Debug, Eq, PartialEq)]
#[must_use = "a frame that is not given back is a buffer lost"]
pub struct RxFrame {
    buffer: u16,
    start: u16,
    len: u16,
}

impl RxFrame {
    /// First byte of the frame, from the start of `rx_data`.
    pub fn offset(&self) -> usize {
        offset_of(self.buffer) as usize + usize::from(self.start)
    }

    /// Length of the frame in bytes, at least [`MIN_FRAME`](crate::MIN_FRAME).
    #[allow(
        clippy::len_without_is_empty,
        reason = "a frame has a header and is never empty"
    )]
    pub fn len(&self) -> usize {
        usize::from(self.len)
    }
}

/// Queues rx_free and rx_active with their pool.
#[derive(Debug)]
pub struct ServerRx<'a, const N: usize> {
    /// Fills rx_free, empties rx_active.
    pub(crate) side: Side<'a, N>,
    pool: Pool<N>,
    /// Descriptors in rx_active that the driver has inherited (B5) and that were not taken yet.
    inherited: u32,
    /// Most frames that waited at a look.
    peak: usize,
}

impl<'a, const N: usize> ServerRx<'a, N> {
    pub(crate) fn new(mine: &'a ServerHalves<N>, theirs: &'a DriverHalves<N>) -> Self {
        Self {
            side: Side::new(
                Producer::new(&mine.rx_free, &theirs.rx_free),
                Consumer::new(&mine.rx_active, &theirs.rx_active),
                [Queue::RxFree, Queue::RxActive],
            ),
            pool: Pool::new(),
            inherited: 0,
            peak: 0,
        }
    }

    /// Notes how many frames wait.
    #[inline]
    pub(crate) fn note_use(&mut self) {
        self.peak = self.peak.max(self.side.consumed.available() as usize);
    }

    /// What is in use of the pool. Whether the driver has run out of buffers it alone knows.
    pub fn in_use(&self) -> PoolUse {
        PoolUse {
            free: N - (self.side.consumed.available() as usize).min(N),
            peak: self.peak,
            failures: 0,
        }
    }

    /// Takes the next received frame. It is to be read in place and then given back.
    pub fn take(&mut self) -> Option<RxFrame> {
        loop {
            let descriptor = self.side.pop()?;
            let inherited = self.inherited > 0;
            let accepted = self.accept(&descriptor, inherited);
            self.inherited = self.inherited.saturating_sub(1);
            if inherited && self.inherited == 0 {
                self.lend_home();
            }
            match accepted {
                Ok(frame) => return Some(frame),
                // The earlier driver had handed it on already; the new one cannot know.
                Err(Reason::Ownership { .. } | Reason::Cookie { .. }) if inherited => {}
                Err(reason) => self.side.refuse(reason),
            }
        }
    }

    fn accept(&mut self, descriptor: &Descriptor, inherited: bool) -> Result<RxFrame, Reason> {
        let (buffer, start) = locate::<N>(descriptor.offset)?;
        self.pool.take_back(buffer, descriptor.cookie, inherited)?;
        if let Err(reason) = check_length(descriptor.len, start) {
            // The buffer is back all the same; only the frame is nonsense.
            self.lend(buffer);
            return Err(reason);
        }
        self.pool.set(buffer, Place::InUse);
        Ok(RxFrame {
            buffer,
            start,
            len: descriptor.len,
        })
    }

    /// Lends the buffer of a frame to the driver again. If the link is down, that happens when it
    /// comes up.
    pub fn give_back(&mut self, frame: RxFrame) {
        if self.side.up {
            self.lend(frame.buffer);
        } else {
            self.pool.set(frame.buffer, Place::Home);
        }
    }

    fn lend(&mut self, buffer: u16) {
        let cookie = self.pool.lend(buffer);
        self.side.push(Descriptor {
            offset: offset_of(buffer),
            len: BUFFER_SIZE as u16,
            cookie,
        });
    }

    /// Brings home what the driver of the last epoch was lent, except for the buffers of frames
    /// that the new one has inherited from it (B5): the link has come up, and nothing has been lent
    /// in this epoch, so all that lies in rx_active is inherited.
    pub(crate) fn inherit(&mut self) {
        self.side.look();
        self.inherited = self.side.consumed.available();
        let coming = (0..self.inherited).filter_map(|ahead| {
            let descriptor = self.side.consumed.peek(ahead)?;
            let (buffer, _) = locate::<N>(descriptor.offset).ok()?;
            Some((buffer, descriptor.cookie))
        });
        self.pool.inherit(coming);
    }

    /// Lends idle buffers: the link has come up, or the last inherited descriptor was taken. A
    /// descriptor that was inherited has the place in rx_active of a buffer, which waits until
    /// then: else there would be more frames than places, and the driver would lose some.
    pub(crate) fn lend_home(&mut self) {
        let mut room = N.saturating_sub(self.inherited as usize);
        for buffer in 0..N as u16 {
            if room > 0 && self.pool.place(buffer) == Some(Place::Home) {
                self.lend(buffer);
                room -= 1;
            }
        }
    }

    /// Empties the rings. What was lent stays marked so until [`inherit`](Self::inherit).
    pub(crate) fn reset(&mut self) {
        self.side.reset();
        self.inherited = 0;
    }
}
