// SPDX-License-Identifier: BSD-2-Clause

//! Packets that leave: each goes to an Ethernet address or over loopback, in fragments if its
//! path is narrow.

use core::convert::Infallible;

use smoltcp::wire::{IpProtocol, Ipv4Packet, UdpPacket};

use super::Network;
use super::address::Address;
use super::checksum::checksum;
use super::header6::Header;
use super::packet::Tuple;
use super::paths::Path;
use crate::counters::{Counter, Counters};
use crate::ethernet::{self, Hop};
use crate::frames::TxQueue;
use crate::transport::segment::Segment;

/// Bytes of an IPv4 header without options.
pub const HEADER: usize = 20;
/// Bytes of an IPv6 header, and of the header of a fragment behind it.
pub const HEADER6: usize = 40;
const FRAGMENT6: usize = 8;
/// Bytes of a UDP header.
pub const UDP: usize = 8;

/// What a socket says about its packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Marks {
    /// Routers that it may pass.
    pub time_to_live: u8,
    /// Differentiated services and congestion notification (RFC 2474, RFC 3168).
    pub service: u8,
}

impl Marks {
    /// As smoltcp and Linux have them.
    pub const USUAL: Marks = Marks {
        time_to_live: 64,
        service: 0,
    };
}

/// A datagram that is to leave.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing {
    /// Where from, and where to.
    pub tuple: Tuple,
    /// What its packets say.
    pub marks: Marks,
    /// UDP, or another protocol whose header is a part of the payload.
    pub protocol: IpProtocol,
    /// Bytes of payload.
    pub length: usize,
}

impl Outgoing {
    /// Bytes of the header in front of the payload.
    pub fn header(&self) -> usize {
        match self.protocol {
            IpProtocol::Udp => UDP,
            _ => 0,
        }
    }
}

/// Where a packet goes, and what its header says.
pub struct Envelope {
    /// Its way to the next hop.
    pub hop: Hop,
    /// What is known of its way from there.
    pub path: Path,
    /// Source address.
    pub source: Address,
    /// Destination address.
    pub destination: Address,
    /// What the payload is.
    pub protocol: IpProtocol,
    /// What its socket says.
    pub marks: Marks,
    /// Number of the packet, for its fragments.
    pub ident: u16,
    /// Where its frames are counted.
    pub stats: Counters,
}

/// Bytes of the headers of a fragment to a host.
fn fragment_header(to: Address) -> usize {
    match to.is_v4() {
        true => HEADER,
        false => HEADER6 + FRAGMENT6,
    }
}

/// Payload bytes of each fragment but the last.
fn fragment_length(to: Address, mtu: usize) -> usize {
    (mtu - fragment_header(to)) & !7
}

/// Frames that a packet to a host with so much payload needs.
pub fn frames_for(to: Address, payload: usize, mtu: usize) -> usize {
    if payload + to.header() <= mtu {
        1
    } else {
        payload.div_ceil(fragment_length(to, mtu))
    }
}

impl Envelope {
    /// Writes the headers around the payload that a frame already has: a whole packet's, or a part
    /// of it from `offset` on.
    // Called for each frame that the core writes.
    #[inline(always)]
    fn emit(&self, frame: &mut [u8], offset: usize, more: bool) {
        if self.source.is_v4() {
            self.emit4(frame, offset, more);
        } else {
            self.emit6(frame, offset, more);
        }
    }

    #[inline(never)]
    fn emit6(&self, frame: &mut [u8], offset: usize, more: bool) {
        ethernet::emit_ip(frame, self.hop, false);
        let packet = &mut frame[ethernet::HEADER..];
        let mut header = Header {
            source: self.source,
            destination: self.destination,
            next: self.protocol,
            hops: self.marks.time_to_live,
            class: self.marks.service,
            // A frame is not longer than a packet can be.
            length: (packet.len() - HEADER6) as u16,
        };
        if offset > 0 || more {
            header.next = IpProtocol::Ipv6Frag;
            let part = offset as u16 | u16::from(more);
            let fragment = &mut packet[HEADER6..][..FRAGMENT6];
            fragment[..2].copy_from_slice(&[self.protocol.into(), 0]);
            fragment[2..4].copy_from_slice(&part.to_be_bytes());
            fragment[4..].copy_from_slice(&u32::from(self.ident).to_be_bytes());
        }
        header.write(packet);
    }

