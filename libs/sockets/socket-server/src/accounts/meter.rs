// SPDX-License-Identifier: BSD-2-Clause

//! Calls are shared by client, too. The server has a higher priority than its clients, and the
//! kernel charges none of its time to them; so a client that calls without pause would take the
//! processor from others with equal rights to it. A meter of each client says how much of the
//! server's time its calls take: a bucket that runs over when they have taken more than the
//! client's share of the time for a while.

use super::Accounts;
use crate::tables::id::ClientId;
use crate::time::{Duration, Instant, earliest, nanoseconds};

/// How long a client counts as one who wants the server's time: after its last call, and after a
/// notification that it has not answered with one. Longer than the others' time slices, for which
/// it may have to wait.
pub(super) const PRESENT: Duration = Duration::from_millis(100);
/// Time in nanoseconds that a client's calls may take beyond its share before `send`, `recv` and
/// `accept` are refused.
const BURST: u64 = 10_000_000;
/// More debt than this is not remembered, so that a client which stops calling soon has its share
/// again.
const MOST: u64 = 2 * BURST;

/// The meter of one client.
#[derive(Default)]
pub(crate) struct Meter {
    /// Time taken beyond the share, in nanoseconds.
    debt: u64,
    /// When that was reckoned.
    at: u64,
}

impl Meter {
    /// Time has passed, of which a share of one in `sharers` was the client's.
    pub(crate) fn settle(&mut self, now: u64, sharers: u64) {
        let passed = now.saturating_sub(self.at);
        self.at = now;
        self.debt = self.debt.saturating_sub(passed / sharers.max(1));
    }

    /// A call has taken so many nanoseconds.
    pub(crate) fn spend(&mut self, nanoseconds: u64) {
        self.debt = self.debt.saturating_add(nanoseconds).min(MOST);
    }

    /// Whether the client has had its share.
    pub(crate) fn is_over(&self) -> bool {
        self.debt > BURST
    }

    /// How long the client should wait for calls worth making.
    pub(crate) fn wait(&self, sharers: u64) -> u64 {
        self.debt.saturating_sub(BURST / 2) * sharers
    }
}

impl<W> Accounts<W> {
    /// A client calls. Returns how many clients want the server's time, this one included.
    pub(crate) fn meet(&mut self, client: ClientId, now: Instant) -> u64 {
        self.present.add(client, now + PRESENT);
        let sharers = self.present.members(now).0.count_ones().into();
        let account = self.get_mut(client);
        account.meter.settle(nanoseconds(now), sharers);
        sharers
    }

    /// Whether a client has had its share of the server's time, so that a call is refused that may
    /// be answered with `EAGAIN`. Then the client is notified when it is worth trying again.
    pub(crate) fn refuses(&mut self, client: ClientId, sharers: u64, now: Instant) -> bool {
        let account = self.get_mut(client);
        if !account.attached || !account.meter.is_over() {
            return false;
        }
        let at = now + Duration::from_micros(account.meter.wait(sharers).div_ceil(1_000));
        account.refill = earliest(&[account.refill, Some(at)]);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_gets_its_share_and_no_more() {
        for sharers in 1..5 {
            let mut meter = Meter::default();
            let (mut now, mut served) = (0, 0);
            // Calls of 100 us as fast as they come. A refusal takes 1 us, and then the client is
            // busy with other things.
            while now < 10_000_000_000 {
                meter.settle(now, sharers);
                let (cost, pause) = match meter.is_over() {
                    true => (1_000, 100_000),
                    false => (100_000, 0),
                };
                served += cost;
                meter.spend(cost);
                now += cost + pause;
            }
            let share = served * sharers * 100 / now;
            let expected = if sharers == 1 { 100..=100 } else { 90..=101 };
            assert!(
                expected.contains(&share),
                "{share} % of a share of 1/{sharers}"
            );
        }
    }

    #[test]
    fn who_waits_as_told_is_served_again() {
        let mut meter = Meter::default();
        meter.spend(u64::MAX);
        assert!(meter.is_over());
        assert_eq!(meter.wait(3), 45_000_000);
        meter.settle(45_000_000, 3);
        assert!(!meter.is_over());
        assert_eq!(meter.wait(3), 0);
    }
}
