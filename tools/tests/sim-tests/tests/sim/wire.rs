// SPDX-License-Identifier: BSD-2-Clause

//! Between a client's memory and the server's.

use std::cell::{Cell, RefCell};

use shm::Shared;
use socket_client::{Client, Memory, Transport};
use socket_mock::SharedMemory;
use socket_proto::Span;

use super::server::{C2S, Faults, S2C, World, config, limits};

/// A world with one client of the library.
pub struct Wire {
    pub world: RefCell<World>,
    memory: SharedMemory,
    pub calls: Cell<usize>,
}

fn is_shared<T: Shared>(_: &T) {}

impl Wire {
    pub fn new(faults: Faults) -> Self {
        Wire::with_peers(faults, 600)
    }

    /// The peer can have so many sockets.
    pub fn with_peers(faults: Faults, peers: usize) -> Self {
        assert_eq!(C2S, S2C);
        let world = World::with_peer(config(), vec![limits(160, 4)], faults, peers);
        Wire {
            world: RefCell::new(world),
            memory: SharedMemory::new(C2S as usize),
            calls: Cell::new(0),
        }
    }

    pub fn client(&self) -> Client<&Wire> {
        let memory = self.memory.client();
        let ready = self.world.borrow().clients[0].page_words();
        is_shared(ready);
        let memory = Memory { ready, ..memory };
        Client::attach(self, memory).expect("attach")
    }

    /// The world goes on while the client works, for so many nanoseconds at most.
    pub fn go_on(&self, nanoseconds: u64) {
        let mut world = self.world.borrow_mut();
        let until = world.now + nanoseconds;
        world.step(until);
    }

    /// Goes to the next moment at which something happens, at most 50 ms on. Returns whether the
    /// client was notified.
    pub fn step(&self) -> bool {
        let mut world = self.world.borrow_mut();
        let until = world.now + 50_000_000;
        world.step(until);
        world.take_notified(0)
    }
}

impl Transport for Wire {
    /// As in a PD, except that the window is copied between two memories before and after the call.
    fn call(&self, label: u64, words: [u64; 4]) -> (u64, [u64; 4]) {
        self.calls.set(self.calls.get() + 1);
        let mut world = self.world.borrow_mut();
        let c2s = Span {
            offset: 0,
            length: C2S.into(),
        };
        world.clients[0].fill(&self.memory.read(c2s));
        let answer = world.raw_call(0, label, words);
        let s2c = Span {
            offset: C2S.into(),
            length: S2C.into(),
        };
        self.memory
            .write(s2c, &world.clients[0].read(0, S2C as usize));
        answer
    }

    fn now(&self) -> u64 {
        self.world.borrow().now
    }
}
