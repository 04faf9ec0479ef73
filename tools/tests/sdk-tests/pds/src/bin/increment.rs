// SPDX-License-Identifier: BSD-2-Clause

//! Answers a call with one more than its first word.

#![no_std]
#![no_main]

use sdk_test_pds::begin;
use sel4_microkit::{Channel, Handler, Infallible, MessageInfo, get_mr, protection_domain, set_mr};

struct Increment;

#[protection_domain]
fn init() -> Increment {
    begin();
    Increment
}

impl Handler for Increment {
    type Error = Infallible;

    fn protected(&mut self, _: Channel, msg_info: MessageInfo) -> Result<MessageInfo, Infallible> {
        set_mr(0, get_mr(0).wrapping_add(1));
        Ok(msg_info)
    }
}
