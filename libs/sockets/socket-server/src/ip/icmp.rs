// SPDX-License-Identifier: BSD-2-Clause

//! ICMP (RFC 792): echoes are answered, errors are handed up, and senders are told of what found
//! nobody.

use core::convert::Infallible;

use smoltcp::wire::{Icmpv4Message, Icmpv4Packet, IpProtocol, Ipv4Packet};
use socket_proto::Errno;

use super::Network;
use super::address::Address;
use super::icmp6;
use super::output::{Envelope, HEADER};
use super::packet::{Packet, Tuple, ports};
use crate::counters::Counter;
use crate::frames::TxQueue;

/// Bytes of an ICMP header.
pub(crate) const ICMP: usize = 8;
/// The type of a request for an echo.
pub(crate) const ECHO_REQUEST: u8 = 8;
/// Longest error message, IPv4 header included (RFC 1812 section 4.3.2.3).
const ERROR_MAX: usize = 576;
/// Longest payload of an error message's packet, in bytes.
const ERROR_PAYLOAD: usize = ERROR_MAX - HEADER;

/// Codes of "destination unreachable" (RFC 792).
pub(crate) const PROTOCOL: u8 = 2;
pub(crate) const PORT: u8 = 3;

const UNREACHABLE: u8 = 3;
const FRAGMENTATION_NEEDED: u8 = 4;

/// A received message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Message {
    /// A request for an echo.
    Echo,
    /// The reply to one of ours, with this identifier.
    Reply(u16),
    /// A packet of ours did not arrive.
    Error(Error),
    /// Nothing that is answered or believed.
    Other,
}

/// Why a packet did not arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// It was too long for a link behind which it was to go; what that link takes, or 0.
    TooBig {
        /// In bytes of a packet.
        mtu: u16,
    },
    /// Something else.
    Failed {
        /// As Linux reports it.
        errno: Errno,
        /// Whether a connected datagram socket is told.
        fatal: bool,
    },
}

/// What an error message says about a packet that claims to be this machine's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Error {
    /// What happened.
    pub why: Why,
    /// The packet's protocol.
    pub protocol: IpProtocol,
    /// Its ends, ours first.
    pub tuple: Tuple,
    /// Of a TCP segment, its sequence number.
    pub sequence: u32,
    /// The packet's length.
    pub length: usize,
}

/// What a message is about that is not for the network alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Report {
    /// It replies to the request for an echo with this identifier.
    Reply(u16),
    /// A packet that claims to be ours did not arrive.
    Error(Error),
}

/// The identifier of a request for an echo, or of a reply.
pub(super) fn identifier(message: &[u8]) -> Option<u16> {
    Some(u16::from_be_bytes(*message.get(4..)?.first_chunk()?))
}

/// The ports of a packet of ours that an error quotes. One of ICMP has the identifier instead, and
/// was a request for an echo.
pub(super) fn quoted_ports(protocol: IpProtocol, transport: &[u8]) -> Option<(u16, u16)> {
    let request = match protocol {
        IpProtocol::Icmp => ECHO_REQUEST,
        IpProtocol::Icmpv6 => icmp6::ECHO_REQUEST,
        _ => return ports(transport),
    };
    let id = identifier(transport).filter(|_| transport[0] == request)?;
    Some((id, 0))
}

