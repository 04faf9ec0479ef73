// SPDX-License-Identifier: BSD-2-Clause
//! The PD's own side.

use core::{
    marker::PhantomData,
    ops::AddAssign,
    sync::atomic::{
        AtomicU64,
        Ordering::{Acquire, Relaxed, Release},
    },
};

use crate::{
    Common, CounterSet, NoCounters, Pulse, StatsPage,
    page::{MAGIC, layout_word},
};

/// One counter of a page, for the PD that writes it.
#[derive(Clone, Copy, Debug)]
pub struct Count(&'static AtomicU64);

impl Count {
    /// What was last stored.
    #[inline]
    pub fn get(self) -> u64 {
        self.0.load(Relaxed)
    }

    /// Replaces the value.
    #[inline]
    pub fn set(self, value: u64) {
        self.0.store(value, Relaxed);
    }

    /// Adds `n` to the value.
    #[inline]
    pub fn add(self, n: u64) {
        self.set(self.get().wrapping_add(n));
    }

    /// Raises the value to `value` if it is lower, for peaks.
    #[inline]
    pub fn raise(self, value: u64) {
        if self.get() < value {
            self.set(value);
        }
    }
}

impl AddAssign<u64> for Count {
    #[inline]
    fn add_assign(&mut self, n: u64) {
        self.add(n);
    }
}

/// The only writer of a page.
///
/// A PD has one thread, so a change is a load and a store, not an atomic read-modify-write. Copies
/// of a writer within the same PD are fine for the same reason.
pub struct Writer<C: CounterSet> {
    page: &'static StatsPage,
    set: PhantomData<C>,
}

impl<C: CounterSet> Clone for Writer<C> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<C: CounterSet> Copy for Writer<C> {}

impl<C: CounterSet> Writer<C> {
    /// Takes the page over at a start of the PD; `now` in ticks of the generic timer.
    ///
    /// After a restart the numbers go on from where they were. A page whose header is not this
    /// set's is zeroed.
    pub fn attach(page: &'static StatsPage, now: u64) -> Self {
        let writer = Self {
            page,
            set: PhantomData,
        };
        if page.magic.load(Acquire) != MAGIC || page.layout.load(Relaxed) != layout_word(C::KIND) {
            page.magic.store(0, Release);
            for word in page.reserved.iter().chain(&page.common).chain(&page.own) {
                word.store(0, Relaxed);
            }
            page.layout.store(layout_word(C::KIND), Relaxed);
            page.magic.store(MAGIC, Release);
        }
        writer.common(Common::Starts).add(1);
        writer.common(Common::StartedAt).set(now);
        writer
    }

    /// A writer of the counters that every PD has, for code that does not know the set.
    pub fn untyped(&self) -> Writer<NoCounters> {
        Writer {
            page: self.page,
            set: PhantomData,
        }
    }

    /// The page, for a [`Reader`](crate::Reader) in the PD that writes it.
    pub fn page(&self) -> &'static StatsPage {
        self.page
    }

    /// The word that shows the supervisor that this PD is alive.
    pub fn pulse(&self) -> Pulse {
        Pulse::new(self.page)
    }

    /// One counter that every PD has.
    #[inline]
    pub fn common(&self, counter: Common) -> Count {
        Count(&self.page.common[counter as usize])
    }

    /// One counter of this set, to be kept where it is counted.
    #[inline]
    pub fn count(&self, counter: C) -> Count {
        Count(&self.page.own[counter.index()])
    }

    /// Adds `n` to a counter of this set.
    #[inline]
    pub fn add(&self, counter: C, n: u64) {
        self.count(counter).add(n);
    }

    /// Adds one to a counter of this set.
    #[inline]
    pub fn inc(&self, counter: C) {
        self.add(counter, 1);
    }

    /// Replaces a value of this set, for levels, flags, durations and addresses.
    #[inline]
    pub fn set(&self, counter: C, value: u64) {
        self.count(counter).set(value);
    }

    /// Raises a value of this set to `value` if it is lower, for peaks.
    #[inline]
    pub fn raise(&self, counter: C, value: u64) {
        self.count(counter).raise(value);
    }

    /// What this writer last stored.
    #[inline]
    pub fn get(&self, counter: C) -> u64 {
        self.count(counter).get()
    }
}
