// SPDX-License-Identifier: BSD-2-Clause

//! Test `park`, the callee: does what the label of a call says.

#![no_std]
#![no_main]

use sdk_test_pds::{begin, park_call};
use sel4_microkit::{
    Channel, ChannelSet, HANG_POINT, Handler, Infallible, MessageInfo, get_mr, protection_domain,
    set_mr,
};

const SUPERVISOR: Channel = Channel::new(1);

// SAFETY: the linker script defines them, at the ends of what a restart restores and reads.
unsafe extern "C" {
    static mut __data_start: u64;
    static mut __bss_start: u64;
}

struct Server;

#[protection_domain]
fn init() -> Server {
    begin();
    Server
}

impl Handler for Server {
    type Error = Infallible;

    fn notified(&mut self, _: ChannelSet) -> Result<(), Infallible> {
        panic!("a signal that a parked PD got has outlived its restart");
    }

    fn protected(&mut self, _: Channel, msg_info: MessageInfo) -> Result<MessageInfo, Infallible> {
        match msg_info.label() {
            park_call::ANSWER => {}
            // The supervisor parks this PD before it gets any further.
            park_call::LINGER => SUPERVISOR.notify(),
            park_call::SPOIL => spoil(),
            label => panic!("label {label}"),
        }
        set_mr(0, get_mr(0) + 1);
        Ok(MessageInfo::new(park_call::DONE, 1))
    }
}

/// Overwrites all that this PD could need after a restart, and faults.
fn spoil() {
    let mut word = &raw mut __data_start;
    let end = &raw mut __bss_start;
    while word < end {
        // SAFETY: this PD's own memory; nothing of it is used before the fault.
        unsafe {
            word.write_volatile(0x5a5a_5a5a);
            word = word.add(1);
        }
    }
    let text = core::ptr::with_exposed_provenance_mut::<u64>(HANG_POINT);
    // SAFETY: a PD cannot write its program: that is the fault.
    unsafe { text.write_volatile(0) }
}
