// SPDX-License-Identifier: BSD-2-Clause

//! Test `ppc`, the callee: turns every message into another that the caller can foresee.

#![no_std]
#![no_main]

use sdk_test_pds::{answer_label, answer_word, begin};
use sel4_microkit::{
    Channel, Handler, Infallible, MessageInfo, protection_domain, with_msg_regs_mut,
};

struct Server;

#[protection_domain]
fn init() -> Server {
    begin();
    Server
}

impl Handler for Server {
    type Error = Infallible;

    fn protected(
        &mut self,
        channel: Channel,
        msg_info: MessageInfo,
    ) -> Result<MessageInfo, Infallible> {
        let count = msg_info.count();
        with_msg_regs_mut(|registers| {
            for (i, word) in registers[..count].iter_mut().enumerate() {
                *word = answer_word(*word, i, channel.index());
            }
        });
        Ok(MessageInfo::new(answer_label(msg_info.label()), count))
    }
}
