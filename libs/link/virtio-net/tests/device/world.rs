// SPDX-License-Identifier: BSD-2-Clause
//! Device, driver, rings, and the server's end.

use std::collections::VecDeque;

use ring::{BUFFER_SIZE, DriverHalves, ServerEnd, ServerEvent, ServerHalves};
use shm::{ExclusiveBytes, FrozenBytes, ReadOnly, ReadWrite, Region, Words};
use stats::{NetDriver as Counter, StatsPage, Writer};
use virtio_net::{DmaMemory, NetDriver, QueuePages, StartError};

use super::{Shared, TestTransport, leak};

/// Buffers in each direction. The queues have room for all of them, if the device offers that.
pub const N: usize = 16;
const POOL: usize = N * BUFFER_SIZE;
const RX: usize = N;
const TX: usize = 2 * N;
pub type Driver = NetDriver<'static, TestTransport, N, RX, TX>;

/// Memory that outlives both ends.
#[derive(Clone, Copy)]
pub struct Pages {
    pub driver: &'static DriverHalves<N>,
    pub server: &'static ServerHalves<N>,
    pub memory: DmaMemory<'static, RX, TX>,
    pub stats: Writer<Counter>,
}

impl Pages {
    /// With them, the server's views of the pools.
    pub fn new() -> (Self, FrozenBytes, ExclusiveBytes) {
        let (rx, tx) = (leak(POOL), leak(POOL));
        let size = size_of::<QueuePages<RX, TX>>();
        // Words, for the alignment; what is too much at the front is left out.
        let memory = leak(size + 64);
        // SAFETY: the memory is larger than that.
        let aligned = unsafe { memory.add(memory.align_offset(64)) };
        // SAFETY: leaked memory that is named here alone; the test device goes by its address.
        let region = unsafe { Region::<ReadWrite>::from_ptr(aligned, size) };
        let queues: &QueuePages<RX, TX> = region.into_page().unwrap();
        let pages = Self {
            driver: Box::leak(Box::new(DriverHalves::zeroed())),
            server: Box::leak(Box::new(ServerHalves::zeroed())),
            memory: DmaMemory {
                queues,
                queues_paddr: (&raw const *queues).expose_provenance() as u64,
                rx_paddr: rx.as_ptr().addr() as u64,
                tx_paddr: tx.as_ptr().addr() as u64,
            },
            stats: Writer::attach(Box::leak(Box::new(StatsPage::zeroed())), 0),
        };
        // SAFETY: leaked memory; the test device writes only buffers that it was lent.
        let received = unsafe { Region::<ReadOnly>::from_ptr(rx, POOL).into_frozen_bytes() };
        // SAFETY: leaked memory that the driver and the device only read.
        let to_send = unsafe { Region::<ReadWrite>::from_ptr(tx, POOL).into_exclusive_bytes() };
        (pages, received, to_send)
    }

    /// The epoch of the server, as its page begins with (bits 32..64 of the first word).
    pub fn server_epoch(&self) -> u64 {
        let page: *const ServerHalves<N> = self.server;
        // SAFETY: the page begins with an aligned word, an atomic; no thread writes it.
        unsafe { page.cast::<u64>().read_volatile() >> 32 }
    }

    pub fn start_driver(&self, device: &Shared) -> Result<Driver, StartError> {
        NetDriver::start(
            TestTransport(device.clone()),
            self.memory,
            self.driver,
            self.server,
            self.stats,
        )
    }
}

pub struct World {
    pub device: Shared,
    pub pages: Pages,
    pub driver: Driver,
    pub server: ServerEnd<'static, N>,
    received: FrozenBytes,
    to_send: ExclusiveBytes,
    /// Frames that the server has got.
    pub got: VecDeque<Vec<u8>>,
    /// The server has been notified and not been woken since.
    pub server_notified: bool,
}

impl World {
    /// Everything started and settled.
    pub fn new(device: Shared) -> Self {
        let (pages, received, to_send) = Pages::new();
        let driver = pages.start_driver(&device).unwrap();
        let server = ServerEnd::start(pages.server, pages.driver);
        let mut world = Self {
            device,
            pages,
            driver,
            server,
            received,
            to_send,
            got: VecDeque::new(),
            server_notified: true,
        };
        world.settle();
        world.device.borrow_mut().diary.clear();
        world
    }

    /// What the server does when it is woken: takes frames, returns buffers. Returns whether the
    /// driver is to be notified.
    pub fn wake_server(&mut self) -> bool {
        self.server_notified = false;
        let mut notify = false;
        loop {
            if let ServerEvent::Up { .. } = self.server.poll() {
                while let Some(frame) = self.server.rx().take() {
                    let bytes = self.received.slice(frame.offset(), frame.len()).unwrap();
                    self.got.push_back(bytes.to_vec());
                    self.server.rx().give_back(frame);
                }
            }
            notify |= self.server.flush();
            if !self.server.sleep() {
                return notify;
            }
        }
    }

    /// The server has a frame to send; the driver learns of it with the server's next
    /// [`flush`](ServerEnd::flush).
    pub fn submit(&mut self, frame: &[u8]) -> bool {
        let Some(buffer) = self.server.tx().take() else {
            return false;
        };
        self.to_send
            .slice_mut(buffer.offset(), frame.len())
            .unwrap()
            .copy_from_slice(frame);
        self.server.tx().submit(buffer, frame.len()).unwrap();
        true
    }

    /// The driver faults, without a trace but what is in memory, and starts anew.
    pub fn restart_driver(&mut self) {
        self.driver = self.pages.start_driver(&self.device).unwrap();
    }

    /// Wakes the driver; returns how often it notified the server.
    pub fn wake_driver(&mut self) -> usize {
        let mut notifications = 0;
        self.driver.run(|| notifications += 1).unwrap();
        self.server_notified |= notifications > 0;
        notifications
    }

    /// The interrupt line's effect, if it is up. Returns how often the driver notified the server.
    pub fn take_interrupt(&mut self) -> Option<usize> {
        if self.device.borrow().interrupt == Some(0) {
            return None;
        }
        self.driver.interrupt().unwrap();
        Some(self.wake_driver())
    }

    /// Driver and server wake each other until neither notifies.
    pub fn settle(&mut self) {
        let mut wake_driver = true;
        for _ in 0..10 {
            if wake_driver {
                self.wake_driver();
            }
            self.take_interrupt();
            wake_driver = self.server_notified && self.wake_server();
            if !wake_driver && self.device.borrow().interrupt == Some(0) {
                return;
            }
        }
        panic!("driver and server keep waking each other");
    }

    pub fn counter(&self, counter: Counter) -> u64 {
        self.pages.stats.get(counter)
    }
}
