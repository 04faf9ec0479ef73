// SPDX-License-Identifier: BSD-2-Clause

//! The deeds of a hostile client.

use core::net::SocketAddr;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicU64, Ordering};

use pd_net::NetServer;
use pd_support::{Peer, ReadWrite, clock, peer, region, role};
use sabotage::{Garbage, Orders};
use sel4_microkit::{memory_region_symbol, var};
use socket_client::{Client, Socket};
use socket_proto::Operation;

/// Words 1 and 2 of a log ring are its tail and its head.
const TAIL: usize = 1;
const HEAD: usize = 2;
/// The highest label that means anything is below this.
const LABELS: u64 = 24;
/// Length of a datagram of a flood.
const DATAGRAM: usize = 1000;
/// Datagrams in one call.
const BATCH: usize = 64;

/// This PD's own pages a second time, and no manners.
pub struct Deeds {
    server: Peer,
    console: Peer,
    log: &'static [AtomicU64],
    window: &'static [AtomicU64],
    /// Orders to the driver.
    pub driver: &'static Orders,
    garbage: Garbage,
}

/// Memory that the fragment of the test image maps here a second time.
fn raw(words: NonNull<[AtomicU64]>) -> &'static [AtomicU64] {
    // SAFETY: the SDK's tool has written address and size of one mapping of normal memory; all that
    // this PD does there goes through atomics.
    unsafe { words.as_ref() }
}

impl Deeds {
    /// To be called once.
    ///
    /// # Panics
    /// If the declaration does not give this PD the memory.
    pub fn take() -> Self {
        let log = *var!(raw_log_size: usize = 0);
        let window = *var!(raw_window_size: usize = 0);
        Self {
            server: peer(role::SOCKETS),
            console: peer(role::LOG),
            log: raw(memory_region_symbol!(raw_log_vaddr: *mut [AtomicU64], n = log / 8)),
            window: raw(memory_region_symbol!(raw_window_vaddr: *mut [AtomicU64], n = window / 8)),
            driver: region::<ReadWrite>("sabotage").page(),
            garbage: Garbage::new(clock::now()),
        }
    }

    /// Puts the head of the log ring behind its tail, as no writer does, and then anything into all
    /// of it.
    pub fn ruin_log(&mut self) {
        for distance in [1, 2, 1000, u64::MAX / 2] {
            let tail = self.log[TAIL]
                .load(Ordering::Relaxed)
                .wrapping_add(distance);
            self.log[TAIL].store(tail, Ordering::Relaxed);
            self.log[HEAD].store(tail.wrapping_sub(distance), Ordering::Relaxed);
            self.console.notify();
        }
        for every in [1000, 100, 10, 1] {
            self.garbage.sprinkle(self.log, every);
            self.console.notify();
        }
        self.log[HEAD].store(0, Ordering::Relaxed);
        self.log[TAIL].store(5, Ordering::Relaxed);
        self.console.notify();
    }

    /// Sends as many datagrams as one call takes.
    pub fn flood(&self, client: &Client<NetServer>, socket: Socket, to: SocketAddr) {
        let nowhere = SocketAddr::new(to.ip(), 9);
        // Refusals are part of it.
        let _ = client.send_datagrams(socket, |batch| {
            for _ in 0..BATCH {
                let _ = batch.push(Some(nowhere), &[0x55; DATAGRAM]);
            }
        });
    }

    /// Makes a call that is valid and asks for nothing: poll without handle or deadline.
    pub fn call(&self) {
        self.server.call(Operation::Poll as u64, [0, 0]);
    }

    /// Calls with any label and any words.
    pub fn call_nonsense(&mut self) {
        let label = match self.garbage.noise() % 4 {
            0 => self.garbage.word() & 0xF_FFFF,
            _ => self.garbage.noise() % LABELS,
        };
        let words = core::array::from_fn::<u64, 4, _>(|_| self.garbage.word());
        self.server.call(label, words);
    }

    /// Sends any range of the window, with new garbage in it each time.
    pub fn call_with_garbage_in_the_window(&mut self) {
        let from = self.garbage.noise() as usize % self.window.len();
        let to = (from + 64).min(self.window.len());
        self.garbage
            .fill(self.window.get(from..to).unwrap_or_default());
        // Handles have small indices and small generations.
        let noise = self.garbage.noise();
        let handle = (noise % 8) | ((1 + (noise >> 8) % 8) << 16);
        let offset = from as u64 * 8;
        let length = noise >> 16 & 0xfff;
        self.server
            .call(Operation::Send as u64, [handle, offset, length, 0]);
    }
}

/// Logs a line and never waits again.
pub fn spin() -> ! {
    pd_support::info!("spins");
    loop {
        core::hint::spin_loop();
    }
}

/// Ends in a fault.
#[inline(never)]
pub fn use_up_the_stack(depth: u64) {
    let frame = core::hint::black_box([depth; 64]);
    if let Some(deeper) = depth.checked_add(1) {
        use_up_the_stack(deeper);
    }
    core::hint::black_box(frame);
}
