// SPDX-License-Identifier: BSD-2-Clause

//! Loopback: what is sent comes back. The frames look like those of the device (as on Linux, their
//! Ethernet addresses are zeros), but lie in memory of their own, so that they use up none of its
//! buffers and do not need it.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec;
use alloc::vec::Vec;

use super::{FRAME_MAX, TxQueue};
use crate::counters::{Counter, Counters};
use crate::tables::id::{ClientId, Id};
use crate::tables::set::ClientSet;

/// Frames that one client may have under way: as many as the longest datagram needs, and more than
/// a window of 64 KiB. They are its own: no other client can use them up.
pub const CLIENT_FRAMES: usize = 48;
/// Frames of the server's own: answers to what one wake-up takes.
const SERVER_FRAMES: usize = 128;
/// The server's own account: for what it sends although no client asked for it.
pub const SERVER: ClientId = ClientId::LAST;

/// A frame under way.
pub struct Frame {
    memory: Box<[u8]>,
    length: usize,
    sender: ClientId,
}

impl Frame {
    /// What was sent.
    pub fn bytes(&self) -> &[u8] {
        &self.memory[..self.length]
    }
}

/// Frames on their way back, oldest first.
pub struct Loopback {
    queue: VecDeque<Frame>,
    spare: Vec<Box<[u8]>>,
    /// Frames that each client may still send, and the server behind them.
    left: Vec<usize>,
    /// The clients that may send none.
    full: ClientSet,
    sender: ClientId,
    stats: Counters,
}

impl Loopback {
    /// For so many clients. This is the only allocation.
    pub fn new(clients: usize, stats: Counters) -> Self {
        let mut left = vec![CLIENT_FRAMES; clients];
        left.push(SERVER_FRAMES);
        let count = left.iter().sum();
        Loopback {
            queue: VecDeque::with_capacity(count),
            spare: (0..count).map(|_| vec![0; FRAME_MAX].into()).collect(),
            left,
            full: ClientSet::default(),
            sender: SERVER,
            stats,
        }
    }

    /// Number of frames that nobody uses.
    #[cfg(feature = "audit")]
    pub(crate) fn spare(&self) -> usize {
        self.spare.len()
    }

    /// From now on frames are sent on behalf of this client, or of [`SERVER`].
    pub fn set_sender(&mut self, sender: ClientId) {
        self.sender = sender;
    }

    /// Whether nothing is under way.
    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// The clients that can send something.
    pub fn with_room(&self) -> ClientSet {
        ClientSet(!self.full.0)
    }

    /// How many frames a client can send now.
    pub fn room(&self, client: ClientId) -> usize {
        self.left[self.account(client)]
    }

    fn account(&self, sender: ClientId) -> usize {
        sender.index().min(self.left.len() - 1)
    }

    /// The oldest frame. It is to be given back to [`Self::put_back`].
    pub fn take(&mut self) -> Option<Frame> {
        self.queue.pop_front()
    }

    /// A frame has been read.
    pub fn put_back(&mut self, frame: Frame) {
        let account = self.account(frame.sender);
        self.left[account] += 1;
        self.full.set(frame.sender, false);
        self.spare.push(frame.memory);
    }

    /// The way out of a packet: over loopback, or by the device.
    pub fn or<'a, T>(&'a mut self, device: &'a mut T, loops: bool) -> Way<'a, T> {
        if loops {
            Way::Loopback(self)
        } else {
            Way::Device(device)
        }
    }
}

impl TxQueue for Loopback {
    fn free(&mut self) -> usize {
        self.room(self.sender)
    }

    fn try_send<R, E>(
        &mut self,
        length: usize,
        fill: impl FnOnce(&mut [u8]) -> Result<R, E>,
    ) -> Option<Result<R, E>> {
        let sender = self.sender;
        if self.room(sender) == 0 {
            self.stats.inc(Counter::LoopbackDrops);
            return None;
        }
        let mut memory = self.spare.pop()?;
        let result = memory.get_mut(..length).map(fill);
        if !matches!(result, Some(Ok(_))) {
            self.spare.push(memory);
            return result;
        }
        self.stats.inc(Counter::LoopbackFrames);
        self.stats.add(Counter::LoopbackBytes, length as u64);
        let account = self.account(sender);
        self.left[account] -= 1;
        self.full.set(sender, self.left[account] == 0);
        self.queue.push_back(Frame {
            memory,
            length,
            sender,
        });
        result
    }
}

/// A way out.
pub enum Way<'a, T> {
    /// To the driver.
    Device(&'a mut T),
    /// Back to this machine.
    Loopback(&'a mut Loopback),
}

impl<T: TxQueue> TxQueue for Way<'_, T> {
    fn free(&mut self) -> usize {
        match self {
            Way::Device(device) => device.free(),
            Way::Loopback(loopback) => loopback.free(),
        }
    }

    fn try_send<R, E>(
        &mut self,
        length: usize,
        fill: impl FnOnce(&mut [u8]) -> Result<R, E>,
    ) -> Option<Result<R, E>> {
        match self {
            Way::Device(device) => device.try_send(length, fill),
            Way::Loopback(loopback) => loopback.try_send(length, fill),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use stats::{StatsPage, Writer};
    use test_world::page;

    proptest! {
        /// Each sender has frames of its own, and what comes back is what was sent.
        #[test]
        fn a_queue_with_room_for_each(steps in prop::collection::vec((0usize..4, any::<u8>(), 0usize..60), 0..200)) {
            let senders = [ClientId::new(0), ClientId::new(1), SERVER];
            let most = [CLIENT_FRAMES, CLIENT_FRAMES, SERVER_FRAMES];
            let mut loopback = Loopback::new(2, Writer::attach(page::<StatsPage>(), 0));
            let mut model = VecDeque::new();
            for (what, byte, count) in steps {
                for _ in 0..count {
                    let Some(&sender) = senders.get(what) else {
                        let frame = loopback.take();
                        prop_assert_eq!(frame.as_ref().map(|frame| frame.bytes()[0]), model.pop_front().map(|(_, byte)| byte));
                        frame.into_iter().for_each(|frame| loopback.put_back(frame));
                        continue;
                    };
                    loopback.set_sender(sender);
                    let held = model.iter().filter(|&&(of, _)| of == what).count();
                    prop_assert_eq!(loopback.room(sender), most[what] - held);
                    let sent = loopback.send(1 + usize::from(byte), |frame| frame.fill(byte));
                    prop_assert_eq!(sent.is_some(), held < most[what]);
                    if sent.is_some() {
                        model.push_back((what, byte));
                    }
                    let failed = loopback.try_send(9, |_| Err::<(), _>(7));
                    prop_assert!(matches!(failed, None | Some(Err(7))));
                }
                prop_assert_eq!(loopback.is_empty(), model.is_empty());
            }
        }
    }
}
