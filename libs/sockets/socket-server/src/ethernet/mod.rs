// SPDX-License-Identifier: BSD-2-Clause

//! Ethernet headers and ARP packets (RFC 894, RFC 826), read and written.

pub mod gateway;
pub mod neighbours;
pub mod pending;
mod search;

use core::net::Ipv4Addr;

use crate::counters::Counters;
use crate::frames::TxQueue;

/// Bytes of an Ethernet header.
pub const HEADER: usize = 14;
/// Bytes of an ARP packet for IPv4 over Ethernet.
const ARP: usize = 28;
/// The address of all hosts.
pub const BROADCAST: [u8; 6] = [0xff; 6];

const IPV4_TYPE: u16 = 0x0800;
const ARP_TYPE: u16 = 0x0806;
/// Ethernet, IPv4, and the lengths of their addresses: how every ARP packet begins that is
/// understood.
const ARP_KIND: [u8; 6] = [0, 1, 8, 0, 6, 4];

/// The two ends of a frame's journey.
#[derive(Clone, Copy, Debug)]
pub struct Hop {
    /// This machine's Ethernet address.
    pub source: [u8; 6],
    /// The next hop's.
    pub destination: [u8; 6],
}

/// A received frame for this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// Whose network card sent it.
    pub sender: [u8; 6],
    /// Whether it went to all hosts of the link.
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
}

/// Whether an address is that of one network card.
#[must_use]
pub fn is_card(address: [u8; 6]) -> bool {
    address != [0; 6] && address[0] & 1 == 0
}

/// Reads the header of a frame. `own` is this machine's address. `None` if the frame is not for
/// this machine, or nonsense.
#[must_use]
pub fn open(frame: &[u8], own: [u8; 6]) -> Option<Frame<'_>> {
    let (header, payload) = frame.split_first_chunk::<HEADER>()?;
    let [to @ .., s0, s1, s2, s3, s4, s5, t0, t1] = *header;
    let sender = [s0, s1, s2, s3, s4, s5];
    let to_all = to == BROADCAST;
    if !is_card(sender) || !(to_all || to == own) {
        return None;
    }
    let content = match u16::from_be_bytes([t0, t1]) {
        IPV4_TYPE => Content::Ipv4(payload),
        ARP_TYPE => Content::Arp(payload),
        _ => return None,
    };
    Some(Frame {
        sender,
        to_all,
        content,
    })
}

fn emit(frame: &mut [u8], hop: Hop, kind: u16) {
    frame[..6].copy_from_slice(&hop.destination);
    frame[6..12].copy_from_slice(&hop.source);
    frame[12..HEADER].copy_from_slice(&kind.to_be_bytes());
}

/// Writes the header of a frame that carries an IPv4 packet.
pub fn emit_ipv4(frame: &mut [u8], hop: Hop) {
    emit(frame, hop, IPV4_TYPE);
}

/// What an ARP packet wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Who has the target's address?
    Request,
    /// The sender has its address.
    Reply,
}

/// An ARP packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arp {
    /// What it wants.
    pub operation: Operation,
    /// The sender's Ethernet address.
    pub sender_mac: [u8; 6],
    /// The sender's address.
    pub sender: Ipv4Addr,
    /// The target's Ethernet address; zeros if it is asked for.
    pub target_mac: [u8; 6],
    /// The target's address.
    pub target: Ipv4Addr,
}

/// Reads an ARP packet.
#[must_use]
pub fn parse_arp(payload: &[u8]) -> Option<Arp> {
    let (packet, _) = payload.split_first_chunk::<ARP>()?;
    let operation = match packet[6..8] {
        [0, 1] => Operation::Request,
        [0, 2] => Operation::Reply,
        _ => return None,
    };
    let mac = |at: usize| <[u8; 6]>::try_from(&packet[at..at + 6]).ok();
    let address = |at: usize| <[u8; 4]>::try_from(&packet[at..at + 4]).ok();
    (packet[..6] == ARP_KIND).then_some(Arp {
        operation,
        sender_mac: mac(8)?,
        sender: address(14)?.into(),
        target_mac: mac(18)?,
        target: address(24)?.into(),
    })
}

/// Sends an ARP packet to one network card. Returns false if no buffer is free.
pub fn send_arp<T: TxQueue>(tx: &mut T, to: [u8; 6], arp: Arp, counters: &mut Counters) -> bool {
    let hop = Hop {
        source: arp.sender_mac,
        destination: to,
    };
    let sent = tx.send(HEADER + ARP, |frame| {
        emit(frame, hop, ARP_TYPE);
        let packet = &mut frame[HEADER..];
        packet[..6].copy_from_slice(&ARP_KIND);
        let operation: u16 = match arp.operation {
            Operation::Request => 1,
            Operation::Reply => 2,
        };
        packet[6..8].copy_from_slice(&operation.to_be_bytes());
        packet[8..14].copy_from_slice(&arp.sender_mac);
        packet[14..18].copy_from_slice(&arp.sender.octets());
        packet[18..24].copy_from_slice(&arp.target_mac);
        packet[24..28].copy_from_slice(&arp.target.octets());
    });
    if sent.is_some() {
        counters.tx_frames += 1;
        counters.tx_bytes += (HEADER + ARP) as u64;
    }
    sent.is_some()
}
