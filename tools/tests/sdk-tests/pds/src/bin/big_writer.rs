// SPDX-License-Identifier: BSD-2-Clause

//! Test `bigpage`, the writer: fills a region of 2 MiB pages, and uses another one as its heap.

#![no_std]
#![no_main]

extern crate alloc;

use alloc::vec::Vec;
use core::hint::black_box;

use sdk_test_pds::{begin, big_word, say};
use sel4_microkit::{Channel, NullHandler, memory_region_symbol, protection_domain, var};

const READER: Channel = Channel::new(0);
/// Size of the region for the heap in the system description.
const HEAP: usize = 0x40_0000;
const LARGE_PAGE: usize = 0x20_0000;

#[protection_domain(heap_region = (heap_vaddr, heap_size))]
fn init() -> NullHandler {
    begin();
    let base = memory_region_symbol!(big_vaddr: *mut u64);
    let size = *var!(big_size: usize = 0);
    let paddr = *var!(big_paddr: usize = 0);
    assert!(paddr != 0 && paddr.is_multiple_of(LARGE_PAGE), "{paddr:#x}");
    for i in 0..size / 8 {
        // SAFETY: within the region, which only this PD may write.
        unsafe { base.add(i).write_volatile(big_word(i)) };
    }
    say!("filled {size:#x} bytes");

    let half: Vec<u64> = (0..HEAP as u64 / 16).collect();
    assert_eq!(black_box(&half).len(), HEAP / 16);
    drop(half);
    assert!(Vec::<u8>::new().try_reserve_exact(HEAP / 8 * 7).is_ok());
    assert!(Vec::<u8>::new().try_reserve_exact(HEAP).is_err());
    say!("a heap of {HEAP:#x} bytes");
    READER.notify();
    NullHandler::new()
}
