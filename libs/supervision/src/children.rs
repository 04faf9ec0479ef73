// SPDX-License-Identifier: BSD-2-Clause
//! The state of every child between its fault and being ready again.

use crate::{FaultReport, History, Policy};

/// The supervisor watches children with lower ids. Their states are on its stack for a moment, which limits how many there
/// can be; config-tool refuses a child beyond.
pub const MAX_CHILDREN: usize = 16;

/// What to do with a child that faulted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Restart it.
    Restart {
        /// Which restart of its life this is, from 1.
        number: u64,
        /// The fault before this one, if the child was not ready again since: to be told now.
        unready: Option<Unready>,
    },
    /// Stop it for good: it faulted too often.
    GiveUp {
        /// Restarts of its life.
        restarts: u64,
        /// As for `Restart`.
        unready: Option<Unready>,
    },
    /// There is no such child, or it was given up already: keep it stopped.
    Stop,
}

/// A fault after which the child faulted again before it was ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unready {
    /// The earlier fault.
    pub report: FaultReport,
    /// The restart that did not succeed.
    pub number: u64,
}

/// A child that is ready again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recovery {
    /// What it recovered from.
    pub report: FaultReport,
    /// Which restart of its life it was.
    pub number: u64,
    /// From the fault to being ready, in ticks.
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
    recovering: Option<(FaultReport, u64)>,
    given_up: bool,
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
        let Some(child) = self.children.get_mut(id).filter(|child| !child.given_up) else {
            return Verdict::Stop;
        };
        let restarts = child.history.restarts();
        let unready = child.recovering.take().map(|(report, _)| Unready {
            report,
            number: restarts,
        });
        match child.history.restart(&self.policy, now) {
            Some(number) => {
                child.recovering = Some((report, now));
                Verdict::Restart { number, unready }
            }
            None => {
                child.given_up = true;
                Verdict::GiveUp { restarts, unready }
            }
        }
    }

    /// A child says at `now` that its initialisation is done. `None` if that is no news: its first start, or said twice.
    pub fn ready(&mut self, id: usize, now: u64) -> Option<Recovery> {
        let child = self.children.get_mut(id)?;
        let (report, since) = child.recovering.take()?;
        Some(Recovery {
            report,
            number: child.history.restarts(),
            ticks: now.saturating_sub(since),
        })
    }

    /// How many children were given up.
    pub fn given_up(&self) -> usize {
        self.children.iter().filter(|child| child.given_up).count()
    }
}
