// SPDX-License-Identifier: BSD-2-Clause

//! The generic timer's counter, which user level may read (Arm ARM, chapter "The Generic Timer").
//! All PDs see the same time.

#[cfg(target_os = "none")]
use core::arch::asm;

use time::Clock;

/// Returns the conversion between ticks and nanoseconds.
///
/// # Panics
/// If firmware has not set the timer's frequency.
pub fn clock() -> Clock {
    Clock::new(frequency()).expect("the generic timer's frequency is not set")
}

/// Returns the ticks since some moment before boot.
#[cfg(target_os = "none")]
#[inline]
pub fn now() -> u64 {
    let ticks;
    // SAFETY: reads a counter. The barrier keeps the processor from reading it before what stands
    // in front of this call.
    unsafe { asm!("isb", "mrs {}, cntpct_el0", out(reg) ticks, options(nostack, preserves_flags)) };
    ticks
}

/// Returns the ticks in a second; 62.5 million under QEMU.
#[cfg(target_os = "none")]
#[inline]
pub fn frequency() -> u64 {
    let ticks;
    // SAFETY: reads a register that firmware has set once.
    unsafe {
        asm!("mrs {}, cntfrq_el0", out(reg) ticks, options(nomem, nostack, pure, preserves_flags))
    };
    ticks
}

/// Returns 0: on the host time stands still.
#[cfg(not(target_os = "none"))]
pub fn now() -> u64 {
    0
}

/// Returns the frequency of QEMU's counter.
#[cfg(not(target_os = "none"))]
pub fn frequency() -> u64 {
    62_500_000
}
