// SPDX-License-Identifier: BSD-2-Clause

//! Token buckets for what is sent because somebody on the network wanted it: nobody can make this
//! machine send without limit, and one host cannot use up what is there for all.

use super::address::Address;
use crate::tables::map::Key;
use crate::time::{Duration, Instant};

/// Buckets that hosts are spread over by hash.
const SHARES: usize = 64;

/// So many a second, and so many at once after a pause.
#[derive(Clone, Copy, Debug)]
pub struct Rate {
    interval: Duration,
    tolerance: Duration,
}

impl Rate {
    /// `burst` is at least 1, `per_second` between 1 and 1,000,000.
    pub const fn new(per_second: u64, burst: u64) -> Self {
        let interval = 1_000_000 / per_second;
        Rate {
            interval: Duration::from_micros(interval),
            tolerance: Duration::from_micros(interval * (burst - 1)),
        }
    }
}

/// One bucket.
#[derive(Clone, Copy, Debug)]
pub struct Bucket {
    rate: Rate,
    /// When it will be full again.
    full: Instant,
}

impl Bucket {
    /// A full bucket.
    pub const fn new(rate: Rate) -> Self {
        let full = Instant::ZERO;
        Bucket { rate, full }
    }

    /// Whether a token is there.
    pub fn has(&self, now: Instant) -> bool {
        self.full <= now + self.rate.tolerance
    }

    /// Takes a token that is there.
    pub fn take(&mut self, now: Instant) {
        self.full = self.full.max(now) + self.rate.interval;
    }
}

/// A bucket for all hosts, and one for each.
pub struct Limiter {
    all: Bucket,
    shares: [Bucket; SHARES],
    seed: u64,
}

impl Limiter {
    /// `seed` decides which hosts share a bucket.
    pub fn new(all: Rate, share: Rate, seed: u64) -> Self {
        Limiter {
            all: Bucket::new(all),
            shares: [Bucket::new(share); SHARES],
            seed,
        }
    }

    /// Whether something may be sent to a host now; if so, it is counted.
    pub fn allow(&mut self, to: Address, now: Instant) -> bool {
        let at = to.hash(self.seed) as usize % SHARES;
        let share = &mut self.shares[at];
        let allowed = share.has(now) && self.all.has(now);
        if allowed {
            share.take(now);
            self.all.take(now);
        }
        allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::net::Ipv4Addr;

    #[test]
    fn a_burst_then_the_rate_and_one_host_does_not_use_up_all() {
        let mut limiter = Limiter::new(Rate::new(100, 40), Rate::new(10, 10), 7);
        let [greedy, modest] = [1, 2].map(|n| Address::v4(Ipv4Addr::new(10, 0, 0, n)));
        let mut allowed = 0;
        for millisecond in 0..2000 {
            let now = Instant::from_millis(1000 + millisecond);
            allowed += u32::from(limiter.allow(greedy, now));
            if millisecond == 1999 {
                assert!(limiter.allow(modest, now));
            }
        }
        assert!((28..=31).contains(&allowed), "{allowed}");
    }

    #[test]
    fn all_hosts_together_are_limited() {
        let mut limiter = Limiter::new(Rate::new(100, 40), Rate::new(10, 10), 7);
        let now = Instant::from_millis(5);
        let hosts = (0..1000).map(|n| Address::v4(Ipv4Addr::from_bits(0x0a00_0000 + n)));
        assert_eq!(hosts.filter(|&host| limiter.allow(host, now)).count(), 40);
    }
}
