// SPDX-License-Identifier: BSD-2-Clause

//! Test `reply`, callee and caller at once: passes calls on, and signals its caller together with
//! each answer.

#![no_std]
#![no_main]

use sdk_test_pds::begin;
use sel4_microkit::{
    Channel, DeferredAction, DeferredActionSlot, Handler, IrqAckError, MessageInfo,
    protection_domain,
};

const CLIENT: Channel = Channel::new(0);
const TOP: Channel = Channel::new(1);

#[derive(Default)]
struct Middle {
    deferred: DeferredActionSlot,
}

#[protection_domain]
fn init() -> Middle {
    begin();
    Middle::default()
}

impl Handler for Middle {
    type Error = IrqAckError;

    fn protected(
        &mut self,
        channel: Channel,
        msg_info: MessageInfo,
    ) -> Result<MessageInfo, IrqAckError> {
        assert_eq!(channel, CLIENT);
        self.deferred.defer_notify(CLIENT)?;
        // The words go up and come down in the message registers.
        let answer = TOP.pp_call(msg_info);
        Ok(MessageInfo::new(answer.label() + 1, answer.count()))
    }

    fn take_deferred_action(&mut self) -> Option<DeferredAction> {
        self.deferred.take()
    }
}
