// SPDX-License-Identifier: BSD-2-Clause

//! Test `orphan`, the parent of caller and callee: restarts whichever faults, spins, or is to be
//! restarted in the middle of a call.

#![no_std]
#![no_main]

use sdk_test_pds::{begin, orphan_call, say, timer};
use sel4_microkit::{
    Channel, ChannelSet, Child, ENTRY_POINT, Handler, MessageInfo, protection_domain,
};

const IRQ: Channel = Channel::new(0);
const FROM_SERVER: Channel = Channel::new(1);
const SERVER: Child = Child::new(0);
const CLIENT: Child = Child::new(1);

struct Supervisor {
    /// Whom the timer restarts.
    next: Child,
}

#[protection_domain]
fn init() -> Supervisor {
    begin();
    Supervisor { next: SERVER }
}

impl Handler for Supervisor {
    type Error = sel4::Error;

    fn fault(
        &mut self,
        child: Child,
        msg_info: MessageInfo,
    ) -> Result<Option<MessageInfo>, sel4::Error> {
        assert_eq!(child, SERVER, "{:x?}", msg_info.fault());
        say!("the callee faulted");
        SERVER.restart(ENTRY_POINT)?;
        Ok(None)
    }

    /// The server signals before it spins: 10 ms later, the timer's interrupt finds it in the call.
    fn notified(&mut self, channels: ChannelSet) -> Result<(), sel4::Error> {
        if channels.contains(FROM_SERVER) {
            timer::set_deadline(timer::now() + timer::microseconds(10_000));
            return Ok(());
        }
        assert!(channels.contains(IRQ));
        timer::disable();
        if let Err(error) = IRQ.irq_ack() {
            panic!("{error}");
        }
        say!("restarts {}", orphan_call::who(self.next == SERVER));
        self.next.restart(ENTRY_POINT)?;
        self.next = CLIENT;
        Ok(())
    }
}