/// Reads a message. `own` is the address of this machine that it was sent to.
fn parse(payload: &[u8], own: Address) -> Option<Message> {
    let packet = Icmpv4Packet::new_checked(payload).ok()?;
    if !packet.verify_checksum() {
        return None;
    }
    let code = packet.msg_code();
    let why = match packet.msg_type() {
        Icmpv4Message::EchoRequest => return Some(Message::Echo),
        Icmpv4Message::EchoReply => return identifier(payload).map(Message::Reply),
        Icmpv4Message::DstUnreachable if code == FRAGMENTATION_NEEDED => {
            let mtu = u16::from_be_bytes(*payload.get(6..)?.first_chunk()?);
            Some(Why::TooBig { mtu })
        }
        Icmpv4Message::DstUnreachable => unreachable(code),
        // In transit, or while its fragments were put together.
        Icmpv4Message::TimeExceeded => Some(Why::Failed {
            errno: Errno::EHOSTUNREACH,
            fatal: false,
        }),
        Icmpv4Message::ParamProblem => Some(Why::Failed {
            errno: Errno::EPROTO,
            fatal: true,
        }),
        _ => None,
    };
    let quoted = payload.get(ICMP..)?;
    let error = why.and_then(|why| quote(quoted, why, own));
    Some(error.map_or(Message::Other, Message::Error))
}

/// Linux's table of what the codes of "destination unreachable" mean.
fn unreachable(code: u8) -> Option<Why> {
    let (errno, fatal) = match code {
        0 => (Errno::ENETUNREACH, false),
        1 => (Errno::EHOSTUNREACH, false),
        2 => (Errno::ENOPROTOOPT, true),
        3 => (Errno::ECONNREFUSED, true),
        5 => (Errno::EOPNOTSUPP, false),
        6 => (Errno::ENETUNREACH, true),
        7 => (Errno::EHOSTDOWN, true),
        8 => (Errno::ENONET, true),
        9 => (Errno::ENETUNREACH, true),
        10 => (Errno::EHOSTUNREACH, true),
        11 => (Errno::ENETUNREACH, false),
        12 => (Errno::EHOSTUNREACH, false),
        13..=15 => (Errno::EHOSTUNREACH, true),
        _ => return None,
    };
    Some(Why::Failed { errno, fatal })
}

/// Reads the packet that an error message quotes: its header and at least 8 bytes.
fn quote(quoted: &[u8], why: Why, own: Address) -> Option<Error> {
    if quoted.len() < HEADER {
        return None;
    }
    // The quoted packet is cut off, so that its length field promises more than there is.
    let packet = Ipv4Packet::new_unchecked(quoted);
    let header = usize::from(packet.header_len());
    // Only the first fragment has ports.
    if packet.version() != 4
        || header < HEADER
        || Address::v4(packet.src_addr()) != own
        || packet.frag_offset() != 0
    {
        return None;
    }
    let transport = quoted.get(header..)?;
    let (from, to) = quoted_ports(packet.next_header(), transport)?;
    Some(Error {
        why,
        protocol: packet.next_header(),
        tuple: Tuple {
            local: (own, from),
            remote: (packet.dst_addr().into(), to),
        },
        sequence: u32::from_be_bytes(*transport.get(4..)?.first_chunk()?),
        length: usize::from(packet.total_len()),
    })
}

/// Turns a request for an echo into the reply.
fn emit_reply(message: &mut [u8]) {
    let mut icmp = Icmpv4Packet::new_unchecked(message);
    icmp.set_msg_type(Icmpv4Message::EchoReply);
    icmp.fill_checksum();
}

/// Writes the checksum of a message.
pub(crate) fn seal(message: &mut [u8]) {
    Icmpv4Packet::new_unchecked(message).fill_checksum();
}

/// How much of a packet its error message quotes.
fn quoted_length(packet: &Packet) -> usize {
    packet.bytes.len().min(ERROR_PAYLOAD - ICMP)
}

/// Writes a "destination unreachable" about a received packet; `message` has room for [`ICMP`] and
/// [`quoted_length`] bytes.
fn emit_unreachable(message: &mut [u8], code: u8, packet: &Packet) {
    message[..ICMP].fill(0);
    message[0] = UNREACHABLE;
    message[1] = code;
    let length = message.len() - ICMP;
    message[ICMP..].copy_from_slice(&packet.bytes[..length]);
    Icmpv4Packet::new_unchecked(message).fill_checksum();
}

