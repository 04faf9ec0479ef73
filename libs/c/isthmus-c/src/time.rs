// SPDX-License-Identifier: BSD-2-Clause

//! Clocks. A client is told the time since the boot alone. So the wall clock begins at a fixed day
//! until the program sets it: many programs take a time near 0 for "never", or for long ago.

use core::ffi::c_int;
use core::sync::atomic::{AtomicI64, Ordering::Relaxed};
use core::time::Duration;

use pd_support::clock;
use posix::Error;

use crate::border::{fail, status, value};
use crate::network::sockets;
use crate::sockets::TimeSpec;

/// As picolibc's `time.h` has it; `c/errno.c` checks that.
const CLOCK_REALTIME: c_int = 1;
const CLOCK_MONOTONIC: c_int = 4;

/// 2026-01-01 00:00:00, in nanoseconds since 1970.
const FIRST_DAY: i64 = 1_767_225_600_000_000_000;

/// Nanoseconds that the wall clock is ahead of the other.
static AHEAD: AtomicI64 = AtomicI64::new(FIRST_DAY);

fn since_boot() -> Duration {
    Duration::from_nanos(clock::clock().instant(clock::now()).as_nanos())
}

/// # Safety
/// `time` must be room for one.
#[unsafe(no_mangle)]
unsafe extern "C" fn clock_gettime(which: c_int, time: *mut TimeSpec) -> c_int {
    let ahead = match which {
        CLOCK_REALTIME => AHEAD.load(Relaxed),
        CLOCK_MONOTONIC => 0,
        _ => return fail(Error::EINVAL),
    };
    // SAFETY: the caller's promise.
    let Some(time) = (unsafe { value(time) }) else {
        return fail(Error::EFAULT);
    };
    let nanoseconds = since_boot().as_nanos() as i64 + ahead;
    *time = TimeSpec::new(Duration::from_nanos(nanoseconds.max(0) as u64));
    0
}

/// # Safety
/// `time` must be one.
#[unsafe(no_mangle)]
unsafe extern "C" fn clock_settime(which: c_int, time: *mut TimeSpec) -> c_int {
    // SAFETY: the caller's promise.
    let time = unsafe { value(time) }.ok_or(Error::EFAULT);
    status(time.and_then(|time| {
        let time = time.duration()?;
        if which != CLOCK_REALTIME {
            return Err(Error::EINVAL);
        }
        AHEAD.store(
            time.as_nanos() as i64 - since_boot().as_nanos() as i64,
            Relaxed,
        );
        Ok(())
    }))
}

/// Nothing interrupts it. Without net_server, which has the timer, it is `ENETDOWN`.
///
/// # Safety
/// `time` must be one, `rest` null or room for one.
#[unsafe(no_mangle)]
unsafe extern "C" fn nanosleep(time: *mut TimeSpec, rest: *mut TimeSpec) -> c_int {
    // SAFETY: the caller's promise.
    let (time, rest) = unsafe { (value(time).ok_or(Error::EFAULT), value(rest)) };
    let slept = time.and_then(|time| sockets()?.sleep(time.duration()?));
    if let (Ok(()), Some(rest)) = (slept, rest) {
        *rest = TimeSpec::new(Duration::ZERO);
    }
    status(slept)
}

/// Says that the program makes progress, in a computation that takes seconds.
#[unsafe(no_mangle)]
extern "C" fn isthmus_working() {
    pd_support::working();
}

/// How often this PD has been restarted.
#[unsafe(no_mangle)]
extern "C" fn isthmus_restarts() -> u64 {
    sel4_microkit::restart_count()
}