    #[inline(always)]
    fn emit4(&self, frame: &mut [u8], offset: usize, more: bool) {
        ethernet::emit_ip(frame, self.hop, true);
        let length = frame.len() - ethernet::HEADER;
        let packet = &mut frame[ethernet::HEADER..];
        set_service(packet, self.marks.service);
        let mut packet = Ipv4Packet::new_unchecked(packet);
        packet.set_version(4);
        packet.set_header_len(HEADER as u8);
        // A frame is not longer than a packet can be.
        packet.set_total_len(length as u16);
        packet.set_ident(self.ident);
        packet.clear_flags();
        packet.set_dont_frag(offset == 0 && !more && !self.path.may_fragment);
        packet.set_more_frags(more);
        packet.set_frag_offset(offset as u16);
        packet.set_hop_limit(self.marks.time_to_live);
        packet.set_next_header(self.protocol);
        packet.set_src_addr(self.source.v4_bits());
        packet.set_dst_addr(self.destination.v4_bits());
        packet.fill_checksum();
    }

    fn count(&self, length: usize) {
        // Loopback counts its own.
        if !self.hop.loops() {
            self.stats.inc(Counter::TxFrames);
            self.stats.add(Counter::TxBytes, length as u64);
        }
    }

    /// Sends a packet that fits into one frame, and whose payload `fill` writes.
    ///
    /// # Errors
    /// Of `fill`; then nothing has been sent. `None` if no buffer is free.
    pub fn send_filled<T: TxQueue, E>(
        &self,
        length: usize,
        tx: &mut T,
        fill: impl FnOnce(&mut [u8]) -> Result<(), E>,
    ) -> Option<Result<(), E>> {
        let header = ethernet::HEADER + self.source.header();
        let length = header + length;
        let sent = tx.try_send(length, |frame| {
            fill(&mut frame[header..])?;
            self.emit(frame, 0, false);
            Ok(())
        })?;
        if sent.is_ok() {
            self.count(length);
        }
        Some(sent)
    }

    /// Sends a packet whose payload is in memory, in as many fragments as the path asks for. `None`
    /// if there are not enough buffers; nothing has been sent then.
    pub fn send<T: TxQueue>(&self, payload: &[u8], tx: &mut T) -> Option<()> {
        let frames = frames_for(self.destination, payload.len(), self.path.mtu);
        if tx.free() < frames {
            return None;
        }
        let (each, header) = match frames {
            1 => (payload.len(), self.source.header()),
            _ => (
                fragment_length(self.destination, self.path.mtu),
                fragment_header(self.destination),
            ),
        };
        let header = ethernet::HEADER + header;
        for number in 0..frames {
            let offset = number * each;
            let end = payload.len().min(offset + each);
            let length = header + end - offset;
            tx.send(length, |frame| {
                frame[header..].copy_from_slice(&payload[offset..end]);
                self.emit(frame, offset, end < payload.len());
            })?;
            self.count(length);
        }
        Some(())
    }
}

/// Writes the type of service into an IPv4 header.
pub fn set_service(header: &mut [u8], service: u8) {
    header[1] = service;
}

/// Writes the header of a UDP datagram whose payload is there. `checked` is false if the device
/// fills the checksum in.
pub fn emit_udp(datagram: &mut [u8], tuple: &Tuple, checked: bool) {
    let length = datagram.len() as u16;
    let mut udp = UdpPacket::new_unchecked(datagram);
    udp.set_src_port(tuple.local.1);
    udp.set_dst_port(tuple.remote.1);
    udp.set_len(length);
    udp.set_checksum(0);
    if checked {
        let sum = checksum(tuple.addresses(), IpProtocol::Udp.into(), udp.as_ref());
        // 0 would mean that there is none (RFC 768).
        udp.set_checksum(if sum == 0 { u16::MAX } else { sum });
    }
}

