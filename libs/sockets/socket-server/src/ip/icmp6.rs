// SPDX-License-Identifier: BSD-2-Clause

//! ICMPv6 (RFC 4443): what `icmp.rs` does with IPv4. What neighbours and routers say goes on to
//! `ethernet/ndp.rs`.

use core::convert::Infallible;

use smoltcp::wire::IpProtocol;
use socket_proto::Errno;

use super::Network;
use super::address::Address;
use super::checksum::checksum;
use super::header6::{Header, seal};
use super::icmp::{Error, ICMP, PROTOCOL, Report, Why, identifier, quoted_ports};
use super::output::HEADER6;
use super::packet::{Packet, Tuple};
use super::paths::MIN_MTU6;
use crate::counters::Counter;
use crate::frames::TxQueue;

/// Most bytes of a packet that an error message quotes: the message fits onto every path.
const QUOTED: usize = MIN_MTU6 - HEADER6 - ICMP;

/// Types and codes of messages (RFC 4443).
const UNREACHABLE: u8 = 1;
const TOO_BIG: u8 = 2;
const TIME_EXCEEDED: u8 = 3;
pub(crate) const ECHO_REQUEST: u8 = 128;
const ECHO_REPLY: u8 = 129;
const NO_PORT: u8 = 4;
const PROBLEM: u8 = 4;
const NEXT_HEADER: u8 = 1;
/// Where the first header says what comes next.
const NEXT_AT: u16 = 6;

/// Linux's table of what the codes of "destination unreachable" mean.
fn unreachable(code: u8) -> Why {
    let (errno, fatal) = match code {
        0 => (Errno::ENETUNREACH, false),
        1 | 5 | 6 => (Errno::EACCES, true),
        2 | 3 => (Errno::EHOSTUNREACH, false),
        4 => (Errno::ECONNREFUSED, true),
        _ => (Errno::EPROTO, true),
    };
    Why::Failed { errno, fatal }
}

/// Reads the packet that an error message quotes, which this machine has sent from `own`.
fn quote(quoted: &[u8], why: Why, own: Address) -> Option<Error> {
    // The quoted packet is cut off, so that its length field promises more than there is.
    let header = Header::read(quoted)?;
    let mut protocol = header.next;
    let mut transport = &quoted[HEADER6..];
    if header.source != own {
        return None;
    }
    if protocol == IpProtocol::Ipv6Frag {
        let &[next, _, high, low, ..] = transport else {
            return None;
        };
        // Only the first fragment has ports.
        if u16::from_be_bytes([high, low]) & !7 != 0 {
            return None;
        }
        protocol = next.into();
        transport = transport.get(8..)?;
    }
    let (from, to) = quoted_ports(protocol, transport)?;
    Some(Error {
        why,
        protocol,
        tuple: Tuple {
            local: (own, from),
            remote: (header.destination, to),
        },
        sequence: u32::from_be_bytes(*transport.get(4..)?.first_chunk()?),
        length: HEADER6 + usize::from(header.length),
    })
}

