// SPDX-License-Identifier: BSD-2-Clause

//! ARP packets (RFC 826).

use core::net::Ipv4Addr;

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::{ARP_TYPE, HEADER, Hop, emit};
use crate::counters::{Counter, Counters};
use crate::frames::TxQueue;

/// Ethernet, IPv4, and the lengths of their addresses: how every ARP packet begins that is
/// understood.
const KIND: [u8; 6] = [0, 1, 8, 0, 6, 4];
/// Who has the target's address?
pub const REQUEST: [u8; 2] = [0, 1];
/// The sender has its address.
pub const REPLY: [u8; 2] = [0, 2];

/// An ARP packet for IPv4 over Ethernet, as it lies in a frame.
#[derive(Clone, Copy, FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned)]
#[repr(C)]
pub struct Arp {
    kind: [u8; 6],
    /// [`REQUEST`] or [`REPLY`].
    pub operation: [u8; 2],
    /// The sender's Ethernet address.
    pub sender_mac: [u8; 6],
    /// The sender's address.
    pub sender: [u8; 4],
    /// The target's Ethernet address; zeros if it is asked for.
    pub target_mac: [u8; 6],
    /// The target's address.
    pub target: [u8; 4],
}

impl Arp {
    /// A packet from one host to another; each has an Ethernet address and an address.
    pub fn new(operation: [u8; 2], from: ([u8; 6], Ipv4Addr), to: ([u8; 6], Ipv4Addr)) -> Self {
        Arp {
            kind: KIND,
            operation,
            sender_mac: from.0,
            sender: from.1.octets(),
            target_mac: to.0,
            target: to.1.octets(),
        }
    }

    /// Reads an ARP packet.
    pub fn parse(payload: &[u8]) -> Option<Arp> {
        let (arp, _) = Arp::read_from_prefix(payload).ok()?;
        (arp.kind == KIND && matches!(arp.operation, REQUEST | REPLY)).then_some(arp)
    }

    /// Sends it to one network card. Returns false if no buffer is free.
    pub fn send<T: TxQueue>(&self, to: [u8; 6], tx: &mut T, stats: Counters) -> bool {
        let hop = Hop::Ethernet {
            source: self.sender_mac,
            destination: to,
        };
        let length = HEADER + size_of::<Arp>();
        let sent = tx.send(length, |frame| {
            emit(frame, hop, ARP_TYPE);
            frame[HEADER..].copy_from_slice(self.as_bytes());
        });
        if sent.is_some() {
            stats.inc(Counter::TxFrames);
            stats.add(Counter::TxBytes, length as u64);
        }
        sent.is_some()
    }
}
