// SPDX-License-Identifier: BSD-2-Clause

//! A virtio device for tests of drivers: registers and configuration as a transport, and the
//! device's side of its split virtqueues in memory. It does what a test tells it, also what a
//! device must not do, and keeps a diary. Physical addresses are the test's own addresses.
//!
//! For dev-dependencies only.

mod memory;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use virtio_drivers::transport::{DeviceStatus, DeviceType, InterruptStatus, Transport};
use virtio_drivers::{Error, PhysAddr};

pub use memory::{Part, Ring, leak, read, write};

/// What the device has lived through, in order.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Entry {
    /// It was reset.
    Reset,
    /// The driver has said that it is ready.
    Started,
    /// The driver has notified a queue.
    Doorbell(usize),
    /// The device has raised its interrupt.
    Interrupt,
}

/// The device. Tests set the fields before the driver starts, and call the methods afterwards.
pub struct TestDevice {
    /// What it says it is.
    pub device_type: DeviceType,
    /// It is one of before virtio 1.
    pub legacy: bool,
    /// Feature bits that it offers.
    pub offered: u64,
    /// Feature bits that the driver has accepted.
    pub accepted: u64,
    /// It does not take the driver's choice of features.
    pub refuses_features: bool,
    /// A reset has no end.
    pub hangs_in_reset: bool,
    /// Largest size of a queue.
    pub max_queue_size: u32,
    /// Its configuration; a driver that looks at an empty one panics.
    pub config: Vec<u8>,
    /// Whether the configuration is another one at each look.
    pub config_changes: bool,
    /// How often it was looked at since.
    config_looks: Cell<u32>,
    /// The status register.
    pub status: u32,
    /// The interrupt register; `None` for a device whose driver must not ask for it.
    pub interrupt: Option<u32>,
    /// The queues that are set up.
    pub queues: Vec<Option<Ring>>,
    /// A doorbell is the last thing that the driver does: it faults there.
    pub doorbell_kills: bool,
    /// What has happened.
    pub diary: Vec<Entry>,
}

/// The device is the test's and the driver's.
pub type Shared = Rc<RefCell<TestDevice>>;

impl TestDevice {
    /// A device with so many queues, which offers these features.
    pub fn new(device_type: DeviceType, offered: u64, queues: usize) -> Self {
        TestDevice {
            device_type,
            legacy: false,
            offered,
            accepted: 0,
            refuses_features: false,
            hangs_in_reset: false,
            max_queue_size: 1024,
            config: Vec::new(),
            config_changes: false,
            config_looks: Cell::new(0),
            status: 0,
            interrupt: Some(0),
            queues: (0..queues).map(|_| None).collect(),
            doorbell_kills: false,
            diary: Vec::new(),
        }
    }

    /// Whether the driver has said that it is ready.
    pub fn is_running(&self) -> bool {
        self.status & DeviceStatus::DRIVER_OK.bits() != 0
    }

    /// Whether the driver has given up.
    pub fn is_failed(&self) -> bool {
        self.status & DeviceStatus::FAILED.bits() != 0
    }

    /// A queue of the running device.
    ///
    /// # Panics
    /// If it does not run or has no such queue.
    pub fn ring(&mut self, queue: usize) -> &mut Ring {
        assert!(self.is_running(), "the device is not running");
        self.queues[queue].as_mut().expect("the queue is set up")
    }

    /// Raises a bit of the interrupt register.
    pub fn raise(&mut self, bit: u32) {
        self.interrupt = self.interrupt.map(|bits| bits | bit);
        self.diary.push(Entry::Interrupt);
    }

    /// How often something has happened.
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

    fn max_queue_size(&mut self, queue: u16) -> u32 {
        let device = self.0.borrow();
        assert!(usize::from(queue) < device.queues.len());
        device.max_queue_size
    }

    fn notify(&mut self, queue: u16) {
        let mut device = self.0.borrow_mut();
        assert!(device.is_running() && usize::from(queue) < device.queues.len());
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
            device.queues.iter_mut().for_each(|queue| *queue = None);
            device.interrupt = device.interrupt.map(|_| 0);
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

    fn queue_set(&mut self, queue: u16, size: u32, d: PhysAddr, a: PhysAddr, u: PhysAddr) {
        self.0.borrow_mut().queues[usize::from(queue)] = Some(Ring::new(size as u16, d, a, u));
    }

    fn queue_unset(&mut self, _: u16) {
        panic!("only a reset is sure to stop the device")
    }

    fn queue_used(&mut self, queue: u16) -> bool {
        self.0.borrow().queues[usize::from(queue)].is_some()
    }

    fn ack_interrupt(&mut self) -> InterruptStatus {
        let interrupt = self.0.borrow_mut().interrupt.replace(0);
        InterruptStatus::from_bits_truncate(interrupt.expect("there are interrupts"))
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
        let device = self.0.borrow();
        assert!(!device.config.is_empty(), "there is no configuration");
        let field = device.config.get(offset..offset + size_of::<T>());
        let field = field.ok_or(Error::ConfigSpaceTooSmall)?;
        Ok(T::read_from_bytes(field).expect("its size"))
    }

    fn write_config_space<T: zerocopy::IntoBytes + zerocopy::Immutable>(
        &mut self,
        _: usize,
        _: T,
    ) -> Result<(), Error> {
        panic!("the driver has nothing to write there")
    }
}
