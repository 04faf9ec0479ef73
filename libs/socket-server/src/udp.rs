// SPDX-License-Identifier: BSD-2-Clause

//! The pool of UDP sockets, which only receive, and the outbox, through which every datagram leaves.
//!
//! A datagram that is sent does not go through its own socket: a next hop that never answers would clog that socket's queue for
//! good. It goes through one of a few sockets of the outbox and leaves at once; only while the next hop's Ethernet address is being
//! asked for, it stays there, for some seconds at most.

use alloc::vec;
use alloc::vec::Vec;
use core::net::Ipv4Addr;

use smoltcp::iface::{SocketHandle, SocketSet, SocketStorage};
use smoltcp::socket::AnySocket;
use smoltcp::socket::udp::{PacketBuffer, PacketMetadata, Socket, UdpMetadata};
use smoltcp::time::{Duration, Instant};
use smoltcp::wire::{IpAddress, IpEndpoint, IpListenEndpoint};
use socket_proto::datagram::MAX_PAYLOAD;

use crate::list::{Links, List};

/// How long a datagram waits for its next hop's address: three ARP requests.
const PATIENCE: Duration = Duration::from_secs(3);
/// Datagrams that can wait at once.
pub(crate) const OUTBOX: usize = 8;
/// Of these, for one client.
const OUTBOX_CLIENT: usize = 2;

/// One UDP socket in a set of its own.
pub(crate) struct UdpSocket {
    pub set: SocketSet<'static>,
    handle: SocketHandle,
}

impl UdpSocket {
    fn new(receive: usize, packets: usize, send: usize) -> Self {
        let buffer = |packets: usize, bytes: usize| {
            PacketBuffer::new(
                vec![PacketMetadata::EMPTY; packets].leak(),
                vec![0; bytes].leak(),
            )
        };
        let socket = Socket::new(
            buffer(packets, receive),
            buffer(usize::from(send > 0), send),
        );
        let mut set = SocketSet::new(vec![SocketStorage::EMPTY].leak());
        let handle = set.add(socket.upcast());
        UdpSocket { set, handle }
    }

    pub(crate) fn socket(&self) -> &Socket<'static> {
        self.set.get(self.handle)
    }

    pub(crate) fn socket_mut(&mut self) -> &mut Socket<'static> {
        self.set.get_mut(self.handle)
    }

    /// Makes the set forget a neighbour that did not answer.
    fn renew(&mut self) {
        let socket = self.set.remove(self.handle);
        self.handle = self.set.add(socket);
    }
}

/// The sockets that receive.
pub(crate) struct UdpPool {
    sockets: Vec<UdpSocket>,
    links: Links,
    free: List,
}

impl UdpPool {
    pub(crate) fn new(count: usize, receive: usize, packets: usize) -> Self {
        let mut links = Links::new(count);
        let mut free = List::default();
        let sockets = (0..count)
            .map(|index| {
                free.push_back(&mut links, index);
                UdpSocket::new(receive, packets, 0)
            })
            .collect();
        UdpPool {
            sockets,
            links,
            free,
        }
    }

    pub(crate) fn used(&self) -> usize {
        self.sockets.len() - self.free.len()
    }

    pub(crate) fn get(&self, index: usize) -> &UdpSocket {
        &self.sockets[index]
    }

    pub(crate) fn get_mut(&mut self, index: usize) -> &mut UdpSocket {
        &mut self.sockets[index]
    }

    pub(crate) fn take(&mut self) -> Option<usize> {
        self.free.pop_front(&mut self.links)
    }

    pub(crate) fn put_back(&mut self, index: usize) {
        self.sockets[index].socket_mut().close();
        self.free.push_back(&mut self.links, index);
    }
}

/// From where to where.
#[derive(Clone, Copy)]
pub(crate) struct Route {
    pub from: (Ipv4Addr, u16),
    pub to: (Ipv4Addr, u16),
}

/// A place in the outbox.
pub(crate) struct Outgoing {
    pub udp: UdpSocket,
    pub client: u8,
    /// The host that it goes to.
    pub to: Ipv4Addr,
    pub until: Instant,
    /// Transmit buffers that it needs.
    pub frames: usize,
}

/// The sockets that send.
pub(crate) struct Outbox {
    places: Vec<Outgoing>,
    links: Links,
    free: List,
    /// Oldest first.
    waiting: List,
}

impl Outbox {
    pub(crate) fn new() -> Self {
        let mut links = Links::new(OUTBOX);
        let mut free = List::default();
        let places = (0..OUTBOX)
            .map(|index| {
                free.push_back(&mut links, index);
                Outgoing {
                    udp: UdpSocket::new(0, 0, MAX_PAYLOAD),
                    client: 0,
                    to: Ipv4Addr::UNSPECIFIED,
                    until: Instant::ZERO,
                    frames: 1,
                }
            })
            .collect();
        Outbox {
            places,
            links,
            free,
            waiting: List::default(),
        }
    }

    pub(crate) fn get_mut(&mut self, index: usize) -> &mut Outgoing {
        &mut self.places[index]
    }

    /// Takes a place for a datagram. If all are taken, the datagram that waited longest is lost, and the answer's second part is
    /// true.
    pub(crate) fn enter(
        &mut self,
        client: u8,
        frames: usize,
        now: Instant,
    ) -> Option<(usize, bool)> {
        let (index, evicted) = match self.free.pop_front(&mut self.links) {
            Some(index) => (index, false),
            None => (self.waiting.pop_front(&mut self.links)?, true),
        };
        if evicted {
            self.places[index].udp.renew();
        }
        // It counts as waiting until it has left: see `left`.
        self.waiting.push_back(&mut self.links, index);
        let place = &mut self.places[index];
        place.client = client;
        place.frames = frames;
        place.until = now + PATIENCE;
        place.udp.socket_mut().close();
        Some((index, evicted))
    }

    /// The buffer for a datagram of `length` bytes in a place that was just entered. `None` if smoltcp would not send such a one:
    /// it is too long, or goes to no address or port.
    pub(crate) fn buffer(
        &mut self,
        index: usize,
        route: Route,
        length: usize,
    ) -> Option<&mut [u8]> {
        self.places[index].to = route.to.0;
        let socket = self.places[index].udp.socket_mut();
        let source = IpAddress::Ipv4(route.from.0);
        let local = IpListenEndpoint {
            addr: Some(source),
            port: route.from.1,
        };
        let mut meta = UdpMetadata::from(IpEndpoint {
            addr: IpAddress::Ipv4(route.to.0),
            port: route.to.1,
        });
        meta.local_address = Some(source);
        socket.bind(local).ok()?;
        socket.send(length, meta).ok()
    }

    /// The datagram in a place has left.
    pub(crate) fn left(&mut self, index: usize) {
        self.waiting.remove(&mut self.links, index);
        self.free.push_back(&mut self.links, index);
    }

    /// The datagram in a place is given up, or was never complete.
    pub(crate) fn give_up(&mut self, index: usize) {
        let place = &mut self.places[index];
        place.udp.socket_mut().close();
        place.udp.renew();
        self.left(index);
    }

    /// Whether more datagrams of this client wait than may.
    pub(crate) fn is_crowded(&self, client: u8) -> bool {
        let waiting = (0..OUTBOX).filter(|&index| self.places[index].client == client);
        waiting.filter(|&index| self.holds(index)).count() > OUTBOX_CLIENT
    }

    /// Whether a place holds a datagram.
    pub(crate) fn holds(&self, index: usize) -> bool {
        // There is room for one.
        !self.places[index].udp.socket().can_send()
    }
}
