// SPDX-License-Identifier: BSD-2-Clause

//! Moments.

use core::ops::{Add, AddAssign, Sub};
use core::time::Duration;

/// A moment: nanoseconds since the machine's counter was 0. All PDs count from the same moment.
/// Sums and differences end at the limits of the type, 0 and 584 years.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(u64);

impl Instant {
    /// Later than any other.
    pub const MAX: Instant = Instant(u64::MAX);

    /// The moment this many nanoseconds after 0.
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Self {
        Instant(nanos)
    }

    /// Nanoseconds since 0.
    #[must_use]
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// The time from `earlier` to this moment; 0 if `earlier` is the later one.
    #[must_use]
    pub const fn duration_since(self, earlier: Instant) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

/// Nanoseconds, at most `u64::MAX`.
const fn nanos(duration: Duration) -> u64 {
    duration
        .as_secs()
        .saturating_mul(1_000_000_000)
        .saturating_add(duration.subsec_nanos() as u64)
}

impl Add<Duration> for Instant {
    type Output = Instant;

    fn add(self, duration: Duration) -> Instant {
        Instant(self.0.saturating_add(nanos(duration)))
    }
}

impl AddAssign<Duration> for Instant {
    fn add_assign(&mut self, duration: Duration) {
        *self = *self + duration;
    }
}

impl Sub<Duration> for Instant {
    type Output = Instant;

    fn sub(self, duration: Duration) -> Instant {
        Instant(self.0.saturating_sub(nanos(duration)))
    }
}

impl Sub for Instant {
    type Output = Duration;

    fn sub(self, earlier: Instant) -> Duration {
        self.duration_since(earlier)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_and_differences_end_at_the_limits() {
        let second = Duration::from_secs(1);
        let start = Instant::from_nanos(500);
        assert_eq!((start + second).as_nanos(), 1_000_000_500);
        assert_eq!(start + second - second, start);
        assert_eq!(start + second - start, second);
        assert_eq!(start - second, Instant::default());
        assert_eq!(start - (start + second), Duration::ZERO);
        assert_eq!(start + Duration::MAX, Instant::MAX);
        assert_eq!(Instant::MAX - Duration::MAX, Instant::default());
    }
}
