// SPDX-License-Identifier: BSD-2-Clause
//! DMA memory: where it is for us and where it is for the device.

use core::ptr::NonNull;
use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use ring::{BUFFER_SIZE, CAPACITY, POOL_SIZE};
use virtio_drivers::{BufferDirection, Hal, PAGE_SIZE, PhysAddr};

/// Size in bytes of the queue memory that a driver with `rx` and `tx` descriptors takes: for each queue its descriptor
/// table with the available ring, and the used ring, in whole pages each (virtio 1.2 section 2.7), and the page of headers.
const fn queue_memory(rx: usize, tx: usize) -> usize {
    const fn pages(descriptors: usize) -> usize {
        let (table, available, used) = (16 * descriptors, 6 + 2 * descriptors, 6 + 8 * descriptors);
        (table + available).div_ceil(PAGE_SIZE) + used.div_ceil(PAGE_SIZE)
    }
    (pages(rx) + pages(tx) + 1) * PAGE_SIZE
}

/// Least size of the region `virtqueues` in bytes, for rings of [`CAPACITY`]: one descriptor a buffer to receive into, and
/// two a frame to send.
pub const QUEUE_MEMORY: usize = queue_memory(CAPACITY, 2 * CAPACITY);

/// A region of the system description with its physical address (`setvar region_paddr`).
#[derive(Clone, Copy, Debug)]
pub struct DmaRegion {
    /// Where it is mapped.
    pub base: NonNull<u8>,
    /// Where the device finds it.
    pub paddr: PhysAddr,
    /// Size in bytes.
    pub len: usize,
}

/// The pools `rx_data` and `tx_data` as the driver sees them: addresses to hand to the device. It neither reads nor writes what is there.
#[derive(Clone, Copy, Debug)]
pub struct PacketMemory {
    rx: NonNull<u8>,
    tx: NonNull<u8>,
}

impl PacketMemory {
    /// The pools at these addresses, [`POOL_SIZE`] bytes each.
    ///
    /// # Safety
    ///
    /// Both are mapped (readable at least) until the program ends, and the program has no other reference to them.
    pub unsafe fn new(rx: NonNull<u8>, tx: NonNull<u8>) -> Self {
        Self { rx, tx }
    }

    /// A receive buffer, as virtio-drivers wants it: only its address and length are used, and the device alone writes there.
    ///
    /// # Safety
    ///
    /// No other slice of this buffer exists while this one lives.
    pub(crate) unsafe fn rx_buffer<'a>(self, offset: usize) -> &'a mut [u8] {
        debug_assert!(offset + BUFFER_SIZE <= POOL_SIZE);
        // SAFETY: `RxSlot` proves that the buffer lies in the pool, which is mapped for good; it is unaliased by this function's contract.
        unsafe { core::slice::from_raw_parts_mut(self.rx.add(offset).as_ptr(), BUFFER_SIZE) }
    }

    /// A frame to be sent, likewise.
    ///
    /// # Safety
    ///
    /// The range lies in the pool.
    pub(crate) unsafe fn tx_frame<'a>(self, offset: usize, len: usize) -> &'a [u8] {
        debug_assert!(offset + len <= POOL_SIZE);
        // SAFETY: in the pool by this function's contract; mapped for good.
        unsafe { core::slice::from_raw_parts(self.tx.add(offset).as_ptr(), len) }
    }
}

/// One region for [`RegionHal`], whose functions have no receiver.
struct Mapping {
    base: AtomicUsize,
    paddr: AtomicU64,
    len: AtomicUsize,
}

impl Mapping {
    const fn new() -> Self {
        Self {
            base: AtomicUsize::new(0),
            paddr: AtomicU64::new(0),
            len: AtomicUsize::new(0),
        }
    }

    fn set(&self, region: DmaRegion) {
        self.base
            .store(region.base.as_ptr().expose_provenance(), Ordering::Relaxed);
        self.paddr.store(region.paddr, Ordering::Relaxed);
        self.len.store(region.len, Ordering::Relaxed);
    }

    /// The physical address of a range, if it lies in the region.
    #[inline]
    fn translate(&self, address: usize, len: usize) -> Option<PhysAddr> {
        let offset = address.wrapping_sub(self.base.load(Ordering::Relaxed));
        let size = self.len.load(Ordering::Relaxed);
        (offset < size && len <= size - offset)
            .then(|| self.paddr.load(Ordering::Relaxed) + offset as u64)
    }
}

static QUEUES: Mapping = Mapping::new();
static RX: Mapping = Mapping::new();
static TX: Mapping = Mapping::new();
/// Bytes of `QUEUES` that are taken, and allocations that are live.
static TAKEN: AtomicUsize = AtomicUsize::new(0);
static LIVE: AtomicUsize = AtomicUsize::new(0);

/// Translation for virtio-drivers by the regions of the system description. A PD has one thread and one device.
#[derive(Debug)]
pub enum RegionHal {}

impl RegionHal {
    /// Names the regions: queue memory, received frames, frames to send. To be called once, before there is a device.
    ///
    /// # Safety
    ///
    /// The regions are mapped with these addresses until the program ends; queue memory is writable, begins at a page boundary, and is
    /// used for nothing else.
    pub unsafe fn install(queues: DmaRegion, rx: DmaRegion, tx: DmaRegion) {
        QUEUES.set(queues);
        RX.set(rx);
        TX.set(tx);
        TAKEN.store(0, Ordering::Relaxed);
        LIVE.store(0, Ordering::Relaxed);
    }
}

