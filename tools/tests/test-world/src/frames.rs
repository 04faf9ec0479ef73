// SPDX-License-Identifier: BSD-2-Clause

//! Frames of any host, byte by byte.

use std::net::{Ipv4Addr, Ipv6Addr};

use smoltcp::wire::{Icmpv4Packet, Icmpv6Packet, IpAddress, Ipv4Packet, UdpPacket};

/// Flag of an IPv4 header: more fragments follow.
pub const MORE: u16 = 0x2000;

/// An Ethernet frame; `kind` is its EtherType.
pub fn ethernet(from: [u8; 6], to: [u8; 6], kind: u16, payload: &[u8]) -> Vec<u8> {
    let mut frame = to.to_vec();
    frame.extend_from_slice(&from);
    frame.extend_from_slice(&kind.to_be_bytes());
    frame.extend_from_slice(payload);
    frame
}

/// An IPv4 packet that is no fragment.
pub fn ipv4(from: Ipv4Addr, to: Ipv4Addr, protocol: u8, payload: &[u8]) -> Vec<u8> {
    fragment(from, to, protocol, 0, 0, payload)
}

/// `part` is flags and offset, as they stand in the header.
pub fn fragment(
    from: Ipv4Addr,
    to: Ipv4Addr,
    protocol: u8,
    ident: u16,
    part: u16,
    payload: &[u8],
) -> Vec<u8> {
    let mut packet = vec![0x45, 0];
    packet.extend_from_slice(&(20 + payload.len() as u16).to_be_bytes());
    packet.extend_from_slice(&ident.to_be_bytes());
    packet.extend_from_slice(&part.to_be_bytes());
    packet.extend_from_slice(&[64, protocol, 0, 0]);
    packet.extend_from_slice(&from.octets());
    packet.extend_from_slice(&to.octets());
    packet.extend_from_slice(payload);
    Ipv4Packet::new_unchecked(&mut packet[..]).fill_checksum();
    packet
}

/// An IPv4 packet with a UDP datagram.
pub fn udp(from: (Ipv4Addr, u16), to: (Ipv4Addr, u16), payload: &[u8]) -> Vec<u8> {
    let mut datagram = vec![0; 8];
    datagram.extend_from_slice(payload);
    let length = datagram.len() as u16;
    let mut udp = UdpPacket::new_unchecked(&mut datagram[..]);
    udp.set_src_port(from.1);
    udp.set_dst_port(to.1);
    udp.set_len(length);
    udp.fill_checksum(&IpAddress::Ipv4(from.0), &IpAddress::Ipv4(to.0));
    ipv4(from.0, to.0, 17, &datagram)
}

/// An ICMP message; `rest` is the second half of its header (RFC 792).
pub fn icmp(kind: u8, code: u8, rest: [u8; 4], data: &[u8]) -> Vec<u8> {
    let mut message = vec![kind, code, 0, 0];
    message.extend_from_slice(&rest);
    message.extend_from_slice(data);
    Icmpv4Packet::new_unchecked(&mut message[..]).fill_checksum();
    message
}

/// An IPv6 packet.
pub fn ipv6(from: Ipv6Addr, to: Ipv6Addr, next: u8, hops: u8, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x60, 0, 0, 0];
    packet.extend_from_slice(&(payload.len() as u16).to_be_bytes());
    packet.extend_from_slice(&[next, hops]);
    packet.extend_from_slice(&from.octets());
    packet.extend_from_slice(&to.octets());
    packet.extend_from_slice(payload);
    packet
}

/// A UDP datagram for an IPv6 packet.
pub fn udp6(from: (Ipv6Addr, u16), to: (Ipv6Addr, u16), payload: &[u8]) -> Vec<u8> {
    let mut datagram = vec![0; 8];
    datagram.extend_from_slice(payload);
    let length = datagram.len() as u16;
    let mut udp = UdpPacket::new_unchecked(&mut datagram[..]);
    udp.set_src_port(from.1);
    udp.set_dst_port(to.1);
    udp.set_len(length);
    udp.fill_checksum(&IpAddress::Ipv6(from.0), &IpAddress::Ipv6(to.0));
    datagram
}

/// An ICMPv6 message in its packet; `rest` is the second half of its header (RFC 4443).
pub fn icmp6(
    (from, to): (Ipv6Addr, Ipv6Addr),
    hops: u8,
    [kind, code]: [u8; 2],
    rest: [u8; 4],
    data: &[u8],
) -> Vec<u8> {
    let mut message = vec![kind, code, 0, 0];
    message.extend_from_slice(&rest);
    message.extend_from_slice(data);
    Icmpv6Packet::new_unchecked(&mut message[..]).fill_checksum(&from, &to);
    ipv6(from, to, 58, hops, &message)
}

/// The IPv6 packet in a frame.
pub fn packet6(frame: &[u8]) -> Option<&[u8]> {
    (frame.get(12..14)? == [0x86, 0xdd]).then_some(&frame[14..])
}

/// An ARP packet; `operation` is 1 for a request, 2 for a reply.
pub fn arp(operation: u8, from: ([u8; 6], Ipv4Addr), to: ([u8; 6], Ipv4Addr)) -> Vec<u8> {
    let mut packet = vec![0, 1, 8, 0, 6, 4, 0, operation];
    packet.extend_from_slice(&from.0);
    packet.extend_from_slice(&from.1.octets());
    packet.extend_from_slice(&to.0);
    packet.extend_from_slice(&to.1.octets());
    packet
}

/// The IPv4 packet in a frame.
pub fn packet(frame: &[u8]) -> Option<&[u8]> {
    (frame.get(12..14)? == [8, 0]).then_some(&frame[14..])
}

/// Of a frame with this protocol: where it goes, and the payload of its packet.
pub fn payload(frame: &[u8], protocol: u8) -> Option<([u8; 6], Ipv4Addr, &[u8])> {
    let packet = packet(frame)?;
    let to: [u8; 4] = packet.get(16..20)?.try_into().ok()?;
    let mac = frame[..6].try_into().ok()?;
    (packet[9] == protocol).then_some((mac, to.into(), &packet[20..]))
}

/// The host that a frame asks for, if it is an ARP request, and the address that it goes to.
pub fn asked(frame: &[u8]) -> Option<(Ipv4Addr, [u8; 6])> {
    let packet = frame.get(14..42)?;
    let target: [u8; 4] = packet[24..28].try_into().ok()?;
    let request = frame[12..14] == [8, 6] && packet[7] == 1;
    request.then_some((target.into(), frame[..6].try_into().ok()?))
}
