// SPDX-License-Identifier: BSD-2-Clause
//! The state of every child between its fault and being ready again.

use time::Bucket;

use crate::{Decision, FaultReport, History, Policy};

/// The supervisor watches children with lower ids: as many as Microkit lets a PD have.
pub const MAX_CHILDREN: usize = 62;

/// What to do with a child that faulted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Restart it.
    Restart {
        /// Which restart of its life this is, from 1.
        number: u64,
        /// How often it faulted in this way, this time included.
        times: u64,
        /// Another fault before this one, if the child was not ready since: to be told now.
        unready: Option<Unready>,
    },
    /// Park it, where it answers its callers and does nothing else: it faults too often.
    Park {
        /// For how many ticks.
        pause: u64,
        /// As for `Restart`.
        times: u64,
        /// As for `Restart`.
        unready: Option<Unready>,
    },
    /// Stop it: there is no such child, or it faulted where it was parked.
    Stop,
}

/// A fault, and how often a child faulted in this way without being ready in between.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Streak {
    /// The fault.
    pub report: FaultReport,
    /// From 1.
    pub times: u64,
}

/// A fault after which the child faulted in another way before it was ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unready {
    /// The earlier fault.
    pub streak: Streak,
    /// The restart that did not succeed.
    pub number: u64,
}

/// What a child's report that it is ready means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// It is ready again.
    Recovered(Recovery),
    /// It is no news: the first start, or said twice.
    NoNews,
    /// It has been no news too often.
    TooMany,
}

/// A child that is ready again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovery {
    /// What it recovered from.
    pub streak: Streak,
    /// Which restart of its life it was.
    pub number: u64,
    /// From the fault to being ready, in ticks, a pause included.
    pub ticks: u64,
}

/// Up to `N` children, by the id that the system description gives them.
#[derive(Clone, Debug)]
pub struct Children<const N: usize> {
    policy: Policy,
    children: [State; N],
}

#[derive(Clone, Debug, Default)]
struct State {
    history: History,
    /// The fault that it has not recovered from, and when that was.
    recovering: Option<(Streak, u64)>,
    /// It is parked until then.
    parked_until: Option<u64>,
    /// It has said at least once that it is ready.
    reports: bool,
    needless: Bucket,
}

impl<const N: usize> Children<N> {
    /// All run, none was ever restarted.
    pub fn new(policy: Policy) -> Self {
        Self {
            policy,
            children: core::array::from_fn(|_| State::default()),
        }
    }

    /// A child faulted at `now`.
    pub fn fault(&mut self, id: usize, report: FaultReport, now: u64) -> Verdict {
        let Some(child) = self.children.get_mut(id) else {
            return Verdict::Stop;
        };
        if child.parked_until.is_some() {
            return Verdict::Stop;
        }
        let number = child.history.restarts();
        let was_ready = child.recovering.is_none();
        let (times, unready) = match child.recovering.take() {
            Some((streak, _)) if streak.report == report => (streak.times + 1, None),
            earlier => (1, earlier.map(|(streak, _)| Unready { streak, number })),
        };
        child.recovering = Some((Streak { report, times }, now));
        match child.history.fault(&self.policy, was_ready, now) {
            Decision::AtOnce => Verdict::Restart {
                number: child.history.start(now),
                times,
                unready,
            },
            Decision::After(pause) => {
                child.parked_until = Some(now.saturating_add(pause));
                Verdict::Park {
                    pause,
                    times,
                    unready,
                }
            }
        }
    }

    /// A child whose pause is over at `now`: it is to be started, and this is the number of its
    /// restart. Until there is none.
    pub fn take_due(&mut self, now: u64) -> Option<(usize, u64)> {
        let (id, child) = self
            .children
            .iter_mut()
            .enumerate()
            .find(|(_, child)| child.parked_until.is_some_and(|until| until <= now))?;
        child.parked_until = None;
        Some((id, child.history.start(now)))
    }

    /// A child says at `now` that its initialisation is done.
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
            Some((streak, since)) => Report::Recovered(Recovery {
                streak,
                number: child.history.restarts(),
                ticks: now.saturating_sub(since),
            }),
            None if child.needless.take(&self.policy.needless_reports, 1, now) => Report::NoNews,
            None => Report::TooMany,
        }
    }

    /// Whether a child has faulted more than once in the same way, without being ready in between.
    pub fn is_repeating(&self, id: usize) -> bool {
        self.children.get(id).is_some_and(|child| {
            let streak = child.recovering.as_ref();
            streak.is_some_and(|(streak, _)| streak.times > 1)
        })
    }

    /// Whether a child has been restarted, is not ready yet, and will say so.
    pub fn is_starting(&self, id: usize) -> bool {
        self.children.get(id).is_some_and(|child| {
            child.reports && child.recovering.is_some() && child.parked_until.is_none()
        })
    }

    /// Whether a child waits for its next start.
    pub fn is_parked(&self, id: usize) -> bool {
        self.children
            .get(id)
            .is_some_and(|child| child.parked_until.is_some())
    }

    /// How many children wait for their next start.
    pub fn parked(&self) -> usize {
        (0..N).filter(|&id| self.is_parked(id)).count()
    }
}
