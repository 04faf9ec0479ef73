// SPDX-License-Identifier: BSD-2-Clause

//! Supervisor: the parent of every other PD. Restarts the ones that fault, and says what happened.
//!
//! Nothing here depends on what the children are; their names serve the log only. A child that the table does not know is restarted like
//! the others.

#![no_std]
#![no_main]
#![forbid(unsafe_code)]

mod children;
#[cfg(feature = "fault-injection")]
mod injection;

use pd_support::{Pd, clock, error, info, warn};
use sel4_microkit::{
    ChannelSet, Child, ENTRY_POINT, Handler, Infallible, MessageInfo, protection_domain,
};
use stats::{Supervisor as Counter, Writer};
use supervision::{
    Children, FaultLine, FaultReport, MAX_CHILDREN, Outcome, Policy, Unready, Verdict,
};
use timer_proto::Clock;

use children::Names;

/// More restarts of one child than this within [`WINDOW_NANOS`] are a loop, and it is given up.
const RESTARTS: usize = 16;
const WINDOW_NANOS: u64 = 1_000_000_000;

struct Supervisor {
    clock: Clock,
    policy: Policy,
    children: Children<MAX_CHILDREN>,
    names: Names,
    stats: Writer<Counter>,
    #[cfg(feature = "fault-injection")]
    injection: injection::Injection,
}

#[protection_domain]
fn init() -> impl Handler {
    let pd = Pd::<Counter>::start();
    let Some(clock) = Clock::new(clock::frequency()) else {
        panic!("the timer's frequency is not set");
    };
    let policy = Policy::new(RESTARTS, clock.ticks(WINDOW_NANOS));
    let supervisor = Supervisor {
        clock,
        policy,
        children: Children::new(policy),
        names: Names::take(),
        stats: pd.stats(),
        #[cfg(feature = "fault-injection")]
        injection: injection::Injection::take(),
    };
    info!("watching {} protection domains", supervisor.names.count());
    pd.run(supervisor)
}

impl Supervisor {
    fn say(&self, child: Child, report: FaultReport, outcome: Outcome) {
        let name = self.names.of(child);
        let line = FaultLine {
            name: &name,
            report,
            outcome,
        };
        match outcome {
            Outcome::Ready { .. } => warn!("{line}"),
            Outcome::Unready { .. } | Outcome::GivenUp { .. } | Outcome::Refused => {
                error!("{line}");
            }
        }
    }

    fn say_unready(&self, child: Child, unready: Option<Unready>) {
        if let Some(Unready { report, number }) = unready {
            self.say(child, report, Outcome::Unready { number });
        }
    }

    fn restart(&mut self, child: Child, report: FaultReport, number: u64) {
        match child.restart(ENTRY_POINT) {
            Ok(()) => {
                self.stats.inc(Counter::Restarts);
                info!("{} has faulted, restart {number}", self.names.of(child));
            }
            Err(_) => self.say(child, report, Outcome::Refused),
        }
    }

    fn give_up(&mut self, child: Child, report: FaultReport, restarts: u64) {
        let outcome = Outcome::GivenUp {
            restarts,
            limit: self.policy.restarts(),
            window_nanos: WINDOW_NANOS,
        };
        self.say(child, report, outcome);
        self.stats
            .set(Counter::GivenUp, self.children.given_up() as u64);
        self.stop(child);
    }

    /// A child that sent the message itself, rather than faulting, would run on.
    fn stop(&self, child: Child) {
        if let Err(error) = child.stop() {
            error!("{} cannot be stopped: {error}", self.names.of(child));
        }
    }

    fn ready(&mut self, child: Child) {
        let Some(recovery) = self.children.ready(child.index(), clock::now()) else {
            return;
        };
        let nanos = self.clock.nanos(recovery.ticks);
        self.stats.set(Counter::LastRecovery, nanos);
        self.stats.raise(Counter::LongestRecovery, nanos);
        let outcome = Outcome::Ready {
            number: recovery.number,
            nanos,
        };
        self.say(child, recovery.report, outcome);
    }
}

impl Handler for Supervisor {
    type Error = Infallible;

    fn notified(&mut self, channels: ChannelSet) -> Result<(), Infallible> {
        for channel in channels.iter() {
            if let Some(child) = children::by_ready_channel(channel) {
                self.ready(child);
            }
            #[cfg(feature = "fault-injection")]
            if channel == injection::CONSOLE {
                self.injection.serve(&self.names, &self.stats);
            }
        }
        Ok(())
    }

    fn fault(
        &mut self,
        child: Child,
        msg_info: MessageInfo,
    ) -> Result<Option<MessageInfo>, Infallible> {
        let now = clock::now();
        let report = children::report(&msg_info.fault());
        self.stats.inc(Counter::Faults);
        if let Some(counter) = Counter::faults_of_child(child.index()) {
            self.stats.inc(counter);
        }
        match self.children.fault(child.index(), report, now) {
            Verdict::Restart { number, unready } => {
                self.say_unready(child, unready);
                self.restart(child, report, number);
            }
            Verdict::GiveUp { restarts, unready } => {
                self.say_unready(child, unready);
                self.give_up(child, report, restarts);
            }
            Verdict::Stop => {
                error!("{}: {report}; not restarted", self.names.of(child));
                self.stop(child);
            }
        }
        Ok(None)
    }
}
