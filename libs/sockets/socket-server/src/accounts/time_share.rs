// SPDX-License-Identifier: BSD-2-Clause

//! Calls are shared by client, too. The server has a higher priority than its clients, and the
//! kernel charges none of its time to them; so a client that calls without pause would take the
//! processor from others with equal rights to it.

use alloc::vec;
use alloc::vec::Vec;

use super::Accounts;
use crate::tables::id::{ClientId, Id};
use crate::tables::set::ClientSet;
use crate::time::{Duration, Instant, nanoseconds};

/// How long a client counts as one who wants the server's time: after its last call, and after a
/// notification that it has not answered with one. Longer than the others' time slices, for which
/// it may have to wait.
const PRESENT: Duration = Duration::from_millis(100);

/// The clients that want the server's time.
pub(crate) struct Presence {
    clients: ClientSet,
    /// Until when each of them counts.
    until: Vec<Instant>,
}

impl Presence {
    pub(super) fn new(clients: usize) -> Self {
        Presence {
            clients: ClientSet::default(),
            until: vec![Instant::ZERO; clients],
        }
    }

    /// A client calls, or is expected to.
    pub(super) fn note(&mut self, client: ClientId, now: Instant) {
        self.clients.set(client, true);
        self.until[client.index()] = now + PRESENT;
    }

    /// How many clients want the server's time. Visits those that do, and those that have stopped.
    fn count(&mut self, now: Instant) -> u64 {
        for client in self.clients.iter() {
            if self.until[client.index()] <= now {
                self.clients.set(client, false);
            }
        }
        self.clients.0.count_ones().into()
    }
}

impl<W> Accounts<W> {
    /// A client calls. Returns how many clients want the server's time, this one included.
    pub(crate) fn meet(&mut self, client: ClientId, now: Instant) -> u64 {
        self.presence.note(client, now);
        let sharers = self.presence.count(now);
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
