// SPDX-License-Identifier: BSD-2-Clause
//! A test device for virtio-net: registers and configuration as a transport, and the device's side
//! of the two virtqueues in memory.
//!
//! It does what a test tells it, also what a device must not do, and keeps a diary.
#![allow(dead_code, reason = "each test program uses a part of it")]

mod memory;
mod world;

pub use memory::{read, write};
#[allow(unused_imports, reason = "each test program uses a part of it")]
pub use world::{N, Pages, World};

use std::cell::RefCell;
use std::rc::Rc;

use memory::Ring;
use virtio_drivers::transport::{DeviceStatus, DeviceType, InterruptStatus, Transport};
use virtio_drivers::{Error, PhysAddr};

pub const RECEIVE: usize = 0;
pub const TRANSMIT: usize = 1;
pub const HEADER: usize = 12;
pub const MAC: [u8; 6] = [0x52, 0x54, 0, 0x12, 0x34, 0x56];

/// What the device has lived through, in order.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Entry {
    Reset,
    Started,
    Doorbell(usize),
    Interrupt,
}

/// The device. Tests set the fields before the driver starts, and call the methods afterwards.
pub struct TestDevice {
    pub device_type: DeviceType,
    pub legacy: bool,
    pub offered: u64,
    pub accepted: u64,
    pub refuses_features: bool,
    pub hangs_in_reset: bool,
    pub max_queue_size: u32,
    pub link_status: u16,
    pub status: u32,
    pub interrupt: u32,
    pub queues: [Option<Ring>; 2],
    /// A doorbell is the last thing that the driver does: it faults there.
    pub doorbell_kills: bool,
    /// Whether the configuration is another one at each look.
    pub config_changes: bool,
    pub config_looks: std::cell::Cell<u32>,
    pub diary: Vec<Entry>,
}

pub type Shared = Rc<RefCell<TestDevice>>;

impl TestDevice {
    pub fn new() -> Shared {
        Rc::new(RefCell::new(Self {
            device_type: DeviceType::Network,
            legacy: false,
            // MAC, STATUS, VERSION_1, and what this driver does not take: EVENT_IDX, INDIRECT_DESC,
            // MRG_RXBUF, CSUM.
            offered: 1 << 5 | 1 << 16 | 1 << 32 | 1 << 29 | 1 << 28 | 1 << 15 | 1,
            accepted: 0,
            refuses_features: false,
            hangs_in_reset: false,
            max_queue_size: 1024,
            link_status: 1,
            status: 0,
            interrupt: 0,
            queues: [None, None],
            doorbell_kills: false,
            config_changes: false,
            config_looks: Default::default(),
            diary: Vec::new(),
        }))
    }

    pub fn is_running(&self) -> bool {
        self.status & DeviceStatus::DRIVER_OK.bits() != 0
    }

    fn ring(&mut self, queue: usize) -> &mut Ring {
        assert!(
            self.status & DeviceStatus::DRIVER_OK.bits() != 0,
            "the device is not running"
        );
        self.queues[queue].as_mut().expect("the queue is set up")
    }

    /// A frame arrives from the wire. `false` if there is no buffer.
    pub fn deliver(&mut self, frame: &[u8]) -> bool {
        let Some((id, chain)) = self.ring(RECEIVE).next_available() else {
            return false;
        };
        let [(address, len, writable)] = chain[..] else {
            panic!("one descriptor a buffer")
        };
        assert!(writable && HEADER + frame.len() <= len);
        let mut bytes = vec![0; HEADER];
        bytes[10] = 1;
        bytes.extend_from_slice(frame);
        write(address, &bytes);
        self.give_back(RECEIVE, id, bytes.len() as u32);
        true
    }

    /// Takes a receive buffer and claims to have written `len` bytes.
    pub fn deliver_claiming(&mut self, len: u32) {
        let (id, _) = self.ring(RECEIVE).next_available().unwrap();
        self.give_back(RECEIVE, id, len);
    }

