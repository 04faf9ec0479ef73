// SPDX-License-Identifier: BSD-2-Clause

//! Test `setvar`: every kind of word that the system description can set, and one that it does not.

#![no_std]
#![no_main]

use sdk_test_pds::{begin, say};
use sel4_microkit::{NullHandler, protection_domain, var};

#[protection_domain]
fn init() -> NullHandler {
    begin();
    say!("region vaddr {:#x}", *var!(region_vaddr: usize = 0));
    say!("region size {:#x}", *var!(region_size: usize = 0));
    say!("prefill size {}", *var!(region_prefill_size: u64 = 0));
    say!("channel {}", *var!(channel_id: u64 = 99));
    say!("interrupt {}", *var!(irq_id: u64 = 99));
    say!("child {}", *var!(child_id: u64 = 99));
    say!("paddr {:#x}", *var!(region_paddr: u64 = 0));
    say!("not set {}", *var!(nobody_sets_this: i64 = -5));
    NullHandler::new()
}
