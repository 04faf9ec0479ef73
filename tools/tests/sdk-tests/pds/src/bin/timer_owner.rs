// SPDX-License-Identifier: BSD-2-Clause

//! Test `timer_owner`, the PD that has the timer's interrupt: it uses the timer after every way of
//! being switched to, and its child may not.

#![no_std]
#![no_main]

use core::sync::atomic::Ordering::Relaxed;

use sdk_test_pds::{Words, begin, say, timer, timer_step, words};
use sel4::Fault;
use sel4_microkit::{
    Channel, ChannelSet, Child, ENTRY_POINT, Handler, MessageInfo, protection_domain,
};

const IRQ: Channel = Channel::new(0);
const PERIOD_US: u64 = 2_000;

struct Owner {
    announced: &'static Words,
    refused: usize,
    /// Interrupts since the last refusal.
    interrupts: usize,
}

#[protection_domain]
fn init() -> Owner {
    begin();
    set_next();
    Owner {
        announced: words!(announced_vaddr),
        refused: 0,
        interrupts: 0,
    }
}

fn set_next() {
    timer::set_deadline(timer::now() + timer::microseconds(PERIOD_US));
}

impl Handler for Owner {
    type Error = sel4::Error;

    /// After a call the kernel has switched here on its fastpath.
    fn protected(&mut self, _: Channel, msg_info: MessageInfo) -> Result<MessageInfo, sel4::Error> {
        assert!(timer::is_enabled());
        Ok(msg_info)
    }

    fn notified(&mut self, channels: ChannelSet) -> Result<(), sel4::Error> {
        if !channels.contains(IRQ) {
            return Ok(());
        }
        set_next();
        IRQ.irq_ack().map_err(|_| sel4::Error::IllegalOperation)?;
        self.interrupts += 1;
        if self.refused == timer_step::NAMES.len() && self.interrupts == 2 {
            say!("interrupts came all the while");
        }
        Ok(())
    }

    fn fault(
        &mut self,
        child: Child,
        msg_info: MessageInfo,
    ) -> Result<Option<MessageInfo>, sel4::Error> {
        let what = timer_step::NAMES[self.announced[timer_step::STEP].load(Relaxed) as usize];
        match msg_info.fault() {
            // This kernel does not say which exception; nothing else in the thief is one.
            Fault::UserException(_) => {}
            fault => panic!("{what} gave {fault:x?}"),
        }
        assert!(timer::is_enabled());
        say!("refused: {what}");
        self.refused += 1;
        self.interrupts = 0;
        child.restart(ENTRY_POINT)?;
        Ok(None)
    }
}
