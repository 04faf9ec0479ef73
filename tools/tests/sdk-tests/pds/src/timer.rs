// SPDX-License-Identifier: BSD-2-Clause

//! The physical timer of the processor (Arm ARM, generic timer). Its interrupt is 30, and the PD
//! that has that may use it.

use core::arch::asm;

/// Ticks since boot.
pub fn now() -> u64 {
    let ticks;
    // SAFETY: reads a counter. The barrier keeps the read from being done early.
    unsafe { asm!("isb", "mrs {}, cntpct_el0", out(reg) ticks, options(nomem, nostack)) };
    ticks
}

/// Ticks a second.
pub fn frequency() -> u64 {
    let ticks;
    // SAFETY: reads a constant.
    unsafe { asm!("mrs {}, cntfrq_el0", out(reg) ticks, options(nomem, nostack, pure)) };
    ticks
}

/// Ticks in that many microseconds.
pub fn microseconds(us: u64) -> u64 {
    us * frequency() / 1_000_000
}

/// Sets the time of the next interrupt and enables it.
pub fn set_deadline(ticks: u64) {
    // SAFETY: sets the comparator; its user is the only PD that has the interrupt.
    unsafe {
        asm!("msr cntp_cval_el0, {}", "msr cntp_ctl_el0, {}", "isb", in(reg) ticks, in(reg) 1_u64, options(nomem, nostack));
    }
}

/// Lets no interrupt come.
pub fn disable() {
    // SAFETY: as in `set_deadline`.
    unsafe { asm!("msr cntp_ctl_el0, xzr", "isb", options(nomem, nostack)) };
}

/// Whether an interrupt can come.
pub fn is_enabled() -> bool {
    let control: u64;
    // SAFETY: reads a register.
    unsafe { asm!("mrs {}, cntp_ctl_el0", out(reg) control, options(nomem, nostack)) };
    control & 1 != 0
}

/// Uses up time without the kernel.
pub fn spin_until(ticks: u64) {
    while now() < ticks {
        core::hint::spin_loop();
    }
}
