// SPDX-License-Identifier: BSD-2-Clause
//! For images made for tests: garbage for pages that a PD may write, and orders to write it.
//!
//! A PD can be taken over, and then it writes what it likes where it may. In the test image the PD
//! `hostile` does so, and orders the driver, through a page, to do so too. No normal image contains
//! this crate.

#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

use core::sync::atomic::{AtomicU64, Ordering};

/// Words that look like anything: numbers that are nearly right do more harm than noise.
#[derive(Clone, Debug)]
pub struct Garbage(u64);

impl Garbage {
    /// Begins at a seed; 0 is as good as any other.
    pub fn new(seed: u64) -> Self {
        Self(seed ^ 0x2545_F491_4F6C_DD1D)
    }

    /// Any number (xorshift64, Marsaglia 2003).
    pub fn noise(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// Any number, or one with few bits, or one at an edge.
    pub fn word(&mut self) -> u64 {
        let noise = self.noise();
        match self.noise() % 8 {
            0 => 0,
            1 => u64::MAX,
            2 => noise % 16,
            3 => noise % 4096,
            4 => 1 << (noise % 64),
            5 => (noise % 16) | ((noise >> 16 & 0xf) << 32),
            6 => (1u64 << (noise % 64)).wrapping_sub(1),
            _ => noise,
        }
    }

    /// Writes garbage over all words.
    pub fn fill(&mut self, words: &[AtomicU64]) {
        for word in words {
            word.store(self.word(), Ordering::Relaxed);
        }
    }

    /// Writes garbage over about one word in `every`.
    pub fn sprinkle(&mut self, words: &[AtomicU64], every: u64) {
        for word in words {
            if self.noise().is_multiple_of(every.max(1)) {
                word.store(self.word(), Ordering::Relaxed);
            }
        }
    }
}

/// What a PD is told to do to its own pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// Write garbage into them, and go on.
    Scribble,
    /// Write garbage over all of them, and fault.
    Ruin,
}

impl Deed {
    const ALL: [Self; 2] = [Self::Scribble, Self::Ruin];
}

shm::shared_struct! {
    /// The page through which orders go: a number that grows, and a deed.
    pub struct Orders {
        serial: AtomicU64,
        deed: AtomicU64,
    }
}

impl Orders {
    /// Gives an order.
    pub fn give(&self, deed: Deed) {
        self.deed.store(deed as u64, Ordering::Relaxed);
        self.serial.fetch_add(1, Ordering::Release);
    }

    /// The number of the last order. A PD that starts takes no order up to this one.
    pub fn last(&self) -> u64 {
        self.serial.load(Ordering::Acquire)
    }

    /// Takes an order that is newer than `seen`, and remembers it there.
    pub fn take(&self, seen: &mut u64) -> Option<Deed> {
        let last = self.last();
        if last == *seen {
            return None;
        }
        *seen = last;
        let number = self.deed.load(Ordering::Relaxed);
        Deed::ALL.into_iter().find(|deed| *deed as u64 == number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_taken_once_and_old_ones_not_at_all() {
        let orders = Orders {
            serial: AtomicU64::new(0),
            deed: AtomicU64::new(0),
        };
        orders.give(Deed::Ruin);
        let mut seen = orders.last();
        assert_eq!(orders.take(&mut seen), None);
        for deed in Deed::ALL {
            orders.give(deed);
            assert_eq!(orders.take(&mut seen), Some(deed));
            assert_eq!(orders.take(&mut seen), None);
        }
    }

    #[test]
    fn garbage_differs_and_sprinkling_leaves_some() {
        let words: [AtomicU64; 512] = core::array::from_fn(|_| AtomicU64::new(7));
        let mut garbage = Garbage::new(0);
        garbage.sprinkle(&words, 8);
        let left = words.iter().filter(|w| w.load(Ordering::Relaxed) == 7);
        assert!((300..500).contains(&left.count()));
        garbage.fill(&words);
        let mut values: Vec<u64> = words.iter().map(|w| w.load(Ordering::Relaxed)).collect();
        values.sort_unstable();
        values.dedup();
        assert!(values.len() > 200, "{} different words", values.len());
    }
}
