// SPDX-License-Identifier: BSD-2-Clause

//! Test `timer_owner`, a PD without the timer's interrupt: each life tries another access to the
//! timer.

#![no_std]
#![no_main]

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use sdk_test_pds::{begin, say, timer, timer_step, words};
use sel4_microkit::{Channel, MessageInfo, NullHandler, persistent, protection_domain};

const OWNER: Channel = Channel::new(2);

persistent! {
    static STEP: AtomicU64 = AtomicU64::new(0);
}

#[protection_domain]
fn init() -> NullHandler {
    begin();
    let announced = words!(announced_vaddr);
    loop {
        let step = STEP.fetch_add(1, Relaxed);
        let Some(name) = timer_step::NAMES.get(step as usize) else {
            return NullHandler::new();
        };
        announced[timer_step::STEP].store(step, Relaxed);
        match step {
            timer_step::READ => {
                timer::is_enabled();
            }
            timer_step::MOVE => timer::set_deadline(u64::MAX),
            timer_step::AFTER_CALL => {
                OWNER.pp_call(MessageInfo::new(0, 4));
                timer::disable();
            }
            timer_step::AFTER_SIGNAL => {
                OWNER.notify();
                timer::disable();
            }
            _ => timer::disable(),
        }
        say!("could {name}");
        // For the owner, who looks at it at the next call.
        timer::set_deadline(timer::now());
    }
}
