// SPDX-License-Identifier: BSD-2-Clause

//! ICMP (RFC 792): what received messages say, and the messages that this machine sends.

use core::net::Ipv4Addr;

use smoltcp::wire::{Icmpv4Message, Icmpv4Packet, IpProtocol};
use socket_proto::Errno;

use crate::ip::packet::{Packet, Tuple, ports};
use crate::ip::send::HEADER;

/// Bytes of an ICMP header.
pub const ICMP: usize = 8;
/// Longest error message, IPv4 header included (RFC 1812 section 4.3.2.3).
const ERROR_MAX: usize = 576;
/// Longest payload of an error message's packet, in bytes.
pub const ERROR_PAYLOAD: usize = ERROR_MAX - HEADER;

const UNREACHABLE: u8 = 3;
const FRAGMENTATION_NEEDED: u8 = 4;

/// A received message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message {
    /// A request for an echo.
    Echo,
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
        /// In bytes of an IPv4 packet.
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

/// Reads a message. `own` is this machine's address.
pub fn parse(payload: &[u8], own: Ipv4Addr) -> Option<Message> {
    let packet = Icmpv4Packet::new_checked(payload).ok()?;
    if !packet.verify_checksum() {
        return None;
    }
    let code = packet.msg_code();
    let why = match packet.msg_type() {
        Icmpv4Message::EchoRequest => return Some(Message::Echo),
        Icmpv4Message::DstUnreachable if code == FRAGMENTATION_NEEDED => {
            let mtu = payload.get(6..8)?;
            Some(Why::TooBig {
                mtu: u16::from_be_bytes([mtu[0], mtu[1]]),
            })
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
fn quote(quoted: &[u8], why: Why, own: Ipv4Addr) -> Option<Error> {
    // The quoted packet is cut off, so that its length field promises more than there is.
    let header = usize::from(quoted.first()? & 0x0f) * 4;
    if quoted.first()? >> 4 != 4 || header < HEADER {
        return None;
    }
    let half = |at: usize| Some(u16::from_be_bytes([*quoted.get(at)?, *quoted.get(at + 1)?]));
    let word = |at: usize| Some(u32::from(half(at)?) << 16 | u32::from(half(at + 2)?));
    let (source, destination) = (
        Ipv4Addr::from_bits(word(12)?),
        Ipv4Addr::from_bits(word(16)?),
    );
    // Only the first fragment has ports.
    if source != own || half(6)? & 0x1fff != 0 {
        return None;
    }
    let (from, to) = ports(quoted.get(header..)?)?;
    Some(Error {
        why,
        protocol: IpProtocol::from(*quoted.get(9)?),
        tuple: Tuple {
            local: (source, from),
            remote: (destination, to),
        },
        sequence: word(header + 4)?,
        length: usize::from(half(2)?),
    })
}

/// Turns a request for an echo into the reply.
pub fn emit_reply(message: &mut [u8]) {
    let mut icmp = Icmpv4Packet::new_unchecked(message);
    icmp.set_msg_type(Icmpv4Message::EchoReply);
    icmp.fill_checksum();
}

/// How much of a packet its error message quotes.
pub fn quoted_length(packet: &Packet) -> usize {
    packet.bytes.len().min(ERROR_PAYLOAD - ICMP)
}

/// Writes a "destination unreachable" about a received packet; `message` has room for [`ICMP`] and
/// [`quoted_length`] bytes.
pub fn emit_unreachable(message: &mut [u8], code: u8, packet: &Packet) {
    message[..ICMP].fill(0);
    message[0] = UNREACHABLE;
    message[1] = code;
    let length = message.len() - ICMP;
    message[ICMP..].copy_from_slice(&packet.bytes[..length]);
    Icmpv4Packet::new_unchecked(message).fill_checksum();
}
