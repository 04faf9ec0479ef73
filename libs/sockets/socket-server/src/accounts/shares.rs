// SPDX-License-Identifier: BSD-2-Clause

//! How many transmit buffers each account has under way to the driver. The driver gives them back
//! without saying whose they were; as it sends frames in the order in which it gets them, those
//! that come back are the oldest.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use smoltcp::time::Duration;

/// Transmit buffers that an account may hold while others want some. With a queue of frames that
/// all go the same way, equal numbers in it are equal bandwidths; and a window of 64 KiB, which is
/// 45 frames, is not much less than this.
pub(crate) const SHARE: usize = 64;

/// Transmit buffers that no client takes: for answers to ARP and ICMP requests, resets, and the
/// like.
pub(crate) const ANSWERS: usize = 48;

/// How long a share is kept for a client that has been told that it can send again.
pub(crate) const INVITATION: Duration = Duration::from_millis(10);

/// More frames than any driver takes at once.
const MOST: usize = 4096;

/// The books.
pub(crate) struct Shares {
    /// Whose frame, oldest first.
    under_way: VecDeque<u8>,
    held: Vec<usize>,
    /// Value of the counter of frames at the last look.
    frames: u64,
    /// Free buffers at the last look.
    free: usize,
}

impl Shares {
    /// Books for so many accounts.
    pub(crate) fn new(accounts: usize) -> Self {
        Shares {
            under_way: VecDeque::with_capacity(MOST),
            held: (0..accounts).map(|_| 0).collect(),
            frames: 0,
            free: 0,
        }
    }

    /// Frames of an account that are under way.
    pub(crate) fn held(&self, account: usize) -> usize {
        self.held[account]
    }

    /// Frames that were sent since the last call, of `frames` in all, were this account's; `free`
    /// buffers are left.
    pub(crate) fn note(&mut self, account: usize, frames: u64, free: usize) -> usize {
        if (frames, free) == (self.frames, self.free) {
            return 0;
        }
        let sent = (frames - self.frames) as usize;
        let returned = (free + sent).saturating_sub(self.free);
        self.frames = frames;
        self.free = free;
        for _ in 0..sent {
            if self.under_way.len() == MOST {
                self.give_back();
            }
            self.under_way.push_back(account as u8);
            self.held[account] += 1;
        }
        for _ in 0..returned {
            self.give_back();
        }
        sent
    }

    fn give_back(&mut self) {
        if let Some(account) = self.under_way.pop_front() {
            self.held[usize::from(account)] -= 1;
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
            let mut shares = Shares::new(3);
            let mut driver = VecDeque::new();
            let mut frames = 0;
            shares.note(2, 0, buffers);
            for (account, sent, returned) in steps {
                // Some come back before and while others are sent.
                driver.drain(..returned.min(driver.len()));
                let sent = sent.min(buffers - driver.len());
                driver.extend([account].repeat(sent));
                frames += sent as u64;
                prop_assert_eq!(shares.note(account, frames, buffers - driver.len()), sent);
                for account in 0..3 {
                    let held = driver.iter().filter(|&&whose| whose == account).count();
                    prop_assert_eq!(shares.held(account), held);
                }
            }
        }
    }

    #[test]
    fn a_link_that_goes_down_and_comes_up_leaves_no_debts() {
        let mut shares = Shares::new(1);
        shares.note(0, 0, 512);
        shares.note(0, 300, 212);
        assert_eq!(shares.held(0), 300);
        shares.note(0, 300, 0);
        assert_eq!(shares.held(0), 300);
        shares.note(0, 300, 512);
        assert_eq!(shares.held(0), 0);
        // More than could be: nothing grows without bound.
        shares.note(0, 300, 5000);
        shares.note(0, 5300, 0);
        assert_eq!(shares.held(0), MOST);
    }
}
