// SPDX-License-Identifier: BSD-2-Clause

//! Test `reply`, the last callee: answers n words with 64 - n.

#![no_std]
#![no_main]

use sdk_test_pds::begin;
use sel4_microkit::{
    Channel, Handler, Infallible, MessageInfo, protection_domain, with_msg_regs_mut,
};

struct Top;

#[protection_domain]
fn init() -> Top {
    begin();
    Top
}

impl Handler for Top {
    type Error = Infallible;

    fn protected(&mut self, _: Channel, msg_info: MessageInfo) -> Result<MessageInfo, Infallible> {
        let count = 64 - msg_info.count();
        with_msg_regs_mut(|registers| {
            for (i, word) in registers[..count].iter_mut().enumerate() {
                *word = (count * 1000 + i) as u64;
            }
        });
        Ok(MessageInfo::new(msg_info.label() + 1, count))
    }
}
