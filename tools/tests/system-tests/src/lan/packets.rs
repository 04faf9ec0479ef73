// SPDX-License-Identifier: BSD-2-Clause
//! Packets of hosts that the test plays, and packets of the guest, to whomever they go.

use smoltcp::phy::ChecksumCapabilities;
use smoltcp::wire::{
    ArpOperation, ArpPacket, ArpRepr, EthernetAddress, EthernetFrame, EthernetProtocol,
    EthernetRepr, Icmpv4Packet, Icmpv4Repr, IpAddress, IpProtocol, Ipv4Address, Ipv4Packet,
    Ipv4Repr, TcpControl, TcpPacket, TcpRepr, TcpSeqNumber, UdpPacket, UdpRepr,
};

use crate::link::GUEST_IP;
use crate::link::frames::{ETHERNET, Echo, icmp_echo_request};

/// A host that the test plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Host {
    /// Ethernet address
    pub mac: EthernetAddress,
    /// IP address
    pub ip: Ipv4Address,
}

impl Host {
    /// One of 60,000 hosts of the guest's network; none is Linux or the guest.
    pub fn numbered(number: u16) -> Self {
        let [high, low] = (number + 0x1000).to_be_bytes();
        Self {
            mac: EthernetAddress([2, 0, 0, 1, high, low]),
            ip: Ipv4Address::new(10, 0, high, low),
        }
    }

    fn ethernet(self, to: EthernetAddress, ethertype: EthernetProtocol, payload: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0; ETHERNET + payload.len()];
        let mut frame = EthernetFrame::new_unchecked(&mut bytes);
        EthernetRepr {
            src_addr: self.mac,
            dst_addr: to,
            ethertype,
        }
        .emit(&mut frame);
        frame.payload_mut().copy_from_slice(payload);
        bytes
    }

    /// An ARP request for `target`, or the reply to the host that asked.
    pub fn arp(self, operation: ArpOperation, target: Self) -> Vec<u8> {
        let repr = ArpRepr::EthernetIpv4 {
            operation,
            source_hardware_addr: self.mac,
            source_protocol_addr: self.ip,
            target_hardware_addr: target.mac,
            target_protocol_addr: target.ip,
        };
        let mut payload = vec![0; repr.buffer_len()];
        repr.emit(&mut ArpPacket::new_unchecked(&mut payload));
        let to = match operation {
            ArpOperation::Request => EthernetAddress::BROADCAST,
            _ => target.mac,
        };
        self.ethernet(to, EthernetProtocol::Arp, &payload)
    }

    /// An IPv4 packet to the guest.
    pub fn ipv4(self, to: EthernetAddress, next_header: IpProtocol, payload: &[u8]) -> Vec<u8> {
        let repr = Ipv4Repr {
            src_addr: self.ip,
            dst_addr: GUEST_IP,
            next_header,
            payload_len: payload.len(),
            hop_limit: 64,
        };
        let mut bytes = vec![0; repr.buffer_len() + payload.len()];
        let mut packet = Ipv4Packet::new_unchecked(&mut bytes);
        repr.emit(&mut packet, &ChecksumCapabilities::default());
        packet.payload_mut().copy_from_slice(payload);
        self.ethernet(to, EthernetProtocol::Ipv4, &bytes)
    }

    /// One fragment of a packet to the guest; `offset` in bytes, a multiple of 8.
    pub fn fragment(
        self,
        to: EthernetAddress,
        protocol: IpProtocol,
        ident: u16,
        (offset, more): (u16, bool),
        piece: &[u8],
    ) -> Vec<u8> {
        let mut frame = self.ipv4(to, protocol, piece);
        let mut packet = Ipv4Packet::new_unchecked(&mut frame[ETHERNET..]);
        packet.set_ident(ident);
        packet.set_dont_frag(false);
        packet.set_more_frags(more);
        packet.set_frag_offset(offset);
        packet.fill_checksum();
        frame
    }

    /// A ping.
    pub fn ping(self, to: EthernetAddress, echo: &Echo) -> Vec<u8> {
        self.ipv4(to, IpProtocol::Icmp, &icmp_echo_request(echo))
    }

    /// A datagram.
    pub fn udp(self, to: EthernetAddress, ports: (u16, u16), data: &[u8]) -> Vec<u8> {
        let repr = UdpRepr {
            src_port: ports.0,
            dst_port: ports.1,
        };
        let mut bytes = vec![0; repr.header_len() + data.len()];
        repr.emit(
            &mut UdpPacket::new_unchecked(&mut bytes[..]),
            &IpAddress::Ipv4(self.ip),
            &IpAddress::Ipv4(GUEST_IP),
            data.len(),
            |buffer| buffer.copy_from_slice(data),
            &ChecksumCapabilities::default(),
        );
        self.ipv4(to, IpProtocol::Udp, &bytes)
    }

    /// A segment.
    pub fn tcp(self, to: EthernetAddress, repr: &TcpRepr<'_>) -> Vec<u8> {
        let bytes = self.tcp_bytes(repr);
        self.ipv4(to, IpProtocol::Tcp, &bytes)
    }

    fn tcp_bytes(self, repr: &TcpRepr<'_>) -> Vec<u8> {
        let mut bytes = vec![0; repr.buffer_len()];
        repr.emit(
            &mut TcpPacket::new_unchecked(&mut bytes[..]),
            &IpAddress::Ipv4(self.ip),
            &IpAddress::Ipv4(GUEST_IP),
            &ChecksumCapabilities::default(),
        );
        bytes
    }
}

