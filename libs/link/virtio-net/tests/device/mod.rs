// SPDX-License-Identifier: BSD-2-Clause
//! A network device.
#![allow(dead_code, reason = "each test program uses a part of it")]

mod world;

#[allow(unused_imports, reason = "each test program uses a part of it")]
pub use test_device::{Entry, Shared, TestDevice, TestTransport, leak, read, write};
#[allow(unused_imports, reason = "each test program uses a part of it")]
pub use world::{N, Pages, World};

use std::cell::RefCell;
use std::rc::Rc;

use virtio_drivers::transport::DeviceType;

pub const RECEIVE: usize = 0;
pub const TRANSMIT: usize = 1;
pub const CONTROL: usize = 2;
pub const HEADER: usize = 12;
pub const MAC: [u8; 6] = [0x52, 0x54, 0, 0x12, 0x34, 0x56];

/// A network device whose link is up.
pub fn network() -> Shared {
    // MAC, STATUS, VERSION_1, and what this driver does not take: EVENT_IDX, INDIRECT_DESC,
    // MRG_RXBUF, CSUM.
    let offered = 1 << 5 | 1 << 16 | 1 << 32 | 1 << 29 | 1 << 28 | 1 << 15 | 1;
    let mut device = TestDevice::new(DeviceType::Network, offered, 2);
    device.set_link_status(1);
    Rc::new(RefCell::new(device))
}

/// A network device that can be told which frames to receive (CTRL_VQ, CTRL_RX).
pub fn filtering() -> Shared {
    let device = network();
    device.borrow_mut().offered |= 1 << 17 | 1 << 18;
    device.borrow_mut().queues.push(None);
    device
}

/// What a network device does.
pub trait Network {
    /// Takes the commands of the control queue and replies with this number.
    fn obey(&mut self, reply: u8) -> Vec<Vec<u8>>;
    /// A frame arrives from the wire. `false` if there is no buffer.
    fn deliver(&mut self, frame: &[u8]) -> bool;
    /// Takes a receive buffer and claims to have written `len` bytes.
    fn deliver_claiming(&mut self, len: u32);
    /// Sends what there is to send; returns the frames without their headers.
    fn transmit(&mut self) -> Vec<Vec<u8>>;
    /// Puts an entry into a used ring, true or not, and raises an interrupt if the driver wants
    /// one.
    fn give_back(&mut self, queue: usize, id: u32, len: u32);
    /// Whether the driver wants an interrupt for a queue.
    fn wants_interrupt(&mut self, queue: usize) -> bool;
    /// Tells the driver whether it need not notify.
    fn suppress_doorbells(&mut self, queue: usize, on: bool);
    /// Link or health change.
    fn change_configuration(&mut self);
    /// What the configuration says of the link (virtio 1.2 section 5.1.4).
    fn set_link_status(&mut self, status: u16);
}

impl Network for TestDevice {
    fn obey(&mut self, reply: u8) -> Vec<Vec<u8>> {
        let mut commands = Vec::new();
        while let Some((id, chain)) = self.ring(CONTROL).next_available() {
            let [(address, len, false), (to, 1, true)] = chain[..] else {
                panic!("a command, and a byte for the reply")
            };
            commands.push(read(address, len));
            write(to, &[reply]);
            self.give_back(CONTROL, id, 1);
        }
        commands
    }

    fn deliver(&mut self, frame: &[u8]) -> bool {
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

    fn deliver_claiming(&mut self, len: u32) {
        let (id, _) = self.ring(RECEIVE).next_available().unwrap();
        self.give_back(RECEIVE, id, len);
    }

    fn transmit(&mut self) -> Vec<Vec<u8>> {
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

    fn give_back(&mut self, queue: usize, id: u32, len: u32) {
        let wanted = self.ring(queue).push_used(id, len);
        if wanted {
            self.raise(1);
        }
    }

    fn wants_interrupt(&mut self, queue: usize) -> bool {
        self.ring(queue).wants_interrupt()
    }

    fn suppress_doorbells(&mut self, queue: usize, on: bool) {
        self.ring(queue).suppress_doorbells(on);
    }

    fn change_configuration(&mut self) {
        self.raise(2);
    }

    fn set_link_status(&mut self, status: u16) {
        self.config = [&MAC[..], &status.to_le_bytes()].concat();
    }
}
