// SPDX-License-Identifier: BSD-2-Clause

//! Readiness bits, with the values of Linux's `poll(2)`.

use core::ops::{BitAnd, BitOr, BitOrAssign, Not};

/// A set of readiness bits. They are levels: a bit is set as long as its condition holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct PollBits(u16);

impl PollBits {
    /// Nothing is ready.
    pub const NONE: PollBits = PollBits(0);
    /// `POLLIN`: `recv` or `accept` would not answer `EAGAIN`.
    pub const IN: PollBits = PollBits(0x0001);
    /// `POLLOUT`: `send` would not answer `EAGAIN`.
    pub const OUT: PollBits = PollBits(0x0004);
    /// `POLLERR`: an error waits in `SO_ERROR`.
    pub const ERR: PollBits = PollBits(0x0008);
    /// `POLLHUP`: both directions of a stream are over.
    pub const HUP: PollBits = PollBits(0x0010);
    /// `POLLNVAL`: the handle names no socket. Only a reader of the page produces it.
    pub const NVAL: PollBits = PollBits(0x0020);
    /// `POLLRDHUP`: the peer will send no more.
    pub const RDHUP: PollBits = PollBits(0x2000);

    const KNOWN: u16 = 0x203d;

    /// The bits of a word; bits without a meaning are dropped.
    #[must_use]
    pub const fn from_raw(word: u64) -> PollBits {
        PollBits(word as u16 & Self::KNOWN)
    }

    /// The word that travels in messages.
    #[must_use]
    pub const fn raw(self) -> u16 {
        self.0
    }

    /// Whether all of `other` are set.
    #[must_use]
    pub const fn contains(self, other: PollBits) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether any of `other` is set.
    #[must_use]
    pub const fn intersects(self, other: PollBits) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether no bit is set.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// `self`, with `other` added if `condition` holds.
    #[must_use]
    pub const fn with(self, other: PollBits, condition: bool) -> PollBits {
        if condition {
            PollBits(self.0 | other.0)
        } else {
            self
        }
    }
}

impl BitOr for PollBits {
    type Output = PollBits;
    fn bitor(self, other: PollBits) -> PollBits {
        PollBits(self.0 | other.0)
    }
}

impl BitOrAssign for PollBits {
    fn bitor_assign(&mut self, other: PollBits) {
        self.0 |= other.0;
    }
}

impl BitAnd for PollBits {
    type Output = PollBits;
    fn bitand(self, other: PollBits) -> PollBits {
        PollBits(self.0 & other.0)
    }
}

impl Not for PollBits {
    type Output = PollBits;
    fn not(self) -> PollBits {
        PollBits(!self.0 & Self::KNOWN)
    }
}
