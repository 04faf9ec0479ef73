// SPDX-License-Identifier: BSD-2-Clause

//! The clients as the declaration has them: windows, readiness pages, channels, and whose life is
//! over.

use alloc::vec::Vec;

use pd_support::{Peer, ReadOnly, ReadWrite, find_peer, region, region_with, role, wiring};
use sel4_microkit::Channel;
use shm::{ReadWindow, Window};
use socket_proto::{Half, ReadinessWriter, WindowSizes};
use socket_server::{ClientLimits, ClientPort, OutOfWindow};
use supervision::Lives;
use wiring::CHANNELS;

use crate::configuration::client_limits;

/// A client's payload memory: the half that it writes, and the half that we write.
pub struct ClientWindow {
    c2s: ReadWindow,
    s2c: Window,
}

impl socket_server::Window for ClientWindow {
    fn sizes(&self) -> WindowSizes {
        // sysgen makes no window of 4 GiB; if it did, the rest would be out of use.
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

/// A client's way back.
struct ClientPeer {
    peer: Peer,
    /// Its number in the system, and how often it had faulted at the last look.
    number: usize,
    faults: u32,
}

/// The clients, by the core's numbers for them.
pub struct Clients {
    clients: Vec<ClientPeer>,
    /// Which client calls on a channel, by the channel's id.
    by_channel: [Option<u8>; CHANNELS],
    /// Where the supervisor says whose life is over.
    lives: Option<(&'static Lives, Channel)>,
}

impl Clients {
    /// Maps the windows of all clients. To be called once.
    ///
    /// # Panics
    /// If the wiring table does not say what a client may do: the image was put together wrongly.
    pub fn take() -> (Self, Vec<ClientPort<ClientWindow>>) {
        let mut clients = Clients {
            clients: Vec::new(),
            by_channel: [None; CHANNELS],
            lives: find_peer(role::LIVES)
                .map(|parent| (region::<ReadOnly>(role::LIVES).page(), parent.channel())),
        };
        let mut ports = Vec::new();
        for channel in wiring().channels(role::SOCKETS) {
            let Some(peer) = channel.peer else {
                continue;
            };
            let Some(limits) = wiring().limits(peer.name) else {
                panic!("the wiring table has no limits of {}", peer.name);
            };
            // There are fewer clients than channels.
            clients.by_channel[channel.id] = Some(clients.clients.len() as u8);
            clients.clients.push(ClientPeer {
                peer: Peer::new(Channel::new(channel.id)),
                number: peer.number,
                faults: 0,
            });
            let limits = client_limits(peer.name, limits);
            ports.push(port(peer.name, limits));
        }
        clients.departed(|_| ());
        (clients, ports)
    }

    /// The client that calls on this channel.
    pub fn calling(&self, channel: Channel) -> Option<usize> {
        self.by_channel
            .get(channel.index())
            .copied()
            .flatten()
            .map(usize::from)
    }

    /// Notifies clients: bit n is client n.
    pub fn notify(&self, mut numbers: u64) {
        while numbers != 0 {
            if let Some(client) = self.clients.get(numbers.trailing_zeros() as usize) {
                client.peer.notify();
            }
            numbers &= numbers - 1;
        }
    }

    /// Notifies every client there is.
    pub fn notify_all(&self) {
        self.clients.iter().for_each(|client| client.peer.notify());
    }

    /// The channel on which the supervisor says that lives are over.
    pub fn news(&self) -> Option<Channel> {
        self.lives.map(|(_, channel)| channel)
    }

    /// Calls `gone` with each client whose life is over since the last look. It may have started
    /// again at once, later, or not at all.
    pub fn departed(&mut self, mut gone: impl FnMut(usize)) {
        let Some((lives, _)) = self.lives else {
            return;
        };
        for (number, client) in self.clients.iter_mut().enumerate() {
            let faults = lives.of(client.number);
            if core::mem::replace(&mut client.faults, faults) != faults {
                gone(number);
            }
        }
    }
}

fn port(name: &str, limits: ClientLimits) -> ClientPort<ClientWindow> {
    let c2s = region_with::<ReadOnly>(role::CLIENT_TO_SERVER, name).into_region();
    let s2c = region_with::<ReadWrite>(role::SERVER_TO_CLIENT, name).into_region();
    ClientPort {
        window: ClientWindow {
            c2s: c2s.into_read_window(),
            s2c: s2c.into_window(),
        },
        ready: ReadinessWriter::new(region_with::<ReadWrite>(role::READINESS, name).slice()),
        limits,
    }
}
