// SPDX-License-Identifier: BSD-2-Clause
//! An entropy device.

use std::cell::RefCell;
use std::ptr::NonNull;
use std::rc::Rc;

use shm::{ReadWrite, Region, Words};
use stats::{RngDriver as Counter, StatsPage, Writer};
use virtio_drivers::PhysAddr;
use virtio_drivers::transport::DeviceType;
use virtio_rng::{Policy, RequestPage, Source, StartError};

pub use test_device::{Entry, TestDevice, TestTransport};
use test_device::{Shared, read, write};

fn entropy() -> Shared {
    // VERSION_1, and what the driver does not take: EVENT_IDX, INDIRECT_DESC.
    let offered = 1 << 32 | 1 << 29 | 1 << 28;
    let mut device = TestDevice::new(DeviceType::EntropySource, offered, 1);
    device.max_queue_size = 8;
    device.interrupt = None;
    Rc::new(RefCell::new(device))
}

/// A page of the size and alignment that the system description gives, for good.
#[repr(C, align(4096))]
struct Memory([u8; 4096]);

/// Device, page and counters: what outlives the driver.
pub struct World {
    pub device: Shared,
    page: &'static RequestPage,
    paddr: u64,
    pub stats: Writer<Counter>,
    restarts: u64,
}

/// Ticks between two seeds.
pub const INTERVAL: u64 = 1000;

impl World {
    pub fn new() -> Self {
        let memory = NonNull::from(Box::leak(Box::new(Memory([0xaa; 4096])))).cast::<u8>();
        let paddr = memory.as_ptr().expose_provenance() as u64;
        // SAFETY: leaked memory of that size; the test device accesses it like another machine
        // would, in the same thread.
        let region = unsafe { Region::<ReadWrite>::from_ptr(memory, size_of::<Memory>()) };
        Self {
            device: entropy(),
            page: region.into_page().unwrap(),
            paddr,
            stats: Writer::attach(Box::leak(Box::new(StatsPage::zeroed())), 0),
            restarts: 0,
        }
    }

    /// A life of the driver. It knows of the one before only how many there were.
    pub fn start(&mut self) -> Result<Source<'static, TestTransport>, StartError> {
        let policy = Policy {
            interval: INTERVAL,
            restarts: self.restarts,
        };
        self.restarts += 1;
        let transport = TestTransport(self.device.clone());
        Source::start(transport, self.page, self.paddr, policy, self.stats)
    }

    /// The device writes anywhere in the page.
    pub fn scribble(&self, offset: usize, value: u8) {
        assert!(offset < size_of::<Memory>());
        write(self.paddr + offset as u64, &[value]);
    }

    /// What somebody who reads the page finds there.
    pub fn page(&self) -> [u8; 4096] {
        read(self.paddr, 4096).try_into().unwrap()
    }

    pub fn device(&self) -> std::cell::RefMut<'_, TestDevice> {
        self.device.borrow_mut()
    }
}

/// What an entropy device does.
pub trait Entropy {
    /// Takes the request that the driver has made available: address and length of its buffer.
    fn request(&mut self) -> Option<(PhysAddr, usize)>;
    /// Puts an entry into the used ring, true or not.
    fn report(&mut self, id: u32, len: u32);
    /// Does what an honest device does: brings the first of these bytes, as many as there is room
    /// for. Returns how many.
    fn bring(&mut self, bytes: &[u8]) -> usize;
}

impl Entropy for TestDevice {
    fn request(&mut self) -> Option<(PhysAddr, usize)> {
        let ring = self.ring(0);
        let (head, parts) = ring.next_available()?;
        assert_eq!((head, ring.size()), (0, 1), "the queue has one entry");
        assert!(ring.is_empty(), "one request at a time");
        assert!(!ring.wants_interrupt());
        let [(address, len, true)] = parts[..] else {
            panic!("one buffer, for the device to write: {parts:?}");
        };
        Some((address, len))
    }

    fn report(&mut self, id: u32, len: u32) {
        self.ring(0).push_used(id, len);
    }

    fn bring(&mut self, bytes: &[u8]) -> usize {
        let (address, room) = self.request().expect("a request");
        let len = bytes.len().min(room);
        write(address, &bytes[..len]);
        self.report(0, len as u32);
        len
    }
}
