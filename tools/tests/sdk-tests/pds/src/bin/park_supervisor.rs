// SPDX-License-Identifier: BSD-2-Clause

//! Test `park`, the parent of the callee: parks it when it faults, when it says that it is in a
//! call, and when the caller asks for it.

#![no_std]
#![no_main]

use sdk_test_pds::{begin, say};
use sel4_microkit::{
    Channel, ChannelSet, Child, ENTRY_POINT, Handler, MessageInfo, PARK_POINT, protection_domain,
};

const IN_A_CALL: Channel = Channel::new(1);
const PARK: Channel = Channel::new(2);
const START: Channel = Channel::new(3);
const SERVER: Child = Child::new(0);

struct Supervisor;

#[protection_domain]
fn init() -> Supervisor {
    begin();
    assert!(!PARK.may_notify());
    Supervisor
}

impl Handler for Supervisor {
    type Error = sel4::Error;

    fn fault(
        &mut self,
        _: Child,
        msg_info: MessageInfo,
    ) -> Result<Option<MessageInfo>, sel4::Error> {
        match msg_info.fault() {
            sel4::Fault::VmFault(_) => say!("the callee faulted"),
            _ => say!("the callee cannot start"),
        }
        SERVER.restart(PARK_POINT)?;
        Ok(None)
    }

    fn notified(&mut self, channels: ChannelSet) -> Result<(), sel4::Error> {
        if channels.contains(START) {
            return SERVER.restart(ENTRY_POINT);
        }
        assert!(channels.contains(PARK) || channels.contains(IN_A_CALL));
        SERVER.restart(PARK_POINT)
    }
}
