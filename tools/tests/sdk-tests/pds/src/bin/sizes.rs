// SPDX-License-Identifier: BSD-2-Clause

//! Test `sizes`: a region has the size that the description gives it, and a program that needs more
//! stops and says so.

#![no_std]
#![no_main]

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use pd_support::region;
use sdk_test_pds::{begin, say};
use sel4_microkit::{NullHandler, protection_domain};

/// 16 KiB.
type Ring = [AtomicU64; 2048];

#[protection_domain]
fn init() -> NullHandler {
    begin();
    let ring: &Ring = region!(rw ring).page();
    ring[2047].store(1, Relaxed);
    say!("the ring is there");
    NullHandler::new()
}
