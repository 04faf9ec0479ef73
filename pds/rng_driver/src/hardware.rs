// SPDX-License-Identifier: BSD-2-Clause

//! The device's registers and the page that it reads and writes, by the symbols of `system.xml`.

use core::ptr::NonNull;

use pd_support::region;
use sel4_microkit::{memory_region_symbol, var};
use virtio_drivers::transport::mmio::{MmioError, MmioTransport, VirtIOHeader};
use virtio_rng::RequestPage;

/// Registers of one virtio-mmio slot of QEMU's `virt` machine, in bytes. The slot is the first of
/// its page; slots of other devices must not be in this page, because it belongs to this PD alone.
const REGISTERS: usize = 0x200;

/// The registers. To be called once.
///
/// # Errors
/// There is no virtio device in the slot.
///
/// # Panics
/// If the system description does not map them.
pub fn transport() -> Result<MmioTransport<'static>, MmioError> {
    let registers: NonNull<VirtIOHeader> =
        memory_region_symbol!(virtio_rng_mmio_vaddr: *mut VirtIOHeader);
    // SAFETY: the system description maps the page of the slot there as device memory, writable,
    // into no other PD; the symbol is named here alone.
    unsafe { MmioTransport::new(registers, REGISTERS) }
}

/// The page for queue and buffer, with its physical address. To be called once.
///
/// # Panics
/// If the system description does not map it, or too little of it.
pub fn page() -> (&'static RequestPage, u64) {
    let paddr = *var!(rng_dma_paddr: u64 = 0);
    assert!(
        paddr != 0,
        "rng_dma_paddr is not set: the system description needs a setvar with region_paddr"
    );
    (region!(rw rng_dma).page(), paddr)
}
