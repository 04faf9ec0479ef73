// SPDX-License-Identifier: BSD-2-Clause

//! Calls are shared by client, too. The server has a higher priority than its clients, and the
//! kernel charges none of its time to them; so a client that calls without pause would take the
//! processor from others with equal rights to it.

use super::Accounts;
use crate::tables::id::ClientId;
use crate::time::{Duration, Instant, nanoseconds};

/// How long a client counts as one who wants the server's time: after its last call, and after a
/// notification that it has not answered with one. Longer than the others' time slices, for which
/// it may have to wait.
pub(super) const PRESENT: Duration = Duration::from_millis(100);

impl<W> Accounts<W> {
    /// A client calls. Returns how many clients want the server's time, this one included.
    pub(crate) fn meet(&mut self, client: ClientId, now: Instant) -> u64 {
        self.present.add(client, now + PRESENT);
        let sharers = self.present.members(now).0.count_ones().into();
        if let Some(account) = self.get_mut(client) {
            account.meter.settle(nanoseconds(now), sharers);
        }
        sharers
    }

    /// Whether a client has had its share of the server's time, so that a call is refused that may
    /// be answered with `EAGAIN`. Then the client is notified when it is worth trying again.
    pub(crate) fn refuses(&mut self, client: ClientId, sharers: u64, now: Instant) -> bool {
        let Some(account) = self.get_mut(client) else {
            return false;
        };
        if !account.attached || !account.meter.is_over() {
            return false;
        }
        let at = now + Duration::from_micros(account.meter.wait(sharers).div_ceil(1_000));
        account.refill = Some(account.refill.map_or(at, |set| set.min(at)));
        true
    }
}
