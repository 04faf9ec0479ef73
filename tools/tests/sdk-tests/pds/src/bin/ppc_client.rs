// SPDX-License-Identifier: BSD-2-Clause

//! Test `ppc`, the caller: 0 to 64 words, labels of all widths, on two channels.

#![no_std]
#![no_main]

use sdk_test_pds::{answer_label, answer_word, begin, say};
use sel4_microkit::{Channel, MessageInfo, NullHandler, get_mr, protection_domain, set_mr};

/// Channel here, and its id at the server.
const CHANNELS: [(Channel, usize); 2] = [(Channel::new(1), 0), (Channel::new(7), 61)];

#[protection_domain]
fn init() -> NullHandler {
    begin();
    for (channel, id) in CHANNELS {
        for count in 0..=64 {
            check(channel, id, count as u64, count);
        }
    }
    say!("0 to 64 words are right");
    let (channel, id) = CHANNELS[0];
    let widest = (1 << MessageInfo::label_width()) - 1;
    for bit in 0..MessageInfo::label_width() {
        check(channel, id, 1 << bit, 4);
        check(channel, id, widest >> bit, 0);
    }
    say!("labels are right");
    NullHandler::new()
}

fn check(channel: Channel, id: usize, label: u64, count: usize) {
    let word = |i: usize| (label << 32 | i as u64) ^ 0xfeed_0000_0000_beef;
    for i in 0..count {
        set_mr(i, word(i));
    }
    let answer = channel.pp_call(MessageInfo::new(label, count));
    assert_eq!(answer.label(), answer_label(label), "label {label:#x}");
    assert_eq!(answer.count(), count);
    for i in 0..count {
        assert_eq!(
            get_mr(i),
            answer_word(word(i), i, id),
            "word {i} of {count}"
        );
    }
}
