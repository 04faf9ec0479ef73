// SPDX-License-Identifier: BSD-2-Clause

//! From a received frame to the packet that it carries.

use smoltcp::wire::{IpProtocol, Ipv4Packet};

use super::Network;
use super::output::HEADER;
use super::packet::{self, Packet, is_host};
use super::reassembly::{Fragment, Progress};
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
        };
        let (interface, back) = (&self.interface, self.hop_to(frame.sender));
        let Some(packet) = packet::parse(bytes, Some(interface), back) else {
            self.stats.inc(Counter::DropsMalformed);
            return None;
        };
        let own = interface.address;
        // What is for one host does not come in a frame for all (RFC 1122 section 3.3.6).
        let for_us = packet.to_all || (packet.destination == own && !frame.to_all);
        if !for_us {
            self.stats.inc(Counter::DropsMalformed);
            return None;
        }
        let source = packet.source;
        // A host that has no address yet sends to all, by UDP (RFC 1122 section 3.2.1.3).
        let nameless =
            source.is_unspecified() && packet.to_all && packet.protocol == IpProtocol::Udp;
        let host = is_host(source) && source != own && !self.interface.is_broadcast(source);
        if !(host || nameless) {
            self.stats.inc(Counter::DropsSource);
            return None;
        }
        if !packet.to_all {
            self.hear(source, frame.sender, tx);
        }
        Some(packet)
    }

    /// Takes a frame that has come over loopback. Returns the packet in it, as [`Self::receive`].
    pub(crate) fn receive_own<'a>(&self, frame: &'a [u8]) -> Option<Packet<'a>> {
        let packet = packet::parse(frame.get(ethernet::HEADER..)?, None, Hop::Loopback)?;
        let [to, from] = [packet.destination, packet.source].map(|end| self.routes.is_own(end));
        let why = match (to, from) {
            (true, true) => return Some(packet),
            (false, _) => Counter::DropsMalformed,
            (true, false) => Counter::DropsSource,
        };
        self.stats.inc(why);
        None
    }

    /// A fragment has come. If it completes a packet, that is put into `bytes` and returned.
    pub(crate) fn reassemble<'a>(
        &mut self,
        packet: &Packet<'a>,
        fragment: Fragment,
        bytes: &'a mut [u8],
    ) -> Option<Packet<'a>> {
        let into = &mut bytes[HEADER..];
        let progress = self
            .reassembly
            .add(fragment, packet.payload, self.now, into);
        self.stats.add(
            Counter::DropsFragments,
            core::mem::take(&mut self.reassembly.dropped),
        );
        let Progress::Complete(length) = progress else {
            return None;
        };
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
            fragment: None,
            ..*packet
        })
    }
}
