// SPDX-License-Identifier: BSD-2-Clause

//! Test `timer`: interrupts come, not early, and not before the last one was acknowledged.

#![no_std]
#![no_main]

use sdk_test_pds::{begin, say, timer};
use sel4_microkit::{
    Channel, ChannelSet, DeferredAction, DeferredActionSlot, Handler, IrqAckError,
    protection_domain,
};

const IRQ: Channel = Channel::new(3);
/// Signals when it has spun for longer than the interrupt is away.
const SPINNER: Channel = Channel::new(4);
const PERIOD_US: u64 = 5_000;
const COUNT: u64 = 20;

struct Timer {
    deadline: u64,
    count: u64,
    /// An interrupt is due, but the last one was not acknowledged.
    withheld: bool,
    deferred: DeferredActionSlot,
}

#[protection_domain]
fn init() -> Timer {
    begin();
    let mut pd = Timer {
        deadline: 0,
        count: 0,
        withheld: false,
        deferred: DeferredActionSlot::new(),
    };
    pd.set_next();
    pd
}

impl Timer {
    fn set_next(&mut self) {
        self.deadline = timer::now() + timer::microseconds(PERIOD_US);
        timer::set_deadline(self.deadline);
    }
}

impl Handler for Timer {
    type Error = IrqAckError;

    fn notified(&mut self, channels: ChannelSet) -> Result<(), IrqAckError> {
        if channels.contains(SPINNER) {
            assert!(self.withheld && timer::now() > self.deadline);
            say!("no interrupt without acknowledgement");
            self.withheld = false;
            return IRQ.irq_ack();
        }
        assert!(channels.contains(IRQ) && !self.withheld);
        let late = timer::now().checked_sub(self.deadline);
        assert!(
            late.is_some_and(|ticks| ticks < timer::frequency()),
            "late: {late:?}"
        );
        self.count += 1;
        match self.count {
            COUNT => {
                self.set_next();
                self.withheld = true;
                SPINNER.notify();
                say!("{COUNT} interrupts");
            }
            n if n > COUNT => {
                timer::disable();
                say!("acknowledged, it came");
            }
            n if n.is_multiple_of(2) => {
                self.set_next();
                IRQ.irq_ack()?;
            }
            _ => {
                self.set_next();
                self.deferred.defer_irq_ack(IRQ)?;
            }
        }
        Ok(())
    }

    fn take_deferred_action(&mut self) -> Option<DeferredAction> {
        self.deferred.take()
    }
}