impl Network {
    /// Transmit buffers that the largest datagram needs on a path as wide as the link: 65,515 bytes
    /// in pieces of 1,480, and a few more.
    pub(crate) const FRAGMENT_RESERVE: usize = 48;

    /// The two ends of a frame's way to an Ethernet address.
    pub(crate) fn hop_to(&self, mac: [u8; 6]) -> Hop {
        Hop::Ethernet {
            source: self.interface.mac,
            destination: mac,
        }
    }

    pub(crate) fn envelope(
        &mut self,
        (source, destination): (Address, Address),
        hop: Hop,
        protocol: IpProtocol,
    ) -> Envelope {
        Envelope {
            hop,
            path: self.path(destination),
            source,
            destination,
            protocol,
            marks: Marks::USUAL,
            ident: self.next_ident(destination),
            stats: self.stats,
        }
    }

    /// Sends a segment of our own making to where one came from.
    pub(crate) fn send_segment<T: TxQueue>(
        &mut self,
        segment: Segment,
        tuple: &Tuple,
        marks: Marks,
        back: Hop,
        tx: &mut T,
    ) {
        let mut envelope = self.envelope(tuple.addresses(), back, IpProtocol::Tcp);
        envelope.marks = marks;
        let fill = |payload: &mut [u8]| {
            segment.emit(tuple, payload);
            Ok::<(), Infallible>(())
        };
        let tx = &mut self.loopback.or(tx, back.loops());
        let sent = envelope.send_filled(segment.length(), tx, fill);
        if sent.is_none() {
            self.stats.inc(Counter::DropsNoTxBuffer);
        }
    }

    /// Sends a datagram, header included.
    pub(crate) fn send_datagram<T: TxQueue>(
        &mut self,
        hop: Hop,
        outgoing: &Outgoing,
        datagram: &[u8],
        tx: &mut T,
    ) -> Option<()> {
        let mut envelope = self.envelope(outgoing.tuple.addresses(), hop, outgoing.protocol);
        envelope.marks = outgoing.marks;
        let sent = envelope.send(datagram, &mut self.loopback.or(tx, hop.loops()));
        self.send_probe(tx);
        sent
    }

    /// Sends a UDP datagram whose payload `fill` writes. The caller has looked for
    /// enough buffers.
    pub(crate) fn send_filled<T: TxQueue, E>(
        &mut self,
        hop: Hop,
        outgoing: &Outgoing,
        tx: &mut T,
        fill: impl FnOnce(&mut [u8]) -> Result<(), E>,
    ) -> Option<Result<(), E>> {
        let Outgoing {
            tuple,
            marks,
            length,
            ..
        } = outgoing;
        let mut envelope = self.envelope(tuple.addresses(), hop, IpProtocol::Udp);
        envelope.marks = *marks;
        let checksum = self.interface.writes_checksums(hop);
        let length = UDP + length;
        let out = &mut self.loopback.or(tx, hop.loops());
        let sent = if tuple.remote.0.header() + length <= envelope.path.mtu {
            envelope.send_filled(length, out, |datagram| {
                fill(&mut datagram[UDP..])?;
                emit_udp(datagram, tuple, checksum);
                Ok(())
            })
        } else {
            let datagram = self.scratch.get_mut(..length)?;
            if let Err(error) = fill(&mut datagram[UDP..]) {
                return Some(Err(error));
            }
            // The device cannot know the sum over all fragments.
            emit_udp(datagram, tuple, true);
            envelope.send(datagram, out).map(Ok)
        };
        self.send_probe(tx);
        sent
    }
}
