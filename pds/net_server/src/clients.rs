// SPDX-License-Identifier: BSD-2-Clause

//! The clients' windows and readiness pages, by slot. Slot n is channel `CLIENT_CHANNEL_BASE + n`, and its regions have the symbols
//! `client<n>_…` in system.xml; net.toml says which slots there are.

use alloc::vec::Vec;

use net_config::{CLIENT_CHANNEL_BASE, MAX_CLIENTS};
use pd_support::{Peer, region};
use sel4_microkit::Channel;
use shm::{ReadWindow, ReadWrite, Region, Window};
use socket_proto::{Half, ReadinessWriter, WindowSizes};
use socket_server::{ClientLimits, ClientPort, OutOfWindow};

/// A client's payload memory: the half that it writes, and the half that we write.
pub struct ClientWindow {
    c2s: ReadWindow,
    s2c: Window,
}

impl socket_server::Window for ClientWindow {
    fn sizes(&self) -> WindowSizes {
        // system.xml cannot make a region of 4 GiB for QEMU's board; if it could, the rest would be out of use.
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
    ready: Region<ReadWrite>,
) -> ClientPort<ClientWindow> {
    ClientPort {
        window: ClientWindow { c2s, s2c },
        ready: ReadinessWriter::new(crate::page(ready)),
        limits: limits.clone(),
    }
}

macro_rules! ports_by_slot {
    ($limits:ident: $($slot:literal: $c2s:ident $c2s_size:ident $s2c:ident $s2c_size:ident $ready:ident;)*) => {{
        const { assert!([$($slot),*].len() == MAX_CLIENTS) };
        let mut ports = Vec::new();
        $(
            ports.push($limits.get($slot).and_then(Option::as_ref).map(|limits| {
                port(
                    limits,
                    region!(r $c2s, size = $c2s_size).into_read_window(),
                    region!(rw $s2c, size = $s2c_size).into_window(),
                    region!(rw $ready, bytes = socket_proto::ready::PAGE_SIZE),
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
        0: client0_c2s_vaddr client0_c2s_size client0_s2c_vaddr client0_s2c_size client0_ready_vaddr;
        1: client1_c2s_vaddr client1_c2s_size client1_s2c_vaddr client1_s2c_size client1_ready_vaddr;
        2: client2_c2s_vaddr client2_c2s_size client2_s2c_vaddr client2_s2c_size client2_ready_vaddr;
        3: client3_c2s_vaddr client3_c2s_size client3_s2c_vaddr client3_s2c_size client3_ready_vaddr;
        4: client4_c2s_vaddr client4_c2s_size client4_s2c_vaddr client4_s2c_size client4_ready_vaddr;
        5: client5_c2s_vaddr client5_c2s_size client5_s2c_vaddr client5_s2c_size client5_ready_vaddr;
        6: client6_c2s_vaddr client6_c2s_size client6_s2c_vaddr client6_s2c_size client6_ready_vaddr;
        7: client7_c2s_vaddr client7_c2s_size client7_s2c_vaddr client7_s2c_size client7_ready_vaddr;
    }
}

fn peer(slot: usize) -> Peer {
    Peer::new(Channel::new(CLIENT_CHANNEL_BASE + slot))
}

/// Notifies clients: bit n is slot n.
pub fn notify(mut slots: u32) {
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
