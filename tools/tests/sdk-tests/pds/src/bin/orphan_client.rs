// SPDX-License-Identifier: BSD-2-Clause

//! Test `orphan`, the caller: gets an answer to every call, also from a callee that died in it.

#![no_std]
#![no_main]

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use sdk_test_pds::{begin, orphan_call, say};
use sel4_microkit::{
    Channel, MessageInfo, NullHandler, RESTARTED, get_mr, persistent, protection_domain,
    restart_count, set_mr,
};

const SERVER: Channel = Channel::new(0);

persistent! {
    static CALLS: AtomicU64 = AtomicU64::new(100);
}

#[protection_domain]
fn init() -> NullHandler {
    begin();
    if restart_count() == 0 {
        assert!(answered(orphan_call::ANSWER));
        for (label, what) in [
            (orphan_call::FAULT, "a fault"),
            (orphan_call::PANIC, "a panic"),
            (orphan_call::SPIN, "an endless loop"),
        ] {
            assert!(!answered(label));
            say!("told of the restart after {what}");
            assert!(answered(orphan_call::ANSWER));
        }
        answered(orphan_call::SLOW);
        panic!("this call outlives its caller");
    }
    assert!(answered(orphan_call::ANSWER));
    say!("called again after its own restart");
    NullHandler::new()
}

/// Calls with a word that no other call had: false if the answer was "restarted".
fn answered(label: u64) -> bool {
    let word = CALLS.fetch_add(100, Relaxed);
    set_mr(0, word);
    let answer = SERVER.pp_call(MessageInfo::new(label, 1));
    if answer.label() == RESTARTED {
        assert_eq!(answer.count(), 0);
        return false;
    }
    assert_eq!(
        (answer.label(), answer.count(), get_mr(0)),
        (orphan_call::DONE, 1, word + 1)
    );
    true
}
