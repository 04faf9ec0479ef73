// SPDX-License-Identifier: BSD-2-Clause

//! Queues of pool entries that are linked by index: an entry is in at most one list, which is known
//! by its owner's state, and leaves it from any position in constant time.

use alloc::vec;
use alloc::vec::Vec;
use core::marker::PhantomData;
use core::ops::Index;

use super::id::Id;

/// No entry, no list.
const NONE: u16 = u16::MAX;

/// Small, so that the links of many entries share a page: each page that a wake-up touches costs.
#[derive(Clone, Copy)]
struct Link {
    prev: u16,
    next: u16,
    /// Number of the list, if it is one of [`Lists`] and the entry is in it.
    list: u16,
}

/// The links of all entries of a pool.
pub struct Links<I> {
    links: Vec<Link>,
    id: PhantomData<I>,
}

/// One list over the entries of a [`Links`].
#[derive(Clone, Copy, Debug)]
pub struct List<I> {
    head: u16,
    tail: u16,
    len: u16,
    id: PhantomData<I>,
}

impl<I: Id> Links<I> {
    /// Links for entries `0..count`, fewer than 65,536.
    pub fn new(count: usize) -> Self {
        assert!(count <= NONE.into(), "{count} entries cannot be numbered");
        let link = Link {
            prev: NONE,
            next: NONE,
            list: NONE,
        };
        Links {
            links: vec![link; count],
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
        self.len.into()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The oldest entry.
    pub fn front(&self) -> Option<I> {
        (self.head != NONE).then(|| I::new(self.head.into()))
    }

    /// The entries, oldest first.
    pub fn iter(self, links: &Links<I>) -> impl Iterator<Item = I> {
        core::iter::successors(self.front(), |id| {
            let next = links.links[id.index()].next;
            (next != NONE).then(|| I::new(next.into()))
        })
    }

    /// Adds an entry that is in no list.
    pub fn push_back(&mut self, links: &mut Links<I>, id: I) {
        let index = id.index();
        let link = &mut links.links[index];
        link.prev = self.tail;
        link.next = NONE;
        match self.tail {
            NONE => self.head = index as u16,
            tail => links.links[usize::from(tail)].next = index as u16,
        }
        self.tail = index as u16;
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
        let Link { prev, next, .. } = links.links[id.index()];
        match prev {
            NONE => self.head = next,
            prev => links.links[usize::from(prev)].next = next,
        }
        match next {
            NONE => self.tail = prev,
            next => links.links[usize::from(next)].prev = prev,
        }
        self.len -= 1;
    }
}

/// Lists with their links, by number. An entry is in one of them at most, and known to be in it.
pub struct Lists<I> {
    lists: Vec<List<I>>,
    links: Links<I>,
}

impl<I: Id> Lists<I> {
    /// Empty lists for entries `0..count`.
    pub fn new(count: usize, lists: usize) -> Self {
        Lists {
            lists: vec![List::default(); lists],
            links: Links::new(count),
        }
    }

    /// The list that an entry is in.
    pub fn of(&self, id: I) -> Option<usize> {
        let list = self.links.links[id.index()].list;
        (list != NONE).then_some(list.into())
    }

    /// Moves an entry to the end of a list, from whichever it is in.
    pub fn put(&mut self, id: I, list: usize) {
        self.remove(id);
        self.lists[list].push_back(&mut self.links, id);
        self.links.links[id.index()].list = list as u16;
    }

    /// Adds an entry at the end of a list, unless it is in one.
    pub fn add(&mut self, id: I, list: usize) {
        if self.of(id).is_none() {
            self.put(id, list);
        }
    }

    /// Takes an entry out of its list, if it is in one.
    pub fn remove(&mut self, id: I) {
        if let Some(list) = self.of(id) {
            self.links.links[id.index()].list = NONE;
            self.lists[list].remove(&mut self.links, id);
        }
    }

    /// Takes out the oldest entry of a list.
    pub fn pop(&mut self, list: usize) -> Option<I> {
        let id = self.lists[list].pop_front(&mut self.links)?;
        self.links.links[id.index()].list = NONE;
        Some(id)
    }

    /// The entries of a list, oldest first.
    pub fn iter(&self, list: usize) -> impl Iterator<Item = I> {
        self.lists[list].iter(&self.links)
    }
}

impl<I> Index<usize> for Lists<I> {
    type Output = List<I>;

    fn index(&self, list: usize) -> &List<I> {
        &self.lists[list]
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
