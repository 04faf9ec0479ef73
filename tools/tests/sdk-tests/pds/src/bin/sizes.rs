// SPDX-License-Identifier: BSD-2-Clause

//! Test `sizes`: a region has the size that the description gives it, and a program that needs more
//! stops and says so.

#![no_std]
#![no_main]

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use sdk_test_pds::{begin, say};
use sel4_microkit::{NullHandler, memory_region_symbol, protection_domain, var};
use shm::{ReadWrite, Region};

/// 16 KiB.
type Ring = [AtomicU64; 2048];

#[protection_domain]
fn init() -> NullHandler {
    begin();
    let base = memory_region_symbol!(ring_vaddr: *mut u8);
    // SAFETY: the description maps a region there, of this size, and nothing else refers to it.
    let region = unsafe { Region::<ReadWrite>::from_ptr(base, *var!(ring_size: usize = 0)) };
    let ring: &Ring = match region.into_page() {
        Ok(ring) => ring,
        Err(error) => panic!("region ring: {error}"),
    };
    ring[2047].store(1, Relaxed);
    say!("the ring is there");
    NullHandler::new()
}
