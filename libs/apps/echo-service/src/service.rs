// SPDX-License-Identifier: BSD-2-Clause

//! The service: its sockets, and one turn of its event loop.

use core::cell::Cell;
use core::net::Ipv6Addr;
use core::time::Duration;

use heapless::Vec;
use socket_client::{Client, Errno, Family, Instant, Places, Socket, SocketKind, Transport};
use stats::{EchoServer, Writer};

use crate::streams::Connection;

/// Connections at once. One that waits in the backlog gets the place of one that moves little
/// ([`Places`]).
pub const MAX_CONNECTIONS: usize = 128;
/// Ports of each kind.
pub const MAX_PORTS: usize = 8;
/// Connections that may wait for a place.
const BACKLOG: usize = 32;
/// How long to wait before the ports are tried again.
const RETRY: Duration = Duration::from_millis(100);

/// Echoes on a set of ports.
pub struct EchoService<T: Transport> {
    pub(crate) client: Client<T>,
    pub(crate) stats: Writer<EchoServer>,
    tcp_ports: Vec<u16, MAX_PORTS>,
    udp_ports: Vec<u16, MAX_PORTS>,
    pub(crate) listeners: Vec<Socket, MAX_PORTS>,
    pub(crate) datagram_sockets: Vec<Socket, MAX_PORTS>,
    pub(crate) connections: Vec<Connection, MAX_CONNECTIONS>,
    pub(crate) places: Places<MAX_CONNECTIONS>,
    /// When a connection that waits may get a place, if one waits.
    pub(crate) next_place: Cell<Option<Instant>>,
    /// All ports are open, as far as is known.
    is_open: bool,
}

impl<T: Transport> EchoService<T> {
    /// Opens the ports.
    ///
    /// # Errors
    /// `ENOBUFS` if there are more than [`MAX_PORTS`] of a kind; those of [`Client::socket`],
    /// [`Client::bind`] and [`Client::listen`].
    pub fn start(
        client: Client<T>,
        stats: Writer<EchoServer>,
        tcp_ports: impl Iterator<Item = u16>,
        udp_ports: impl Iterator<Item = u16>,
    ) -> Result<Self, Errno> {
        let tcp_ports = collect(tcp_ports)?;
        let udp_ports = collect(udp_ports)?;
        let mut service = EchoService {
            client,
            stats,
            tcp_ports,
            udp_ports,
            listeners: Vec::new(),
            datagram_sockets: Vec::new(),
            connections: Vec::new(),
            places: Places::new(),
            next_place: Cell::new(None),
            is_open: false,
        };
        service.open()?;
        Ok(service)
    }

    fn open(&mut self) -> Result<(), Errno> {
        // Those of an earlier life of the server are gone; of an attempt in this life that failed
        // half-way some may be open.
        let opened = self.listeners.iter().chain(&self.datagram_sockets);
        for &socket in opened {
            let _ = self.client.close(socket);
        }
        self.listeners.clear();
        self.datagram_sockets.clear();
        self.connections.clear();
        self.places = Places::new();
        self.next_place.set(None);
        self.count_open();
        self.is_open = false;
        for (kind, ports, sockets) in [
            (SocketKind::Stream, &self.tcp_ports, &mut self.listeners),
            (
                SocketKind::Datagram,
                &self.udp_ports,
                &mut self.datagram_sockets,
            ),
        ] {
            for &port in ports {
                let socket = self.client.socket_of(Family::Inet6, kind)?;
                // There is room: as many as there are ports.
                let _ = sockets.push(socket);
                // Both families.
                let address = (Ipv6Addr::UNSPECIFIED, port).into();
                self.client.bind(socket, address)?;
                if kind == SocketKind::Stream {
                    self.client.listen(socket, BACKLOG)?;
                }
            }
        }
        self.is_open = true;
        Ok(())
    }

    /// To be called for each notification: echoes until nothing is ready.
    ///
    /// # Errors
    /// After a restart of the server the ports could not be opened again; they are tried again at
    /// the next call.
    pub fn notified(&mut self) -> Result<(), Errno> {
        loop {
            // While peers send without pause this loop goes on, which is no reason for a restart.
            self.stats.pulse().working();
            // The server can die with a call of this turn in its hands; then every socket is stale
            // from one call to the next.
            if self.client.check_restart() || !self.is_open {
                self.open().inspect_err(|_| self.try_again_later())?;
            }
            let serial = self.client.ready_serial();
            let mut progress = self.accept();
            progress |= self.echo_datagrams();
            progress |= self.echo_streams();
            // There is no notification of what calls of this turn have made ready, so look once
            // more if the page has changed.
            if !progress && serial == self.client.ready_serial() && self.may_wait() {
                return Ok(());
            }
        }
    }

    /// Asks to be woken when a connection that waits may get a place. Returns whether this PD has
    /// nothing else to do.
    fn may_wait(&self) -> bool {
        let Some(next) = self.next_place.get() else {
            return true;
        };
        if next <= self.client.now() {
            return false;
        }
        // After a restart of the server nobody waits.
        let _ = self.client.wake_at(next);
        true
    }

    /// The server refused: nothing else may come that would wake this PD.
    fn try_again_later(&self) {
        let _ = self.client.wake_at(self.client.now() + RETRY);
    }

    pub(crate) fn count_open(&self) {
        self.stats
            .set(EchoServer::ConnectionsOpen, self.connections.len() as u64);
    }
}

fn collect(ports: impl Iterator<Item = u16>) -> Result<Vec<u16, MAX_PORTS>, Errno> {
    let mut list = Vec::new();
    for port in ports {
        list.push(port).map_err(|_| Errno::ENOBUFS)?;
    }
    Ok(list)
}
