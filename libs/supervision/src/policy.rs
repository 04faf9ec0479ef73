// SPDX-License-Identifier: BSD-2-Clause
//! How often is too often.

/// Most restarts that a [`Policy`] can count within its window.
pub const MAX_RESTARTS: usize = 16;

/// A child is restarted as long as it was not restarted `restarts` times within the last `window`.
///
/// A PD that faults in its initialisation would otherwise use up the machine: it faults again some 100 µs after its restart. One that
/// faults now and then, however often in its life, goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    restarts: usize,
    window: u64,
}

impl Policy {
    /// At most `restarts` within `window` ticks; more than [`MAX_RESTARTS`] count as that many.
    pub const fn new(restarts: usize, window: u64) -> Self {
        let restarts = if restarts > MAX_RESTARTS {
            MAX_RESTARTS
        } else {
            restarts
        };
        Self { restarts, window }
    }

    /// How many restarts are allowed within the window.
    pub fn restarts(&self) -> usize {
        self.restarts
    }

    /// The window in ticks.
    pub fn window(&self) -> u64 {
        self.window
    }
}

/// When a child was restarted, as far back as a policy looks.
#[derive(Clone, Debug)]
pub struct History {
    /// Times of the last restarts, the entry of restart n at n modulo the length.
    times: [u64; MAX_RESTARTS],
    restarts: u64,
}

impl History {
    /// Never restarted.
    pub const fn new() -> Self {
        Self {
            times: [0; MAX_RESTARTS],
            restarts: 0,
        }
    }

    /// Restarts in the child's life.
    pub fn restarts(&self) -> u64 {
        self.restarts
    }

    /// Notes a restart at `now` and returns its number, or `None` if the policy forbids it.
    pub fn restart(&mut self, policy: &Policy, now: u64) -> Option<u64> {
        let limit = policy.restarts as u64;
        if limit == 0 {
            return None;
        }
        if self.restarts >= limit {
            let oldest_that_counts = self.restarts - limit;
            let at = self.times[(oldest_that_counts % MAX_RESTARTS as u64) as usize];
            if now.saturating_sub(at) < policy.window {
                return None;
            }
        }
        self.times[(self.restarts % MAX_RESTARTS as u64) as usize] = now;
        self.restarts += 1;
        Some(self.restarts)
    }
}

impl Default for History {
    fn default() -> Self {
        Self::new()
    }
}
