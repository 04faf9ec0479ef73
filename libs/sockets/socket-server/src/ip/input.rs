// SPDX-License-Identifier: BSD-2-Clause

//! From a received frame to the packet that it carries.

use smoltcp::wire::{IpProtocol, Ipv4Packet};

use super::Network;
use super::output::{HEADER, HEADER6};
use super::packet::{self, Form, Packet, is_host};
use super::packet6::{self, Reject};
use super::reassembly::{Fragment, FragmentKey, Progress};
use crate::counters::Counter;
use crate::ethernet::{self, Content, Hop};
use crate::frames::TxQueue;

impl Network {
    /// Takes a frame. Returns the packet in it if that is for the layers above; it may be a
    /// fragment, for [`Self::reassemble`].
    pub(crate) fn receive<'a, T: TxQueue>(
        &mut self,
        frame: &'a [u8],
        tx: &mut T,
    ) -> Option<Packet<'a>> {
        self.stats.inc(Counter::RxFrames);
        self.stats.add(Counter::RxBytes, frame.len() as u64);
        let Some(frame) = ethernet::open(frame, self.interface.mac) else {
            self.stats.inc(Counter::DropsMalformed);
            return None;
        };
        let bytes = match frame.content {
            Content::Arp(payload) => {
                self.arp(payload, tx);
                return None;
            }
            Content::Ipv4(bytes) => bytes,
            Content::Ipv6(bytes) => {
                let packet = self.parse6(bytes, self.hop_to(frame.sender))?;
                return match frame.to_all && !packet.to_all {
                    false => Some(packet),
                    true => {
                        self.stats.inc(Counter::DropsMalformed);
                        None
                    }
                };
            }
        };
        let (interface, back) = (&self.interface, self.hop_to(frame.sender));
        let Some(mut packet) = packet::parse(bytes, Some(interface), back) else {
            self.stats.inc(Counter::DropsMalformed);
            return None;
        };
        // What is for one host does not come in a frame for all (RFC 1122 section 3.3.6).
        let for_us =
            packet.to_all || (interface.has(packet.destination.v4_bits()) && !frame.to_all);
        if !for_us {
            if !(frame.to_all && self.is_for_group(&packet)) {
                self.stats.inc(Counter::DropsMalformed);
                return None;
            }
            packet.to_all = true;
        }
        let source = packet.source.v4_bits();
        // A host that has no address yet sends to all, by UDP (RFC 1122 section 3.2.1.3).
        let nameless =
            source.is_unspecified() && packet.to_all && packet.protocol == IpProtocol::Udp;
        let host =
            is_host(source) && !interface.has(source) && !self.interface.is_broadcast(source);
        if !(host || nameless) {
            self.stats.inc(Counter::DropsSource);
            return None;
        }
        if !packet.to_all {
            self.hear(source, frame.sender, tx);
        }
        Some(packet)
    }

    #[cold]
    fn is_for_group(&self, packet: &Packet) -> bool {
        packet.destination.is_multicast() && self.groups.hears(packet.destination)
    }

    /// Takes a frame that has come over loopback. Returns the packet in it, as [`Self::receive`].
    pub(crate) fn receive_own<'a>(&self, frame: &'a [u8]) -> Option<Packet<'a>> {
        if ethernet::is_ipv6(frame) {
            return self.parse6(frame.get(ethernet::HEADER..)?, Hop::Loopback);
        }
        let mut packet = packet::parse(frame.get(ethernet::HEADER..)?, None, Hop::Loopback)?;
        let [to, from] = [packet.destination, packet.source].map(|end| self.is_own(end));
        let why = match (to, from) {
            (true, true) => return Some(packet),
            (false, true) if self.is_for_group(&packet) => {
                packet.to_all = true;
                return Some(packet);
            }
            (false, _) => Counter::DropsMalformed,
            (true, false) => Counter::DropsSource,
        };
        self.stats.inc(why);
        None
    }

    fn parse6<'a>(&self, bytes: &'a [u8], back: Hop) -> Option<Packet<'a>> {
        let why = match packet6::parse(bytes, back, &self.link6, &self.groups) {
            Ok(packet) => return Some(packet),
            Err(Reject::Malformed) => Counter::DropsMalformed,
            Err(Reject::Source) => Counter::DropsSource,
        };
        self.stats.inc(why);
        None
    }

    /// A part of a packet has come. If it completes it, the packet is put into `bytes` and
    /// returned.
    pub(crate) fn reassemble<'a>(
        &mut self,
        packet: &Packet<'a>,
        (ident, offset, more): (u32, u16, bool),
        bytes: &'a mut [u8],
    ) -> Option<Packet<'a>> {
        let first = packet.destination.header();
        let into = &mut bytes[first..];
        let fragment = Fragment {
            key: FragmentKey {
                source: packet.source,
                destination: packet.destination,
                protocol: packet.protocol.into(),
                ident,
            },
            offset: offset.into(),
            more,
        };
        let progress = self
            .reassembly
            .add(fragment, packet.payload, self.now, into);
        self.show_fragments();
        let Progress::Complete(length) = progress else {
            return None;
        };
        if first == HEADER6 {
            return self.reassembled6(packet, length, bytes);
        }
        let end = HEADER + length;
        // The header is that of the fragment which came last, without options.
        bytes[..HEADER].copy_from_slice(&packet.bytes[..HEADER]);
        let mut header = Ipv4Packet::new_unchecked(&mut bytes[..end]);
        header.set_header_len(HEADER as u8);
        header.set_total_len(end as u16);
        header.clear_flags();
        header.set_frag_offset(0);
        header.fill_checksum();
        Some(Packet {
            bytes: &bytes[..end],
            payload: &bytes[HEADER..end],
            form: Form::Whole,
            ..*packet
        })
    }

    fn show_fragments(&mut self) {
        let (stats, reassembly) = (self.stats, &mut self.reassembly);
        let (total, free) = reassembly.blocks();
        let [dropped, failures] = [&mut reassembly.dropped, &mut reassembly.pushed_out];
        stats.add(Counter::DropsFragments, core::mem::take(dropped));
        stats.add(Counter::FragmentBlocksFailures, core::mem::take(failures));
        stats.set(Counter::FragmentBlocks, total as u64);
        stats.set(Counter::FragmentBlocksFree, free as u64);
        stats.raise(Counter::FragmentBlocksPeak, reassembly.peak as u64);
    }

    /// The parts of a packet have been put together behind where its header is to be.
    fn reassembled6<'a>(
        &mut self,
        packet: &Packet,
        length: usize,
        bytes: &'a mut [u8],
    ) -> Option<Packet<'a>> {
        bytes[..HEADER6].copy_from_slice(&packet.bytes[..HEADER6]);
        packet6::flatten(packet.bare(), bytes, HEADER6, length);
        let whole = &bytes[..HEADER6 + length];
        // Headers may follow that were cut up with the rest.
        let found = match packet6::parse(whole, packet.back, &self.link6, &self.groups) {
            Ok(packet) => Some((packet.bare(), packet.payload.len())),
            Err(_) => None,
        };
        match found {
            Some((packet, payload)) if matches!(packet.form, Form::Whole | Form::Extended) => {
                let at = HEADER6 + length - payload;
                Some(packet6::flatten(packet, bytes, at, payload))
            }
            _ => {
                self.stats.inc(Counter::DropsMalformed);
                None
            }
        }
    }

    /// A packet has further headers. Returns it without them, in `bytes`.
    pub(crate) fn flattened<'a>(&self, packet: &Packet, bytes: &'a mut [u8]) -> Packet<'a> {
        let length = packet.payload.len();
        bytes[..HEADER6].copy_from_slice(&packet.bytes[..HEADER6]);
        bytes[HEADER6..HEADER6 + length].copy_from_slice(packet.payload);
        packet6::flatten(packet.bare(), bytes, HEADER6, length)
    }
}
