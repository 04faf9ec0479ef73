// SPDX-License-Identifier: BSD-2-Clause

//! The device's registers and the memory that it reads and writes, and their addresses for it.

use pd_support::{ReadWrite, region, registers, role};
use ring::CAPACITY;
use sel4_microkit::var;
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
/// If the declaration gives this PD none, or there is no virtio device in the slot.
pub fn take() -> (MmioTransport<'static>, DmaMemory<'static, RX, TX>) {
    let memory = DmaMemory {
        queues: region::<ReadWrite>(role::DMA).page::<Pages>(),
        queues_paddr: *var!(dma_paddr: u64 = 0),
        rx_paddr: *var!(rx_data_paddr: u64 = 0),
        tx_paddr: *var!(tx_data_paddr: u64 = 0),
    };
    for (paddr, symbol) in [
        (memory.queues_paddr, "dma_paddr"),
        (memory.rx_paddr, "rx_data_paddr"),
        (memory.tx_paddr, "tx_data_paddr"),
    ] {
        assert!(paddr != 0, "the SDK's tool has not set {symbol}");
    }
    // SAFETY: the page of the slot is mapped there as device memory, writable, into no other PD
    // (sysgen checks that); this is the PD's only device, and asked for here alone.
    let transport = unsafe { MmioTransport::new(registers::<VirtIOHeader>(), REGISTERS) };
    let transport = transport.unwrap_or_else(|error| {
        panic!("{error} (QEMU: -device virtio-net-device,bus=virtio-mmio-bus.0)")
    });
    (transport, memory)
}
