// SPDX-License-Identifier: BSD-2-Clause

//! The first header of an IPv6 packet (RFC 8200 section 3), and the checksum of ICMPv6.

use smoltcp::wire::IpProtocol;

use super::address::Address;
use super::checksum::checksum;
use super::output::HEADER6;

/// What it says.
#[derive(Clone, Copy, Debug)]
pub struct Header {
    /// Source address.
    pub source: Address,
    /// Destination address.
    pub destination: Address,
    /// What comes next.
    pub next: IpProtocol,
    /// Routers that the packet may pass.
    pub hops: u8,
    /// The traffic class.
    pub class: u8,
    /// Bytes behind the header.
    pub length: u16,
}

fn address(bytes: &[u8]) -> Option<Address> {
    let octets: [u8; 16] = *bytes.first_chunk()?;
    Some(Address::v6(octets.into()))
}

impl Header {
    /// Reads the header. The length is not compared with what there is.
    pub fn read(packet: &[u8]) -> Option<Header> {
        let &[first, second, _, _, high, low, next, hops, ref ends @ ..] = packet else {
            return None;
        };
        if first >> 4 != 6 {
            return None;
        }
        Some(Header {
            source: address(ends)?,
            destination: address(ends.get(16..)?)?,
            next: next.into(),
            hops,
            class: first << 4 | second >> 4,
            length: u16::from_be_bytes([high, low]),
        })
    }

    /// Writes the header, which a packet has room for; without a flow label.
    pub fn write(&self, packet: &mut [u8]) {
        let header = &mut packet[..HEADER6];
        header[..4].copy_from_slice(&[0x60 | self.class >> 4, self.class << 4, 0, 0]);
        header[4..6].copy_from_slice(&self.length.to_be_bytes());
        header[6..8].copy_from_slice(&[self.next.into(), self.hops]);
        header[8..24].copy_from_slice(&self.source.to_v6().octets());
        header[24..].copy_from_slice(&self.destination.to_v6().octets());
    }
}

/// Writes the checksum of an ICMPv6 message between these addresses.
pub fn seal(message: &mut [u8], ends: (Address, Address)) {
    message[2..4].fill(0);
    let sum = checksum(ends, IpProtocol::Icmpv6.into(), message);
    message[2..4].copy_from_slice(&sum.to_be_bytes());
}
