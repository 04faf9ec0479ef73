// SPDX-License-Identifier: BSD-2-Clause

//! A fixed number of entries, some of them in use.

use alloc::vec::Vec;
use core::marker::PhantomData;
use core::ops::{Index, IndexMut};

use super::id::Id;

/// The entries.
pub struct Pool<I, T> {
    entries: Vec<T>,
    /// A stack: the memory of the entry that was given back last is likely to be in the cache.
    free: Vec<u32>,
    id: PhantomData<I>,
}

impl<I: Id, T> Pool<I, T> {
    /// A pool of `count` free entries. This is the only allocation.
    pub fn new(count: usize, entry: impl FnMut() -> T) -> Self {
        Pool {
            entries: core::iter::repeat_with(entry).take(count).collect(),
            free: (0..count as u32).rev().collect(),
            id: PhantomData,
        }
    }

    /// Number of entries in use.
    pub fn used(&self) -> usize {
        self.entries.len() - self.free.len()
    }

    /// Whether all entries are in use.
    pub fn is_full(&self) -> bool {
        self.free.is_empty()
    }

    /// All entries, the free ones included.
    pub fn ids(&self) -> impl Iterator<Item = I> + use<I, T> {
        (0..self.entries.len()).map(I::new)
    }

    /// Takes a free entry, which has the value that it was given back with.
    pub fn take(&mut self) -> Option<I> {
        self.free.pop().map(|index| I::new(index as usize))
    }

    /// Gives an entry back that is in use.
    pub fn put_back(&mut self, id: I) {
        self.free.push(id.index() as u32);
    }
}

impl<I: Id, T> Index<I> for Pool<I, T> {
    type Output = T;

    fn index(&self, id: I) -> &T {
        &self.entries[id.index()]
    }
}

impl<I: Id, T> IndexMut<I> for Pool<I, T> {
    fn index_mut(&mut self, id: I) -> &mut T {
        &mut self.entries[id.index()]
    }
}
