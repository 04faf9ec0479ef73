// SPDX-License-Identifier: BSD-2-Clause

//! The connections that have something to send, by account: deficit round robin (Shreedhar and
//! Varghese, 1995) over the accounts, in frames, and first in, first out within one. So an
//! account's share of the frames does not depend on how many connections it has.

use alloc::vec::Vec;

use crate::tables::list::{Links, List};

/// Frames that an account may send before the next has its turn.
pub const QUANTUM: i32 = 16;

#[derive(Clone, Copy, Default)]
struct Account {
    waiting: List,
    /// Frames that it may still send in this round.
    credit: i32,
}

/// Each index is in the queue at most once; pushing what is in it already does nothing.
pub struct WorkQueue {
    accounts: Vec<Account>,
    links: Links,
    /// Of each index: its account, and whether it is queued.
    entries: Vec<(u8, bool)>,
    current: usize,
    /// Indices in the queue.
    len: usize,
}

impl WorkQueue {
    /// A queue for indices `0..count`, all of account 0 at first.
    #[must_use]
    pub fn new(count: usize, accounts: usize) -> Self {
        WorkQueue {
            accounts: (0..accounts.max(1)).map(|_| Account::default()).collect(),
            links: Links::new(count),
            entries: (0..count).map(|_| (0, false)).collect(),
            current: 0,
            len: 0,
        }
    }

    /// Whether no account has something in the queue.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether an account has something in the queue.
    #[must_use]
    pub fn has_work(&self, account: usize) -> bool {
        !self.accounts[account].waiting.is_empty()
    }

    /// The account of an index.
    #[must_use]
    pub fn account(&self, index: usize) -> usize {
        self.entries[index].0.into()
    }

    /// Gives an index to an account.
    pub fn assign(&mut self, index: usize, account: usize) {
        let (old, queued) = self.entries[index];
        if usize::from(old) == account {
            return;
        }
        if queued {
            let waiting = &mut self.accounts[usize::from(old)].waiting;
            waiting.remove(&mut self.links, index);
            let waiting = &mut self.accounts[account].waiting;
            waiting.push_back(&mut self.links, index);
        }
        self.entries[index].0 = account as u8;
    }

    /// Adds an index at the end of its account's queue unless it is queued.
    pub fn push(&mut self, index: usize) {
        let (account, queued) = &mut self.entries[index];
        if core::mem::replace(queued, true) {
            return;
        }
        let waiting = &mut self.accounts[usize::from(*account)].waiting;
        waiting.push_back(&mut self.links, index);
        self.len += 1;
    }

    /// Takes the oldest index of the account whose turn it is, of those that `may` send. Returns it
    /// with its account and the frames that it may send; what it has sent is then to be told to
    /// [`Self::charge`].
    pub fn pop(&mut self, may: impl Fn(usize) -> bool) -> Option<(usize, usize, usize)> {
        if self.is_empty() {
            return None;
        }
        // Each account gets a turn, and then the first one a new one.
        for _ in 0..=self.accounts.len() {
            let current = self.current;
            let account = &mut self.accounts[current];
            if account.credit > 0
                && may(current)
                && let Some(index) = account.waiting.pop_front(&mut self.links)
            {
                self.entries[index].1 = false;
                self.len -= 1;
                return Some((index, current, account.credit as usize));
            }
            if account.waiting.is_empty() {
                account.credit = 0;
            }
            self.current = (current + 1) % self.accounts.len();
            let next = &mut self.accounts[self.current];
            if !next.waiting.is_empty() {
                // What it could not send is not saved up.
                next.credit = (next.credit + QUANTUM).clamp(1, QUANTUM);
            }
        }
        None
    }

    /// An account has sent frames.
    pub fn charge(&mut self, account: usize, frames: usize) {
        self.accounts[account].credit -= frames as i32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::VecDeque;

    const ACCOUNTS: usize = 3;

    proptest! {
        #[test]
        fn an_account_is_a_deque_without_duplicates(steps in prop::collection::vec((0u8..4, 0usize..9, 0usize..ACCOUNTS), 0..200)) {
            let mut queue = WorkQueue::new(9, ACCOUNTS);
            let mut model = [const { VecDeque::new() }; ACCOUNTS];
            for (what, index, account) in steps {
                match what {
                    0 => match queue.pop(|_| true) {
                        None => prop_assert!(model.iter().all(VecDeque::is_empty)),
                        Some((index, account, credit)) => {
                            prop_assert!((1..=QUANTUM as usize).contains(&credit));
                            prop_assert_eq!(model[account].pop_front(), Some(index));
                            queue.charge(account, credit / 2 + 1);
                        }
                    },
                    1 => {
                        let old = queue.account(index);
                        let at = model[old].iter().position(|&queued| queued == index);
                        if let Some(at) = at && old != account {
                            model[old].remove(at);
                            model[account].push_back(index);
                        }
                        queue.assign(index, account);
                    }
                    _ => {
                        queue.push(index);
                        let model = &mut model[queue.account(index)];
                        if !model.contains(&index) {
                            model.push_back(index);
                        }
                    }
                }
                prop_assert_eq!(queue.is_empty(), model.iter().all(VecDeque::is_empty));
                for (account, model) in model.iter().enumerate() {
                    prop_assert_eq!(queue.has_work(account), !model.is_empty());
                }
            }
        }

        /// Whatever they have and however much their turns take, accounts that always have work
        /// send alike.
        #[test]
        fn accounts_share_equally(sizes in prop::collection::vec(1usize..40, ACCOUNTS), turns in prop::collection::vec(1usize..=16, 500)) {
            let mut queue = WorkQueue::new(sizes.iter().sum(), ACCOUNTS);
            let mut index = 0;
            for (account, &size) in sizes.iter().enumerate() {
                for _ in 0..size {
                    queue.assign(index, account);
                    queue.push(index);
                    index += 1;
                }
            }
            let mut sent = [0; ACCOUNTS];
            for turn in turns {
                let (index, account, credit) = queue.pop(|_| true).unwrap();
                let frames = turn.min(credit);
                queue.charge(account, frames);
                sent[account] += frames;
                queue.push(index);
            }
            let (most, least) = (sent.iter().max().unwrap(), sent.iter().min().unwrap());
            prop_assert!(most - least <= 2 * QUANTUM as usize, "{sent:?}");
        }
    }

    #[test]
    fn who_may_not_send_is_passed_over() {
        let mut queue = WorkQueue::new(2, 2);
        queue.assign(1, 1);
        queue.push(0);
        queue.push(1);
        assert_eq!(
            queue.pop(|account| account == 1).map(|(index, ..)| index),
            Some(1)
        );
        assert_eq!(queue.pop(|account| account == 1), None);
        assert_eq!(queue.pop(|_| true).map(|(index, ..)| index), Some(0));
    }
}
