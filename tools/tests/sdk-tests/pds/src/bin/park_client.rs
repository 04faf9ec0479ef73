// SPDX-License-Identifier: BSD-2-Clause

//! Test `park`, the caller: every call is answered, also while the callee is parked.

#![no_std]
#![no_main]

use sdk_test_pds::{begin, park_call, say};
use sel4_microkit::{
    Channel, MessageInfo, NullHandler, RESTARTED, get_mr, protection_domain, set_mr,
};

const SERVER: Channel = Channel::new(0);
const PARK: Channel = Channel::new(2);
const START: Channel = Channel::new(3);

#[protection_domain]
fn init() -> NullHandler {
    begin();
    assert!(answered(park_call::ANSWER));
    PARK.notify();
    is_parked();
    say!("parked while it waited: every call is answered");
    START.notify();
    assert!(answered(park_call::ANSWER));

    assert!(!answered(park_call::LINGER));
    is_parked();
    say!("parked in a call: its caller is told");
    START.notify();
    assert!(answered(park_call::ANSWER));

    assert!(!answered(park_call::SPOIL));
    is_parked();
    say!("parked with its memory spoilt: every call is answered");
    START.notify();
    is_parked();
    say!("parked again");
    NullHandler::new()
}

/// Calls and signals to a parked PD, more than any queue would hold.
fn is_parked() {
    for label in 0..100 {
        assert!(!answered(label));
        SERVER.notify();
    }
}

/// Calls: false if the answer was "restarted".
fn answered(label: u64) -> bool {
    set_mr(0, label * 10);
    let answer = SERVER.pp_call(MessageInfo::new(label, 1));
    if answer.label() == RESTARTED {
        assert_eq!(answer.count(), 0);
        return false;
    }
    assert_eq!(
        (answer.label(), answer.count(), get_mr(0)),
        (park_call::DONE, 1, label * 10 + 1)
    );
    true
}