impl Network {
    /// Handles an ICMPv6 message. Returns what a socket may have to hear.
    pub(crate) fn icmp6<T: TxQueue>(&mut self, packet: &Packet, tx: &mut T) -> Option<Report> {
        let ends = (packet.source, packet.destination);
        let sound = checksum(ends, IpProtocol::Icmpv6.into(), packet.payload) == 0;
        let Some(&[kind, code, _, _, ref mtu @ ..]) =
            packet.payload.first_chunk::<ICMP>().filter(|_| sound)
        else {
            self.stats.inc(Counter::DropsMalformed);
            return None;
        };
        let why = match kind {
            ECHO_REQUEST if !packet.source.is_unspecified() => {
                if self.may_send_icmp(packet) {
                    match self.send_echo6(packet, tx) {
                        Some(()) => self.stats.inc(Counter::IcmpEchoReplies),
                        None => self.stats.inc(Counter::DropsNoTxBuffer),
                    }
                }
                return None;
            }
            ECHO_REPLY => return identifier(packet.payload).map(Report::Reply),
            UNREACHABLE => unreachable(code),
            TOO_BIG => Why::TooBig {
                mtu: u16::try_from(u32::from_be_bytes(*mtu)).unwrap_or(u16::MAX),
            },
            TIME_EXCEEDED => Why::Failed {
                errno: Errno::EHOSTUNREACH,
                fatal: false,
            },
            PROBLEM => Why::Failed {
                errno: Errno::EPROTO,
                fatal: true,
            },
            kind => {
                if !packet.back.loops() && !self.neighbourhood([kind, code], packet, tx) {
                    self.stats.inc(Counter::DropsMalformed);
                }
                return None;
            }
        };
        let quoted = packet.payload.get(ICMP..);
        let error = quoted.and_then(|quoted| quote(quoted, why, packet.destination));
        // What goes over loopback meets no router.
        let loops = packet.back.loops();
        let error = error.filter(|error| self.is_own(error.tuple.remote.0) == loops);
        self.stats
            .add(Counter::IcmpIgnored, u64::from(error.is_none()));
        error.map(Report::Error)
    }

    /// The ends of an answer to a packet.
    fn back6(&self, packet: &Packet) -> (Address, Address) {
        let own = match packet.to_all {
            true => self.source_for(packet.source),
            false => packet.destination,
        };
        (own, packet.source)
    }

    fn send_echo6<T: TxQueue>(&mut self, packet: &Packet, tx: &mut T) -> Option<()> {
        let ends = self.back6(packet);
        let envelope = self.envelope(ends, packet.back, IpProtocol::Icmpv6);
        let message = self.scratch.get_mut(..packet.payload.len())?;
        message.copy_from_slice(packet.payload);
        message[0] = ECHO_REPLY;
        seal(message, ends);
        envelope.send(message, &mut self.loopback.or(tx, packet.back.loops()))
    }

    /// Tells a sender that there is no such port or protocol here, as `code` says.
    pub(super) fn send_unreachable6<T: TxQueue>(
        &mut self,
        code: u8,
        packet: &Packet,
        tx: &mut T,
    ) -> Option<()> {
        match code {
            PROTOCOL => self.send_error6([PROBLEM, NEXT_HEADER], NEXT_AT, packet, tx),
            _ => self.send_error6([UNREACHABLE, NO_PORT], 0, packet, tx),
        }
    }

    /// Tells a sender that a header of its packet is not understood.
    pub(crate) fn problem<T: TxQueue>(
        &mut self,
        code: u8,
        pointer: u16,
        packet: &Packet,
        tx: &mut T,
    ) {
        self.stats.inc(Counter::DropsMalformed);
        if packet.source.is_unspecified() || !self.may_send_icmp(packet) {
            return;
        }
        if self
            .send_error6([PROBLEM, code], pointer, packet, tx)
            .is_none()
        {
            self.stats.inc(Counter::DropsNoTxBuffer);
        }
    }

    fn send_error6<T: TxQueue>(
        &mut self,
        kind: [u8; 2],
        pointer: u16,
        packet: &Packet,
        tx: &mut T,
    ) -> Option<()> {
        let ends = self.back6(packet);
        let envelope = self.envelope(ends, packet.back, IpProtocol::Icmpv6);
        let quoted = packet.bytes.len().min(QUOTED);
        let tx = &mut self.loopback.or(tx, packet.back.loops());
        let Ok(()) =
            envelope.send_filled(ICMP + quoted, tx, |message| -> Result<_, Infallible> {
                message[..ICMP].fill(0);
                message[..2].copy_from_slice(&kind);
                message[6..ICMP].copy_from_slice(&pointer.to_be_bytes());
                message[ICMP..].copy_from_slice(&packet.bytes[..quoted]);
                seal(message, ends);
                Ok(())
            })?;
        Some(())
    }
}
