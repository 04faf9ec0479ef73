// SPDX-License-Identifier: BSD-2-Clause

//! How many transmit buffers each account has under way to the driver. The driver gives them back
//! without saying whose they were; as it sends frames in the order in which it gets them, those
//! that come back are the oldest.

use alloc::collections::VecDeque;

use crate::config::MAX_CLIENTS;
pub(crate) use crate::frames::loopback::SERVER;
use crate::tables::id::{ClientId, Id};
use crate::tables::set::ClientSet;
/// Transmit buffers that an account may hold while others want some. With a queue of frames that
/// all go the same way, equal numbers in it are equal bandwidths; and a window of 64 KiB, which is
/// 45 frames, is not much less than this.
pub(crate) const SHARE: usize = 64;

/// Transmit buffers that no client takes: for answers to ARP and ICMP requests, resets, and the
/// like.
pub(crate) const ANSWERS: usize = 48;

const ACCOUNTS: usize = 64;
const _: () = assert!(MAX_CLIENTS < ACCOUNTS);

/// More frames than any driver takes at once.
const MOST: usize = 4096;

/// The books.
pub(crate) struct Shares {
    /// Whose frame, oldest first.
    under_way: VecDeque<ClientId>,
    held: [usize; ACCOUNTS],
    /// The accounts that hold some, and those that hold a share or more.
    pub(crate) holders: ClientSet,
    pub(crate) full: ClientSet,
    /// Value of the counter of frames at the last look.
    frames: u64,
    /// Free buffers at the last look.
    free: usize,
}

impl Shares {
    /// `frames` have been counted before.
    pub(crate) fn new(frames: u64) -> Self {
        Shares {
            under_way: VecDeque::with_capacity(MOST),
            held: [0; ACCOUNTS],
            holders: ClientSet::default(),
            full: ClientSet::default(),
            frames,
            free: 0,
        }
    }

    /// Frames of an account that are under way.
    pub(crate) fn held(&self, account: ClientId) -> usize {
        self.held[account.index()]
    }

    /// Frames that were sent since the last call, of `frames` in all, were this account's; `free`
    /// buffers are left.
    pub(crate) fn note(&mut self, account: ClientId, frames: u64, free: usize) -> usize {
        if (frames, free) == (self.frames, self.free) {
            return 0;
        }
        let sent = frames.wrapping_sub(self.frames) as usize;
        let returned = (free + sent).saturating_sub(self.free);
        self.frames = frames;
        self.free = free;
        for _ in 0..sent {
            if self.under_way.len() == MOST {
                self.give_back();
            }
            self.under_way.push_back(account);
            self.book(account, self.held(account) + 1);
        }
        for _ in 0..returned {
            self.give_back();
        }
        sent
    }

    fn give_back(&mut self) {
        if let Some(account) = self.under_way.pop_front() {
            self.book(account, self.held(account) - 1);
        }
    }

    fn book(&mut self, account: ClientId, held: usize) {
        self.held[account.index()] = held;
        if account != SERVER {
            self.holders.set(account, held > 0);
            self.full.set(account, held >= SHARE);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// A driver with so many buffers, which returns some of them now and then.
        #[test]
        fn books_agree_with_the_driver(buffers in 1usize..600, steps in prop::collection::vec((0usize..3, 0usize..80, 0usize..80), 0..200)) {
            let mut shares = Shares::new(0);
            let mut driver = VecDeque::new();
            let mut frames = 0;
            shares.note(SERVER, 0, buffers);
            for (account, sent, returned) in steps {
                // Some come back before and while others are sent.
                driver.drain(..returned.min(driver.len()));
                let sent = sent.min(buffers - driver.len());
                driver.extend([account].repeat(sent));
                frames += sent as u64;
                prop_assert_eq!(shares.note(ClientId::new(account), frames, buffers - driver.len()), sent);
                for account in 0..3 {
                    let held = driver.iter().filter(|&&whose| whose == account).count();
                    prop_assert_eq!(shares.held(ClientId::new(account)), held);
                    prop_assert_eq!(shares.holders.contains(ClientId::new(account)), held > 0);
                    prop_assert_eq!(shares.full.contains(ClientId::new(account)), held >= SHARE);
                }
            }
        }
    }

    #[test]
    fn a_link_that_goes_down_and_comes_up_leaves_no_debts() {
        const FIRST: ClientId = ClientId::FIRST;
        let mut shares = Shares::new(0);
        shares.note(FIRST, 0, 512);
        shares.note(FIRST, 300, 212);
        assert_eq!(shares.held(FIRST), 300);
        shares.note(FIRST, 300, 0);
        assert_eq!(shares.held(FIRST), 300);
        shares.note(FIRST, 300, 512);
        assert_eq!(shares.held(FIRST), 0);
        // More than could be: nothing grows without bound.
        shares.note(FIRST, 300, 5000);
        shares.note(FIRST, 5300, 0);
        assert_eq!(shares.held(FIRST), MOST);
    }
}
