// SPDX-License-Identifier: BSD-2-Clause

//! The time driver of `embassy-time`, on the timers of the PD's [`Net`].

use core::cell::Cell;
use core::task::Waker;

use embassy_time_driver::{Driver, TICK_HZ};
use socket_client::{Instant, Net};

use crate::NetServer;

/// Nanoseconds in a tick of `embassy-time`.
const TICK: u64 = 1_000_000_000 / TICK_HZ;
const _: () = assert!(
    TICK * TICK_HZ == 1_000_000_000,
    "a tick of embassy-time must be a whole number of nanoseconds"
);

struct Timers(Cell<Option<&'static Net<NetServer>>>);

// SAFETY: a PD has one thread.
unsafe impl Send for Timers {}
// SAFETY: a PD has one thread.
unsafe impl Sync for Timers {}

embassy_time_driver::time_driver_impl!(static TIMERS: Timers = Timers(Cell::new(None)));

impl Driver for Timers {
    /// 0 until [`AsyncPd::start`](crate::AsyncPd::start).
    fn now(&self) -> u64 {
        self.0.get().map_or(0, |net| net.now().as_nanos() / TICK)
    }

    fn schedule_wake(&self, at: u64, waker: &Waker) {
        if let Some(net) = self.0.get() {
            net.schedule_wake(Instant::from_nanos(at.saturating_mul(TICK)), waker);
        }
    }
}

/// Timers of `embassy-time` are these from now on.
pub fn install(net: &'static Net<NetServer>) {
    TIMERS.0.set(Some(net));
}
