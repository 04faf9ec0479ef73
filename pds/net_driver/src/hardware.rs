// SPDX-License-Identifier: BSD-2-Clause

//! The device's registers and the memory that it reads and writes, by the symbols of `system.xml`.

use core::ptr::NonNull;

use ring::POOL_SIZE;
use sel4_microkit::{memory_region_symbol, var};
use virtio_drivers::transport::mmio::{MmioTransport, VirtIOHeader};
use virtio_net::{DmaRegion, PacketMemory, RegionHal};

/// Registers of one virtio-mmio slot of QEMU's `virt` machine, in bytes. Slot 0 is at the start of its page.
const REGISTERS: usize = 0x200;

/// Size of the region `virtqueues` in bytes.
const QUEUE_MEMORY: usize = 0x2_0000;

/// Takes device and memory. To be called once.
///
/// # Panics
/// If the system description does not map them, or there is no virtio device in the slot.
pub fn take() -> (MmioTransport<'static>, PacketMemory) {
    let queues = DmaRegion {
        base: memory_region_symbol!(virtqueues_vaddr: *mut u8),
        paddr: *var!(virtqueues_paddr: u64 = 0),
        len: QUEUE_MEMORY,
    };
    let rx = DmaRegion {
        base: memory_region_symbol!(rx_data_vaddr: *mut u8),
        paddr: *var!(rx_data_paddr: u64 = 0),
        len: POOL_SIZE,
    };
    let tx = DmaRegion {
        base: memory_region_symbol!(tx_data_vaddr: *mut u8),
        paddr: *var!(tx_data_paddr: u64 = 0),
        len: POOL_SIZE,
    };
    for (region, symbol) in [
        (queues, "virtqueues_paddr"),
        (rx, "rx_data_paddr"),
        (tx, "tx_data_paddr"),
    ] {
        assert!(
            region.paddr != 0,
            "{symbol} is not set: the system description needs a setvar with region_paddr"
        );
    }
    // SAFETY: the system description maps the three regions with these sizes, queue memory writable and into no other PD; this function is
    // called once, and nothing else names them.
    unsafe { RegionHal::install(queues, rx, tx) };
    // SAFETY: the system description maps both pools readable, with the size of a pool, for as long as the program runs.
    let memory = unsafe { PacketMemory::new(rx.base, tx.base) };
    let registers: NonNull<VirtIOHeader> =
        memory_region_symbol!(virtio_mmio_vaddr: *mut VirtIOHeader);
    // SAFETY: the system description maps the page of the slot there as device memory, writable, into no other PD; the symbol is named here alone.
    match unsafe { MmioTransport::new(registers, REGISTERS) } {
        Ok(transport) => (transport, memory),
        Err(error) => panic!("{error} (QEMU: -device virtio-net-device,bus=virtio-mmio-bus.0)"),
    }
}
