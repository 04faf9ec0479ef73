// SPDX-License-Identifier: BSD-2-Clause

//! Received datagrams: the buffers of datagram sockets, and the checks before one gets there.

use alloc::vec;
use alloc::vec::Vec;
use core::net::Ipv4Addr;

use smoltcp::storage::{PacketBuffer, PacketMetadata};
use smoltcp::wire::{IpAddress, UdpPacket};

use crate::ip::packet::Packet;
use crate::tables::list::{Links, List};

/// Address and port.
type Endpoint = (Ipv4Addr, u16);

/// What a datagram socket has received and nobody has read.
pub(crate) struct UdpSocket {
    buffer: PacketBuffer<'static, Endpoint>,
}

impl UdpSocket {
    /// Whether there is something to read.
    pub(crate) fn can_recv(&self) -> bool {
        !self.buffer.is_empty()
    }

    /// Adds a datagram. Returns false if there is no room.
    pub(crate) fn push(&mut self, from: Endpoint, payload: &[u8]) -> bool {
        match self.buffer.enqueue(payload.len(), from) {
            Ok(buffer) => {
                buffer.copy_from_slice(payload);
                true
            }
            Err(_) => false,
        }
    }

    /// The length of the oldest datagram.
    pub(crate) fn peek(&mut self) -> Option<usize> {
        self.buffer.peek().ok().map(|(_, payload)| payload.len())
    }

    /// Takes out the oldest datagram.
    pub(crate) fn pop(&mut self) -> Option<(Endpoint, &[u8])> {
        let (from, payload) = self.buffer.dequeue().ok()?;
        Some((from, payload))
    }
}

/// The buffers of all datagram sockets.
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
                // Lent for good: without its feature `alloc` smoltcp takes slices.
                let buffer = PacketBuffer::new(
                    vec![PacketMetadata::EMPTY; packets].leak(),
                    vec![0; receive].leak(),
                );
                UdpSocket { buffer }
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
        while self.sockets[index].pop().is_some() {}
        self.free.push_back(&mut self.links, index);
    }
}

/// A received datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Received<'a> {
    pub from: Endpoint,
    pub to: Endpoint,
    pub payload: &'a [u8],
}

/// Reads a datagram. `verified` if the device has checked the checksum.
pub(crate) fn parse<'a>(packet: &Packet<'a>, verified: bool) -> Option<Received<'a>> {
    let udp = UdpPacket::new_checked(packet.payload).ok()?;
    let ends = (
        IpAddress::Ipv4(packet.source),
        IpAddress::Ipv4(packet.destination),
    );
    // No checksum at all is a sender's right (RFC 768).
    let unchecked = verified || udp.checksum() == 0;
    if udp.dst_port() == 0 || !(unchecked || udp.verify_checksum(&ends.0, &ends.1)) {
        return None;
    }
    Some(Received {
        from: (packet.source, udp.src_port()),
        to: (packet.destination, udp.dst_port()),
        payload: udp.payload(),
    })
}
