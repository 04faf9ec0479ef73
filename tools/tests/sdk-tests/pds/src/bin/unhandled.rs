// SPDX-License-Identifier: BSD-2-Clause

//! Test `unhandled`: two PDs of this program without a parent; one faults, and the other one goes
//! on.

#![no_std]
#![no_main]

use sdk_test_pds::{begin, name, say};
use sel4_microkit::{NullHandler, protection_domain};

#[protection_domain]
fn init() -> NullHandler {
    begin();
    if name() == "unlucky" {
        say!("faults");
        // SAFETY: nothing is mapped there, so nothing is written.
        unsafe { core::ptr::with_exposed_provenance_mut::<u64>(0x7654_3210).write_volatile(1) };
    }
    say!("goes on");
    NullHandler::new()
}
