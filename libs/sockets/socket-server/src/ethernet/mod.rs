// SPDX-License-Identifier: BSD-2-Clause

//! Ethernet: headers (RFC 894), and which host has which address.

pub mod arp;
pub mod gateway;
pub mod ndp;
pub mod neighbours;
pub mod pending;
mod resolve;

/// Bytes of an Ethernet header.
pub const HEADER: usize = 14;
/// The address of all hosts.
pub const BROADCAST: [u8; 6] = [0xff; 6];
/// How the addresses of groups begin (RFC 1112 section 6.4, RFC 2464 section 7).
const GROUPS4: [u8; 3] = [0x01, 0x00, 0x5e];
const GROUPS: [u8; 2] = [0x33, 0x33];

const IPV4_TYPE: u16 = 0x0800;
const IPV6_TYPE: u16 = 0x86dd;
const ARP_TYPE: u16 = 0x0806;

/// A packet's way to the next hop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Hop {
    /// To this machine itself.
    #[default]
    Loopback,
    /// In a frame from one Ethernet address to another.
    Ethernet {
        /// This machine's.
        source: [u8; 6],
        /// The next hop's.
        destination: [u8; 6],
    },
}

impl Hop {
    /// Whether it leads over loopback.
    pub fn loops(self) -> bool {
        self == Hop::Loopback
    }
}

/// A received frame for this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// Whose network card sent it.
    pub sender: [u8; 6],
    /// Whether it went to all hosts of the link, or to a group of them.
    pub to_all: bool,
    /// What it carries.
    pub content: Content<'a>,
}

/// What frames carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content<'a> {
    /// An ARP packet.
    Arp(&'a [u8]),
    /// An IPv4 packet.
    Ipv4(&'a [u8]),
    /// An IPv6 packet.
    Ipv6(&'a [u8]),
}

/// Whether an address is that of one network card.
pub fn is_card(address: [u8; 6]) -> bool {
    address != [0; 6] && address[0] & 1 == 0
}

/// Reads the header of a frame. `own` is this machine's address. `None` if the frame is not for
/// this machine, or nonsense.
pub fn open(frame: &[u8], own: [u8; 6]) -> Option<Frame<'_>> {
    let (header, payload) = frame.split_first_chunk::<HEADER>()?;
    let [to @ .., s0, s1, s2, s3, s4, s5, t0, t1] = *header;
    let sender = [s0, s1, s2, s3, s4, s5];
    let kind = u16::from_be_bytes([t0, t1]);
    // Which groups this machine is in, the packet's destination tells.
    let group = |to: [u8; 6]| match kind {
        IPV4_TYPE => to.starts_with(&GROUPS4),
        IPV6_TYPE => to.starts_with(&GROUPS),
        _ => false,
    };
    let to_all = to != own;
    if !is_card(sender) || (to_all && to != BROADCAST && !group(to)) {
        return None;
    }
    let content = match kind {
        IPV4_TYPE => Content::Ipv4(payload),
        ARP_TYPE => Content::Arp(payload),
        IPV6_TYPE => Content::Ipv6(payload),
        _ => return None,
    };
    Some(Frame {
        sender,
        to_all,
        content,
    })
}

#[inline]
fn emit(frame: &mut [u8], hop: Hop, kind: u16) {
    match hop {
        Hop::Loopback => frame[..12].fill(0),
        Hop::Ethernet {
            source,
            destination,
        } => {
            frame[..6].copy_from_slice(&destination);
            frame[6..12].copy_from_slice(&source);
        }
    }
    frame[12..HEADER].copy_from_slice(&kind.to_be_bytes());
}

/// Writes the header of a frame that carries a packet of IPv4 or of IPv6.
#[inline]
pub fn emit_ip(frame: &mut [u8], hop: Hop, v4: bool) {
    emit(frame, hop, if v4 { IPV4_TYPE } else { IPV6_TYPE });
}

/// Whether a frame of this machine carries an IPv6 packet.
pub fn is_ipv6(frame: &[u8]) -> bool {
    frame.get(12..HEADER) == Some(&IPV6_TYPE.to_be_bytes())
}
