// SPDX-License-Identifier: BSD-2-Clause

//! The comparator of the physical timer, which the kernel leaves to the owner of its interrupt (Arm
//! ARM, "The Generic Timer", EL1 physical timer).
//!
//! Its interrupt is a level: it stays up while the timer is enabled and `CNTPCT_EL0` has reached
//! the compare value, so it goes down when a later value is set or the timer is switched off.

use core::arch::asm;

/// `CNTP_CTL_EL0.ENABLE`; with IMASK (bit 1) clear the interrupt is let through.
const ENABLE: u64 = 1;

/// The one comparator. Its owner decides when the interrupt comes.
pub struct Comparator(());

impl Comparator {
    /// Takes the comparator and switches it off: an earlier life of this PD may have left it on.
    ///
    /// To be called once; a second comparator would change the same registers.
    pub fn take() -> Self {
        let mut comparator = Self(());
        comparator.set(None);
        comparator
    }

    /// The interrupt comes when the counter reaches `deadline`, or at once if it has; never with
    /// `None`.
    pub fn set(&mut self, deadline: Option<u64>) {
        if let Some(deadline) = deadline {
            // SAFETY: writes a timer register that the owner of its interrupt may write and that
            // nobody else has a use for; no memory is involved.
            unsafe {
                asm!("msr cntp_cval_el0, {}", in(reg) deadline, options(nomem, nostack, preserves_flags));
            }
        }
        let control = if deadline.is_some() { ENABLE } else { 0 };
        // SAFETY: the other timer register, as free for this PD as the first. The barrier makes the
        // interrupt line follow before the interrupt is acknowledged.
        unsafe {
            asm!("msr cntp_ctl_el0, {}", "isb", in(reg) control, options(nomem, nostack, preserves_flags));
        }
    }
}
