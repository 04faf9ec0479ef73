// SPDX-License-Identifier: BSD-2-Clause

//! Entries that have something to send, by client: deficit round robin (Shreedhar and Varghese,
//! 1995) over the clients, in frames, and first in, first out within one. So a client's share of
//! the frames does not depend on how many connections it has.

use alloc::vec;
use alloc::vec::Vec;

use super::id::{ClientId, Id};
use super::list::Lists;
use super::set::ClientSet;

/// Frames that a client may send before the next has its turn.
pub const QUANTUM: i32 = 16;

/// An entry's turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn<I> {
    /// The entry.
    pub id: I,
    /// Its client.
    pub client: ClientId,
    /// Frames that it may send. What it has sent is to be told to [`FairQueue::charge`].
    pub credit: usize,
}

/// Each entry is in the queue at most once; pushing what is in it already does nothing.
pub struct FairQueue<I> {
    /// By client.
    pub(crate) entries: Lists<I>,
    /// Frames that each client may still send in this round.
    credit: Vec<i32>,
    current: ClientId,
    /// The clients that have entries in the queue.
    pub(crate) waiting: ClientSet,
}

impl<I: Id> FairQueue<I> {
    /// A queue for `count` entries of so many clients.
    pub fn new(count: usize, clients: usize) -> Self {
        FairQueue {
            entries: Lists::new(count, clients.max(1)),
            credit: vec![0; clients.max(1)],
            current: ClientId::FIRST,
            waiting: ClientSet::default(),
        }
    }

    /// Adds an entry at the end of its client's queue unless it is queued.
    pub fn push(&mut self, id: I, client: ClientId) {
        if self.entries.of(id).is_none() {
            self.entries.put(id, client.index());
            self.waiting.set(client, true);
        }
    }

    /// Takes an entry out, if it is queued.
    pub fn remove(&mut self, id: I) {
        if let Some(client) = self.entries.of(id) {
            self.entries.remove(id);
            let waits = !self.entries[client].is_empty();
            self.waiting.set(ClientId::new(client), waits);
        }
    }

    /// Takes the oldest entry of the client whose turn it is, of those that `may` send.
    pub fn pop(&mut self, may: ClientSet) -> Option<Turn<I>> {
        let ready = ClientSet(self.waiting.0 & may.0);
        let current = self.current.index();
        if self.credit[current] <= 0 || !ready.contains(self.current) {
            if self.entries[current].is_empty() {
                self.credit[current] = 0;
            }
            self.current = ready.next_after(self.current)?;
            let credit = &mut self.credit[self.current.index()];
            // What it could not send is not saved up.
            *credit = (*credit + QUANTUM).clamp(1, QUANTUM);
        }
        let client = self.current;
        let turn = Turn {
            id: self.entries[client.index()].front()?,
            client,
            credit: self.credit[client.index()] as usize,
        };
        self.remove(turn.id);
        Some(turn)
    }

    /// A client has sent frames.
    pub fn charge(&mut self, client: ClientId, frames: usize) {
        self.credit[client.index()] -= frames as i32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::id::Slot;
    use proptest::prelude::*;
    use std::collections::VecDeque;

    const CLIENTS: usize = 3;
    const ALL: ClientSet = ClientSet(u64::MAX);

    /// Entry n is client n mod 3's.
    fn entry(index: usize) -> (Slot, ClientId) {
        (Slot::new(index), ClientId::new(index % CLIENTS))
    }

    proptest! {
        #[test]
        fn each_client_has_a_deque_without_duplicates(steps in prop::collection::vec((0u8..5, 0usize..9), 0..200)) {
            let mut queue = FairQueue::new(9, CLIENTS);
            let mut model = [const { VecDeque::new() }; CLIENTS];
            for (what, index) in steps {
                let (id, client) = entry(index);
                let own = &mut model[client.index()];
                match what {
                    0 => match queue.pop(ALL) {
                        None => prop_assert!(model.iter().all(VecDeque::is_empty)),
                        Some(Turn { id, client, credit }) => {
                            prop_assert!((1..=QUANTUM as usize).contains(&credit));
                            prop_assert_eq!(model[client.index()].pop_front(), Some(id));
                            queue.charge(client, credit / 2 + 1);
                        }
                    },
                    1 => {
                        queue.remove(id);
                        own.retain(|&queued| queued != id);
                    }
                    _ => {
                        queue.push(id, client);
                        if !own.contains(&id) {
                            own.push_back(id);
                        }
                    }
                }
                for (client, model) in model.iter().enumerate() {
                    prop_assert_eq!(queue.waiting.contains(ClientId::new(client)), !model.is_empty());
                }
            }
        }

        /// Whatever they have and however much their turns take, clients that always have work
        /// send alike.
        #[test]
        fn clients_share_equally(sizes in prop::collection::vec(1usize..40, CLIENTS), turns in prop::collection::vec(1usize..=16, 500)) {
            let mut queue = FairQueue::new(sizes.iter().sum(), CLIENTS);
            let mut index = 0;
            for (client, &size) in sizes.iter().enumerate() {
                for _ in 0..size {
                    queue.push(Slot::new(index), ClientId::new(client));
                    index += 1;
                }
            }
            let mut sent = [0; CLIENTS];
            for turn in turns {
                let Turn { id, client, credit } = queue.pop(ALL).unwrap();
                let frames = turn.min(credit);
                queue.charge(client, frames);
                sent[client.index()] += frames;
                queue.push(id, client);
            }
            let (most, least) = (sent.iter().max().unwrap(), sent.iter().min().unwrap());
            prop_assert!(most - least <= 2 * QUANTUM as usize, "{sent:?}");
        }
    }

    #[test]
    fn who_may_not_send_is_passed_over() {
        let mut queue = FairQueue::new(2, 2);
        let ids = [0, 1].map(Slot::new);
        let only = |client| ClientSet(1u64 << client);
        for (client, id) in ids.into_iter().enumerate() {
            queue.push(id, ClientId::new(client));
        }
        assert_eq!(queue.pop(only(1)).map(|turn| turn.id), Some(ids[1]));
        assert_eq!(queue.pop(only(1)), None);
        assert_eq!(queue.pop(ALL).map(|turn| turn.id), Some(ids[0]));
    }
}
