// SPDX-License-Identifier: BSD-2-Clause

//! The one deadline that this PD has at the timer driver. A call there costs two switches, so it is made only when a deadline moves
//! forward; one that has become needless just wakes the server once for nothing.

use pd_support::{Peer, warn};
use sel4_microkit::Channel;
use stats::{NetServer as Counter, Writer};
use timer_proto::{Clock, Request};

pub struct Timeout {
    timer: Peer,
    clock: Clock,
    /// What the driver has been told, in nanoseconds.
    armed: Option<u64>,
}

impl Timeout {
    pub fn new(timer: Channel, clock: Clock) -> Self {
        Timeout {
            timer: Peer::new(timer),
            clock,
            armed: None,
        }
    }

    /// The timer driver has notified us: at the deadline, or because it has been restarted and knows of none.
    pub fn fired(&mut self) {
        self.armed = None;
    }

    /// Sees to it that this PD is notified at that time, or earlier.
    pub fn at_latest(&mut self, deadline: u64, stats: &Writer<Counter>) {
        if self.armed.is_some_and(|armed| armed <= deadline) {
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
            // The driver notifies whoever it knows to have called before. If it died early in our first call, that is not us.
            answer = self.timer.call(label, message);
        }
        // After a second restart it knows us, and we ask again when it notifies us.
        if answer.label == 0 {
            self.armed = Some(deadline);
        } else if !answer.is_restarted() {
            warn!("timer refuses a deadline: {}", answer.label);
        }
    }
}
