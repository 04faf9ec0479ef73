// SPDX-License-Identifier: BSD-2-Clause

//! A tick a second from the machine's real-time clock (Arm PL031), which no other PD has.
//!
//! The generic timer would be finer, but its driver is a child, and what watches a child must not
//! need it.

use arm_pl031::Rtc;
use pd_support::{clock, interrupt, registers};
use sel4_microkit::{Channel, IrqAckError};

/// The clock counts whole seconds: setting the next match may have to be done again if one ends
/// meanwhile.
const ATTEMPTS: usize = 4;

/// The ticks.
pub struct Seconds {
    rtc: Rtc,
    /// The clock's interrupt.
    pub irq: Channel,
    /// When the match was last set, and when that is too long ago, in ticks of the generic timer.
    set_at: u64,
    overdue: u64,
}

impl Seconds {
    /// Starts ticking. To be called once.
    ///
    /// # Panics
    /// If the declaration gives this PD no clock.
    pub fn start() -> Self {
        // SAFETY: the page of the PL031 is mapped there, as device memory, and into no other PD
        // (sysgen checks that); it is the PD's only device, and asked for here alone, once.
        let rtc = unsafe { Rtc::new(registers::<u32>().as_ptr()) };
        let mut seconds = Self {
            rtc,
            irq: interrupt(),
            set_at: 0,
            overdue: 3 * clock::frequency(),
        };
        seconds.rtc.enable_interrupt(true);
        seconds.set();
        seconds
    }

    /// The interrupt has come: asks for the next.
    ///
    /// # Errors
    /// As [`Channel::irq_ack`].
    pub fn again(&mut self) -> Result<(), IrqAckError> {
        self.rtc.clear_interrupt();
        self.set();
        self.irq.irq_ack()
    }

    /// To be called at any event: a clock that somebody has set, as a host may do with an emulated
    /// one, is asked anew.
    pub fn look_after(&mut self) {
        if clock::now().saturating_sub(self.set_at) > self.overdue {
            self.set();
        }
    }

    fn set(&mut self) {
        self.set_at = clock::now();
        for _ in 0..ATTEMPTS {
            let next = self.rtc.get_unix_timestamp().wrapping_add(1);
            self.rtc.set_match_timestamp(next);
            // If the clock is beyond it, the match was set too late and would never come.
            if next.wrapping_sub(self.rtc.get_unix_timestamp()) <= 1 {
                return;
            }
        }
    }
}
