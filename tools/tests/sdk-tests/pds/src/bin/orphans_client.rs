// SPDX-License-Identifier: BSD-2-Clause

//! Test `orphans`, the caller: every call is answered, either rightly or with "restarted", until
//! the callee is left in peace.

#![no_std]
#![no_main]

use core::sync::atomic::Ordering::Relaxed;

use sdk_test_pds::{begin, restart_page, say, words};
use sel4_microkit::{
    Channel, MessageInfo, NullHandler, RESTARTED, get_mr, protection_domain, set_mr,
};

const SERVER: Channel = Channel::new(0);

#[protection_domain]
fn init() -> NullHandler {
    begin();
    let page = words!(page_vaddr);
    let (mut answered, mut restarted) = (0_u64, 0_u64);
    while page[restart_page::FINISHED].load(Relaxed) == 0 {
        let word = (answered + restarted) * 16;
        set_mr(0, word);
        let answer = SERVER.pp_call(MessageInfo::new(7, 1));
        if answer.label() == RESTARTED {
            restarted += 1;
        } else {
            assert_eq!(
                (answer.label(), answer.count(), get_mr(0)),
                (7, 1, word + 1)
            );
            answered += 1;
        }
    }
    say!("{answered} calls answered, {restarted} told of a restart");
    assert!(answered >= 1000 && restarted >= 50);
    say!("no call is left hanging");
    NullHandler::new()
}
