// SPDX-License-Identifier: BSD-2-Clause
//! Building and reading Ethernet frames. What is read counts only if all its checksums are right.

use smoltcp::phy::ChecksumCapabilities;
use smoltcp::wire::{
    ArpOperation, ArpPacket, ArpRepr, EthernetAddress, EthernetFrame, EthernetProtocol,
    EthernetRepr, Icmpv4Packet, Icmpv4Repr, IpAddress, IpProtocol, Ipv4Address, Ipv4Packet,
    Ipv4Repr, PrettyPrinter, TcpPacket, TcpRepr, UdpPacket, UdpRepr,
};

use super::{GATEWAY_IP, GATEWAY_MAC, GUEST_IP};

/// Length of an Ethernet header.
pub const ETHERNET: usize = 14;
/// Length of an IPv4 header without options (RFC 791 section 3.1).
pub const IPV4: usize = 20;

/// Who asked by ARP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asker {
    /// Ethernet address
    pub mac: EthernetAddress,
    /// IP address
    pub ip: Ipv4Address,
}

fn checksums() -> ChecksumCapabilities {
    ChecksumCapabilities::default()
}

/// A frame from us with this payload.
pub fn ethernet(to: EthernetAddress, ethertype: EthernetProtocol, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; ETHERNET + payload.len()];
    let mut frame = EthernetFrame::new_unchecked(&mut bytes);
    EthernetRepr {
        src_addr: GATEWAY_MAC,
        dst_addr: to,
        ethertype,
    }
    .emit(&mut frame);
    frame.payload_mut().copy_from_slice(payload);
    bytes
}

fn arp(to: EthernetAddress, operation: ArpOperation, target: Asker) -> Vec<u8> {
    let repr = ArpRepr::EthernetIpv4 {
        operation,
        source_hardware_addr: GATEWAY_MAC,
        source_protocol_addr: GATEWAY_IP,
        target_hardware_addr: target.mac,
        target_protocol_addr: target.ip,
    };
    let mut payload = vec![0; repr.buffer_len()];
    repr.emit(&mut ArpPacket::new_unchecked(&mut payload));
    ethernet(to, EthernetProtocol::Arp, &payload)
}

/// The gateway's answer to an ARP request.
pub fn arp_reply(asker: Asker) -> Vec<u8> {
    arp(asker.mac, ArpOperation::Reply, asker)
}

/// The gateway asks everybody for an address.
pub fn arp_request(ip: Ipv4Address) -> Vec<u8> {
    let mac = EthernetAddress([0; 6]);
    arp(
        EthernetAddress::BROADCAST,
        ArpOperation::Request,
        Asker { mac, ip },
    )
}

fn read_arp(frame: &[u8]) -> Option<(ArpOperation, Asker, Ipv4Address)> {
    let frame = EthernetFrame::new_checked(frame).ok()?;
    if frame.ethertype() != EthernetProtocol::Arp {
        return None;
    }
    let packet = ArpPacket::new_checked(frame.payload()).ok()?;
    let ArpRepr::EthernetIpv4 {
        operation,
        source_hardware_addr: mac,
        source_protocol_addr: ip,
        target_protocol_addr,
        ..
    } = ArpRepr::parse(&packet).ok()?
    else {
        return None;
    };
    (mac == frame.src_addr()).then_some((operation, Asker { mac, ip }, target_protocol_addr))
}

/// Who asks for this address, if the frame is an ARP request for it.
pub fn arp_request_for(frame: &[u8], ip: Ipv4Address) -> Option<Asker> {
    let (operation, asker, target) = read_arp(frame)?;
    (operation == ArpOperation::Request && target == ip).then_some(asker)
}

/// The Ethernet address of `ip`, if the frame is the answer to our ARP request for it.
pub fn arp_reply_from(frame: &[u8], ip: Ipv4Address) -> Option<EthernetAddress> {
    let (operation, sender, target) = read_arp(frame)?;
    (operation == ArpOperation::Reply && sender.ip == ip && target == GATEWAY_IP)
        .then_some(sender.mac)
}

