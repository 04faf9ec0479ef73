// SPDX-License-Identifier: BSD-2-Clause

//! The device's registers and the memory that it reads and writes, by the symbols of `system.xml`.

use core::ptr::NonNull;

use ring::POOL_SIZE;
use sel4_microkit::{memory_region_symbol, var};
use virtio_drivers::transport::mmio::{MmioTransport, VirtIOHeader};
use virtio_net::{DmaRegion, PacketMemory, QUEUE_MEMORY, RegionHal};

/// Registers of one virtio-mmio slot of QEMU's `virt` machine, in bytes. Slot 0 is at the start of its page.
const REGISTERS: usize = 0x200;

/// A region of DMA memory by its three symbols.
macro_rules! dma_region {
    ($vaddr:ident, $size:ident, $paddr:ident, $needed:expr) => {{
        let region = DmaRegion {
            base: memory_region_symbol!($vaddr: *mut u8),
            paddr: *var!($paddr: u64 = 0),
            len: *var!($size: usize = 0),
        };
        check(stringify!($vaddr), &region, $needed);
        region
    }};
}

/// The device writes where it is told to: what the regions do not hold must not be handed to it.
fn check(symbol: &str, region: &DmaRegion, needed: usize) {
    let name = symbol.strip_suffix("_vaddr").unwrap_or(symbol);
    assert!(
        region.paddr != 0,
        "{name}_paddr is not set: the system description needs a setvar with region_paddr"
    );
    assert!(
        region.len >= needed,
        "region {name}: {needed} bytes are needed, the region has {} (setvar_size=\"{name}_size\"); see its memory_region in the system description",
        region.len
    );
}

/// Takes device and memory. To be called once.
///
/// # Panics
/// If the system description does not map them, a region is too small, or there is no virtio device in the slot.
pub fn take() -> (MmioTransport<'static>, PacketMemory) {
    let queues = dma_region!(
        virtqueues_vaddr,
        virtqueues_size,
        virtqueues_paddr,
        QUEUE_MEMORY
    );
    let rx = dma_region!(rx_data_vaddr, rx_data_size, rx_data_paddr, POOL_SIZE);
    let tx = dma_region!(tx_data_vaddr, tx_data_size, tx_data_paddr, POOL_SIZE);
    // SAFETY: the system description maps the three regions with these sizes, queue memory writable and into no other PD, and the physical
    // addresses are theirs (config-tool checks that); this function is called once, and nothing else names them.
    unsafe { RegionHal::install(queues, rx, tx) };
    // SAFETY: the system description maps both pools readable, for as long as the program runs, and they have the size of a pool.
    let memory = unsafe { PacketMemory::new(rx.base, tx.base) };
    let registers: NonNull<VirtIOHeader> =
        memory_region_symbol!(virtio_mmio_vaddr: *mut VirtIOHeader);
    // SAFETY: the system description maps the page of the slot there as device memory, writable, into no other PD (config-tool checks that); the
    // symbol is named here alone, and the smallest page holds the registers.
    match unsafe { MmioTransport::new(registers, REGISTERS) } {
        Ok(transport) => (transport, memory),
        Err(error) => panic!("{error} (QEMU: -device virtio-net-device,bus=virtio-mmio-bus.0)"),
    }
}
