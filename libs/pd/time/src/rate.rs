// SPDX-License-Identifier: BSD-2-Clause
//! How often something may happen: the token bucket, kept as a single time (ITU-T I.371, "generic
//! cell rate algorithm").

/// A limit: a burst at once, and one more after each interval. The interval is in ticks or any
/// other unit of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    burst: u64,
    interval: u64,
}

impl Rate {
    /// Allows `burst` at once and one more after each `interval`.
    pub const fn new(burst: u64, interval: u64) -> Self {
        Self { burst, interval }
    }
}

/// What is left of a [`Rate`], as the time at which all of it will be there again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bucket(u64);

impl Bucket {
    /// A full bucket.
    pub const fn full() -> Self {
        Self(0)
    }

    /// As [`full_at`](Self::full_at) gave it.
    pub const fn from_full_at(time: u64) -> Self {
        Self(time)
    }

    /// When it will be full.
    pub const fn full_at(self) -> u64 {
        self.0
    }

    /// Takes `cost` out if it is there.
    #[must_use]
    pub fn take(&mut self, rate: &Rate, cost: u64, now: u64) -> bool {
        let full_at = self
            .0
            .max(now)
            .saturating_add(rate.interval.saturating_mul(cost));
        let fits = full_at - now <= rate.interval.saturating_mul(rate.burst);
        if fits {
            self.0 = full_at;
        }
        fits
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_burst_and_then_one_each_interval() {
        let rate = Rate::new(3, 10);
        let mut bucket = Bucket::full();
        let taken =
            |bucket: &mut Bucket, now| (0..9).take_while(|_| bucket.take(&rate, 1, now)).count();
        assert_eq!(taken(&mut bucket, 1000), 3);
        assert_eq!(taken(&mut bucket, 1009), 0);
        assert_eq!(taken(&mut bucket, 1010), 1);
        assert_eq!(taken(&mut bucket, 5000), 3);
        assert!(!bucket.take(&rate, 2, 5015) && bucket.take(&rate, 2, 5020));
        assert!(!Bucket::full().take(&Rate::new(0, 10), 1, 0));
    }

    proptest! {
        /// In no span of time more than the burst and what the time brings; and what was refused
        /// did not fit.
        #[test]
        fn like_a_bucket_of_tokens(
            burst in 1..20_u64,
            interval in 1..50_u64,
            delays in proptest::collection::vec((0..60_u64, 1..5_u64), 1..200),
        ) {
            let rate = Rate::new(burst, interval);
            let mut bucket = Bucket::full();
            // Tokens in units of 1/interval.
            let (mut now, mut tokens) = (0, burst * interval);
            for (delay, cost) in delays {
                now += delay;
                tokens = (tokens + delay).min(burst * interval);
                let fits = cost * interval <= tokens;
                prop_assert_eq!(bucket.take(&rate, cost, now), fits);
                if fits {
                    tokens -= cost * interval;
                }
            }
        }

        #[test]
        fn any_numbers_do(burst: u64, interval: u64, cost: u64, now: u64, full_at: u64) {
            let _ = Bucket::from_full_at(full_at).take(&Rate::new(burst, interval), cost, now);
        }
    }
}
