// SPDX-License-Identifier: BSD-2-Clause

//! The device's registers and the page that it reads and writes.

use pd_support::{ReadWrite, region, registers, role};
use sel4_microkit::var;
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
/// If the declaration gives this PD no device.
pub fn transport() -> Result<MmioTransport<'static>, MmioError> {
    // SAFETY: the page of the slot is mapped there as device memory, writable, into no other PD
    // (sysgen checks that); this is the PD's only device, and asked for here alone.
    unsafe { MmioTransport::new(registers::<VirtIOHeader>(), REGISTERS) }
}

/// The page for queue and buffer, with its physical address. To be called once.
///
/// # Panics
/// If the declaration gives this PD no such page.
pub fn page() -> (&'static RequestPage, u64) {
    let paddr = *var!(dma_paddr: u64 = 0);
    assert!(paddr != 0, "the SDK's tool has not set dma_paddr");
    (region::<ReadWrite>(role::DMA).page(), paddr)
}
