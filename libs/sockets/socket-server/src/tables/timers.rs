// SPDX-License-Identifier: BSD-2-Clause

//! Deadlines of a fixed number of things, earliest first: a binary heap that knows where each of
//! them stands, so that a deadline can be moved. Nothing is allocated after it was made.

use alloc::vec;
use alloc::vec::Vec;
use core::marker::PhantomData;

use super::id::Id;
use crate::time::Instant;

const ABSENT: u32 = u32::MAX;

/// A deadline that is set, or may be.
#[derive(Clone, Copy)]
struct Timer {
    at: Instant,
    /// Its place in the heap.
    position: u32,
}

/// At most one deadline for each of `0..count`.
pub struct Timers<I> {
    heap: Vec<u32>,
    timers: Vec<Timer>,
    id: PhantomData<I>,
}

impl<I: Id> Timers<I> {
    /// No deadlines for `count` things.
    pub fn new(count: usize) -> Self {
        let unset = Timer {
            at: Instant::ZERO,
            position: ABSENT,
        };
        Timers {
            heap: Vec::with_capacity(count),
            timers: vec![unset; count],
            id: PhantomData,
        }
    }

    /// The earliest deadline.
    pub fn next(&self) -> Option<Instant> {
        self.heap.first().map(|&id| self.timers[id as usize].at)
    }

    /// The deadline of one thing.
    pub fn get(&self, id: I) -> Option<Instant> {
        let Timer { at, position } = self.timers[id.index()];
        (position != ABSENT).then_some(at)
    }

    /// Sets a deadline unless an earlier one is set. Moving one to a later time would cost work at
    /// every segment; waking once too early and looking again costs less.
    pub fn set_if_earlier(&mut self, id: I, at: Instant) {
        let set = self.get(id);
        let id = id.index();
        match set {
            Some(set) if set <= at => {}
            Some(_) => {
                self.timers[id].at = at;
                self.sift_up(self.timers[id].position as usize);
            }
            None => {
                self.timers[id].at = at;
                self.timers[id].position = self.heap.len() as u32;
                self.heap.push(id as u32);
                self.sift_up(self.heap.len() - 1);
            }
        }
    }

    /// Takes a deadline back.
    pub fn clear(&mut self, id: I) {
        let id = id.index();
        if self.timers[id].position == ABSENT {
            return;
        }
        let hole = self.timers[id].position as usize;
        let last = self.heap.len() - 1;
        self.swap(hole, last);
        self.heap.pop();
        self.timers[id].position = ABSENT;
        if hole < last {
            self.sift_up(hole);
            self.sift_down(hole);
        }
    }

    /// Takes out the earliest deadline if it has passed.
    pub fn pop_due(&mut self, now: Instant) -> Option<I> {
        let id = *self.heap.first()? as usize;
        if self.timers[id].at > now {
            return None;
        }
        self.clear(I::new(id));
        Some(I::new(id))
    }

    fn key(&self, position: usize) -> Instant {
        self.timers[self.heap[position] as usize].at
    }

    fn swap(&mut self, a: usize, b: usize) {
        self.heap.swap(a, b);
        self.timers[self.heap[a] as usize].position = a as u32;
        self.timers[self.heap[b] as usize].position = b as u32;
    }

    fn sift_up(&mut self, mut position: usize) {
        while position > 0 {
            let parent = (position - 1) / 2;
            if self.key(parent) <= self.key(position) {
                break;
            }
            self.swap(parent, position);
            position = parent;
        }
    }

    fn sift_down(&mut self, mut position: usize) {
        loop {
            let mut least = position;
            for child in [2 * position + 1, 2 * position + 2] {
                if child < self.heap.len() && self.key(child) < self.key(least) {
                    least = child;
                }
            }
            if least == position {
                break;
            }
            self.swap(least, position);
            position = least;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::id::Slot;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn behaves_like_a_sorted_list(steps in prop::collection::vec((0u8..3, 0usize..15, 0i64..40), 0..300)) {
            let mut timers = Timers::<Slot>::new(15);
            let mut model: [Option<i64>; 15] = [None; 15];
            for (what, index, at) in steps {
                let id = Slot::new(index);
                match what {
                    0 => {
                        timers.clear(id);
                        model[index] = None;
                    }
                    1 => {
                        let popped = timers.pop_due(Instant::from_micros(at));
                        let earliest = model.iter().flatten().min().copied();
                        match popped {
                            Some(id) => {
                                let id = id.index();
                                prop_assert_eq!(model[id], earliest);
                                prop_assert!(earliest.is_some_and(|earliest| earliest <= at));
                                model[id] = None;
                            }
                            None => prop_assert!(earliest.is_none_or(|earliest| earliest > at)),
                        }
                    }
                    _ => {
                        timers.set_if_earlier(id, Instant::from_micros(at));
                        model[index] = Some(model[index].map_or(at, |set| set.min(at)));
                    }
                }
                let earliest = model.iter().flatten().min().map(|&at| Instant::from_micros(at));
                prop_assert_eq!(timers.next(), earliest);
                for (index, &at) in model.iter().enumerate() {
                    prop_assert_eq!(timers.get(Slot::new(index)), at.map(Instant::from_micros));
                }
            }
        }
    }
}
