// SPDX-License-Identifier: BSD-2-Clause

//! From a received frame to its socket.

use smoltcp::wire::{IpProtocol, Ipv4Packet};
use socket_proto::SocketKind;

use crate::ethernet::{self, Content};
use crate::frames::TxQueue;
use crate::ip::errors::{PORT, PROTOCOL};
use crate::ip::packet::{self, Packet, Reject};
use crate::ip::reassembly::{Fragment, Progress};
use crate::ip::send::HEADER;
use crate::protocol::window::Window;
use crate::server::Server;
use crate::transport::udp;

impl<W: Window> Server<W> {
    /// Handles one frame.
    pub(crate) fn ingress<T: TxQueue>(&mut self, frame: &[u8], tx: &mut T) {
        self.counters.rx_frames += 1;
        self.counters.rx_bytes += frame.len() as u64;
        let Some(frame) = ethernet::open(frame, self.stack.mac()) else {
            self.counters.drops_malformed += 1;
            return;
        };
        let bytes = match frame.content {
            Content::Arp(payload) => return self.arp(payload, tx),
            Content::Ipv4(bytes) => bytes,
        };
        let packet = match packet::parse(bytes, frame.sender, self.stack.local()) {
            Ok(packet) => packet,
            Err(Reject::Malformed) => {
                self.counters.drops_malformed += 1;
                return;
            }
            Err(Reject::Source) => {
                self.counters.drops_source += 1;
                return;
            }
        };
        // What is for one host does not come in a frame for all (RFC 1122 section 3.3.6).
        if frame.to_all && !packet.to_all {
            self.counters.drops_malformed += 1;
            return;
        }
        if !packet.to_all {
            self.hear(packet.source, packet.sender, tx);
        }
        match packet.fragment {
            None => self.deliver(&packet, tx),
            Some(fragment) => self.reassemble(&packet, fragment, tx),
        }
    }

    /// A fragment has come.
    fn reassemble<T: TxQueue>(&mut self, packet: &Packet, fragment: Fragment, tx: &mut T) {
        let now = self.stack.now();
        // Out of the server for as long as it is read.
        let mut bytes = core::mem::take(&mut self.assembled);
        let progress = self
            .reassembly
            .add(fragment, packet.payload, now, &mut bytes[HEADER..]);
        self.counters.drops_fragments += self.reassembly.take_dropped();
        if let Progress::Complete(length) = progress {
            let end = HEADER + length;
            // The header is that of the fragment which came last, without options.
            bytes[..HEADER].copy_from_slice(&packet.bytes[..HEADER]);
            let mut header = Ipv4Packet::new_unchecked(&mut bytes[..end]);
            header.set_header_len(HEADER as u8);
            header.set_total_len(end as u16);
            header.clear_flags();
            header.set_frag_offset(0);
            header.fill_checksum();
            let whole = Packet {
                bytes: &bytes[..end],
                payload: &bytes[HEADER..end],
                fragment: None,
                ..*packet
            };
            self.deliver(&whole, tx);
        }
        self.assembled = bytes;
    }

    fn deliver<T: TxQueue>(&mut self, packet: &Packet, tx: &mut T) {
        match packet.protocol {
            IpProtocol::Tcp => {
                let Some(tuple) = packet::tuple(packet) else {
                    self.counters.drops_malformed += 1;
                    return;
                };
                self.tcp_segment(packet, tuple, tx);
            }
            IpProtocol::Udp => self.datagram(packet, tx),
            IpProtocol::Icmp => self.icmp(packet, tx),
            _ => self.refuse(PROTOCOL, packet, tx),
        }
    }

    fn datagram<T: TxQueue>(&mut self, packet: &Packet, tx: &mut T) {
        let Some(received) = udp::parse(packet, self.stack.rx_checksum()) else {
            self.counters.drops_malformed += 1;
            return;
        };
        let found = self
            .ports
            .get(SocketKind::Datagram, received.to.1)
            .and_then(|owner| {
                let client = self.clients.get_mut(usize::from(owner.client))?.as_mut()?;
                let datagram = client.datagram_mut(usize::from(owner.slot))?;
                // A connected socket hears its peer only.
                let heard = datagram.remote.is_none_or(|peer| peer == received.from);
                heard.then_some((owner, datagram.index))
            });
        let Some((owner, index)) = found else {
            self.counters.drops_no_socket += 1;
            return self.refuse(PORT, packet, tx);
        };
        if self
            .udp
            .get_mut(index)
            .push(received.from, received.payload)
        {
            self.refresh(owner);
        } else {
            self.counters.drops_socket_full += 1;
        }
    }
}
