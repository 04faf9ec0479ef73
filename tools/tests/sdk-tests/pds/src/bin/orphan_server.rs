// SPDX-License-Identifier: BSD-2-Clause

//! Test `orphan`, the callee: does what the label of a call says.

#![no_std]
#![no_main]

use sdk_test_pds::{begin, orphan_call, timer};
use sel4_microkit::{Channel, Handler, Infallible, MessageInfo, get_mr, protection_domain, set_mr};

const SUPERVISOR: Channel = Channel::new(1);

struct Server;

#[protection_domain]
fn init() -> Server {
    begin();
    Server
}

impl Handler for Server {
    type Error = Infallible;

    fn protected(&mut self, _: Channel, msg_info: MessageInfo) -> Result<MessageInfo, Infallible> {
        match msg_info.label() {
            orphan_call::ANSWER => {}
            orphan_call::PANIC => panic!("on purpose"),
            orphan_call::FAULT => {
                // SAFETY: nothing is mapped there; the supervisor restarts this PD.
                unsafe {
                    core::ptr::with_exposed_provenance_mut::<u64>(0x7000_0000).write_volatile(1)
                }
            }
            orphan_call::SPIN => {
                SUPERVISOR.notify();
                loop {
                    core::hint::spin_loop();
                }
            }
            orphan_call::SLOW => {
                SUPERVISOR.notify();
                timer::spin_until(timer::now() + timer::microseconds(30_000));
            }
            label => panic!("label {label}"),
        }
        set_mr(0, get_mr(0) + 1);
        Ok(MessageInfo::new(orphan_call::DONE, 1))
    }
}
