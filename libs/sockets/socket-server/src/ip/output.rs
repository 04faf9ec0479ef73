// SPDX-License-Identifier: BSD-2-Clause

//! Packets that leave: each goes to an Ethernet address, in fragments if its path is narrow.

use core::convert::Infallible;
use core::net::Ipv4Addr;

use smoltcp::wire::IpProtocol;

use super::Network;
use super::icmp;
use super::packet::{Packet, Tuple};
use super::send::{Envelope, HEADER, UDP, emit_udp};
use crate::counters::Counter;
use crate::ethernet::Hop;
use crate::frames::TxQueue;
use crate::transport::segment::Segment;

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

    fn envelope(&mut self, to: Ipv4Addr, hop: Hop, protocol: IpProtocol) -> Envelope {
        Envelope {
            hop,
            path: self.path(to),
            source: self.address(),
            destination: to,
            protocol,
            ident: self.next_ident(to),
        }
    }

    /// Sends a segment of our own making to an Ethernet address.
    pub(crate) fn send_segment<T: TxQueue>(
        &mut self,
        segment: Segment,
        tuple: &Tuple,
        mac: [u8; 6],
        tx: &mut T,
    ) {
        let envelope = self.envelope(tuple.remote.0, self.hop_to(mac), IpProtocol::Tcp);
        let fill = |payload: &mut [u8]| {
            segment.emit(tuple, payload);
            Ok::<(), Infallible>(())
        };
        let sent = envelope.send_filled(segment.length(), tx, self.stats, fill);
        if sent.is_none() {
            self.stats.inc(Counter::DropsNoTxBuffer);
        }
    }

    /// Sends a UDP datagram, header included.
    pub(crate) fn send_datagram<T: TxQueue>(
        &mut self,
        hop: Hop,
        to: Ipv4Addr,
        datagram: &[u8],
        tx: &mut T,
    ) -> Option<()> {
        let envelope = self.envelope(to, hop, IpProtocol::Udp);
        let sent = envelope.send(datagram, tx, self.stats);
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
        let envelope = self.envelope(tuple.remote.0, hop, IpProtocol::Udp);
        let checksum = !self.interface.offload.tx_checksum;
        let (length, stats) = (UDP + length, self.stats);
        let sent = if HEADER + length <= envelope.path.mtu {
            envelope.send_filled(length, tx, stats, |datagram| {
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
            envelope.send(datagram, tx, stats).map(Ok)
        };
        self.send_probe(tx);
        sent
    }

    /// Answers a request for an echo.
    pub(super) fn send_echo<T: TxQueue>(&mut self, packet: &Packet, tx: &mut T) -> Option<()> {
        let envelope = self.envelope(packet.source, self.hop_to(packet.sender), IpProtocol::Icmp);
        let message = self.scratch.get_mut(..packet.payload.len())?;
        message.copy_from_slice(packet.payload);
        icmp::emit_reply(message);
        envelope.send(message, tx, self.stats)
    }

    /// Tells a sender that its packet found nobody. The message fits onto every path.
    pub(super) fn send_unreachable<T: TxQueue>(
        &mut self,
        code: u8,
        packet: &Packet,
        tx: &mut T,
    ) -> Option<()> {
        let envelope = self.envelope(packet.source, self.hop_to(packet.sender), IpProtocol::Icmp);
        let length = icmp::ICMP + icmp::quoted_length(packet);
        let Ok(()) =
            envelope.send_filled(length, tx, self.stats, |message| -> Result<_, Infallible> {
                icmp::emit_unreachable(message, code, packet);
                Ok(())
            })?;
        Some(())
    }
}