/// An IPv4 packet from the gateway to `destination`.
pub fn ipv4_to(
    mac: EthernetAddress,
    destination: Ipv4Address,
    next_header: IpProtocol,
    payload: &[u8],
) -> Vec<u8> {
    let repr = Ipv4Repr {
        src_addr: GATEWAY_IP,
        dst_addr: destination,
        next_header,
        payload_len: payload.len(),
        hop_limit: 64,
    };
    let mut bytes = vec![0; repr.buffer_len() + payload.len()];
    let mut packet = Ipv4Packet::new_unchecked(&mut bytes);
    repr.emit(&mut packet, &checksums());
    packet.payload_mut().copy_from_slice(payload);
    ethernet(mac, EthernetProtocol::Ipv4, &bytes)
}

/// An IPv4 packet from the gateway to the guest.
pub fn ipv4(mac: EthernetAddress, next_header: IpProtocol, payload: &[u8]) -> Vec<u8> {
    ipv4_to(mac, GUEST_IP, next_header, payload)
}

/// The payload of an IPv4 packet from the guest to the gateway.
pub fn read_ipv4(frame: &[u8], next_header: IpProtocol) -> Option<Vec<u8>> {
    let frame = EthernetFrame::new_checked(frame).ok()?;
    if frame.ethertype() != EthernetProtocol::Ipv4 || frame.dst_addr() != GATEWAY_MAC {
        return None;
    }
    let packet = Ipv4Packet::new_checked(frame.payload()).ok()?;
    let repr = Ipv4Repr::parse(&packet, &checksums()).ok()?;
    let ours = repr.src_addr == GUEST_IP && repr.dst_addr == GATEWAY_IP;
    (ours && repr.next_header == next_header).then(|| packet.payload().to_vec())
}

/// An ICMP echo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Echo {
    /// identifier
    pub ident: u16,
    /// sequence number
    pub sequence: u16,
    /// payload
    pub data: Vec<u8>,
}

/// The ICMP part of a ping.
pub fn icmp_echo_request(echo: &Echo) -> Vec<u8> {
    let repr = Icmpv4Repr::EchoRequest {
        ident: echo.ident,
        seq_no: echo.sequence,
        data: &echo.data,
    };
    let mut bytes = vec![0; repr.buffer_len()];
    repr.emit(
        &mut Icmpv4Packet::new_unchecked(&mut bytes[..]),
        &checksums(),
    );
    bytes
}

/// A ping.
pub fn ping(mac: EthernetAddress, echo: &Echo) -> Vec<u8> {
    ipv4(mac, IpProtocol::Icmp, &icmp_echo_request(echo))
}

/// The answer to a ping.
pub fn read_pong(frame: &[u8]) -> Option<Echo> {
    let bytes = read_ipv4(frame, IpProtocol::Icmp)?;
    let packet = Icmpv4Packet::new_checked(&bytes[..]).ok()?;
    match Icmpv4Repr::parse(&packet, &checksums()).ok()? {
        Icmpv4Repr::EchoReply {
            ident,
            seq_no,
            data,
        } => Some(Echo {
            ident,
            sequence: seq_no,
            data: data.to_vec(),
        }),
        _ => None,
    }
}

/// Whether the frame says that nobody has the UDP port (RFC 792: type 3, code 3).
pub fn is_port_unreachable(frame: &[u8]) -> bool {
    let bytes = read_ipv4(frame, IpProtocol::Icmp);
    bytes.is_some_and(|bytes| bytes.starts_with(&[3, 3]))
}