impl Network {
    /// Handles an ICMP message. Returns what a socket may have to hear.
    pub(crate) fn icmp<T: TxQueue>(&mut self, packet: &Packet, tx: &mut T) -> Option<Report> {
        // Who tells us of a packet of ours tells its source.
        match parse(packet.payload, packet.destination) {
            None => self.stats.inc(Counter::DropsMalformed),
            // An echo from all hosts would be an amplifier (RFC 1122 section 3.2.2.6 lets us be
            // silent).
            Some(_) if packet.to_all => {}
            Some(Message::Echo) => {
                if self.may_send_icmp(packet) {
                    match self.send_echo(packet, tx) {
                        Some(()) => self.stats.inc(Counter::IcmpEchoReplies),
                        None => self.stats.inc(Counter::DropsNoTxBuffer),
                    }
                }
            }
            // What goes over loopback meets no router.
            Some(Message::Error(error))
                if self.is_own(error.tuple.remote.0) != packet.back.loops() =>
            {
                self.stats.inc(Counter::IcmpIgnored);
            }
            Some(Message::Error(error)) => return Some(Report::Error(error)),
            Some(Message::Reply(id)) => return Some(Report::Reply(id)),
            Some(Message::Other) => {}
        }
        None
    }

    pub(super) fn may_send_icmp(&mut self, packet: &Packet) -> bool {
        // As on Linux there is no limit on loopback, which has bounds of its own.
        let allowed = packet.back.loops() || self.icmp_limit.allow(packet.source, self.now);
        self.stats.add(Counter::RepliesLimited, u64::from(!allowed));
        allowed
    }

    /// Tells a sender that there is no such port or protocol here, unless it said so to all hosts
    /// (RFC 1122 section 3.2.2).
    pub(crate) fn refuse<T: TxQueue>(&mut self, code: u8, packet: &Packet, tx: &mut T) {
        if packet.to_all || packet.source.is_unspecified() || !self.may_send_icmp(packet) {
            return;
        }
        let sent = match packet.destination.is_v4() {
            true => self.send_unreachable(code, packet, tx),
            false => self.send_unreachable6(code, packet, tx),
        };
        if sent.is_none() {
            self.stats.inc(Counter::DropsNoTxBuffer);
        }
    }

    /// A router says that a packet of ours was too long for its next link.
    pub(crate) fn path_narrows(&mut self, error: Error, mtu: u16) {
        let (to, length) = (error.tuple.remote.0, error.length);
        let narrower = self.paths.too_big(to, length, mtu.into(), self.now);
        self.stats.add(Counter::PathMtuChanges, u64::from(narrower));
    }

    /// Replies to a request for an echo.
    fn send_echo<T: TxQueue>(&mut self, packet: &Packet, tx: &mut T) -> Option<()> {
        let envelope = self.answer(packet);
        let message = self.scratch.get_mut(..packet.payload.len())?;
        message.copy_from_slice(packet.payload);
        emit_reply(message);
        envelope.send(message, &mut self.loopback.or(tx, packet.back.loops()))
    }

    /// Tells a sender that its packet found nobody. The message fits onto every path.
    fn send_unreachable<T: TxQueue>(
        &mut self,
        code: u8,
        packet: &Packet,
        tx: &mut T,
    ) -> Option<()> {
        let envelope = self.answer(packet);
        let length = ICMP + quoted_length(packet);
        let tx = &mut self.loopback.or(tx, packet.back.loops());
        let Ok(()) = envelope.send_filled(length, tx, |message| -> Result<_, Infallible> {
            emit_unreachable(message, code, packet);
            Ok(())
        })?;
        Some(())
    }

    /// The envelope of an answer to a packet that was for this machine alone.
    fn answer(&mut self, packet: &Packet) -> Envelope {
        let ends = (packet.destination, packet.source);
        self.envelope(ends, packet.back, IpProtocol::Icmp)
    }
}