    /// Sends what there is to send; returns the frames without their headers.
    pub fn transmit(&mut self) -> Vec<Vec<u8>> {
        let mut frames = Vec::new();
        while let Some((id, chain)) = self.ring(TRANSMIT).next_available() {
            let bytes: Vec<u8> = chain
                .iter()
                .flat_map(|(address, len, writable)| {
                    assert!(!writable);
                    read(*address, *len)
                })
                .collect();
            assert_eq!(
                bytes[..HEADER],
                [0; HEADER],
                "nothing special about the frame"
            );
            frames.push(bytes[HEADER..].to_vec());
            self.give_back(TRANSMIT, id, 0);
        }
        frames
    }

    /// Puts an entry into a used ring, true or not, and raises an interrupt if the driver wants
    /// one.
    pub fn give_back(&mut self, queue: usize, id: u32, len: u32) {
        let wanted = self.ring(queue).push_used(id, len);
        if wanted {
            self.interrupt |= 1;
            self.diary.push(Entry::Interrupt);
        }
    }

    pub fn wants_interrupt(&mut self, queue: usize) -> bool {
        self.ring(queue).wants_interrupt()
    }

    pub fn suppress_doorbells(&mut self, queue: usize, on: bool) {
        self.ring(queue).suppress_doorbells(on);
    }

    /// Link or health change.
    pub fn change_configuration(&mut self) {
        self.interrupt |= 2;
        self.diary.push(Entry::Interrupt);
    }

    pub fn count(&self, entry: Entry) -> usize {
        self.diary.iter().filter(|other| **other == entry).count()
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

    fn max_queue_size(&mut self, _: u16) -> u32 {
        self.0.borrow().max_queue_size
    }

    fn notify(&mut self, queue: u16) {
        let mut device = self.0.borrow_mut();
        assert!(device.is_running());
        device.diary.push(Entry::Doorbell(queue.into()));
        if device.doorbell_kills {
            drop(device);
            std::panic::resume_unwind(Box::new("the driver faults"));
        }
    }

    fn get_status(&self) -> DeviceStatus {
        DeviceStatus::from_bits_retain(self.0.borrow().status)
    }

    fn set_status(&mut self, status: DeviceStatus) {
        let mut device = self.0.borrow_mut();
        if status.is_empty() {
            device.diary.push(Entry::Reset);
            if device.hangs_in_reset {
                return;
            }
            device.queues = [None, None];
            device.interrupt = 0;
        }
        if status.contains(DeviceStatus::DRIVER_OK) {
            device.diary.push(Entry::Started);
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

    fn queue_set(
        &mut self,
        queue: u16,
        size: u32,
        descriptors: PhysAddr,
        driver: PhysAddr,
        device: PhysAddr,
    ) {
        self.0.borrow_mut().queues[usize::from(queue)] =
            Some(Ring::new(size as u16, descriptors, driver, device));
    }

    fn queue_unset(&mut self, queue: u16) {
        self.0.borrow_mut().queues[usize::from(queue)] = None;
    }

    fn queue_used(&mut self, queue: u16) -> bool {
        self.0.borrow().queues[usize::from(queue)].is_some()
    }

    fn ack_interrupt(&mut self) -> InterruptStatus {
        let mut device = self.0.borrow_mut();
        let status = InterruptStatus::from_bits_truncate(device.interrupt);
        device.interrupt = 0;
        status
    }

    fn read_config_generation(&self) -> u32 {
        let device = self.0.borrow();
        if device.config_changes {
            device.config_looks.set(device.config_looks.get() + 1);
        }
        device.config_looks.get()
    }

    fn read_config_space<T: zerocopy::FromBytes + zerocopy::IntoBytes>(
        &self,
        offset: usize,
    ) -> Result<T, Error> {
        let mut bytes = MAC.to_vec();
        bytes.extend_from_slice(&self.0.borrow().link_status.to_le_bytes());
        let field = bytes
            .get(offset..offset + size_of::<T>())
            .ok_or(Error::ConfigSpaceTooSmall)?;
        Ok(T::read_from_bytes(field).unwrap())
    }

    fn write_config_space<T: zerocopy::IntoBytes + zerocopy::Immutable>(
        &mut self,
        _: usize,
        _: T,
    ) -> Result<(), Error> {
        panic!("the driver has nothing to write there")
    }
}
