// SPDX-License-Identifier: BSD-2-Clause
//! Epochs: how an end notices that its peer has started anew, and when the rings may be used.

use crate::sync::{AtomicU32, Ordering, page_struct};

page_struct! {
    /// What one end tells the other about itself.
    #[derive(Debug)]
    #[repr(align(64))]
    pub struct LinkWords {
        /// Number of this end's start; 0 before the first.
        epoch: AtomicU32,
        /// The peer's epoch for which this end has reset its halves; 0 for none.
        ack: AtomicU32,
    }
}

impl LinkWords {
    /// Ordinary memory for tests and simulations; PDs map it.
    pub fn new() -> Self {
        Self {
            epoch: AtomicU32::new(0),
            ack: AtomicU32::new(0),
        }
    }
}

#[cfg(all(test, not(loom)))]
impl LinkWords {
    pub(crate) fn set_epoch_for_test(&self, epoch: u32) {
        self.epoch.store(epoch, Ordering::Relaxed);
    }

    pub(crate) fn set_words_for_test(&self, epoch: u32, ack: u32) {
        self.epoch.store(epoch, Ordering::Relaxed);
        self.ack.store(ack, Ordering::Relaxed);
    }
}

impl Default for LinkWords {
    fn default() -> Self {
        Self::new()
    }
}

/// An epoch of the peer that this end has not yet acknowledged. Whoever holds it owes a reset (rule E3).
#[derive(Debug, Eq, PartialEq)]
pub struct PeerEpoch(u32);

/// What a look at the peer's words says.
#[derive(Debug, Eq, PartialEq)]
pub enum LinkEvent {
    /// Both ends have acknowledged each other. `first` is true once for each acknowledged epoch of the peer.
    Up {
        /// The link was not up before for this epoch of the peer.
        first: bool,
    },
    /// The peer has started (anew). Reset, then [`Link::acknowledge`]; until then this is what every look says.
    PeerRestarted(PeerEpoch),
    /// The peer has not started yet, or has not acknowledged our epoch. It notifies when that changes (E4).
    Waiting,
}

/// One end's view of the link.
#[derive(Debug)]
pub struct Link<'a> {
    mine: &'a LinkWords,
    theirs: &'a LinkWords,
    /// Our epoch.
    epoch: u32,
    /// The peer's epoch that we have acknowledged, 0 for none.
    acked: u32,
    /// Whether `Up` has been reported for `acked`.
    greeted: bool,
}

impl<'a> Link<'a> {
    /// Starts this end with an epoch of its own (E1). The old epoch is in its own page, which only this end writes, so it outlives a restart.
    /// To be followed by a notification (E4).
    pub fn start(mine: &'a LinkWords, theirs: &'a LinkWords) -> Self {
        mine.ack.store(0, Ordering::Release);
        let epoch = mine.epoch.load(Ordering::Relaxed).wrapping_add(1).max(1);
        // Release: who sees the epoch sees that nothing is acknowledged.
        mine.epoch.store(epoch, Ordering::Release);
        Self {
            mine,
            theirs,
            epoch,
            acked: 0,
            greeted: false,
        }
    }

    /// Looks at the peer's words. Call it after reading tails (E5).
    pub fn poll(&mut self) -> LinkEvent {
        let (ack, epoch) = self.peer();
        if epoch != 0 && epoch != self.acked {
            LinkEvent::PeerRestarted(PeerEpoch(epoch))
        } else if epoch != 0 && ack == self.epoch {
            let first = !self.greeted;
            self.greeted = true;
            LinkEvent::Up { first }
        } else {
            LinkEvent::Waiting
        }
    }

    /// Whether the link is up and the peer's epoch is still the acknowledged one. What was read from its halves before counts only then (E5).
    #[inline]
    pub fn is_current(&self) -> bool {
        self.acked != 0 && self.peer() == (self.epoch, self.acked)
    }

    /// Says that this end's halves (and the device, for the driver) have been reset for the peer's new epoch (E3). To be followed by a
    /// notification (E4).
    pub fn acknowledge(&mut self, peer: PeerEpoch) {
        self.acked = peer.0;
        self.greeted = false;
        // Release: who sees it sees the halves reset.
        self.mine.ack.store(peer.0, Ordering::Release);
    }

    /// This end's epoch.
    pub fn epoch(&self) -> u32 {
        self.epoch
    }

    /// The peer's ack and epoch. The ack is read first: a peer that has acknowledged had written its epoch before.
    #[inline]
    fn peer(&self) -> (u32, u32) {
        let ack = self.theirs.ack.load(Ordering::Acquire);
        (ack, self.theirs.epoch.load(Ordering::Acquire))
    }
}
