// SPDX-License-Identifier: BSD-2-Clause
//! What a peer can do wrong, with what it said and what it was allowed to say.

use core::fmt;

use thiserror::Error;

/// A use of a ring; see the crate's table.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[allow(missing_docs, reason = "the crate's table says what they are")]
pub enum Queue {
    RxFree,
    RxActive,
    TxActive,
    TxFree,
}

impl fmt::Display for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RxFree => "rx_free",
            Self::RxActive => "rx_active",
            Self::TxActive => "tx_active",
            Self::TxFree => "tx_free",
        })
    }
}

/// In which way a descriptor or an index is wrong.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Error)]
pub enum Reason {
    /// A shared index lies outside what rule R5 permits. Indices are free-running, so the permitted
    /// range may wrap.
    #[error("index {reported:#x}, permitted {first:#x} to {last:#x}")]
    Index {
        /// What the peer wrote.
        reported: u32,
        /// First permitted value.
        first: u32,
        /// Last permitted value.
        last: u32,
    },
    /// The ring is full, although it has room for every buffer: the consumer does not give slots
    /// back.
    #[error("full, although there is a slot for every buffer")]
    NoRoom,
    /// The offset is outside the pool, or does not lie in the buffer where it must.
    #[error("offset {reported:#x} in a pool of {pool:#x} bytes")]
    Offset {
        /// What the descriptor says, in bytes from the start of the pool.
        reported: u32,
        /// Size of the pool in bytes.
        pool: u32,
    },
    /// The length is too small or does not fit in the buffer.
    #[error("length {reported}, permitted {least} to {most}")]
    Length {
        /// What the descriptor says, in bytes.
        reported: u16,
        /// Least permitted, in bytes.
        least: u16,
        /// Most permitted, in bytes.
        most: u16,
    },
    /// The buffer is not in the peer's hands (returned twice, or never lent), or is lent a second
    /// time.
    #[error("buffer {buffer} is not the giver's to give")]
    Ownership {
        /// Number of the buffer in its pool.
        buffer: u16,
    },
    /// The cookie is not the one that the buffer was lent with.
    #[error("cookie {reported:#x}, lent with {lent_with:#x}")]
    Cookie {
        /// What the descriptor says.
        reported: u32,
        /// What it was lent with.
        lent_with: u32,
    },
}

impl Reason {
    /// Returns the index `reported` if it lies in `first..=last` (with wrap).
    ///
    /// # Errors
    /// It does not.
    pub(crate) fn check_index(reported: u32, first: u32, last: u32) -> Result<u32, Self> {
        if reported.wrapping_sub(first) <= last.wrapping_sub(first) {
            Ok(reported)
        } else {
            Err(Self::Index {
                reported,
                first,
                last,
            })
        }
    }
}

/// A peer broke the protocol on one of the rings.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Error)]
#[error("{queue}: {reason}")]
pub struct Violation {
    /// The ring it was found in.
    pub queue: Queue,
    /// The rule that was broken.
    pub reason: Reason,
}

/// How many violations an end endures in one epoch of the link: one for each buffer of a pool. Each
/// may cost a buffer for as long as the epoch lasts, so after that many there may be none left. A
/// wrong index stops its ring for as long as it stands there, so an end endures only a few of
/// those.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Patience<const N: usize> {
    endured: u32,
}

impl<const N: usize> Patience<N> {
    /// Adds confirmed violations. Returns whether there are too many now.
    pub(crate) fn wears_out(&mut self, confirmed: &Tally) -> bool {
        let weight = confirmed.indices.saturating_mul((N as u32).div_ceil(8));
        self.endured = self
            .endured
            .saturating_add(confirmed.count)
            .saturating_add(weight);
        self.endured > N as u32
    }
}

/// Violations seen, and not yet confirmed by a look at the peer's epoch (rule E5).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Tally {
    /// How many.
    pub count: u32,
    /// How many of them were wrong indices.
    pub indices: u32,
    /// The last one.
    pub last: Option<Violation>,
}

impl Tally {
    pub(crate) fn note(&mut self, queue: Queue, reason: Reason) {
        self.count = self.count.saturating_add(1);
        let index = matches!(reason, Reason::Index { .. });
        self.indices = self.indices.saturating_add(index.into());
        self.last = Some(Violation { queue, reason });
    }

    /// Adds `other` to this and empties it.
    pub fn absorb(&mut self, other: &mut Self) {
        if other.count == 0 {
            return;
        }
        self.count = self.count.saturating_add(other.count);
        self.indices = self.indices.saturating_add(other.indices);
        self.last = other.last.or(self.last);
        *other = Self::default();
    }

    /// Empties it; `None` if there is nothing in it.
    pub fn take(&mut self) -> Option<Self> {
        (self.count > 0).then(|| core::mem::take(self))
    }
}
