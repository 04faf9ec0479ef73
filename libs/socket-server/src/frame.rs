// SPDX-License-Identifier: BSD-2-Clause

//! Looks at a received frame just enough to find the socket that it is for. smoltcp then parses it in full, checksums
//! included: what is read here only chooses a table entry.

use core::net::Ipv4Addr;

use smoltcp::wire::{
    ArpOperation, ArpPacket, ArpRepr, EthernetFrame, EthernetProtocol, Icmpv4Message, Icmpv4Packet,
    IpProtocol, Ipv4Packet,
};

use crate::map::{Key, mix};

/// The four values that name a TCP connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tuple {
    /// This machine's address.
    pub local: (Ipv4Addr, u16),
    /// The peer's.
    pub remote: (Ipv4Addr, u16),
}

fn word((address, port): (Ipv4Addr, u16)) -> u64 {
    u64::from(address.to_bits()) << 16 | u64::from(port)
}

impl Key for Tuple {
    fn hash(&self, seed: u64) -> u64 {
        mix(mix(seed, word(self.local)), word(self.remote))
    }
}

/// Names a datagram of which fragments come (RFC 791 section 3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FragmentKey {
    source: Ipv4Addr,
    destination: Ipv4Addr,
    protocol: u8,
    ident: u16,
}

/// Which part of a datagram a frame has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// All of it.
    Whole,
    /// The first fragment: the ports are in it.
    First(FragmentKey),
    /// Another fragment.
    Later(FragmentKey),
}

/// What an ICMP message says about a packet that this machine sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unreachable {
    /// The protocol of the packet.
    pub protocol: IpProtocol,
    /// Its source and destination, ours first.
    pub tuple: Tuple,
    /// The code of the message (RFC 792, type 3).
    pub code: u8,
}

/// What a frame carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// TCP.
    Tcp {
        /// Who with whom.
        tuple: Tuple,
    },
    /// UDP.
    Udp {
        /// Sender.
        remote: (Ipv4Addr, u16),
        /// Destination, which may be a broadcast address.
        local: (Ipv4Addr, u16),
    },
    /// A packet of ours did not arrive.
    Unreachable(Unreachable),
    /// Whatever else smoltcp may answer: echo requests, unknown protocols.
    Other {
        /// Whether it is an ICMP echo request.
        echo: bool,
    },
    /// A later fragment, whose ports are elsewhere.
    Unknown,
}

/// A frame, sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Not for this host, or nonsense.
    Drop,
    /// An ARP packet; of an answer, who is where.
    Arp {
        /// The sender of an ARP reply.
        answer: Option<(Ipv4Addr, [u8; 6])>,
    },
    /// An IPv4 packet.
    Ipv4 {
        /// How much of a datagram it is.
        part: Part,
        /// What it carries.
        content: Content,
    },
}

/// Sorts a frame. `own` is this machine's address.
#[must_use]
pub fn classify(frame: &[u8], own: Ipv4Addr) -> Class {
    let Ok(ethernet) = EthernetFrame::new_checked(frame) else {
        return Class::Drop;
    };
    match ethernet.ethertype() {
        EthernetProtocol::Arp => classify_arp(ethernet.payload()),
        EthernetProtocol::Ipv4 => classify_ipv4(ethernet.payload(), own),
        _ => Class::Drop,
    }
}

fn classify_arp(payload: &[u8]) -> Class {
    let Ok(ArpRepr::EthernetIpv4 {
        operation,
        source_hardware_addr,
        source_protocol_addr,
        ..
    }) = ArpPacket::new_checked(payload).and_then(|packet| ArpRepr::parse(&packet))
    else {
        return Class::Drop;
    };
    let answer = (operation == ArpOperation::Reply)
        .then_some((source_protocol_addr, source_hardware_addr.0));
    Class::Arp { answer }
}

fn ports(payload: &[u8]) -> Option<(u16, u16)> {
    match *payload {
        [a, b, c, d, ..] => Some((u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]))),
        _ => None,
    }
}

fn classify_ipv4(payload: &[u8], own: Ipv4Addr) -> Class {
    let Ok(packet) = Ipv4Packet::new_checked(payload) else {
        return Class::Drop;
    };
    let (source, destination) = (packet.src_addr(), packet.dst_addr());
    // Nobody else sends with this machine's address, and answers must not go to groups.
    if source == own || source.is_multicast() || source.is_broadcast() {
        return Class::Drop;
    }
    let key = FragmentKey {
        source,
        destination,
        protocol: packet.next_header().into(),
        ident: packet.ident(),
    };
    let part = match (packet.frag_offset(), packet.more_frags()) {
        (0, false) => Part::Whole,
        (0, true) => Part::First(key),
        _ => Part::Later(key),
    };
    if let Part::Later(_) = part {
        let content = Content::Unknown;
        return Class::Ipv4 { part, content };
    }
    let content = match packet.next_header() {
        IpProtocol::Tcp => classify_tcp(packet.payload(), source, destination, own),
        IpProtocol::Udp => ports(packet.payload()).map(|(from, to)| Content::Udp {
            remote: (source, from),
            local: (destination, to),
        }),
        IpProtocol::Icmp => Some(classify_icmp(packet.payload(), own)),
        _ => Some(Content::Other { echo: false }),
    };
    match content {
        Some(content) => Class::Ipv4 { part, content },
        None => Class::Drop,
    }
}

fn classify_tcp(
    payload: &[u8],
    source: Ipv4Addr,
    destination: Ipv4Addr,
    own: Ipv4Addr,
) -> Option<Content> {
    // TCP has no groups, and a reset must not come from a broadcast address (RFC 1122 section 4.2.3.10).
    if destination != own || source.is_unspecified() {
        return None;
    }
    let (from, to) = ports(payload)?;
    Some(Content::Tcp {
        tuple: Tuple {
            local: (destination, to),
            remote: (source, from),
        },
    })
}

fn classify_icmp(payload: &[u8], own: Ipv4Addr) -> Content {
    let other = Content::Other { echo: false };
    let Ok(packet) = Icmpv4Packet::new_checked(payload) else {
        return other;
    };
    match packet.msg_type() {
        Icmpv4Message::EchoRequest => Content::Other { echo: true },
        Icmpv4Message::DstUnreachable if packet.verify_checksum() => {
            unreachable(&packet, own).map_or(other, Content::Unreachable)
        }
        _ => other,
    }
}

/// Reads the packet that an ICMP error quotes: its header and at least 8 bytes (RFC 792).
fn unreachable(packet: &Icmpv4Packet<&[u8]>, own: Ipv4Addr) -> Option<Unreachable> {
    // The quoted packet is cut off, so that its length field promises more than there is: `new_checked` would refuse it.
    let quoted = packet.data();
    let header = usize::from(quoted.first()? & 0x0f) * 4;
    if quoted.first()? >> 4 != 4 || header < 20 {
        return None;
    }
    let (from, to) = ports(quoted.get(header..)?)?;
    let address = |at: usize| {
        let bytes: [u8; 4] = quoted.get(at..at + 4)?.try_into().ok()?;
        Some(Ipv4Addr::from(bytes))
    };
    let (source, destination) = (address(12)?, address(16)?);
    (source == own).then_some(Unreachable {
        protocol: IpProtocol::from(*quoted.get(9)?),
        tuple: Tuple {
            local: (source, from),
            remote: (destination, to),
        },
        code: packet.msg_code(),
    })
}
