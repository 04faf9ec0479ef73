// SPDX-License-Identifier: BSD-2-Clause

//! What a client may send by the device in a second, in packets and in bytes. A client that has
//! sent more is paused for as long as that takes at its rate; what it sends meanwhile waits in its
//! sockets. Clients without a limit cost one look at a set.

use alloc::vec::Vec;

use crate::config::{ClientLimits, SendRate};
use crate::tables::id::{ClientId, Id};
use crate::tables::set::ClientSet;
use crate::tables::timers::Timers;
use crate::time::{Instant, instant, nanoseconds};

/// How far a client may be ahead of its rate, in nanoseconds: what it has not sent for so long, it
/// may send at once.
const AHEAD: u64 = 20_000_000;

/// When a client would have sent what it has sent, had it kept to its rate, in nanoseconds.
#[derive(Clone, Copy, Default)]
struct Due {
    packets: u64,
    bytes: u64,
}

impl Due {
    fn add(&mut self, rate: SendRate, packets: u64, bytes: u64, now: u64) {
        let after = |due: u64, count: u64, rate: u64| {
            let takes = u128::from(count) * 1_000_000_000 / u128::from(rate);
            due.max(now).saturating_add(takes as u64)
        };
        if let Some(rate) = rate.packets {
            self.packets = after(self.packets, packets, rate.get().into());
        }
        if let Some(rate) = rate.bytes {
            self.bytes = after(self.bytes, bytes, rate.get());
        }
    }

    /// When it may send again, if that is later than now.
    fn wait(self, now: u64) -> Option<u64> {
        let at = self.packets.max(self.bytes).saturating_sub(AHEAD);
        (at > now).then_some(at)
    }
}

/// The clients that have a limit.
pub(crate) struct Rates {
    limited: ClientSet,
    /// Those that have sent too much.
    pub(super) paused: ClientSet,
    /// When that is over.
    timers: Timers<ClientId>,
    by_client: Vec<(SendRate, Due)>,
    /// Value of the counter of bytes at the last look.
    bytes: u64,
}

impl Rates {
    /// `bytes` have been counted before.
    pub(super) fn new(clients: &[ClientLimits], bytes: u64) -> Self {
        let mut limited = ClientSet::default();
        for (client, limits) in clients.iter().enumerate() {
            limited.set(
                ClientId::new(client),
                limits.send_rate != SendRate::default(),
            );
        }
        let entry = |limits: &ClientLimits| (limits.send_rate, Due::default());
        Rates {
            limited,
            paused: ClientSet::default(),
            timers: Timers::new(clients.len()),
            by_client: clients.iter().map(entry).collect(),
            bytes,
        }
    }

    /// Whether nobody has a limit.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.limited.is_empty()
    }

    /// An account has sent so many frames since the last call; the counter of bytes says `bytes`.
    #[cold]
    pub(super) fn note(&mut self, account: ClientId, frames: usize, bytes: u64, now: Instant) {
        let sent = bytes.wrapping_sub(self.bytes);
        self.bytes = bytes;
        if !self.limited.contains(account) {
            return;
        }
        let now = nanoseconds(now);
        let (rate, due) = &mut self.by_client[account.index()];
        due.add(*rate, frames as u64, sent, now);
        if let Some(at) = due.wait(now) {
            self.paused.set(account, true);
            // Rounded up, so that it has come when the timer runs.
            self.timers.set_if_earlier(account, instant(at + 999));
        }
    }

    /// When a pause ends.
    #[inline]
    pub(crate) fn next_due(&self) -> Option<Instant> {
        match self.paused.is_empty() {
            true => None,
            false => self.timers.next(),
        }
    }

    /// Ends the pauses that are over.
    pub(crate) fn run_timers(&mut self, now: Instant) {
        while !self.paused.is_empty()
            && let Some(client) = self.timers.pop_due(now)
        {
            match self.by_client[client.index()].1.wait(nanoseconds(now)) {
                Some(at) => self.timers.set_if_earlier(client, instant(at + 999)),
                None => self.paused.set(client, false),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::num::{NonZeroU32, NonZeroU64};
    use proptest::prelude::*;

    proptest! {
        /// Whatever its turns and pauses are: what has been sent is what the rate allows, one turn
        /// and what may be sent ahead.
        #[test]
        fn no_client_is_faster_than_its_rate(
            packets in prop::option::of(1u32..100_000),
            bytes in prop::option::of(1_000u64..1 << 40),
            turns in prop::collection::vec((1usize..64, 60usize..1514, 0u64..200_000_000), 1..60),
        ) {
            let rate = SendRate {
                packets: packets.and_then(NonZeroU32::new),
                bytes: bytes.and_then(NonZeroU64::new),
            };
            let (mut due, mut now) = (Due::default(), 1_000_000_000);
            let (mut sent, mut start) = ((0u64, 0u64), None);
            for (frames, size, pause) in turns {
                now += pause;
                now = due.wait(now).unwrap_or(now);
                let passed = now - *start.get_or_insert(now) + AHEAD;
                let allowed = |rate: u64| u128::from(rate) * u128::from(passed) / 1_000_000_000 + 1;
                if let Some(rate) = packets {
                    prop_assert!(u128::from(sent.0) <= allowed(rate.into()));
                }
                if let Some(rate) = bytes {
                    prop_assert!(u128::from(sent.1) <= allowed(rate));
                }
                let turn = (frames as u64, (frames * size) as u64);
                due.add(rate, turn.0, turn.1, now);
                sent = (sent.0 + turn.0, sent.1 + turn.1);
            }
        }
    }
}