// SAFETY: `dma_alloc` gives out page-aligned, zeroed, disjoint parts of a region that `install` vouches for.
unsafe impl Hal for RegionHal {
    fn dma_alloc(pages: usize, _: BufferDirection) -> (PhysAddr, NonNull<u8>) {
        let (start, len) = (TAKEN.load(Ordering::Relaxed), pages * PAGE_SIZE);
        let base = QUEUES.base.load(Ordering::Relaxed);
        let pointer = NonNull::new(core::ptr::with_exposed_provenance_mut::<u8>(base + start));
        match (QUEUES.translate(base + start, len), pointer) {
            (Some(paddr), Some(pointer)) => {
                TAKEN.store(start + len, Ordering::Relaxed);
                LIVE.store(LIVE.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
                // SAFETY: the range lies in the queue region, which is writable, and has not been given out since it was last free.
                unsafe { pointer.write_bytes(0, len) };
                (paddr, pointer)
            }
            // Physical address 0 is virtio-drivers' sign for "no memory".
            _ => (0, NonNull::dangling()),
        }
    }

    /// Memory is free again when all of it is: queues come and go together.
    unsafe fn dma_dealloc(_: PhysAddr, _: NonNull<u8>, _: usize) -> i32 {
        let live = LIVE.load(Ordering::Relaxed).saturating_sub(1);
        LIVE.store(live, Ordering::Relaxed);
        if live == 0 {
            TAKEN.store(0, Ordering::Relaxed);
        }
        0
    }

    unsafe fn mmio_phys_to_virt(_: PhysAddr, _: usize) -> NonNull<u8> {
        unreachable!("for PCI only")
    }

    #[inline]
    unsafe fn share(buffer: NonNull<[u8]>, direction: BufferDirection) -> PhysAddr {
        let (address, len) = (buffer.cast::<u8>().addr().get(), buffer.len());
        let paddr = match direction {
            BufferDirection::DeviceToDriver => RX.translate(address, len),
            _ => TX
                .translate(address, len)
                .or_else(|| QUEUES.translate(address, len)),
        };
        match paddr {
            Some(paddr) => paddr,
            None => panic!("a buffer at {address:#x} is in no DMA region"),
        }
    }

    #[inline]
    unsafe fn unshare(_: PhysAddr, _: NonNull<[u8]>, _: BufferDirection) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    fn region(at: usize, len: usize) -> DmaRegion {
        // Room to begin at a page boundary.
        let memory = Box::leak(vec![0xaa; len + PAGE_SIZE].into_boxed_slice());
        let start = memory.as_ptr().align_offset(PAGE_SIZE);
        DmaRegion {
            base: NonNull::from(&mut memory[start..]).cast(),
            paddr: at as u64,
            len,
        }
    }

    #[test]
    fn queue_memory_is_what_the_queues_allocate() {
        // 512 descriptors: 8192 + 1030 and 4102 bytes; 1024: 16384 + 2054 and 8198.
        assert_eq!(queue_memory(512, 1024), (3 + 2 + 5 + 3 + 1) * PAGE_SIZE);
        assert_eq!(queue_memory(8, 16), (1 + 1 + 1 + 1 + 1) * PAGE_SIZE);
    }

    /// One test, as the regions are the program's.
    #[test]
    fn addresses_are_translated_and_queue_memory_is_recycled() {
        let (queues, rx, tx) = (
            region(0x1000_0000, 3 * PAGE_SIZE),
            region(0x2000_0000, 4096),
            region(0x3000_0000, 4096),
        );
        // SAFETY: the regions are leaked memory of their sizes.
        unsafe { RegionHal::install(queues, rx, tx) };
        let (first, pointer) = RegionHal::dma_alloc(1, BufferDirection::Both);
        assert_eq!((first, pointer), (0x1000_0000, queues.base));
        // SAFETY: just allocated, one page.
        let bytes = unsafe { core::slice::from_raw_parts(pointer.as_ptr(), PAGE_SIZE) };
        assert!(bytes.iter().all(|byte| *byte == 0));
        let (second, _) = RegionHal::dma_alloc(2, BufferDirection::Both);
        assert_eq!(second, 0x1000_1000);
        assert_eq!(
            RegionHal::dma_alloc(1, BufferDirection::Both).0,
            0,
            "no memory left"
        );
        // SAFETY: both allocations of above.
        unsafe {
            RegionHal::dma_dealloc(first, pointer, 1);
            assert_eq!(
                RegionHal::dma_alloc(1, BufferDirection::Both).0,
                0,
                "one is still in use"
            );
            RegionHal::dma_dealloc(second, pointer, 2);
        }
        assert_eq!(
            RegionHal::dma_alloc(3, BufferDirection::Both).0,
            0x1000_0000
        );

        let share = |region: DmaRegion, offset, len, direction| {
            // SAFETY: the offset lies in leaked memory.
            let start = unsafe { region.base.add(offset) };
            // SAFETY: only the address is looked at.
            unsafe { RegionHal::share(NonNull::slice_from_raw_parts(start, len), direction) }
        };
        assert_eq!(
            share(rx, 2048, 2048, BufferDirection::DeviceToDriver),
            0x2000_0800
        );
        assert_eq!(
            share(tx, 1, 60, BufferDirection::DriverToDevice),
            0x3000_0001
        );
        assert_eq!(
            share(queues, 16, 12, BufferDirection::DriverToDevice),
            0x1000_0010
        );
        let beyond =
            std::panic::catch_unwind(|| share(rx, 2048, 2049, BufferDirection::DeviceToDriver));
        assert!(beyond.is_err(), "never an address outside the region");
    }
}
