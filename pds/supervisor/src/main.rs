// SPDX-License-Identifier: BSD-2-Clause

//! Supervisor: the parent of every other PD. Restarts the ones that fault or turn without end, and
//! says what happened.
//!
//! A child that faults too often is parked: there it answers its callers and does nothing else,
//! until its pause is over. Nothing here depends on what the children are. A child that the table
//! does not know is restarted like the others, and only not watched.

#![no_std]
#![no_main]

mod children;
#[cfg(feature = "fault-injection")]
mod injection;
mod seconds;

use core::time::Duration;

use pd_support::{Pd, clock, error, info, warn};
use sel4::{UserContext, Word};
use sel4_microkit::{
    ChannelSet, Child, ENTRY_POINT, Handler, Infallible, LastWords, MessageInfo, PARK_POINT,
    protection_domain,
};
use stats::{Supervisor as Counter, Writer};
use supervision::{
    Cause, Children, FaultLine, FaultReport, MAX_CHILDREN, Outcome, Policy, Report, Streak,
    Verdict, Watch,
};
use time::{Clock, Rate};

use children::Table;
use seconds::Seconds;

/// Restarts of one child that are made at once, and how many a second come back. A fault before the
/// child was ready costs several.
const RESTARTS: u64 = 16;
const RESTARTS_PER_SECOND: u64 = 6;
const UNREADY_COST: u64 = 4;
/// The first pause of a child that faults more often, and the longest. They end with a tick, so up
/// to a second later.
const FIRST_PAUSE_NANOS: u64 = 500_000_000;
const LONGEST_PAUSE_NANOS: u64 = 60_000_000_000;

/// Signals at once that say nothing new; one more comes back a second.
const NEEDLESS_REPORTS: u64 = 32;

struct Supervisor {
    clock: Clock,
    seconds: Seconds,
    children: Children<MAX_CHILDREN>,
    watch: Watch<MAX_CHILDREN>,
    table: Table,
    stats: Writer<Counter>,
    #[cfg(feature = "fault-injection")]
    injection: injection::Injection,
}

#[protection_domain]
fn init() -> impl Handler {
    let pd = Pd::<Counter>::start();
    let clock = clock::clock();
    let policy = Policy {
        rate: Rate::new(RESTARTS, clock::frequency() / RESTARTS_PER_SECOND),
        unready_cost: UNREADY_COST,
        first_pause: clock.ticks(FIRST_PAUSE_NANOS),
        longest_pause: clock.ticks(LONGEST_PAUSE_NANOS),
        needless_reports: Rate::new(NEEDLESS_REPORTS, clock::frequency()),
    };
    let supervisor = Supervisor {
        clock,
        seconds: Seconds::start(),
        children: Children::new(policy),
        watch: Watch::new(),
        table: Table::take(),
        stats: pd.stats(),
        #[cfg(feature = "fault-injection")]
        injection: injection::Injection::take(),
    };
    info!("watching {} protection domains", supervisor.table.count());
    pd.run(supervisor)
}

impl Supervisor {
    fn say(&self, child: Child, streak: &Streak, outcome: Outcome) {
        let line = FaultLine {
            name: &self.table.name(child),
            streak,
            outcome,
        };
        if matches!(outcome, Outcome::Ready { .. }) {
            warn!("{line}");
        } else {
            error!("{line}");
        }
    }

    /// A child faulted, or is taken to have done so. Returns how often it has done the same without
    /// being ready in between.
    fn end_of_life(&mut self, child: Child, report: FaultReport) -> u64 {
        self.stats.inc(Counter::Faults);
        if let Some(counter) = Counter::faults_of_child(child.index()) {
            self.stats.inc(counter);
        }
        self.table.tell_of_fault(child);
        let name = self.table.name(child);
        let judgement = self.children.fault(child.index(), report, clock::now());
        let streak = &judgement.streak;
        if let Some((earlier, number)) = &judgement.unready {
            self.say(child, earlier, Outcome::Unready { number: *number });
        }
        match judgement.verdict {
            Verdict::Restart { number } => {
                if streak.times == 1 {
                    info!("{name} has faulted, restart {number}");
                }
                self.start(child, streak);
            }
            Verdict::Park { pause } => {
                let pause = Duration::from_nanos(self.clock.nanos(pause));
                let outcome = match child.restart(PARK_POINT) {
                    Ok(()) => Outcome::Parked { pause },
                    Err(_) => Outcome::Refused,
                };
                self.say(child, streak, outcome);
                self.count_parked();
            }
            Verdict::Stop => {
                error!("{name}: {}; it is stopped", streak.report);
                // A child that sent the message itself, rather than faulting, would run on.
                if let Err(error) = child.stop() {
                    error!("{name} cannot be stopped: {error}");
                }
            }
        }
        streak.times
    }

