// SPDX-License-Identifier: BSD-2-Clause

//! Packets that leave: each goes to an Ethernet address, in fragments if its path is narrow.

use core::convert::Infallible;
use core::net::Ipv4Addr;

use smoltcp::wire::IpProtocol;

use super::Network;
use super::icmp;
use super::packet::{Packet, Tuple};
use super::send::{self, HEADER, Header, NoBuffer, UDP};
use crate::ethernet::Hop;
use crate::frames::TxQueue;
use crate::transport::segment::ControlSegment;

impl Network {
    /// Transmit buffers that the largest datagram needs on a path as wide as the link: 65,515 bytes
    /// in pieces of 1,480, and a few more.
    pub(crate) const FRAGMENT_RESERVE: usize = 48;

    /// The two ends of a frame's way to an Ethernet address.
    pub(crate) fn hop_to(&self, mac: [u8; 6]) -> Hop {
        Hop {
            source: self.interface.mac,
            destination: mac,
        }
    }

    fn header(&mut self, to: Ipv4Addr, protocol: IpProtocol) -> Header {
        Header {
            source: self.address(),
            destination: to,
            protocol,
            ident: self.next_ident(to),
        }
    }

    /// Sends a segment of our own making to an Ethernet address.
    pub(crate) fn send_segment<T: TxQueue>(
        &mut self,
        segment: ControlSegment,
        tuple: &Tuple,
        mac: [u8; 6],
        tx: &mut T,
    ) {
        let (to, hop) = (tuple.remote.0, self.hop_to(mac));
        let (path, header) = (self.path(to), self.header(to, IpProtocol::Tcp));
        let (length, counters) = (segment.length(), &mut self.counters);
        let sent = send::send_whole(tx, hop, header, path, length, counters, |payload| {
            segment.emit(tuple, payload);
            Ok::<(), Infallible>(())
        });
        if sent.is_none() {
            self.counters.drops_no_tx_buffer += 1;
        }
    }

    /// Sends a UDP datagram, header included.
    pub(crate) fn send_datagram<T: TxQueue>(
        &mut self,
        hop: Hop,
        to: Ipv4Addr,
        datagram: &[u8],
        tx: &mut T,
    ) -> Result<(), NoBuffer> {
        let (path, header) = (self.path(to), self.header(to, IpProtocol::Udp));
        let sent = send::send(tx, hop, header, path, datagram, &mut self.counters);
        self.send_probe(tx);
        sent
    }

    /// Sends a datagram whose payload of `length` bytes `fill` writes. The caller has looked for
    /// enough buffers.
    pub(crate) fn send_filled<T: TxQueue, E>(
        &mut self,
        hop: Hop,
        tuple: &Tuple,
        length: usize,
        tx: &mut T,
        fill: impl FnOnce(&mut [u8]) -> Result<(), E>,
    ) -> Option<Result<(), E>> {
        let to = tuple.remote.0;
        let (path, header) = (self.path(to), self.header(to, IpProtocol::Udp));
        let checksum = !self.interface.offload.tx_checksum;
        let (length, counters) = (UDP + length, &mut self.counters);
        let sent = if HEADER + length <= path.mtu {
            send::send_whole(tx, hop, header, path, length, counters, |datagram| {
                fill(&mut datagram[UDP..])?;
                send::emit_udp(datagram, tuple, checksum);
                Ok(())
            })
        } else {
            let datagram = self.scratch.get_mut(..length)?;
            if let Err(error) = fill(&mut datagram[UDP..]) {
                return Some(Err(error));
            }
            // The device cannot know the sum over all fragments.
            send::emit_udp(datagram, tuple, true);
            let sent = send::send(tx, hop, header, path, datagram, counters);
            sent.ok().map(Ok)
        };
        self.send_probe(tx);
        sent
    }

    /// Answers a request for an echo.
    ///
    /// # Errors
    /// There are not enough buffers.
    pub(crate) fn send_echo<T: TxQueue>(
        &mut self,
        packet: &Packet,
        tx: &mut T,
    ) -> Result<(), NoBuffer> {
        let header = self.header(packet.source, IpProtocol::Icmp);
        let (path, hop) = (self.path(packet.source), self.hop_to(packet.sender));
        let message = self.scratch.get_mut(..packet.payload.len());
        let message = message.ok_or(NoBuffer)?;
        message.copy_from_slice(packet.payload);
        icmp::emit_reply(message);
        send::send(tx, hop, header, path, message, &mut self.counters)
    }

    /// Tells a sender that its packet found nobody.
    ///
    /// # Errors
    /// There are not enough buffers.
    pub(crate) fn send_unreachable<T: TxQueue>(
        &mut self,
        code: u8,
        packet: &Packet,
        tx: &mut T,
    ) -> Result<(), NoBuffer> {
        let header = self.header(packet.source, IpProtocol::Icmp);
        let (path, hop) = (self.path(packet.source), self.hop_to(packet.sender));
        let mut message = [0; icmp::ERROR_PAYLOAD];
        let message = &mut message[..icmp::ICMP + icmp::quoted_length(packet)];
        icmp::emit_unreachable(message, code, packet);
        send::send(tx, hop, header, path, message, &mut self.counters)
    }
}
