// SPDX-License-Identifier: BSD-2-Clause

//! Reads the headers of received IPv4 packets, and of the datagrams in packets of both families.

use core::net::Ipv4Addr;

use smoltcp::wire::{IpProtocol, Ipv4Packet, UdpPacket};

use super::address::Address;
use super::checksum::checksum;
use super::interface::Interface;
use crate::ethernet::Hop;
use crate::tables::map::{Key, mix};

/// Address and port.
pub type Endpoint = (Address, u16);

/// The two ends of a connection, or of a datagram's way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tuple {
    /// This machine's address.
    pub local: Endpoint,
    /// The peer's.
    pub remote: Endpoint,
}

impl Tuple {
    /// Of what is not in use.
    pub const NONE: Tuple = Tuple {
        local: (Address::ANY4, 0),
        remote: (Address::ANY4, 0),
    };

    /// Of its packets that leave: source and destination.
    pub fn addresses(&self) -> (Address, Address) {
        (self.local.0, self.remote.0)
    }
}

/// An end of a connection of IPv4 as a number. Of IPv6 it does not hold all of it.
#[inline]
fn word((address, port): Endpoint) -> u64 {
    address.words()[1] << 16 | u64::from(port)
}

impl Tuple {
    /// It as two numbers, others for each. Of IPv6 `digest` makes them from five, of which a peer
    /// chooses some.
    #[inline]
    pub fn digest(&self, digest: impl Fn([u64; 5]) -> u64) -> [u64; 2] {
        let (local, remote) = (self.local, self.remote);
        let ([high, low], [remote_high, remote_low]) = (local.0.words(), remote.0.words());
        if local.0.is_v4() {
            return [word(local), word(remote)];
        }
        let ports = u64::from(local.1) << 16 | u64::from(remote.1);
        // No word of IPv4 has these bits.
        let mark = u64::MAX << 32;
        [
            digest([high, low, remote_high, remote_low, ports]),
            mark | ports,
        ]
    }
}

impl Key for Tuple {
    #[inline]
    fn hash(&self, seed: u64) -> u64 {
        let [local, remote] = self.digest(|words| words.into_iter().fold(seed, mix));
        mix(mix(seed, local), remote)
    }
}

/// A received packet for this machine; the header is right.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    /// The packet, without what the frame is padded with.
    pub bytes: &'a [u8],
    /// The way that answers take: to where it came from.
    pub back: Hop,
    /// Source address.
    pub source: Address,
    /// Destination address.
    pub destination: Address,
    /// Whether it went to all hosts, or to a group.
    pub to_all: bool,
    /// What the payload is.
    pub protocol: IpProtocol,
    /// Behind the header.
    pub payload: &'a [u8],
    /// Whether the payload stands for itself.
    pub form: Form,
}

impl Packet<'_> {
    /// What is known of it, without its bytes.
    pub fn bare(&self) -> Packet<'static> {
        Packet {
            bytes: &[],
            back: self.back,
            source: self.source,
            destination: self.destination,
            to_all: self.to_all,
            protocol: self.protocol,
            payload: &[],
            form: self.form,
        }
    }
}

/// What has to be done before a packet can be delivered.
#[derive(Clone, Copy, Debug)]
pub enum Form {
    /// Nothing: the payload is complete.
    Whole,
    /// Headers of IPv6 stand between its first one and the payload.
    Extended,
    /// The payload is a part of one.
    Part {
        /// The sender's number for the whole.
        ident: u32,
        /// Where the part starts, in bytes.
        offset: u16,
        /// Whether another part follows.
        more: bool,
    },
    /// It cannot be: one of its headers is not understood, and its sender is to be told so.
    Problem {
        /// The code of the message (RFC 4443 section 3.4).
        code: u8,
        /// The offset of what is not understood, in bytes.
        pointer: u16,
    },
}

impl Packet<'_> {
    /// Whether its payload, up to a length, is as its checksum says.
    #[inline]
    fn is_undamaged(&self, length: usize) -> bool {
        let ends = (self.source, self.destination);
        checksum(ends, self.protocol.into(), &self.payload[..length]) == 0
    }
}

/// Reads the header of an IPv4 packet that has come by an interface, or over loopback, to which
/// answers go `back`. `None` if it is nonsense.
// Called for each frame: what it returns is large, and need not be copied.
#[inline(always)]
pub fn parse<'a>(bytes: &'a [u8], interface: Option<&Interface>, back: Hop) -> Option<Packet<'a>> {
    let packet = Ipv4Packet::new_checked(bytes).ok()?;
    if packet.version() != 4 || packet.header_len() < 20 || !packet.verify_checksum() {
        return None;
    }
    let (source, destination) = (packet.src_addr(), packet.dst_addr());
    let protocol = packet.next_header();
    let (offset, more) = (packet.frag_offset(), packet.more_frags());
    let form = match offset > 0 || more {
        false => Form::Whole,
        true => Form::Part {
            ident: packet.ident().into(),
            offset,
            more,
        },
    };
    Some(Packet {
        bytes: &bytes[..usize::from(packet.total_len())],
        back,
        source: source.into(),
        destination: destination.into(),
        to_all: interface.is_some_and(|interface| interface.is_broadcast(destination)),
        protocol,
        payload: packet.payload(),
        form,
    })
}

/// Whether a single host can have this address on a network (RFC 1122 section 3.2.1.3).
pub fn is_host(address: Ipv4Addr) -> bool {
    let this_network = address.octets()[0] == 0;
    !(this_network || address.is_loopback() || address.is_multicast() || address.is_broadcast())
}

/// The ports that TCP and UDP headers begin with: source, destination.
pub fn ports(payload: &[u8]) -> Option<(u16, u16)> {
    match *payload {
        [a, b, c, d, ..] => Some((u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]))),
        _ => None,
    }
}

/// Which connection a segment is for. `None` if it can be for none, or is damaged. `verified` if
/// the device has checked the checksum.
pub fn segment(packet: &Packet, verified: bool) -> Option<Tuple> {
    // TCP has no groups (RFC 1122 section 4.2.3.10).
    if packet.to_all || !(verified || packet.is_undamaged(packet.payload.len())) {
        return None;
    }
    let (from, to) = ports(packet.payload)?;
    Some(Tuple {
        local: (packet.destination, to),
        remote: (packet.source, from),
    })
}

/// Reads a datagram. Returns its ends and its payload. `verified` if the device has checked the
/// checksum.
pub fn datagram<'a>(packet: &Packet<'a>, verified: bool) -> Option<(Tuple, &'a [u8])> {
    let udp = UdpPacket::new_checked(packet.payload).ok()?;
    // No checksum at all is a sender's right (RFC 768), unless it uses IPv6 (RFC 8200 section 8.1).
    let none = udp.checksum() == 0;
    if udp.dst_port() == 0 || (none && !packet.destination.is_v4()) {
        return None;
    }
    if !(verified || none || packet.is_undamaged(udp.len().into())) {
        return None;
    }
    let tuple = Tuple {
        local: (packet.destination, udp.dst_port()),
        remote: (packet.source, udp.src_port()),
    };
    Some((tuple, udp.payload()))
}
