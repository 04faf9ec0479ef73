// SPDX-License-Identifier: BSD-2-Clause

//! The one deadline that this PD has at the timer driver. A call there costs two switches, so it is
//! made only when a deadline moves forward; one that has become needless just wakes the server once
//! for nothing.

use pd_support::{Peer, clock, warn};
use sel4_microkit::Channel;
use stats::{NetServer as Counter, Writer};
use time::Clock;
use timer_proto::{Alarm, Request};

/// How long after its time a notification may be under way, in nanoseconds: longer than a turn of
/// this PD.
const GRACE: u64 = 1_000_000;

pub struct Timeout {
    timer: Peer,
    clock: Clock,
    /// What the driver has been told, in nanoseconds.
    alarm: Alarm,
}

impl Timeout {
    pub fn new(timer: Peer, clock: Clock) -> Self {
        Timeout {
            timer,
            clock,
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
    pub fn at_latest(&mut self, deadline: u64, stats: &Writer<Counter>) {
        if self.alarm.covers(deadline, self.clock.nanos(clock::now())) {
            return;
        }
        let request = Request::SetTimeout {
            deadline: self.clock.ticks(deadline),
        };
        let (label, words) = request.encode();
        let mut message = [0; 1];
        if let Some(&word) = words.as_slice().first() {
            message = [word];
        }
        stats.inc(Counter::TimeoutsSet);
        let mut answer = self.timer.call(label, message);
        if answer.is_restarted() {
            // The driver notifies whoever it knows to have called before. If it died early in our
            // first call, that is not us.
            answer = self.timer.call(label, message);
        }
        // After a second restart, or while it is down, we ask again when it notifies us or when
        // anything else happens.
        if answer.label == 0 {
            self.alarm.arm(deadline);
        } else if !answer.is_restarted() {
            warn!("timer refuses a deadline: {}", answer.label);
        }
    }
}