    fn start(&self, child: Child, streak: &Streak) {
        match child.restart(ENTRY_POINT) {
            Ok(()) => self.stats.inc(Counter::Restarts),
            Err(_) => self.say(child, streak, Outcome::Refused),
        }
    }

    fn count_parked(&self) {
        self.stats
            .set(Counter::Parked, self.children.parked() as u64);
    }

    /// Starts the children whose pauses are over.
    fn start_due(&mut self) {
        while let Some((id, streak, number)) = self.children.take_due(clock::now()) {
            let child = Child::new(id);
            if streak.times == 1 {
                let name = self.table.name(child);
                info!("{name} is tried again, restart {number}");
            }
            self.start(child, &streak);
            self.count_parked();
        }
    }

    fn ready(&mut self, child: Child) {
        match self.children.ready(child.index(), clock::now()) {
            Report::Recovered {
                streak,
                number,
                ticks,
            } => {
                let nanos = self.clock.nanos(ticks);
                self.stats.set(Counter::LastRecovery, nanos);
                self.stats.raise(Counter::LongestRecovery, nanos);
                let after = Duration::from_nanos(nanos);
                self.say(child, &streak, Outcome::Ready { number, after });
            }
            Report::NoNews => {}
            Report::TooMany => self.blame(child, Cause::Noise),
        }
    }

    /// Once a second.
    fn tick(&mut self) {
        if let Err(error) = self.seconds.again() {
            error!("{error}");
        }
        self.table.tell_of_second();
        let sights = core::array::from_fn(|id| {
            let starting = self.children.is_starting(id);
            (!self.children.is_parked(id))
                .then(|| self.table.sight(id, starting))
                .flatten()
        });
        if let Some(id) = self.watch.tick(&sights) {
            self.stats.inc(Counter::Hangs);
            self.blame(Child::new(id), Cause::Hang);
        }
    }

    /// Treats a child as if it had faulted, at the place where it is.
    fn blame(&mut self, child: Child, cause: Cause) {
        let registers = registers(child);
        self.end_of_life(child, FaultReport::new(cause, registers.as_ref()));
    }

    /// Does what every event must do, because the next tick may fail to come.
    fn look_after(&mut self) {
        self.start_due();
        self.seconds.look_after();
    }
}

impl Handler for Supervisor {
    type Error = Infallible;

    fn notified(&mut self, channels: ChannelSet) -> Result<(), Infallible> {
        for channel in channels.iter() {
            if channel == self.seconds.irq {
                self.tick();
            }
            if let Some(child) = self.table.by_ready_channel(channel) {
                self.ready(child);
            }
            #[cfg(feature = "fault-injection")]
            if channel == self.injection.console.channel() {
                self.inject();
            }
        }
        self.look_after();
        Ok(())
    }

    fn fault(
        &mut self,
        child: Child,
        msg_info: MessageInfo,
    ) -> Result<Option<MessageInfo>, Infallible> {
        // Before any system call, whose reply would be where the fault's words are.
        let fault = msg_info.fault();
        let registers = registers(child);
        let report = FaultReport::of_fault(fault, registers.as_ref());
        let times = self.end_of_life(child, report);
        // A panic that the child has not told of itself, unless it is always the same.
        if let Some(LastWords::Panic(text)) = registers.as_ref().and_then(LastWords::read)
            && !text.is_empty()
            && times == 1
        {
            error!("{}: {text}", self.table.name(child));
        }
        self.look_after();
        Ok(None)
    }
}

/// The registers of a child, wherever it is.
fn registers(child: Child) -> Option<UserContext> {
    child.tcb().tcb_read_registers(false, Word::MAX).ok()
}
