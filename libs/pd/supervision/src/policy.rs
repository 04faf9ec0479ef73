// SPDX-License-Identifier: BSD-2-Clause
//! When a child that faulted is started again.

use time::{Bucket, Rate};

/// A child is restarted at once as long as it does not fault too often, and after a pause
/// otherwise. Each pause is twice as long as the one before, unless the child has run for that long
/// in between. It is never given up.
///
/// A PD that faults in its initialisation would otherwise use up the machine: it faults again some
/// 100 µs after its restart. One that faults now and then, however often in its life, goes on. All
/// times are in ticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Restarts at once, and how fast they come back.
    pub rate: Rate,
    /// What a fault costs of [`rate`](Self::rate) if the child was not ready since the one before;
    /// others cost 1.
    pub unready_cost: u64,
    /// The first pause.
    pub first_pause: u64,
    /// No pause is longer.
    pub longest_pause: u64,
    /// How often a child may say that it is ready when that is no news. One that says it more
    /// often keeps its parent from other things, and is treated as if it had faulted.
    pub needless_reports: Rate,
}

/// What is to be done with a child that faulted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Start it now.
    AtOnce,
    /// Start it after so many ticks.
    After(u64),
}

/// What a policy needs to know of a child's past.
#[derive(Clone, Debug, Default)]
pub struct History {
    starts: u64,
    bucket: Bucket,
    started_at: u64,
    /// The last pause; 0 if the child has proved itself since.
    pause: u64,
}

impl History {
    /// Times that the child was started again in its life.
    pub fn restarts(&self) -> u64 {
        self.starts
    }

    /// The child faulted at `now`; `ready` says whether it had reached the end of its
    /// initialisation.
    pub fn fault(&mut self, policy: &Policy, ready: bool, now: u64) -> Decision {
        if now.saturating_sub(self.started_at) >= self.pause {
            self.pause = 0;
            let cost = if ready { 1 } else { policy.unready_cost };
            if self.bucket.take(&policy.rate, cost, now) {
                return Decision::AtOnce;
            }
        }
        self.pause = self
            .pause
            .saturating_mul(2)
            .clamp(policy.first_pause, policy.longest_pause);
        Decision::After(self.pause)
    }

    /// The child is started again at `now`. Returns the number of this start, from 1.
    pub fn start(&mut self, now: u64) -> u64 {
        self.started_at = now;
        self.starts += 1;
        self.starts
    }
}
