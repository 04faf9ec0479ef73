// SPDX-License-Identifier: BSD-2-Clause

//! Writes IPv4 packets, in fragments if need be, and UDP datagrams.

use core::net::Ipv4Addr;

use smoltcp::wire::{IpAddress, IpProtocol, Ipv4Packet, UdpPacket};

use super::packet::Tuple;
use super::paths::Path;
use crate::counters::Counters;
use crate::ethernet::{self, Hop};
use crate::frames::TxQueue;

/// Bytes of an IPv4 header without options.
pub const HEADER: usize = 20;
/// Bytes of a UDP header.
pub const UDP: usize = 8;
/// As smoltcp and Linux have it.
const HOP_LIMIT: u8 = 64;

/// What an IPv4 header says of its packet.
#[derive(Clone, Copy, Debug)]
pub struct Header {
    /// Source address.
    pub source: Ipv4Addr,
    /// Destination address.
    pub destination: Ipv4Addr,
    /// What the payload is.
    pub protocol: IpProtocol,
    /// Number of the packet, for its fragments.
    pub ident: u16,
}

/// No transmit buffer is free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoBuffer;

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

/// Part of a packet.
#[derive(Clone, Copy)]
struct Part {
    offset: usize,
    more: bool,
    whole: bool,
}

/// Writes the headers around the payload that a frame already has.
fn emit(frame: &mut [u8], hop: Hop, header: Header, part: Part, may_fragment: bool) {
    ethernet::emit_ipv4(frame, hop);
    let length = frame.len() - ethernet::HEADER;
    let mut packet = Ipv4Packet::new_unchecked(&mut frame[ethernet::HEADER..]);
    packet.set_version(4);
    packet.set_header_len(HEADER as u8);
    packet.set_dscp(0);
    packet.set_ecn(0);
    // A frame is not longer than a packet can be.
    packet.set_total_len(length as u16);
    packet.set_ident(header.ident);
    packet.clear_flags();
    packet.set_dont_frag(part.whole && !may_fragment);
    packet.set_more_frags(part.more);
    packet.set_frag_offset(part.offset as u16);
    packet.set_hop_limit(HOP_LIMIT);
    packet.set_next_header(header.protocol);
    packet.set_src_addr(header.source);
    packet.set_dst_addr(header.destination);
    packet.fill_checksum();
}

/// Sends a packet that fits into one frame, and whose payload `fill` writes.
///
/// # Errors
/// Of `fill`; then nothing has been sent. `None` if no buffer is free.
pub fn send_whole<T: TxQueue, E>(
    tx: &mut T,
    hop: Hop,
    header: Header,
    path: Path,
    length: usize,
    counters: &mut Counters,
    fill: impl FnOnce(&mut [u8]) -> Result<(), E>,
) -> Option<Result<(), E>> {
    let sent = tx.try_send(ethernet::HEADER + HEADER + length, |frame| {
        fill(&mut frame[ethernet::HEADER + HEADER..])?;
        let part = Part {
            offset: 0,
            more: false,
            whole: true,
        };
        emit(frame, hop, header, part, path.may_fragment);
        Ok(())
    })?;
    if sent.is_ok() {
        counters.tx_frames += 1;
        counters.tx_bytes += (ethernet::HEADER + HEADER + length) as u64;
    }
    Some(sent)
}

/// Sends a packet whose payload is in memory, in as many fragments as the path asks for.
///
/// # Errors
/// There are not enough buffers; nothing has been sent.
pub fn send<T: TxQueue>(
    tx: &mut T,
    hop: Hop,
    header: Header,
    path: Path,
    payload: &[u8],
    counters: &mut Counters,
) -> Result<(), NoBuffer> {
    let frames = frames_for(payload.len(), path.mtu);
    if tx.free() < frames {
        return Err(NoBuffer);
    }
    let each = if frames == 1 {
        payload.len()
    } else {
        fragment_length(path.mtu)
    };
    for number in 0..frames {
        let offset = number * each;
        let end = payload.len().min(offset + each);
        let part = Part {
            offset,
            more: end < payload.len(),
            whole: frames == 1,
        };
        let length = ethernet::HEADER + HEADER + end - offset;
        tx.send(length, |frame| {
            frame[ethernet::HEADER + HEADER..].copy_from_slice(&payload[offset..end]);
            emit(frame, hop, header, part, path.may_fragment);
        })
        .ok_or(NoBuffer)?;
        counters.tx_frames += 1;
        counters.tx_bytes += length as u64;
    }
    Ok(())
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
