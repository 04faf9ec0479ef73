// SPDX-License-Identifier: BSD-2-Clause

//! Times inside the core, which count microseconds. Outside there are nanoseconds.

pub use smoltcp::time::{Duration, Instant};

/// From nanoseconds, rounded down.
pub fn instant(nanoseconds: u64) -> Instant {
    Instant::from_micros((nanoseconds / 1_000) as i64)
}

/// To nanoseconds.
pub fn nanoseconds(at: Instant) -> u64 {
    at.total_micros().max(0) as u64 * 1_000
}

/// The earliest of some times, if there are any.
pub fn earliest(times: &[Option<Instant>]) -> Option<Instant> {
    times.iter().flatten().min().copied()
}