/// A packet of the guest.
#[derive(Clone, Debug)]
pub struct Packet {
    /// where it goes
    pub to: Host,
    /// what it carries
    pub protocol: IpProtocol,
    /// its payload
    pub payload: Vec<u8>,
    /// the packet itself, header and payload, to be quoted
    pub bytes: Vec<u8>,
}

impl Packet {
    /// Reads a packet of the guest with a right header checksum.
    pub fn read(frame: &[u8]) -> Option<Self> {
        let frame = EthernetFrame::new_checked(frame).ok()?;
        if frame.ethertype() != EthernetProtocol::Ipv4 {
            return None;
        }
        let packet = Ipv4Packet::new_checked(frame.payload()).ok()?;
        let ours = packet.src_addr() == GUEST_IP && packet.verify_checksum();
        let bytes = frame.payload().get(..usize::from(packet.total_len()))?;
        ours.then(|| Self {
            to: Host {
                mac: frame.dst_addr(),
                ip: packet.dst_addr(),
            },
            protocol: packet.next_header(),
            payload: packet.payload().to_vec(),
            bytes: bytes.to_vec(),
        })
    }

    /// The answer to a ping: its sequence number.
    pub fn pong(&self) -> Option<u16> {
        if self.protocol != IpProtocol::Icmp {
            return None;
        }
        let packet = Icmpv4Packet::new_checked(&self.payload[..]).ok()?;
        match Icmpv4Repr::parse(&packet, &ChecksumCapabilities::default()).ok()? {
            Icmpv4Repr::EchoReply { seq_no, .. } => Some(seq_no),
            _ => None,
        }
    }

    /// The datagram: ports from and to, and its data.
    pub fn udp(&self) -> Option<((u16, u16), Vec<u8>)> {
        if self.protocol != IpProtocol::Udp {
            return None;
        }
        let packet = UdpPacket::new_checked(&self.payload[..]).ok()?;
        let repr = UdpRepr::parse(
            &packet,
            &IpAddress::Ipv4(GUEST_IP),
            &IpAddress::Ipv4(self.to.ip),
            &ChecksumCapabilities::default(),
        )
        .ok()?;
        Some(((repr.src_port, repr.dst_port), packet.payload().to_vec()))
    }

    /// The segment.
    pub fn tcp(&self) -> Option<Segment> {
        if self.protocol != IpProtocol::Tcp {
            return None;
        }
        let packet = TcpPacket::new_checked(&self.payload[..]).ok()?;
        let repr = TcpRepr::parse(
            &packet,
            &IpAddress::Ipv4(GUEST_IP),
            &IpAddress::Ipv4(self.to.ip),
            &ChecksumCapabilities::default(),
        )
        .ok()?;
        Some(Segment {
            from: repr.src_port,
            to: repr.dst_port,
            control: repr.control,
            seq: repr.seq_number,
            ack: repr.ack_number,
            payload: repr.payload.to_vec(),
        })
    }
}

/// A segment of the guest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// port of the guest
    pub from: u16,
    /// port of ours
    pub to: u16,
    /// SYN, FIN, RST or none of them
    pub control: TcpControl,
    /// sequence number
    pub seq: TcpSeqNumber,
    /// what it acknowledges
    pub ack: Option<TcpSeqNumber>,
    /// data
    pub payload: Vec<u8>,
}

/// Who asks for which address, if the frame is an ARP request.
pub fn arp_request(frame: &[u8]) -> Option<(Host, Ipv4Address)> {
    arp(frame, ArpOperation::Request)
}

/// Who answers, if the frame is an ARP reply.
pub fn arp_reply(frame: &[u8]) -> Option<Host> {
    arp(frame, ArpOperation::Reply).map(|(host, _)| host)
}

fn arp(frame: &[u8], wanted: ArpOperation) -> Option<(Host, Ipv4Address)> {
    let frame = EthernetFrame::new_checked(frame).ok()?;
    if frame.ethertype() != EthernetProtocol::Arp {
        return None;
    }
    let packet = ArpPacket::new_checked(frame.payload()).ok()?;
    let ArpRepr::EthernetIpv4 {
        operation,
        source_hardware_addr: mac,
        source_protocol_addr: ip,
        target_protocol_addr: target,
        ..
    } = ArpRepr::parse(&packet).ok()?
    else {
        return None;
    };
    (operation == wanted).then_some((Host { mac, ip }, target))
}

/// An ICMP error (RFC 792) that quotes a packet of the guest: its header and 8 bytes. `rest` is the
/// second word, which holds the next hop's MTU where the code is "fragmentation needed".
pub fn icmp_error(kind: u8, code: u8, rest: u32, quoted: &Packet) -> Vec<u8> {
    let header = quoted.bytes.len() - quoted.payload.len();
    let quoted = quoted.bytes.get(..header + 8).unwrap_or(&quoted.bytes);
    let mut bytes = vec![kind, code, 0, 0];
    bytes.extend(rest.to_be_bytes());
    bytes.extend(quoted);
    Icmpv4Packet::new_unchecked(&mut bytes[..]).fill_checksum();
    bytes
}
