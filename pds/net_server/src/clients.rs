// SPDX-License-Identifier: BSD-2-Clause

//! The clients' windows and readiness pages, by slot. Slot n is channel `CLIENT_CHANNEL_BASE + n`,
//! and its regions have the symbols `client<n>_…` in system.xml; net.toml says which slots there
//! are.

use alloc::vec::Vec;
use core::sync::atomic::AtomicU32;

use net_config::{CLIENT_CHANNEL_BASE, MAX_CLIENTS};
use pd_support::{Peer, region};
use sel4_microkit::Channel;
use shm::{ReadWindow, Window};
use socket_proto::{Half, ReadinessWriter, WindowSizes};
use socket_server::{ClientLimits, ClientPort, OutOfWindow};

/// A client's payload memory: the half that it writes, and the half that we write.
pub struct ClientWindow {
    c2s: ReadWindow,
    s2c: Window,
}

impl socket_server::Window for ClientWindow {
    fn sizes(&self) -> WindowSizes {
        // system.xml cannot make a region of 4 GiB for QEMU's board; if it could, the rest would be
        // out of use.
        WindowSizes {
            c2s: self.c2s.len().try_into().unwrap_or(u32::MAX),
            s2c: self.s2c.len().try_into().unwrap_or(u32::MAX),
        }
    }

    fn read(&self, half: Half, offset: usize, into: &mut [u8]) -> Result<(), OutOfWindow> {
        match half {
            Half::ClientToServer => self.c2s.read_at(offset, into),
            Half::ServerToClient => self.s2c.read_at(offset, into),
        }
        .map_err(|_| OutOfWindow)
    }

    fn write(&mut self, offset: usize, from: &[u8]) -> Result<(), OutOfWindow> {
        self.s2c.write_at(offset, from).map_err(|_| OutOfWindow)
    }
}

fn port(
    limits: &ClientLimits,
    c2s: ReadWindow,
    s2c: Window,
    ready: &'static [AtomicU32],
) -> ClientPort<ClientWindow> {
    ClientPort {
        window: ClientWindow { c2s, s2c },
        ready: ReadinessWriter::new(ready),
        limits: limits.clone(),
    }
}

macro_rules! ports_by_slot {
    ($limits:ident: $($slot:literal: $c2s:ident $s2c:ident $ready:ident;)*) => {{
        const { assert!([$($slot),*].len() == MAX_CLIENTS) };
        let mut ports = Vec::new();
        $(
            ports.push($limits.get($slot).and_then(Option::as_ref).map(|limits| {
                port(
                    limits,
                    region!(r $c2s).any_size().into_read_window(),
                    region!(rw $s2c).any_size().into_window(),
                    region!(rw $ready).slice(),
                )
            }));
        )*
        ports
    }};
}

/// Maps the windows of all clients that are configured. To be called once.
///
/// # Panics
/// If system.xml maps nothing for one of them; `config-tool` checks that at build time.
pub fn ports(limits: &[Option<ClientLimits>]) -> Vec<Option<ClientPort<ClientWindow>>> {
    ports_by_slot! { limits:
        0: client0_c2s client0_s2c client0_ready;
        1: client1_c2s client1_s2c client1_ready;
        2: client2_c2s client2_s2c client2_ready;
        3: client3_c2s client3_s2c client3_ready;
        4: client4_c2s client4_s2c client4_ready;
        5: client5_c2s client5_s2c client5_ready;
        6: client6_c2s client6_s2c client6_ready;
        7: client7_c2s client7_s2c client7_ready;
    }
}

fn peer(slot: usize) -> Peer {
    Peer::new(Channel::new(CLIENT_CHANNEL_BASE + slot))
}

/// Notifies clients: bit n is slot n.
pub fn notify(mut slots: u64) {
    while slots != 0 {
        peer(slots.trailing_zeros() as usize).notify();
        slots &= slots - 1;
    }
}

/// Notifies every client there is.
pub fn notify_all(limits: &[Option<ClientLimits>]) {
    for (slot, _) in limits
        .iter()
        .enumerate()
        .filter(|(_, limits)| limits.is_some())
    {
        peer(slot).notify();
    }
}
