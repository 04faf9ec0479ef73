// SPDX-License-Identifier: BSD-2-Clause

//! The one deadline that this PD has at the timer driver. A call there costs two switches, so it is
//! made only when a deadline moves forward; one that has become needless just wakes the server once
//! for nothing.

use driver_proto::{Alarm, CallError, SetTimeout, decode_result};
use pd_support::{Peer, clock, warn};
use sel4_microkit::Channel;
use stats::{NetServer as Counter, Writer};
use time::Clock;

/// How long after its time a notification may be under way, in nanoseconds: longer than a turn of
/// this PD.
const GRACE: u64 = 1_000_000;

pub struct Timeout {
    timer: Peer,
    clock: Clock,
    stats: Writer<Counter>,
    /// The deadline that the driver has been told, in nanoseconds.
    alarm: Alarm,
}

impl Timeout {
    pub fn new(timer: Peer, clock: Clock, stats: Writer<Counter>) -> Self {
        Timeout {
            timer,
            clock,
            stats,
            alarm: Alarm::new(GRACE),
        }
    }

    /// The timer driver's channel.
    pub fn channel(&self) -> Channel {
        self.timer.channel()
    }

    /// The timer driver has notified us: at the deadline, or because it has been restarted and
    /// knows of none.
    pub fn fired(&mut self) {
        self.alarm.fired();
    }

    /// Sees to it that this PD is notified at that time, or earlier.
    pub fn at_latest(&mut self, deadline: u64) {
        if self.alarm.covers(deadline, self.clock.nanos(clock::now())) {
            return;
        }
        let request = SetTimeout {
            deadline: self.clock.ticks(deadline),
        };
        let (label, words) = request.encode();
        self.stats.inc(Counter::TimeoutsSet);
        let ask = || decode_result(self.timer.call(label, words).label);
        let mut reply = ask();
        if reply == Err(CallError::Restarted) {
            // The driver notifies the PDs that it knows to have called before. If it died early in
            // our first call, that is not us.
            reply = ask();
        }
        // After a second restart, or while it is down, we ask again when it notifies us or when
        // anything else happens.
        match reply {
            Ok(()) => self.alarm.arm(deadline),
            Err(CallError::Restarted) => {}
            Err(error) => warn!("timer refuses a deadline: {error}"),
        }
    }
}
