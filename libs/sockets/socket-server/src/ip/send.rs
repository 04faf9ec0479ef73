// SPDX-License-Identifier: BSD-2-Clause

//! Writes IPv4 packets, in fragments if need be, and UDP datagrams.

use core::net::Ipv4Addr;

use smoltcp::wire::{IpAddress, IpProtocol, Ipv4Packet, UdpPacket};

use super::packet::Tuple;
use super::paths::Path;
use crate::counters::{Counter, Counters};
use crate::ethernet::{self, Hop};
use crate::frames::TxQueue;

/// Bytes of an IPv4 header without options.
pub const HEADER: usize = 20;
/// Bytes of a UDP header.
pub const UDP: usize = 8;
/// As smoltcp and Linux have it.
const HOP_LIMIT: u8 = 64;

/// Where a packet goes, and what its header says.
#[derive(Clone, Copy, Debug)]
pub struct Envelope {
    /// Its way to the next hop.
    pub hop: Hop,
    /// What is known of its way from there.
    pub path: Path,
    /// Source address.
    pub source: Ipv4Addr,
    /// Destination address.
    pub destination: Ipv4Addr,
    /// What the payload is.
    pub protocol: IpProtocol,
    /// Number of the packet, for its fragments.
    pub ident: u16,
}

/// Payload bytes of each fragment but the last.
fn fragment_length(mtu: usize) -> usize {
    (mtu - HEADER) & !7
}

/// Frames that a packet with so much payload needs.
pub fn frames_for(payload: usize, mtu: usize) -> usize {
    if payload + HEADER <= mtu {
        1
    } else {
        payload.div_ceil(fragment_length(mtu))
    }
}

impl Envelope {
    /// Writes the headers around the payload that a frame already has: a whole packet's, or a part
    /// of it from `offset` on.
    fn emit(&self, frame: &mut [u8], offset: usize, more: bool) {
        ethernet::emit_ipv4(frame, self.hop);
        let length = frame.len() - ethernet::HEADER;
        let mut packet = Ipv4Packet::new_unchecked(&mut frame[ethernet::HEADER..]);
        packet.set_version(4);
        packet.set_header_len(HEADER as u8);
        packet.set_dscp(0);
        packet.set_ecn(0);
        // A frame is not longer than a packet can be.
        packet.set_total_len(length as u16);
        packet.set_ident(self.ident);
        packet.clear_flags();
        packet.set_dont_frag(offset == 0 && !more && !self.path.may_fragment);
        packet.set_more_frags(more);
        packet.set_frag_offset(offset as u16);
        packet.set_hop_limit(HOP_LIMIT);
        packet.set_next_header(self.protocol);
        packet.set_src_addr(self.source);
        packet.set_dst_addr(self.destination);
        packet.fill_checksum();
    }

    /// Sends a packet that fits into one frame, and whose payload `fill` writes.
    ///
    /// # Errors
    /// Of `fill`; then nothing has been sent. `None` if no buffer is free.
    pub fn send_filled<T: TxQueue, E>(
        &self,
        length: usize,
        tx: &mut T,
        stats: Counters,
        fill: impl FnOnce(&mut [u8]) -> Result<(), E>,
    ) -> Option<Result<(), E>> {
        let length = ethernet::HEADER + HEADER + length;
        let sent = tx.try_send(length, |frame| {
            fill(&mut frame[ethernet::HEADER + HEADER..])?;
            self.emit(frame, 0, false);
            Ok(())
        })?;
        if sent.is_ok() {
            stats.inc(Counter::TxFrames);
            stats.add(Counter::TxBytes, length as u64);
        }
        Some(sent)
    }

    /// Sends a packet whose payload is in memory, in as many fragments as the path asks for. `None`
    /// if there are not enough buffers; nothing has been sent then.
    pub fn send<T: TxQueue>(&self, payload: &[u8], tx: &mut T, stats: Counters) -> Option<()> {
        let frames = frames_for(payload.len(), self.path.mtu);
        if tx.free() < frames {
            return None;
        }
        let each = match frames {
            1 => payload.len(),
            _ => fragment_length(self.path.mtu),
        };
        for number in 0..frames {
            let offset = number * each;
            let end = payload.len().min(offset + each);
            let length = ethernet::HEADER + HEADER + end - offset;
            tx.send(length, |frame| {
                frame[ethernet::HEADER + HEADER..].copy_from_slice(&payload[offset..end]);
                self.emit(frame, offset, end < payload.len());
            })?;
            stats.inc(Counter::TxFrames);
            stats.add(Counter::TxBytes, length as u64);
        }
        Some(())
    }
}

/// Writes the header of a UDP datagram whose payload is there. `checksum` is false if the device
/// fills it in.
pub fn emit_udp(datagram: &mut [u8], tuple: &Tuple, checksum: bool) {
    let length = datagram.len() as u16;
    let mut udp = UdpPacket::new_unchecked(datagram);
    udp.set_src_port(tuple.local.1);
    udp.set_dst_port(tuple.remote.1);
    udp.set_len(length);
    udp.set_checksum(0);
    if checksum {
        udp.fill_checksum(
            &IpAddress::Ipv4(tuple.local.0),
            &IpAddress::Ipv4(tuple.remote.0),
        );
    }
}
