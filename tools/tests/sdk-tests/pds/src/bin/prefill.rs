// SPDX-License-Identifier: BSD-2-Clause

//! Test `prefill`: a region holds the file, and zeros behind it; one without a file holds zeros.

#![no_std]
#![no_main]

use core::slice;

use sdk_test_pds::{begin, say};
use sel4_microkit::{NullHandler, memory_region_symbol, protection_domain, var};

#[protection_domain]
fn init() -> NullHandler {
    begin();
    let size = *var!(filled_size: usize = 0);
    let filled = *var!(filled_prefill_size: usize = 0);
    let base = memory_region_symbol!(filled_vaddr: *mut u8);
    // SAFETY: the system description maps the region for this PD alone.
    let bytes = unsafe { slice::from_raw_parts(base.as_ptr(), size) };
    let (file, rest) = bytes.split_at(filled);
    for (i, byte) in file.iter().enumerate() {
        // As the runner makes the file.
        assert_eq!(*byte, (i * 7 + i / 256 + 3) as u8, "byte {i}");
    }
    assert!(rest.iter().all(|byte| *byte == 0));
    say!("{} bytes of the file, {} zeros", file.len(), rest.len());

    let base = memory_region_symbol!(empty_vaddr: *mut u8);
    // SAFETY: the system description maps a region of that size there, which nobody writes.
    let bytes = unsafe { slice::from_raw_parts(base.as_ptr(), *var!(empty_size: usize = 0)) };
    assert!(bytes.iter().all(|byte| *byte == 0));
    say!("{} zeros", bytes.len());
    NullHandler::new()
}
