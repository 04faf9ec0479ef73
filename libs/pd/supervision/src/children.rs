// SPDX-License-Identifier: BSD-2-Clause
//! The state of every child between its fault and being ready again.

use time::{Bucket, Rate};

use crate::FaultReport;

/// The supervisor watches children with lower ids: as many as Microkit lets a PD have.
pub const MAX_CHILDREN: usize = 62;

/// When a child that faulted is started again: at once as long as it does not fault too often, and
/// after a pause otherwise. Each pause is twice as long as the one before, unless the child has run
/// for that long in between. It is never given up.
///
/// A PD that faults in its initialisation would otherwise use up the machine: it faults again some
/// 100 µs after its restart. One that faults now and then, however often in its life, goes on. All
/// times are in ticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Restarts at once, and how fast they come back.
    pub rate: Rate,
    /// The cost of a fault, in restarts of [`rate`](Self::rate), if the child was not ready since
    /// the one before. Others cost 1.
    pub unready_cost: u64,
    /// The first pause.
    pub first_pause: u64,
    /// No pause is longer.
    pub longest_pause: u64,
    /// How often a child may say that it is ready when that is no news. One that says it more
    /// often keeps its parent from other things, and is treated as if it had faulted.
    pub needless_reports: Rate,
}

/// A fault, and how often a child faulted in this way without being ready in between.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Streak {
    /// The fault.
    pub report: FaultReport,
    /// The number of times, from 1.
    pub times: u64,
}

/// The consequences of a child's fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// The measure to take.
    pub verdict: Verdict,
    /// The fault.
    pub streak: Streak,
    /// Another fault before this one, if the child was not ready since, and the number of the
    /// restart that did not succeed: to be told now.
    pub unready: Option<(Streak, u64)>,
}

/// The measure to take with a child that faulted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Restart it at once.
    Restart {
        /// The number of this restart in its life, from 1.
        number: u64,
    },
    /// Park it, where it answers its callers and does nothing else: it faults too often.
    Park {
        /// The time to wait, in ticks.
        pause: u64,
    },
    /// Stop it: there is no such child, or it faulted where it was parked.
    Stop,
}

/// The meaning of a child's report that it is ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// It is ready again.
    Recovered {
        /// The fault that it recovered from.
        streak: Streak,
        /// The number of the restart in its life.
        number: u64,
        /// The time from the fault to being ready, in ticks, a pause included.
        ticks: u64,
    },
    /// It is no news: the first start, or a report that was made before.
    NoNews,
    /// It has been no news too often.
    TooMany,
}

/// Up to `N` children, by the id that the system description gives them.
#[derive(Clone, Debug)]
pub struct Children<const N: usize> {
    policy: Policy,
    children: [State; N],
}

#[derive(Clone, Debug, Default)]
struct State {
    /// Times that it was started again in its life.
    restarts: u64,
    started_at: u64,
    /// The restarts at once that are left.
    at_once: Bucket,
    /// The last pause; 0 if the child has proved itself since.
    pause: u64,
    /// It is parked until then.
    parked_until: Option<u64>,
    /// The fault that it has not recovered from, and when that was.
    recovering: Option<(Streak, u64)>,
    /// It has said at least once that it is ready.
    reports: bool,
    needless: Bucket,
}

impl State {
    /// It faulted at `now`. Returns the pause before it may be started, if it must have one.
    fn pause_after_fault(&mut self, policy: &Policy, was_ready: bool, now: u64) -> Option<u64> {
        if now.saturating_sub(self.started_at) >= self.pause {
            self.pause = 0;
            let cost = if was_ready { 1 } else { policy.unready_cost };
            if self.at_once.take(&policy.rate, cost, now) {
                return None;
            }
        }
        self.pause = self
            .pause
            .saturating_mul(2)
            .clamp(policy.first_pause, policy.longest_pause);
        Some(self.pause)
    }

    /// It is started again at `now`. Returns the number of this restart, from 1.
    fn start(&mut self, now: u64) -> u64 {
        self.started_at = now;
        self.parked_until = None;
        self.restarts += 1;
        self.restarts
    }
}

impl<const N: usize> Children<N> {
    /// Begins with children that run and were never restarted.
    pub fn new(policy: Policy) -> Self {
        Self {
            policy,
            children: core::array::from_fn(|_| State::default()),
        }
    }

    /// Judges a fault of a child at `now`.
    pub fn fault(&mut self, id: usize, report: FaultReport, now: u64) -> Judgement {
        let running = |child: &&mut State| child.parked_until.is_none();
        let Some(child) = self.children.get_mut(id).filter(running) else {
            return Judgement {
                verdict: Verdict::Stop,
                streak: Streak { report, times: 1 },
                unready: None,
            };
        };
        let was_ready = child.recovering.is_none();
        let (times, unready) = match child.recovering.take() {
            Some((streak, _)) if streak.report == report => (streak.times + 1, None),
            earlier => (1, earlier.map(|(streak, _)| (streak, child.restarts))),
        };
        let streak = Streak { report, times };
        child.recovering = Some((streak.clone(), now));
        let verdict = match child.pause_after_fault(&self.policy, was_ready, now) {
            None => Verdict::Restart {
                number: child.start(now),
            },
            Some(pause) => {
                child.parked_until = Some(now.saturating_add(pause));
                Verdict::Park { pause }
            }
        };
        Judgement {
            verdict,
            streak,
            unready,
        }
    }

    /// Returns a child whose pause is over at `now` and which is to be started: its id, the fault
    /// that it was parked for, and the number of this restart. Call it until there is none.
    pub fn take_due(&mut self, now: u64) -> Option<(usize, Streak, u64)> {
        let is_due = |child: &State| child.parked_until.is_some_and(|until| until <= now);
        let id = self.children.iter().position(is_due)?;
        let child = &mut self.children[id];
        let (streak, _) = child.recovering.clone()?;
        Some((id, streak, child.start(now)))
    }

    /// Takes the report of a child at `now` that its initialisation is done.
    pub fn ready(&mut self, id: usize, now: u64) -> Report {
        let Some(child) = self.children.get_mut(id) else {
            return Report::NoNews;
        };
        child.reports = true;
        if child.parked_until.is_some() {
            // Said before it was parked.
            return Report::NoNews;
        }
        match child.recovering.take() {
            Some((streak, since)) => Report::Recovered {
                streak,
                number: child.restarts,
                ticks: now.saturating_sub(since),
            },
            None if child.needless.take(&self.policy.needless_reports, 1, now) => Report::NoNews,
            None => Report::TooMany,
        }
    }

    /// Returns whether a child has been restarted, is not ready yet, and will say so.
    pub fn is_starting(&self, id: usize) -> bool {
        self.children.get(id).is_some_and(|child| {
            child.reports && child.recovering.is_some() && child.parked_until.is_none()
        })
    }

    /// Returns whether a child waits for its next start.
    pub fn is_parked(&self, id: usize) -> bool {
        self.children
            .get(id)
            .is_some_and(|child| child.parked_until.is_some())
    }

    /// Returns the number of children that wait for their next start.
    pub fn parked(&self) -> usize {
        (0..N).filter(|&id| self.is_parked(id)).count()
    }
}
