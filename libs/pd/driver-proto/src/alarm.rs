// SPDX-License-Identifier: BSD-2-Clause
//! What a client knows of its own deadline at the driver, so that it need not call for each one.

/// The deadline that the driver was last told, in the client's unit of time.
///
/// It is only as good as its notification. One that has passed without any is not relied on: the
/// driver may have been restarted before it knew this client, or somebody has written to the
/// comparator.
#[derive(Clone, Copy, Debug)]
pub struct Alarm {
    armed: Option<u64>,
    grace: u64,
}

impl Alarm {
    /// Nothing is armed. A notification may be under way for `grace` after its time.
    pub const fn new(grace: u64) -> Self {
        Self { armed: None, grace }
    }

    /// Whether the client will be notified at `deadline` or earlier without another call; `now` is
    /// the time.
    pub fn covers(&self, deadline: u64, now: u64) -> bool {
        self.armed
            .is_some_and(|armed| armed <= deadline && now <= armed.saturating_add(self.grace))
    }

    /// The driver has taken this deadline.
    pub fn arm(&mut self, deadline: u64) {
        self.armed = Some(deadline);
    }

    /// The driver has notified the client: at the deadline, or because it has been restarted and
    /// knows of none.
    pub fn fired(&mut self) {
        self.armed = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_armed_deadline_spares_calls_until_it_has_passed() {
        let mut alarm = Alarm::new(10);
        assert!(!alarm.covers(100, 0));
        alarm.arm(100);
        assert!(alarm.covers(100, 0) && alarm.covers(500, 99));
        assert!(!alarm.covers(99, 0), "an earlier one is another");
        // Its notification may be on its way for a moment; then it is lost.
        assert!(alarm.covers(500, 110));
        assert!(!alarm.covers(500, 111));
        alarm.arm(200);
        alarm.fired();
        assert!(!alarm.covers(500, 150));
    }

    proptest! {
        /// Whatever becomes of the notifications, a client that asks at each of its events waits
        /// for one that is still to come.
        #[test]
        fn no_lost_notification_is_waited_for(
            events in proptest::collection::vec((1..50_u64, 1..200_u64, any::<bool>()), 1..100),
            grace in 0..20_u64,
        ) {
            let mut alarm = Alarm::new(grace);
            let mut now = 0;
            let mut last = None;
            for (pause, ahead, notified) in events {
                now += pause;
                if notified {
                    alarm.fired();
                    last = None;
                }
                if !alarm.covers(now + ahead, now) {
                    alarm.arm(now + ahead);
                    last = Some(now + ahead);
                }
                prop_assert!(last.is_some_and(|armed| armed <= now + ahead && armed + grace >= now));
            }
        }
    }
}
