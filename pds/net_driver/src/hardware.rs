// SPDX-License-Identifier: BSD-2-Clause

//! The device's registers and the memory that it reads and writes, by the symbols of `system.xml`.

use core::ptr::NonNull;

use pd_support::region;
use ring::CAPACITY;
use sel4_microkit::{memory_region_symbol, var};
use virtio_drivers::transport::mmio::{MmioTransport, VirtIOHeader};
use virtio_net::{DmaMemory, QueuePages};

/// Registers of one virtio-mmio slot of QEMU's `virt` machine, in bytes. Slot 0 is at the start of
/// its page.
const REGISTERS: usize = 0x200;

/// Descriptors of the queues, if the device has so many: one for each receive buffer, and two for
/// each frame to send, as its header has one of its own.
pub const RX: usize = CAPACITY;
pub const TX: usize = 2 * CAPACITY;

type Pages = QueuePages<RX, TX>;

/// Takes device and memory. To be called once.
///
/// # Panics
/// If the system description does not map them, or there is no virtio device in the slot.
pub fn take() -> (MmioTransport<'static>, DmaMemory<'static, RX, TX>) {
    let memory = DmaMemory {
        queues: region!(rw virtqueues).page::<Pages>(),
        queues_paddr: *var!(virtqueues_paddr: u64 = 0),
        rx_paddr: *var!(rx_data_paddr: u64 = 0),
        tx_paddr: *var!(tx_data_paddr: u64 = 0),
    };
    for (paddr, symbol) in [
        (memory.queues_paddr, "virtqueues_paddr"),
        (memory.rx_paddr, "rx_data_paddr"),
        (memory.tx_paddr, "tx_data_paddr"),
    ] {
        assert!(
            paddr != 0,
            "{symbol} is not set: the system description needs a setvar with region_paddr"
        );
    }
    let registers: NonNull<VirtIOHeader> =
        memory_region_symbol!(virtio_mmio_vaddr: *mut VirtIOHeader);
    // SAFETY: the system description maps the page of the slot there as device memory, writable,
    // into no other PD (config-tool checks that); the symbol is named here alone, and the
    // smallest page holds the registers.
    match unsafe { MmioTransport::new(registers, REGISTERS) } {
        Ok(transport) => (transport, memory),
        Err(error) => panic!("{error} (QEMU: -device virtio-net-device,bus=virtio-mmio-bus.0)"),
    }
}
