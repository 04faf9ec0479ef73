// SPDX-License-Identifier: BSD-2-Clause
//! The driver's table: who waits for when, and what the comparator must be set to.

/// One deadline for each of `N` callers, `N` ≤ 64.
#[derive(Clone, Debug)]
pub struct Deadlines<const N: usize> {
    deadlines: [Option<u64>; N],
}

impl<const N: usize> Deadlines<N> {
    /// Replaces a caller's deadline; a caller that the table has no room for is ignored (`false`).
    pub fn set(&mut self, caller: usize, deadline: u64) -> bool {
        let Some(entry) = self.deadlines.get_mut(caller) else {
            return false;
        };
        *entry = Some(deadline);
        true
    }

    /// Takes out all deadlines that have come at `now`. Returns whose they were: bit n is set for
    /// caller n.
    pub fn expire(&mut self, now: u64) -> u64 {
        let mut due = 0;
        for (caller, entry) in self.deadlines.iter_mut().enumerate() {
            if entry.take_if(|deadline| *deadline <= now).is_some() {
                due |= 1 << caller;
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
    /// Nobody waits.
    fn default() -> Self {
        const { assert!(N <= 64) };
        Self {
            deadlines: [None; N],
        }
    }
}
