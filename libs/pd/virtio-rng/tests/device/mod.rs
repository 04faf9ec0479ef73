// SPDX-License-Identifier: BSD-2-Clause
//! A test device: registers as a transport, and the device's side of the queue in memory. It does
//! what a test tells it, also what a device must not do. Physical addresses are the test's own
//! addresses.

use std::cell::RefCell;
use std::ptr::{NonNull, with_exposed_provenance_mut};
use std::rc::Rc;

use shm::{ReadWrite, Region};
use stats::{RngDriver as Counter, StatsPage, Writer};
use virtio_drivers::transport::{DeviceStatus, DeviceType, InterruptStatus, Transport};
use virtio_drivers::{Error, PhysAddr};
use virtio_rng::{Policy, RequestPage, Source, StartError};
use zerocopy::FromZeros;

/// The device's registers, and where its queue is.
pub struct TestDevice {
    pub device_type: DeviceType,
    pub legacy: bool,
    pub offered: u64,
    pub accepted: u64,
    pub refuses_features: bool,
    pub hangs_in_reset: bool,
    pub queues: u32,
    pub status: u32,
    pub resets: usize,
    pub doorbells: usize,
    /// Addresses of descriptors, available ring and used ring.
    queue: Option<[PhysAddr; 3]>,
    taken: u16,
    used: u16,
}

pub type Shared = Rc<RefCell<TestDevice>>;

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
            device: Rc::new(RefCell::new(TestDevice {
                device_type: DeviceType::EntropySource,
                legacy: false,
                // VERSION_1, and what the driver does not take: EVENT_IDX, INDIRECT_DESC.
                offered: 1 << 32 | 1 << 29 | 1 << 28,
                accepted: 0,
                refuses_features: false,
                hangs_in_reset: false,
                queues: 8,
                status: 0,
                resets: 0,
                doorbells: 0,
                queue: None,
                taken: 0,
                used: 0,
            })),
            page: region.into_page().unwrap(),
            paddr,
            stats: Writer::attach(Box::leak(Box::new(StatsPage::new_zeroed())), 0),
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
        read(self.paddr)
    }

    pub fn device(&self) -> std::cell::RefMut<'_, TestDevice> {
        self.device.borrow_mut()
    }
}

/// DMA by the device.
fn read<const N: usize>(address: PhysAddr) -> [u8; N] {
    let pointer = with_exposed_provenance_mut::<[u8; N]>(address as usize);
    // SAFETY: an address that the driver has told, in memory that lives as long as the test.
    unsafe { pointer.read_volatile() }
}

/// DMA by the device.
fn write(address: PhysAddr, bytes: &[u8]) {
    let pointer = with_exposed_provenance_mut::<u8>(address as usize);
    for (i, byte) in bytes.iter().enumerate() {
        // SAFETY: as for `read`.
        unsafe { pointer.add(i).write_volatile(*byte) };
    }
}

impl TestDevice {
    fn queue(&self) -> [PhysAddr; 3] {
        assert!(
            self.status & DeviceStatus::DRIVER_OK.bits() != 0,
            "the device is not running"
        );
        self.queue.expect("the queue is set up")
    }

    pub fn is_failed(&self) -> bool {
        self.status & DeviceStatus::FAILED.bits() != 0
    }

    /// Takes the request that the driver has made available: address and length of its buffer.
    pub fn request(&mut self) -> Option<(PhysAddr, u32)> {
        let [descriptors, available, _] = self.queue();
        let index = u16::from_le_bytes(read(available + 2));
        if index == self.taken {
            return None;
        }
        assert_eq!(index, self.taken.wrapping_add(1), "one request at a time");
        self.taken = index;
        // The queue has one entry, so every index is at position 0.
        assert_eq!(u16::from_le_bytes(read(available + 4)), 0);
        assert_eq!(u16::from_le_bytes(read(available)), 1, "no interrupts");
        let address = u64::from_le_bytes(read(descriptors));
        let len = u32::from_le_bytes(read(descriptors + 8));
        let flags = u16::from_le_bytes(read(descriptors + 12));
        assert_eq!(flags, 2, "one buffer, for the device to write");
        Some((address, len))
    }

    /// Puts an entry into the used ring, true or not.
    pub fn report(&mut self, id: u32, len: u32) {
        let [_, _, used] = self.queue();
        write(used + 4, &id.to_le_bytes());
        write(used + 8, &len.to_le_bytes());
        self.set_used_index(self.used.wrapping_add(1));
    }

    pub fn set_used_index(&mut self, index: u16) {
        let [_, _, used] = self.queue();
        self.used = index;
        write(used + 2, &index.to_le_bytes());
    }

    pub fn suppress_doorbells(&mut self) {
        let [_, _, used] = self.queue();
        write(used, &1u16.to_le_bytes());
    }

    /// Does what an honest device does: brings the first of these bytes, as many as there is room
    /// for. Returns how many.
    pub fn bring(&mut self, bytes: &[u8]) -> usize {
        let (address, room) = self.request().expect("a request");
        let len = bytes.len().min(room as usize);
        write(address, &bytes[..len]);
        self.report(0, len as u32);
        len
    }
}

/// The device's registers.
pub struct TestTransport(pub Shared);

impl Transport for TestTransport {
    fn device_type(&self) -> DeviceType {
        self.0.borrow().device_type
    }

    fn read_device_features(&mut self) -> u64 {
        self.0.borrow().offered
    }

    fn write_driver_features(&mut self, features: u64) {
        self.0.borrow_mut().accepted = features;
    }

    fn max_queue_size(&mut self, queue: u16) -> u32 {
        assert_eq!(queue, 0);
        self.0.borrow().queues
    }

    fn notify(&mut self, queue: u16) {
        assert_eq!(queue, 0);
        self.0.borrow_mut().doorbells += 1;
    }

    fn get_status(&self) -> DeviceStatus {
        DeviceStatus::from_bits_retain(self.0.borrow().status)
    }

    fn set_status(&mut self, status: DeviceStatus) {
        let mut device = self.0.borrow_mut();
        if status.is_empty() {
            device.resets += 1;
            if device.hangs_in_reset {
                return;
            }
            device.queue = None;
            (device.taken, device.used) = (0, 0);
        }
        device.status = status.bits();
        if device.refuses_features {
            device.status &= !DeviceStatus::FEATURES_OK.bits();
        }
    }

    fn set_guest_page_size(&mut self, _: u32) {}

    fn requires_legacy_layout(&self) -> bool {
        self.0.borrow().legacy
    }

    fn queue_set(&mut self, queue: u16, size: u32, d: PhysAddr, a: PhysAddr, u: PhysAddr) {
        assert_eq!((queue, size), (0, 1));
        assert!(d.is_multiple_of(16) && a.is_multiple_of(2) && u.is_multiple_of(4));
        self.0.borrow_mut().queue = Some([d, a, u]);
    }

    fn queue_unset(&mut self, _: u16) {
        panic!("only a reset is sure to stop the device")
    }

    fn queue_used(&mut self, _: u16) -> bool {
        self.0.borrow().queue.is_some()
    }

    fn ack_interrupt(&mut self) -> InterruptStatus {
        panic!("there are no interrupts")
    }

    fn read_config_generation(&self) -> u32 {
        0
    }

    fn read_config_space<T>(&self, _: usize) -> Result<T, Error> {
        panic!("the device has no configuration")
    }

    fn write_config_space<T>(&mut self, _: usize, _: T) -> Result<(), Error> {
        panic!("the device has no configuration")
    }
}
