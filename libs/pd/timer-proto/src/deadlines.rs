// SPDX-License-Identifier: BSD-2-Clause
//! The driver's table: who waits for when, and what the comparator must be set to.

/// A set of callers, by their numbers in the table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CallerSet(u64);

impl CallerSet {
    /// The callers whose bits are set.
    pub fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// The callers, lowest number first.
    pub fn iter(self) -> impl Iterator<Item = usize> {
        (0..64).filter(move |caller| self.0 >> caller & 1 == 1)
    }

    /// How many there are.
    pub fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    fn insert(&mut self, caller: usize) {
        self.0 |= 1 << caller;
    }
}

/// One deadline for each of `N` callers, `N` ≤ 64.
#[derive(Clone, Debug)]
pub struct Deadlines<const N: usize> {
    deadlines: [Option<u64>; N],
}

impl<const N: usize> Deadlines<N> {
    /// Nobody waits.
    pub const fn new() -> Self {
        const { assert!(N <= 64) };
        Self {
            deadlines: [None; N],
        }
    }

    /// Replaces a caller's deadline; a caller that the table has no room for is ignored (`false`).
    pub fn set(&mut self, caller: usize, deadline: u64) -> bool {
        let Some(entry) = self.deadlines.get_mut(caller) else {
            return false;
        };
        *entry = Some(deadline);
        true
    }

    /// Takes out all deadlines that have come at `now`.
    pub fn expire(&mut self, now: u64) -> CallerSet {
        let mut due = CallerSet::default();
        for (caller, entry) in self.deadlines.iter_mut().enumerate() {
            if entry.is_some_and(|deadline| deadline <= now) {
                *entry = None;
                due.insert(caller);
            }
        }
        due
    }

    /// The earliest deadline: what the comparator must be set to. `None`: it can be off.
    pub fn next(&self) -> Option<u64> {
        self.deadlines.iter().flatten().min().copied()
    }
}

impl<const N: usize> Default for Deadlines<N> {
    fn default() -> Self {
        Self::new()
    }
}
