// SPDX-License-Identifier: BSD-2-Clause

//! The smallest PD: its name, a heap, its stack and memory as they must be at the start.

#![no_std]
#![no_main]

extern crate alloc;

use alloc::vec::Vec;
use core::hint::black_box;
use core::sync::atomic::{AtomicU64, Ordering};

use sdk_test_pds::{begin, say};
use sel4_microkit::{ENTRY_POINT, NullHandler, debug_println, protection_domain, restart_count};

static DATA: AtomicU64 = AtomicU64::new(0x1234_5678_9abc_def0);
static BSS: AtomicU64 = AtomicU64::new(0);

#[protection_domain(heap_size = 0x1_0000)]
fn init() -> NullHandler {
    debug_println!("hello from the debug console");
    begin();
    say!("my name is right");
    assert_eq!(DATA.load(Ordering::Relaxed), 0x1234_5678_9abc_def0);
    assert_eq!(BSS.load(Ordering::Relaxed), 0);
    assert_eq!(restart_count(), 0);
    assert!(init as fn() -> NullHandler as usize > ENTRY_POINT);

    let on_stack = black_box(0_u128);
    let top = sel4::IPC_BUFFER_ADDR - sel4::PAGE_SIZE;
    let depth = top - &raw const on_stack as usize;
    assert!(depth < 0x2000, "stack pointer {depth} bytes below its top");

    let numbers: Vec<u64> = (0..1000).collect();
    assert_eq!(black_box(&numbers).iter().sum::<u64>(), 499_500);
    drop(numbers);
    assert!(Vec::<u8>::new().try_reserve_exact(0x2_0000).is_err());
    say!("memory is right");
    NullHandler::new()
}
