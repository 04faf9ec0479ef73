// SPDX-License-Identifier: BSD-2-Clause

//! Received datagrams: where they wait to be read, and the checks before one gets there.

use alloc::vec;
use core::net::Ipv4Addr;

use smoltcp::storage::{PacketBuffer, PacketMetadata};
use smoltcp::wire::{IpAddress, UdpPacket};

use crate::ip::packet::{Packet, Tuple};

/// Address and port.
type Endpoint = (Ipv4Addr, u16);

/// What a datagram socket has received and nobody has read.
pub(crate) struct Inbox {
    buffer: PacketBuffer<'static, Endpoint>,
}

impl Inbox {
    /// Room for so many bytes and datagrams, which is allocated for good: without its feature
    /// `alloc` smoltcp takes slices.
    pub(crate) fn new(bytes: usize, datagrams: usize) -> Self {
        let metadata = vec![PacketMetadata::EMPTY; datagrams].leak();
        Inbox {
            buffer: PacketBuffer::new(metadata, vec![0; bytes].leak()),
        }
    }

    /// Bytes of payload that it has room for.
    pub(crate) fn capacity(&self) -> usize {
        self.buffer.payload_capacity()
    }

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

    /// Forgets all datagrams.
    pub(crate) fn clear(&mut self) {
        while self.pop().is_some() {}
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

/// A received datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Received<'a> {
    pub tuple: Tuple,
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
        tuple: Tuple {
            local: (packet.destination, udp.dst_port()),
            remote: (packet.source, udp.src_port()),
        },
        payload: udp.payload(),
    })
}
