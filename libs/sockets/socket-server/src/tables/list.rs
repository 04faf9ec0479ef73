// SPDX-License-Identifier: BSD-2-Clause

//! Queues of pool entries that are linked by index: an entry is in at most one list, which is known
//! by its owner's state, and leaves it from any position in constant time.

use alloc::vec;
use alloc::vec::Vec;
use core::marker::PhantomData;

use super::id::Id;

const NONE: u32 = u32::MAX;

#[derive(Clone, Copy)]
struct Link {
    prev: u32,
    next: u32,
}

/// The links of all entries of a pool.
pub struct Links<I> {
    links: Vec<Link>,
    id: PhantomData<I>,
}

/// One list over the entries of a [`Links`].
#[derive(Clone, Copy, Debug)]
pub struct List<I> {
    head: u32,
    tail: u32,
    len: u32,
    id: PhantomData<I>,
}

impl<I: Id> Links<I> {
    /// Links for entries `0..count`.
    pub fn new(count: usize) -> Self {
        let link = Link {
            prev: NONE,
            next: NONE,
        };
        Links {
            links: (0..count).map(|_| link).collect(),
            id: PhantomData,
        }
    }
}

impl<I> Default for List<I> {
    fn default() -> Self {
        List {
            head: NONE,
            tail: NONE,
            len: 0,
            id: PhantomData,
        }
    }
}

impl<I: Id> List<I> {
    /// Number of entries.
    pub fn len(&self) -> usize {
        self.len as usize
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The oldest entry.
    pub fn front(&self) -> Option<I> {
        (self.head != NONE).then(|| I::new(self.head as usize))
    }

    /// The entry behind one of this list.
    pub fn next(&self, links: &Links<I>, id: I) -> Option<I> {
        let next = links.links[id.index()].next;
        (next != NONE).then(|| I::new(next as usize))
    }

    /// Adds an entry that is in no list.
    pub fn push_back(&mut self, links: &mut Links<I>, id: I) {
        let index = id.index();
        let link = &mut links.links[index];
        link.prev = self.tail;
        link.next = NONE;
        match self.tail {
            NONE => self.head = index as u32,
            tail => links.links[tail as usize].next = index as u32,
        }
        self.tail = index as u32;
        self.len += 1;
    }

    /// Takes out the oldest entry.
    pub fn pop_front(&mut self, links: &mut Links<I>) -> Option<I> {
        let id = self.front()?;
        self.remove(links, id);
        Some(id)
    }

    /// Takes out an entry of this list.
    pub fn remove(&mut self, links: &mut Links<I>, id: I) {
        let Link { prev, next } = links.links[id.index()];
        match prev {
            NONE => self.head = next,
            prev => links.links[prev as usize].next = next,
        }
        match next {
            NONE => self.tail = prev,
            next => links.links[next as usize].prev = prev,
        }
        self.len -= 1;
    }
}

/// A list with its links, in which an entry is once at most.
pub struct Queue<I> {
    list: List<I>,
    links: Links<I>,
    queued: Vec<bool>,
}

impl<I: Id> Queue<I> {
    /// An empty queue for entries `0..count`.
    pub fn new(count: usize) -> Self {
        Queue {
            list: List::default(),
            links: Links::new(count),
            queued: vec![false; count],
        }
    }

    /// Adds an entry at the end, unless it is queued.
    pub fn push(&mut self, id: I) {
        if !core::mem::replace(&mut self.queued[id.index()], true) {
            self.list.push_back(&mut self.links, id);
        }
    }

    /// Takes out the oldest entry.
    pub fn pop(&mut self) -> Option<I> {
        let id = self.list.front()?;
        self.remove(id);
        Some(id)
    }

    /// Whether an entry is queued.
    #[cfg(feature = "audit")]
    pub fn contains(&self, id: I) -> bool {
        self.queued[id.index()]
    }

    /// Takes an entry out, if it is queued.
    pub fn remove(&mut self, id: I) {
        if core::mem::take(&mut self.queued[id.index()]) {
            self.list.remove(&mut self.links, id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::id::Slot;
    use proptest::prelude::*;
    use std::collections::VecDeque;

    proptest! {
        #[test]
        fn two_lists_behave_like_queues(steps in prop::collection::vec((0u8..3, 0usize..2, 0usize..12), 0..300)) {
            let mut links = Links::<Slot>::new(12);
            let mut lists = [List::default(), List::default()];
            let mut models = [VecDeque::new(), VecDeque::new()];
            for (what, list, index) in steps {
                let index = Slot::new(index);
                match what {
                    0 => {
                        let popped = lists[list].pop_front(&mut links);
                        prop_assert_eq!(popped, models[list].pop_front());
                    }
                    1 => if let Some(at) = models[list].iter().position(|&id| id == index) {
                        models[list].remove(at);
                        lists[list].remove(&mut links, index);
                    },
                    _ => if models.iter().all(|model| !model.contains(&index)) {
                        models[list].push_back(index);
                        lists[list].push_back(&mut links, index);
                    },
                }
                for (list, model) in lists.iter().zip(&models) {
                    prop_assert_eq!(list.len(), model.len());
                    prop_assert_eq!(list.is_empty(), model.is_empty());
                    prop_assert_eq!(list.front(), model.front().copied());
                }
            }
        }
    }
}
