// SPDX-License-Identifier: BSD-2-Clause

//! Test `reply`, the caller: answers of another length than the call, through two callees, and a
//! signal with them.

#![no_std]
#![no_main]

use sdk_test_pds::{begin, say};
use sel4_microkit::{
    Channel, ChannelSet, Handler, Infallible, MessageInfo, get_mr, protection_domain,
};

const MIDDLE: Channel = Channel::new(3);

struct ReplyClient;

#[protection_domain]
fn init() -> ReplyClient {
    begin();
    for count in 0..=64 {
        let answer = MIDDLE.pp_call(MessageInfo::new(7, count));
        assert_eq!((answer.label(), answer.count()), (9, 64 - count));
        for i in 0..answer.count() {
            assert_eq!(get_mr(i), (answer.count() * 1000 + i) as u64);
        }
    }
    say!("65 answers are right");
    ReplyClient
}

impl Handler for ReplyClient {
    type Error = Infallible;

    fn notified(&mut self, channels: ChannelSet) -> Result<(), Infallible> {
        say!("signals came with the answers: {}", channels.display());
        Ok(())
    }
}
