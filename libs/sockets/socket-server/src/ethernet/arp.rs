// SPDX-License-Identifier: BSD-2-Clause

//! ARP packets (RFC 826), read and written.

use core::net::Ipv4Addr;

use super::{ARP_TYPE, HEADER, Hop, emit};
use crate::counters::{Counter, Counters};
use crate::frames::TxQueue;

/// Bytes of an ARP packet for IPv4 over Ethernet.
const ARP: usize = 28;
/// Ethernet, IPv4, and the lengths of their addresses: how every ARP packet begins that is
/// understood.
const ARP_KIND: [u8; 6] = [0, 1, 8, 0, 6, 4];

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
pub fn parse(payload: &[u8]) -> Option<Arp> {
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
pub fn send<T: TxQueue>(tx: &mut T, to: [u8; 6], arp: Arp, stats: Counters) -> bool {
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
        stats.inc(Counter::TxFrames);
        stats.add(Counter::TxBytes, (HEADER + ARP) as u64);
    }
    sent.is_some()
}
