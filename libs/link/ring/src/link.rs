// SPDX-License-Identifier: BSD-2-Clause
//! Epochs: how an end notices that its peer has started anew, and when the rings may be used.

use crate::full_fence;
use shm::atomic::{AtomicU64, Ordering};

shm::shared_struct! {
    /// What one end tells the other about itself.
    #[derive(Debug)]
    #[repr(align(64))]
    pub struct LinkWords {
        /// Bits 0..32: the peer's epoch for which this end has reset its halves, 0 for none. Bits
        /// 32..64: this end's epoch, 0 before the first start. One word, so that the peer never
        /// sees a new epoch with an old acknowledgement.
        word: AtomicU64,
    }
}

/// The content of [`LinkWords`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Words {
    pub(crate) epoch: u32,
    pub(crate) ack: u32,
}

impl LinkWords {
    #[inline]
    pub(crate) fn read(&self) -> Words {
        let word = self.word.load(Ordering::Acquire);
        Words {
            epoch: (word >> 32) as u32,
            ack: word as u32,
        }
    }

    /// Release: a peer that sees the word sees what this end had written to its halves before.
    pub(crate) fn write(&self, words: Words) {
        let word = u64::from(words.epoch) << 32 | u64::from(words.ack);
        self.word.store(word, Ordering::Release);
    }
}

/// An epoch of the peer that this end has not yet acknowledged. Its holder owes a reset (rule E3).
#[derive(Debug, Eq, PartialEq)]
pub struct PeerEpoch(pub(crate) u32);

/// What a look at the link's words says.
#[derive(Debug, Eq, PartialEq)]
pub enum LinkEvent {
    /// Both ends have acknowledged each other. `first` is true once for each acknowledged epoch of
    /// the peer.
    Up {
        /// The link was not up before for this epoch of the peer.
        first: bool,
    },
    /// The peer has started (anew). Reset, then [`Link::acknowledge`]; until then this is what
    /// every look says.
    PeerRestarted(PeerEpoch),
    /// The peer has not started yet, or has not acknowledged our epoch. It notifies when that
    /// changes (E4).
    Waiting,
    /// This end's own word is not what it has written, or the peer has broken too many rules (E6):
    /// go on with [`Link::renew`].
    OutOfStep,
}

/// One end's view of the link.
#[derive(Debug)]
pub struct Link<'a> {
    mine: &'a LinkWords,
    theirs: &'a LinkWords,
    /// Our epoch, and the peer's epoch that we have acknowledged, as published.
    published: Words,
    /// Whether `Up` has been reported for the acknowledged epoch.
    greeted: bool,
}

impl<'a> Link<'a> {
    /// Starts this end with an epoch of its own (E1). To be followed by a notification (E4).
    ///
    /// The old epoch is in this end's own page and outlives a restart, but an earlier life may have
    /// overwritten it. What the peer has acknowledged is in the peer's page: the new epoch differs
    /// from both.
    pub fn start(mine: &'a LinkWords, theirs: &'a LinkWords) -> Self {
        let mut link = Self {
            mine,
            theirs,
            published: mine.read(),
            greeted: false,
        };
        link.renew();
        link
    }

    /// Begins a new epoch of this end (E1, E6). To be followed by a notification (E4).
    pub fn renew(&mut self) {
        full_fence();
        let acknowledged = self.theirs.read().ack;
        let mut epoch = self.published.epoch;
        loop {
            epoch = epoch.wrapping_add(1);
            // Two values are excluded, so this ends at the third.
            if epoch != 0 && epoch != acknowledged {
                break;
            }
        }
        self.greeted = false;
        self.publish(Words { epoch, ack: 0 });
    }

    /// Looks at the words of both ends. Call it after reading tails (E5).
    pub fn poll(&mut self) -> LinkEvent {
        if self.mine.read() != self.published {
            return LinkEvent::OutOfStep;
        }
        let peer = self.theirs.read();
        if peer.epoch != 0 && peer.epoch != self.published.ack {
            LinkEvent::PeerRestarted(PeerEpoch(peer.epoch))
        } else if peer.epoch != 0 && peer.ack == self.published.epoch {
            let first = !self.greeted;
            self.greeted = true;
            LinkEvent::Up { first }
        } else {
            LinkEvent::Waiting
        }
    }

    /// Says that this end's halves (and the device, for the driver) have been reset for the peer's
    /// new epoch (E3). To be followed by a notification (E4).
    pub fn acknowledge(&mut self, peer: PeerEpoch) {
        self.greeted = false;
        self.publish(Words {
            ack: peer.0,
            ..self.published
        });
    }

    fn publish(&mut self, words: Words) {
        self.published = words;
        self.mine.write(words);
    }

    /// This end's epoch.
    pub fn epoch(&self) -> u32 {
        self.published.epoch
    }
}
