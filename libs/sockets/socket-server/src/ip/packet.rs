// SPDX-License-Identifier: BSD-2-Clause

//! Reads the headers of received IPv4 packets, and of the datagrams in them.

use core::net::Ipv4Addr;

use smoltcp::wire::{IpProtocol, Ipv4Packet, UdpPacket};

use super::checksum::checksum;
use super::interface::Interface;
use super::reassembly::{Fragment, FragmentKey};
use crate::ethernet::Hop;
use crate::tables::map::{Key, mix};

/// Address and port.
pub type Endpoint = (Ipv4Addr, u16);

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
        local: (Ipv4Addr::UNSPECIFIED, 0),
        remote: (Ipv4Addr::UNSPECIFIED, 0),
    };

    /// Of its packets that leave: source and destination.
    pub fn addresses(&self) -> (Ipv4Addr, Ipv4Addr) {
        (self.local.0, self.remote.0)
    }
}

/// An end of a connection as a number.
pub fn word((address, port): Endpoint) -> u64 {
    u64::from(address.to_bits()) << 16 | u64::from(port)
}

impl Key for Tuple {
    fn hash(&self, seed: u64) -> u64 {
        mix(mix(seed, word(self.local)), word(self.remote))
    }
}

/// A received IPv4 packet for this machine; the header is right.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    /// The packet, without what the frame is padded with.
    pub bytes: &'a [u8],
    /// The way that answers take: to where it came from.
    pub back: Hop,
    /// Source address.
    pub source: Ipv4Addr,
    /// Destination address.
    pub destination: Ipv4Addr,
    /// Whether it went to all hosts.
    pub to_all: bool,
    /// What the payload is.
    pub protocol: IpProtocol,
    /// Behind the header.
    pub payload: &'a [u8],
    /// If the payload is a part only: which.
    pub fragment: Option<Fragment>,
}

impl Packet<'_> {
    /// Whether its payload, up to a length, is as its checksum says.
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
    let (offset, more) = (usize::from(packet.frag_offset()), packet.more_frags());
    let fragment = (offset > 0 || more).then(|| Fragment {
        key: FragmentKey {
            source,
            destination,
            protocol: protocol.into(),
            ident: packet.ident(),
        },
        offset,
        more,
    });
    Some(Packet {
        bytes: &bytes[..usize::from(packet.total_len())],
        back,
        source,
        destination,
        to_all: interface.is_some_and(|interface| interface.is_broadcast(destination)),
        protocol,
        payload: packet.payload(),
        fragment,
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
    // No checksum at all is a sender's right (RFC 768).
    let unchecked = verified || udp.checksum() == 0;
    if udp.dst_port() == 0 || !(unchecked || packet.is_undamaged(udp.len().into())) {
        return None;
    }
    let tuple = Tuple {
        local: (packet.destination, udp.dst_port()),
        remote: (packet.source, udp.src_port()),
    };
    Some((tuple, udp.payload()))
}
