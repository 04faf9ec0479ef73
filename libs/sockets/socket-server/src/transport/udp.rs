// SPDX-License-Identifier: BSD-2-Clause

//! The checks of a received datagram.

use smoltcp::wire::{IpAddress, UdpPacket};

use crate::ip::packet::{Packet, Tuple};

/// Reads a datagram. Returns its ends and its payload. `verified` if the device has checked the checksum.
pub(crate) fn parse<'a>(packet: &Packet<'a>, verified: bool) -> Option<(Tuple, &'a [u8])> {
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
    let tuple = Tuple {
        local: (packet.destination, udp.dst_port()),
        remote: (packet.source, udp.src_port()),
    };
    Some((tuple, udp.payload()))
}
