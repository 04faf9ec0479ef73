// SPDX-License-Identifier: BSD-2-Clause
//! Ticks and nanoseconds.

use core::num::NonZeroU32;

use crate::Instant;

const NANOS_PER_SECOND: u32 = 1_000_000_000;

/// Converts between ticks of the generic timer and nanoseconds.
///
/// Done several times a packet, so it is done in 64 bits: the ratio is a fraction of two words of
/// 32 bits, and what is above and below a multiple of its denominator is converted apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    frequency: NonZeroU32,
    /// `nanos` nanoseconds last as long as `ticks` ticks; they have no common divisor.
    nanos: NonZeroU32,
    ticks: NonZeroU32,
}

impl Clock {
    /// `frequency` in Hz as `CNTFRQ_EL0` has it (its upper half is reserved); `None` if firmware
    /// left it 0.
    pub fn new(frequency: u64) -> Option<Self> {
        let frequency = NonZeroU32::new(frequency as u32)?;
        let divisor = common_divisor(NANOS_PER_SECOND, frequency.get());
        Some(Self {
            frequency,
            nanos: NonZeroU32::new(NANOS_PER_SECOND / divisor)?,
            ticks: NonZeroU32::new(frequency.get() / divisor)?,
        })
    }

    /// Ticks per second.
    pub fn frequency(self) -> u32 {
        self.frequency.get()
    }

    /// Nanoseconds that this many ticks last, rounded down; at most `u64::MAX`.
    pub fn nanos(self, ticks: u64) -> u64 {
        let (nanos, per) = (u64::from(self.nanos.get()), u64::from(self.ticks.get()));
        // The rest is below 2^32, and so is `nanos`.
        (ticks / per)
            .saturating_mul(nanos)
            .saturating_add(ticks % per * nanos / per)
    }

    /// The moment at which the counter reads `ticks`.
    pub fn instant(self, ticks: u64) -> Instant {
        Instant::from_nanos(self.nanos(ticks))
    }

    /// Microseconds that this many ticks last, rounded down.
    pub fn micros(self, ticks: u64) -> u64 {
        self.nanos(ticks) / 1000
    }

    /// Ticks that cover this many nanoseconds, rounded up, so that a wait is never too short; at
    /// most `u64::MAX`.
    pub fn ticks(self, nanos: u64) -> u64 {
        let (ticks, per) = (u64::from(self.ticks.get()), u64::from(self.nanos.get()));
        (nanos / per)
            .saturating_mul(ticks)
            .saturating_add((nanos % per * ticks).div_ceil(per))
    }
}

/// Euclid's algorithm; neither number is 0.
fn common_divisor(mut a: u32, mut b: u32) -> u32 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn qemu_frequency() {
        let clock = Clock::new(62_500_000).unwrap();
        assert_eq!(clock.nanos(1), 16);
        assert_eq!(clock.micros(62_500_000), 1_000_000);
        assert_eq!(clock.ticks(16), 1);
        assert_eq!(clock.ticks(17), 2);
        assert_eq!(clock.ticks(0), 0);
        assert_eq!(clock.nanos(u64::MAX), u64::MAX);
    }

    #[test]
    fn no_frequency_is_no_clock() {
        assert_eq!(Clock::new(0), None);
        assert_eq!(Clock::new(1 << 32), None);
    }

    proptest! {
        #[test]
        fn a_wait_is_long_enough_and_not_a_tick_longer(nanos in 0..u64::MAX / 4, frequency in 1_000_000..1_000_000_000_u64) {
            let clock = Clock::new(frequency).unwrap();
            let ticks = clock.ticks(nanos);
            let lasts = |ticks: u64| u128::from(ticks) * u128::from(NANOS_PER_SECOND);
            prop_assert!(lasts(ticks) >= u128::from(nanos) * u128::from(frequency));
            prop_assert!(ticks == 0 || lasts(ticks - 1) < u128::from(nanos) * u128::from(frequency));
        }

        #[test]
        fn nanoseconds_are_those_of_exact_arithmetic(ticks: u64, frequency in 1..1_u64 << 32) {
            let exact = u128::from(ticks) * u128::from(NANOS_PER_SECOND) / u128::from(frequency);
            let expected = u64::try_from(exact).unwrap_or(u64::MAX);
            prop_assert_eq!(Clock::new(frequency).unwrap().nanos(ticks), expected);
        }

        #[test]
        fn any_input_has_an_answer(value: u64, frequency: u64) {
            if let Some(clock) = Clock::new(frequency) {
                prop_assert!(clock.nanos(value) / 1000 == clock.micros(value));
                prop_assert!(clock.ticks(value) >= 1 || value == 0);
            }
        }
    }
}
