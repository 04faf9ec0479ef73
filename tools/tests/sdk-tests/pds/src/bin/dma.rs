// SPDX-License-Identifier: BSD-2-Clause

//! Test `dma`: a device finds two regions at the physical addresses that the PD was told, page for
//! page.
//!
//! The device is QEMU's fw_cfg (docs/specs/fw_cfg.rst): given the physical address of a request, it
//! copies an item to the physical address in the request. Item 0 is the signature "QEMU".
//! Everything in it is big-endian.

#![no_std]
#![no_main]

use core::ptr::NonNull;
use core::sync::atomic::{Ordering::SeqCst, fence};

use sdk_test_pds::{begin, say};
use sel4_microkit::{NullHandler, memory_region_symbol, protection_domain, var};

const PAGE: usize = 4096;
/// Offset of the register that takes the request's address.
const DMA_ADDRESS: usize = 16;
/// Control bits of a request.
const ERROR: u32 = 1;
const READ: u32 = 1 << 1;
const SELECT: u32 = 1 << 3;
const SIGNATURE: [u8; 4] = *b"QEMU";

struct Region {
    base: NonNull<u8>,
    size: usize,
    paddr: usize,
}

impl Region {
    fn write<T>(&self, offset: usize, value: T) {
        assert!(offset + size_of::<T>() <= self.size);
        // SAFETY: within the region, which is this PD's alone; aligned as the callers choose it.
        unsafe { self.base.add(offset).cast::<T>().write_volatile(value) }
    }

    fn read<T>(&self, offset: usize) -> T {
        assert!(offset + size_of::<T>() <= self.size);
        // SAFETY: as in `write`; only integers and arrays of them are read.
        unsafe { self.base.add(offset).cast::<T>().read_volatile() }
    }
}

#[protection_domain]
fn init() -> NullHandler {
    begin();
    let first = Region {
        base: memory_region_symbol!(first_vaddr: *mut u8),
        size: *var!(first_size: usize = 0),
        paddr: *var!(first_paddr: usize = 0),
    };
    let second = Region {
        base: memory_region_symbol!(second_vaddr: *mut u8),
        size: *var!(second_size: usize = 0),
        paddr: *var!(second_paddr: usize = 0),
    };
    for region in [&first, &second] {
        assert!(
            region.paddr != 0 && region.paddr.is_multiple_of(PAGE),
            "{:#x}",
            region.paddr
        );
    }
    let apart =
        first.paddr + first.size <= second.paddr || second.paddr + second.size <= first.paddr;
    assert!(apart, "{:#x} and {:#x} overlap", first.paddr, second.paddr);

    let mut pages = 0;
    for region in [&first, &second] {
        for offset in (0..region.size).step_by(PAGE) {
            // At another place in each page, and never where the requests lie.
            let target = offset + 64 + (offset / PAGE * 40) % 3968;
            copy_signature(&first, region, target);
            pages += 1;
        }
    }
    say!("the device found {pages} pages");
    NullHandler::new()
}

/// Has the device write the signature at `target`, with a request at the start of the first region.
fn copy_signature(requests: &Region, region: &Region, target: usize) {
    region.write(target, [0_u8; 4]);
    requests.write(0, (SELECT | READ).to_be());
    requests.write(4, (SIGNATURE.len() as u32).to_be());
    requests.write(8, ((region.paddr + target) as u64).to_be());
    fence(SeqCst);
    let device = memory_region_symbol!(fw_cfg_vaddr: *mut u8);
    let request = (requests.paddr as u64).to_be_bytes();
    let [high, low] = [0, 4]
        .map(|i| u32::from_ne_bytes([request[i], request[i + 1], request[i + 2], request[i + 3]]));
    // SAFETY: the device's registers; writing the lower half starts the transfer, whose addresses
    // lie in this PD's regions.
    unsafe {
        device.add(DMA_ADDRESS).cast::<u32>().write_volatile(high);
        device
            .add(DMA_ADDRESS + 4)
            .cast::<u32>()
            .write_volatile(low);
    }
    fence(SeqCst);
    loop {
        let control = u32::from_be(requests.read(0));
        assert_eq!(control & ERROR, 0, "the device refused");
        if control == 0 {
            break;
        }
    }
    assert_eq!(
        region.read::<[u8; 4]>(target),
        SIGNATURE,
        "offset {target:#x} of the region at {:#x}",
        region.paddr
    );
}