/// A UDP datagram from the gateway to the guest.
pub fn udp(mac: EthernetAddress, from: u16, to: u16, data: &[u8]) -> Vec<u8> {
    let repr = UdpRepr {
        src_port: from,
        dst_port: to,
    };
    let mut bytes = vec![0; repr.header_len() + data.len()];
    repr.emit(
        &mut UdpPacket::new_unchecked(&mut bytes[..]),
        &IpAddress::Ipv4(GATEWAY_IP),
        &IpAddress::Ipv4(GUEST_IP),
        data.len(),
        |buffer| buffer.copy_from_slice(data),
        &checksums(),
    );
    ipv4(mac, IpProtocol::Udp, &bytes)
}

/// The contents of a datagram from one of the guest's ports to one of ours.
pub fn read_udp(frame: &[u8], from: u16, to: u16) -> Option<Vec<u8>> {
    let bytes = read_ipv4(frame, IpProtocol::Udp)?;
    let packet = UdpPacket::new_checked(&bytes[..]).ok()?;
    let (source, destination) = (IpAddress::Ipv4(GUEST_IP), IpAddress::Ipv4(GATEWAY_IP));
    let repr = UdpRepr::parse(&packet, &source, &destination, &checksums()).ok()?;
    (repr.src_port == from && repr.dst_port == to).then(|| packet.payload().to_vec())
}

/// A TCP segment from the gateway to the guest.
pub fn tcp(mac: EthernetAddress, repr: &TcpRepr<'_>) -> Vec<u8> {
    let mut bytes = vec![0; repr.buffer_len()];
    repr.emit(
        &mut TcpPacket::new_unchecked(&mut bytes[..]),
        &IpAddress::Ipv4(GATEWAY_IP),
        &IpAddress::Ipv4(GUEST_IP),
        &checksums(),
    );
    ipv4(mac, IpProtocol::Tcp, &bytes)
}

/// Hands a TCP segment from one of the guest's ports to one of ours to `read`.
pub fn read_tcp<T>(
    frame: &[u8],
    from: u16,
    to: u16,
    read: impl FnOnce(&TcpRepr<'_>) -> Option<T>,
) -> Option<T> {
    let bytes = read_ipv4(frame, IpProtocol::Tcp)?;
    let packet = TcpPacket::new_checked(&bytes[..]).ok()?;
    let (source, destination) = (IpAddress::Ipv4(GUEST_IP), IpAddress::Ipv4(GATEWAY_IP));
    let repr = TcpRepr::parse(&packet, &source, &destination, &checksums()).ok()?;
    (repr.src_port == from && repr.dst_port == to).then(|| read(&repr))?
}

/// A frame in words.
pub fn describe(frame: &[u8]) -> String {
    PrettyPrinter::<EthernetFrame<&[u8]>>::new("", &frame)
        .to_string()
        .replace('\n', " ")
}

#[cfg(test)]
mod self_tests {
    use super::*;

    const MAC: EthernetAddress = EthernetAddress([2, 0, 0, 0, 0, 1]);

    #[test]
    fn our_own_requests_are_not_answers() {
        let echo = Echo {
            ident: 1,
            sequence: 2,
            data: vec![3; 40],
        };
        assert_eq!(read_pong(&ping(MAC, &echo)), None);
        assert_eq!(read_udp(&udp(MAC, 7, 7, b"x"), 7, 7), None);
        assert_eq!(
            arp_request_for(&arp_request(GUEST_IP), GUEST_IP).map(|a| a.mac),
            Some(GATEWAY_MAC)
        );
        assert_eq!(arp_reply_from(&arp_request(GUEST_IP), GATEWAY_IP), None);
    }

    #[test]
    fn a_ping_is_a_valid_packet() {
        let echo = Echo {
            ident: 1,
            sequence: 2,
            data: vec![3; 40],
        };
        let frame = ping(MAC, &echo);
        let packet = Ipv4Packet::new_checked(&frame[ETHERNET..]).unwrap();
        assert!(packet.verify_checksum());
        let icmp = Icmpv4Packet::new_checked(packet.payload()).unwrap();
        assert!(icmp.verify_checksum());
        assert_eq!((icmp.echo_ident(), icmp.echo_seq_no()), (1, 2));
    }
}
