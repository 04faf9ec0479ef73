// SPDX-License-Identifier: BSD-2-Clause
//! Cutting IPv4 packets into fragments and putting them together (RFC 791 section 3.2).

use smoltcp::wire::{EthernetAddress, IpProtocol, Ipv4Packet};

use super::checksum::repair;
use super::frames::{self, ETHERNET};
use super::{GATEWAY_IP, GATEWAY_MAC, GUEST_IP};

/// Payload of a full fragment: what an MTU of 1500 leaves, rounded down to units of 8 bytes.
const FULL: usize = 1480;

/// The frames that carry a payload to the guest, in order.
pub fn cut(mac: EthernetAddress, protocol: IpProtocol, ident: u16, payload: &[u8]) -> Vec<Vec<u8>> {
    let last = payload.len().div_ceil(FULL).saturating_sub(1);
    payload
        .chunks(FULL)
        .enumerate()
        .map(|(number, piece)| {
            let offset = u16::try_from(number * FULL).unwrap_or_default();
            one(mac, protocol, ident, offset, number < last, piece)
        })
        .collect()
}

/// One fragment; `offset` in bytes, a multiple of 8.
pub fn one(
    mac: EthernetAddress,
    protocol: IpProtocol,
    ident: u16,
    offset: u16,
    more: bool,
    piece: &[u8],
) -> Vec<u8> {
    let mut frame = frames::ipv4(mac, protocol, piece);
    if let Some(bytes) = frame.get_mut(ETHERNET..) {
        let mut packet = Ipv4Packet::new_unchecked(bytes);
        packet.set_ident(ident);
        packet.set_dont_frag(false);
        packet.set_more_frags(more);
        packet.set_frag_offset(offset);
        packet.fill_checksum();
    }
    frame
}

/// A packet from the guest that comes in pieces.
#[derive(Debug, Default)]
pub struct Assembly {
    ident: Option<u16>,
    payload: Vec<u8>,
    /// How many bytes have come, and how many there are as soon as the last piece has come.
    received: usize,
    total: Option<usize>,
}

impl Assembly {
    /// Takes a frame; the payload, if this was the last missing piece of it. A piece of another
    /// packet begins anew.
    pub fn add(&mut self, frame: &[u8], protocol: IpProtocol) -> Option<Vec<u8>> {
        let frame = smoltcp::wire::EthernetFrame::new_checked(frame).ok()?;
        let packet = Ipv4Packet::new_checked(frame.payload()).ok()?;
        let for_us = frame.dst_addr() == GATEWAY_MAC
            && packet.src_addr() == GUEST_IP
            && packet.dst_addr() == GATEWAY_IP
            && packet.next_header() == protocol;
        if !for_us || !packet.verify_checksum() {
            return None;
        }
        if self.ident != Some(packet.ident()) {
            *self = Self {
                ident: Some(packet.ident()),
                ..Self::default()
            };
        }
        let start = usize::from(packet.frag_offset());
        let end = start + packet.payload().len();
        if self.payload.len() < end {
            self.payload.resize(end, 0);
        }
        self.payload
            .get_mut(start..end)?
            .copy_from_slice(packet.payload());
        self.received += packet.payload().len();
        if !packet.more_frags() {
            self.total = Some(end);
        }
        (self.total == Some(self.received)).then(|| std::mem::take(self).payload)
    }
}

/// Makes the checksum of a transport protocol right that spans several fragments.
pub fn with_checksum(mac: EthernetAddress, protocol: IpProtocol, payload: &[u8]) -> Vec<u8> {
    // Built as one packet, longer than a frame may be, which `repair` does not mind.
    let mut frame = frames::ipv4(mac, protocol, payload);
    repair(&mut frame);
    frame.split_off(ETHERNET + frames::IPV4)
}

#[cfg(test)]
mod self_tests {
    use super::*;

    #[test]
    fn pieces_fit_together_in_any_order() {
        let payload = host_peer::contents::random(1, 5000);
        let mac = EthernetAddress([2, 0, 0, 0, 0, 1]);
        let mut pieces = cut(mac, IpProtocol::Icmp, 7, &payload);
        assert_eq!(pieces.len(), 4);
        pieces.swap(0, 3);
        // Turned round, as if the guest had sent them.
        for piece in &mut pieces {
            piece[..6].copy_from_slice(&GATEWAY_MAC.0);
            let mut packet = Ipv4Packet::new_unchecked(&mut piece[ETHERNET..]);
            packet.set_src_addr(GUEST_IP);
            packet.set_dst_addr(GATEWAY_IP);
            packet.fill_checksum();
        }
        let mut assembly = Assembly::default();
        let whole: Vec<_> = pieces
            .iter()
            .filter_map(|piece| assembly.add(piece, IpProtocol::Icmp))
            .collect();
        assert_eq!(whole, [payload]);
    }
}
